/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/gauge.h"

#include "xenstored/core.h"

static void
gauge_conn(const struct conn *conn, struct stats_gauges *g)
{
	uint64_t bytes = conn->q.reply_bytes + conn->q.event_bytes;
	const struct list *link;

	if (conn->is_ring)
		g->rings++;
	else
		g->sockets++;
	g->replies += conn->q.n_replies;
	g->reply_bytes += conn->q.reply_bytes;
	g->event_bytes += conn->q.event_bytes;
	g->waiting += bytes > 0;
	if (bytes > g->largest_queue)
		g->largest_queue = bytes;
	g->collapses += conn->q.collapses;
	g->drops += conn->q.drops;
	for (link = conn->txns.next; link != &conn->txns; link = link->next)
		g->transactions++;
}

void
gauge_state(const struct state *st, struct stats_page *page)
{
	struct stats_gauges g = { .nodes = st->heap.live };
	const struct list *link;

	for (link = st->conns.next; link != &st->conns; link = link->next)
		gauge_conn(list_entry(link, const struct conn, link), &g);
	/* whoever reads meanwhile may see some of now and some of before */
	page->gauges = g;
	page->commits = st->n_commits;
	page->conflicts = st->n_conflicts;
	page->replays = st->n_replays;
}
