/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenmetricsd/page.h"

#include <inttypes.h>

#include <event2/buffer.h>

static uint64_t
load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void
head(struct evbuffer *out, const char *name, const char *type, const char *help)
{
	evbuffer_add_printf(
	    out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
number(struct evbuffer *out, const char *name, const char *type,
    const char *help, uint64_t value)
{
	head(out, name, type, help);
	evbuffer_add_printf(out, "%s %" PRIu64 "\n", name, value);
}

/* --- the daemon's page --- */

static const char *
op_name(unsigned type)
{
	/* clang-format off */
	static const char *const name[WIRE_OP_COUNT] = {
#define XS_OP(number, name, handler, args, flags) [number] = #name,
#include "schema/ops.tbl"
	};
	/* clang-format on */

	return type < WIRE_OP_COUNT && name[type] != NULL ? name[type]
							  : "other";
}

static void
write_histogram(
    struct evbuffer *out, const char *op, const struct stats_histogram *h)
{
	static const char name[] = "xenstored_request_duration_seconds";
	uint64_t count = 0;
	unsigned i;

	for (i = 0; i < STATS_BUCKETS; i++) {
		count += load(&h->bucket[i]);
		if (i + 1 < STATS_BUCKETS)
			evbuffer_add_printf(out,
			    "%s_bucket{op=\"%s\",le=\"%.9g\"} %" PRIu64 "\n",
			    name, op, (double)stats_limit(i) / 1e9, count);
	}
	evbuffer_add_printf(out,
	    "%s_bucket{op=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
	    "%s_sum{op=\"%s\"} %.9f\n"
	    "%s_count{op=\"%s\"} %" PRIu64 "\n",
	    name, op, count, name, op, (double)load(&h->ns) / 1e9, name, op,
	    count);
}

static bool
is_used(const struct stats_histogram *h)
{
	unsigned i;

	for (i = 0; i < STATS_BUCKETS; i++)
		if (load(&h->bucket[i]) != 0)
			return true;
	return false;
}

static void
write_requests(const struct stats_page *stats, struct evbuffer *out)
{
	unsigned i;

	head(out, "xenstored_request_duration_seconds", "histogram",
	    "Time that requests took, without waiting for their turn.");
	for (i = 0; i < STATS_OPS; i++)
		if (is_used(&stats->request[i]))
			write_histogram(out, op_name(i), &stats->request[i]);
	head(out, "xenstored_errors_total", "counter",
	    "Requests answered with an error.");
	for (i = 1; i < STATS_ERRORS; i++)
		if (load(&stats->error[i]) != 0)
			evbuffer_add_printf(out,
			    "xenstored_errors_total{error=\"%s\"} %" PRIu64
			    "\n",
			    error_name((enum xs_err)i), load(&stats->error[i]));
}

static void
write_gauges(const struct stats_gauges *g, struct evbuffer *out)
{
	head(out, "xenstored_connections", "gauge", "Open connections.");
	evbuffer_add_printf(out,
	    "xenstored_connections{kind=\"socket\"} %" PRIu64 "\n"
	    "xenstored_connections{kind=\"ring\"} %" PRIu64 "\n",
	    load(&g->sockets), load(&g->rings));
	number(out, "xenstored_waiting_connections", "gauge",
	    "Connections that have not taken what there is for them.",
	    load(&g->waiting));
	number(out, "xenstored_waiting_replies", "gauge",
	    "Replies not taken yet.", load(&g->replies));
	head(out, "xenstored_waiting_bytes", "gauge",
	    "Bytes of replies and events not taken yet.");
	evbuffer_add_printf(out,
	    "xenstored_waiting_bytes{what=\"reply\"} %" PRIu64 "\n"
	    "xenstored_waiting_bytes{what=\"event\"} %" PRIu64 "\n",
	    load(&g->reply_bytes), load(&g->event_bytes));
	number(out, "xenstored_largest_queue_bytes", "gauge",
	    "Bytes that wait for the connection with the most.",
	    load(&g->largest_queue));
	number(out, "xenstored_collapsed_events", "gauge",
	    "Events of open connections that became one for their watch.",
	    load(&g->collapses));
	number(out, "xenstored_dropped_events", "gauge",
	    "Events of open connections that fit no message.", load(&g->drops));
	number(out, "xenstored_open_transactions", "gauge",
	    "Transactions not ended yet.", load(&g->transactions));
	number(out, "xenstored_node_versions", "gauge",
	    "Nodes in memory, with their versions in transactions.",
	    load(&g->nodes));
}

/* Those that took a millisecond or more, about. */
static uint64_t
long_rounds(const struct stats_histogram *h)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 1; i < STATS_BUCKETS; i++)
		if (stats_limit(i - 1) >= 1000000)
			n += load(&h->bucket[i]);
	return n;
}

static void
write_rounds(const struct stats_page *stats, struct evbuffer *out)
{
	number(out, "xenstored_long_rounds_total", "counter",
	    "Times that whoever asked had to wait for 1.05 ms or longer.",
	    long_rounds(&stats->round));
	head(out, "xenstored_longest_round_seconds", "gauge",
	    "The longest that whoever asked had to wait, since it serves.");
	evbuffer_add_printf(out, "xenstored_longest_round_seconds %.9f\n",
	    (double)load(&stats->longest_round) / 1e9);
}

static void
write_stats(const struct stats_page *stats, struct evbuffer *out)
{
	write_requests(stats, out);
	number(out, "xenstored_turns_total", "counter",
	    "Turns that connections had.", load(&stats->turns));
	write_rounds(stats, out);
	number(out, "xenstored_takeovers_total", "counter",
	    "Times that a standby took over.", load(&stats->takeovers));
	head(out, "xenstored_commits_total", "counter",
	    "Transactions that were to be committed, by what came of them.");
	evbuffer_add_printf(out,
	    "xenstored_commits_total{result=\"asked\"} %" PRIu64 "\n"
	    "xenstored_commits_total{result=\"conflict\"} %" PRIu64 "\n"
	    "xenstored_commits_total{result=\"replayed\"} %" PRIu64 "\n",
	    load(&stats->commits), load(&stats->conflicts),
	    load(&stats->replays));
	write_gauges(&stats->gauges, out);
}

/* --- the log --- */

static void
write_log(const struct collect_view *view, struct evbuffer *out)
{
	uint64_t next = load(&view->log->next_seq);
	uint64_t standby =
	    view->stats != NULL ? load(&view->stats->standby_seq) : 0;

	number(out, "xenstored_log_records_total", "counter",
	    "Records in the commit log since its beginning.", next);
	number(out, "xenstored_log_bytes_total", "counter",
	    "Bytes in the commit log since its beginning.",
	    load(&view->log->end));
	number(out, "xenstored_follower_lag_records", "gauge",
	    "Records that this exporter is behind.", view->lag);
	number(out, "xenstored_follower_begins_total", "counter",
	    "Times that this exporter had to begin with a snapshot.",
	    view->begins);
	if (standby != 0)
		number(out, "xenstored_standby_lag_records", "gauge",
		    "Records that the standby is behind.",
		    next > standby + 1 ? next - 1 - standby : 0);
}

/* --- domains --- */

/* One number for each domain and quota. */
static void
write_quota(const struct state *st, struct evbuffer *out, const char *name,
    int64_t (*get)(const struct principal *p, enum quota_id id))
{
	const struct principal *p;
	uint32_t domid;
	unsigned i;

	for (domid = 1; domid < DOMID_FIRST_RESERVED; domid++) {
		p = principal_current(st->all, domid);
		for (i = 0; p != NULL && i < QUOTA_COUNT; i++)
			if (p->peak.n[i] != 0)
				evbuffer_add_printf(out,
				    "%s{domid=\"%u\",quota=\"%s\"} %" PRId64
				    "\n",
				    name, (unsigned)domid, quota_name(i),
				    get(p, i));
	}
}

static int64_t
get_usage(const struct principal *p, enum quota_id id)
{
	return p->usage.n[id];
}

static int64_t
get_peak(const struct principal *p, enum quota_id id)
{
	return p->peak.n[id];
}

static void
write_quotas(const struct state *st, struct evbuffer *out)
{
	head(out, "xenstored_quota_used", "gauge",
	    "What a domain uses of what is limited.");
	write_quota(st, out, "xenstored_quota_used", get_usage);
	head(out, "xenstored_quota_peak", "gauge", "The most that it used.");
	write_quota(st, out, "xenstored_quota_peak", get_peak);
	head(out, "xenstored_quota_limit", "gauge",
	    "What it may use; 0: all it wants.");
	write_quota(st, out, "xenstored_quota_limit", principal_limit);
}

static void
write_refused(const struct collect_view *view, struct evbuffer *out)
{
	const struct collect_domain *d;
	uint32_t domid;
	unsigned i;

	head(out, "xenstored_conflicts_total", "counter",
	    "Transactions of a domain that have to be tried again.");
	for (domid = 0; domid < DOMID_FIRST_RESERVED; domid++)
		if ((d = view->domain[domid]) != NULL && d->conflicts != 0)
			evbuffer_add_printf(out,
			    "xenstored_conflicts_total{domid=\"%u\"} %" PRIu64
			    "\n",
			    (unsigned)domid, d->conflicts);
	head(out, "xenstored_refusals_total", "counter",
	    "Requests of a domain refused by a limit, or for want of rights.");
	for (domid = 0; domid < DOMID_FIRST_RESERVED; domid++) {
		d = view->domain[domid];
		for (i = 0; d != NULL && i < QUOTA_COUNT; i++)
			if (d->refused[i] != 0)
				evbuffer_add_printf(out,
				    "xenstored_refusals_total{domid=\"%u\","
				    "why=\"%s\"} %" PRIu64 "\n",
				    (unsigned)domid, quota_name(i),
				    d->refused[i]);
		if (d != NULL && d->denied != 0)
			evbuffer_add_printf(out,
			    "xenstored_refusals_total{domid=\"%u\","
			    "why=\"rights\"} %" PRIu64 "\n",
			    (unsigned)domid, d->denied);
	}
}

void
page_write(const struct collect_view *view, struct evbuffer *out)
{
	number(out, "xenstored_up", "gauge",
	    "Whether the store daemon answers.", view->up);
	if (view->up) {
		head(out, "xenstored_probe_seconds", "gauge",
		    "How long that took.");
		evbuffer_add_printf(out, "xenstored_probe_seconds %.9f\n",
		    (double)view->probe_ns / 1e9);
	}
	if (view->stats != NULL)
		write_stats(view->stats, out);
	if (view->log != NULL)
		write_log(view, out);
	if (view->state != NULL)
		write_quotas(view->state, out);
	write_refused(view, out);
}
