/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/server.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <talloc.h>

#include "xenstored/gauge.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/snapshot.h"
#include "xenstored/stats.h"
#include "xenstored/trace.h"

enum {
	QUANTUM = 32,	 /* microseconds of work in one turn, about */
	QUANTUM_MIN = 4, /* if others wait, so that none waits for long */
	ROUNDS = 64,	 /* turns of all before the kernel is asked again ... */
	ROUNDS_US = 1000, /* or so long, as long as there are who had none yet:
			     to be told of each of them anew takes longer
			     than the turns of some */
	ROUNDS_LEFT = 2,  /* and of those who had one and have more to do */
	PREPARE = 3,	  /* cache lines of a connection that each turn needs */
	STEP = 1000,	  /* pieces of work put off in one round */
	BACKGROUND = 8,	  /* others that take turns */
	TIME_MS = 100,	  /* between two records of the time */
};

struct server {
	struct event_base *base;
	struct state *state;
	struct state_env env;
	struct world *world;
	struct log *log;
	struct trace *trace;
	struct stats *stats;
	struct snapshots snapshots;
	/* Those with work; privileged ones and guests get as many turns. Who
	 * had nothing to do and now has, and who had a turn and has more to do,
	 * get them one by one: so the one who asks little does not wait for
	 * each of those who ask much. */
	struct list fresh[2], active[2];
	bool was_fresh[2]; /* the last turn */
	struct list unsent;
	struct {
		bool (*run)(void *ctx);
		void *ctx;
	} background[BACKGROUND];
	struct flight *flight;
	bool own_flight;
	int written_fd;	  /* -1: what was written is not counted */
	uint64_t written; /* unless ... */
	bool wrote_elsewhere;
	unsigned said; /* messages when it was right */
	uint64_t time; /* that the log was told last, ms */
	enum xs_err (*control)(void *ctx, int argc, const char *const argv[],
	    char *buf, size_t size, size_t *len_out);
	void *control_ctx;
	void (*look)(void *ctx); /* or NULL */
	void *look_ctx;
	bool stopping;
	char scratch[SERVER_SCRATCH];
};

/* --- world --- */

static struct domain_info
none_domain_info(struct world *world, uint32_t domid)
{
	(void)world;
	return (struct domain_info){ .exists = true, .unique_id = domid };
}

static enum xs_err
none_ring_open(struct world *world, struct conn *conn, uint32_t domid,
    uint32_t port, uint32_t features)
{
	(void)world;
	(void)conn;
	(void)domid;
	(void)port;
	(void)features;
	return XS_ENOENT;
}

static void
none_ring_close(struct world *world, struct conn *conn)
{
	(void)world;
	(void)conn;
}

struct world *
world_none(void)
{
	static struct world none = {
		.domain_info = none_domain_info,
		.ring_open = none_ring_open,
		.ring_close = none_ring_close,
	};

	return &none;
}

static struct domain_info
env_domain_info(void *ctx, uint32_t domid)
{
	struct server *server = ctx;

	return server->world->domain_info(server->world, domid);
}

static enum xs_err
env_ring_open(void *ctx, struct conn *conn, uint32_t domid, uint32_t port,
    uint32_t features)
{
	struct server *server = ctx;

	return server->world->ring_open(
	    server->world, conn, domid, port, features);
}

static void
env_ring_close(void *ctx, struct conn *conn)
{
	struct server *server = ctx;

	server->world->ring_close(server->world, conn);
}

static void
env_wake(void *ctx, struct conn *conn)
{
	struct server *server = ctx;
	struct transport *transport = conn_shell(conn);

	if (transport != NULL && list_empty(&transport->unsent))
		list_append(&server->unsent, &transport->unsent);
}

static void
record_time(struct server *server)
{
	struct record record = { .type = RECORD_TIME };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	record.a =
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (record.a - server->time < TIME_MS)
		return;
	server->time = record.a;
	log_append(server->log, &record);
}

static void
env_record(void *ctx, const struct record *record)
{
	struct server *server = ctx;

	record_time(server);
	log_append(server->log, record);
}

static void
env_trace(void *ctx, const struct conn *conn, const char *direction,
    const struct wire_header *header, const void *payload)
{
	struct server *server = ctx;

	trace_message(server->trace, direction, conn_id(conn), conn_domid(conn),
	    header, payload);
}

static void
env_soft_limit(void *ctx, uint32_t domid, int64_t used, int64_t soft)
{
	(void)ctx;
	msg_info("domain %u uses %lld bytes of memory, more than quota-soft's "
		 "%lld",
	    (unsigned)domid, (long long)used, (long long)soft);
}

static void
env_answered(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload, enum xs_err err)
{
	struct server *server = ctx;

	(void)conn;
	(void)payload;
	stats_request(server->stats, header->type, err);
}

/* --- control --- */

static enum xs_err
answer(const char *text, char *buf, size_t size, size_t *len_out)
{
	size_t len = strlen(text);

	if (len >= size)
		return XS_E2BIG;
	memcpy(buf, text, len);
	*len_out = len;
	return XS_OK;
}

static enum xs_err
control_log(struct server *server, int argc, const char *const argv[],
    char *buf, size_t size, size_t *len_out)
{
	if (argc > 2)
		return XS_EINVAL;
	if (argc == 1) {
		*len_out = trace_describe(server->trace, buf, size);
		return XS_OK;
	}
	if (!trace_control(server->trace, argv[1]))
		return XS_EINVAL;
	state_set_trace(server->state, trace_wanted(server->trace));
	return answer("OK", buf, size, len_out);
}

/* It is made when the turn is over: between two records. */
static enum xs_err
control_snapshot(struct server *server, int argc, const char *const argv[],
    char *buf, size_t size, size_t *len_out)
{
	enum xs_err err = XS_EINVAL;

	if (argc == 2)
		err = snapshots_ask(&server->snapshots, argv[1]);
	return err == XS_OK ? answer("OK", buf, size, len_out) : err;
}

static enum xs_err
env_control(void *ctx, int argc, const char *const argv[], char *buf,
    size_t size, size_t *len_out)
{
	struct server *server = ctx;

	if (strcmp(argv[0], "log") == 0)
		return control_log(server, argc, argv, buf, size, len_out);
	if (strcmp(argv[0], "snapshot") == 0)
		return control_snapshot(server, argc, argv, buf, size, len_out);
	if (strcmp(argv[0], "print") == 0) {
		if (argc != 2)
			return XS_EINVAL;
		msg_info("control: %s", argv[1]);
		return answer("OK", buf, size, len_out);
	}
	if (strcmp(argv[0], "logfile") == 0) {
		if (argc != 2)
			return XS_EINVAL;
		if (!trace_open(server->trace, argv[1])) {
			msg_warn("cannot open the trace file %s", argv[1]);
			return XS_EINVAL;
		}
		state_set_trace(server->state, trace_wanted(server->trace));
		return answer("OK", buf, size, len_out);
	}
	if (server->control != NULL) {
		enum xs_err err = server->control(
		    server->control_ctx, argc, argv, buf, size, len_out);

		if (err != XS_ENOSYS)
			return err;
	}
	if (strcmp(argv[0], "live-update") == 0)
		return answer("live update is not supported by this version",
		    buf, size, len_out);
	return XS_ENOSYS;
}

/* --- set-up --- */

bool
server_trace_control(struct server *server, const char *what)
{
	bool known = trace_control(server->trace, what);

	if (server->state != NULL)
		state_set_trace(server->state, trace_wanted(server->trace));
	return known;
}

struct server *
server_new_empty(const struct server_config *config, struct flight *flight)
{
	struct server *server = talloc_zero(NULL, struct server);
	struct event_config *events = event_config_new();

	if (server == NULL || events == NULL)
		fatalx("no memory");
	/* It does not know of NetBSD's event channels, and does not say so. */
	event_config_avoid_method(events, "kqueue");
	/* No list of changes: what is closed has to be forgotten before, as
	 * other processes may hold the same socket. */
	event_config_set_flag(events, EVENT_BASE_FLAG_NOLOCK);
	/* there are next to no timers: the clock is not asked in every turn */
	event_config_set_flag(events, EVENT_BASE_FLAG_NO_CACHE_TIME);
	server->base = event_base_new_with_config(events);
	event_config_free(events);
	server->flight = flight;
	server->written_fd = -1;
	server->world = world_none();
	list_init(&server->fresh[0]);
	list_init(&server->fresh[1]);
	list_init(&server->active[0]);
	list_init(&server->active[1]);
	list_init(&server->unsent);
	server->env = (struct state_env){
		.ctx = server,
		.domain_info = env_domain_info,
		.ring_open = env_ring_open,
		.ring_close = env_ring_close,
		.wake = env_wake,
		.record = env_record,
		.trace = env_trace,
		.control = env_control,
		.answered = env_answered,
		.soft_limit = env_soft_limit,
	};
	snapshots_init(&server->snapshots, config->run_dir, config->files_fd);
	server->stats = stats_open(config->stats_file);
	if (server->stats == NULL)
		fatal("cannot keep statistics in %s",
		    config->stats_file != NULL ? config->stats_file : "memory");
	server->trace = trace_new(config->files_fd);
	if (server->base == NULL || server->trace == NULL)
		fatalx("no memory");
	if (config->trace_file != NULL) {
		if (!trace_open(server->trace, config->trace_file))
			fatal("cannot open the trace file %s",
			    config->trace_file);
		server_trace_control(server, "on");
	}
	return server;
}

void
server_take(struct server *server, struct state *st, struct log *log)
{
	server->log = log;
	server->state = st;
	state_set_env(st, &server->env);
	stats_serve(server->stats, false);
	state_set_trace(st, trace_wanted(server->trace));
}

struct server *
server_new(const struct server_config *config, struct log *log)
{
	struct server *server = server_new_empty(config, flight_private());
	struct state *st = state_new(&config->state, &server->env);

	if (st == NULL || server->flight == NULL)
		fatalx("no memory");
	server->own_flight = true;
	server_take(server, st, log);
	return server;
}

void
server_free(struct server *server)
{
	if (server->state != NULL)
		state_free(server->state);
	if (server->own_flight)
		flight_unmap(server->flight);
	trace_free(server->trace);
	stats_close(server->stats);
	event_base_free(server->base);
	talloc_free(server);
}

void
server_set_world(struct server *server, struct world *world)
{
	server->world = world;
}

struct state *
server_state(struct server *server)
{
	return server->state;
}

struct stats *
server_stats(struct server *server)
{
	return server->stats;
}

struct event_base *
server_base(struct server *server)
{
	return server->base;
}

char *
server_scratch(struct server *server)
{
	return server->scratch;
}

struct flight *
server_flight(struct server *server)
{
	return server->flight;
}

uint64_t
server_seq(const struct server *server)
{
	return log_end(server->log).seq;
}

void
server_count_writes(struct server *server, int fd)
{
	server->written_fd = fd;
	server->wrote_elsewhere = true;
}

void
server_wrote(struct server *server, size_t n)
{
	server->written += n;
}

void
server_wrote_elsewhere(struct server *server)
{
	server->wrote_elsewhere = true;
}

uint64_t
server_written(struct server *server)
{
	if (server->written_fd < 0)
		return FLIGHT_UNKNOWN;
	if (!server->wrote_elsewhere && server->said == msg_count() &&
	    !trace_wanted(server->trace))
		return server->written;
	server->said = msg_count();
	server->wrote_elsewhere = false;
	if (!plat_written(server->written_fd, &server->written)) {
		server->written_fd = -1;
		return FLIGHT_UNKNOWN;
	}
	return server->written;
}

void
server_set_look(struct server *server, void (*look)(void *ctx), void *ctx)
{
	server->look = look;
	server->look_ctx = ctx;
}

void
server_set_control(struct server *server,
    enum xs_err (*control)(void *ctx, int argc, const char *const argv[],
	char *buf, size_t size, size_t *len_out),
    void *ctx)
{
	server->control = control;
	server->control_ctx = ctx;
}

void
server_reopen_trace(struct server *server)
{
	if (!trace_reopen(server->trace))
		msg_warn("cannot open the trace file again");
}

/* --- turns --- */

void
server_add(struct transport *transport)
{
	list_init(&transport->active);
	list_init(&transport->unsent);
}

void
server_remove(struct transport *transport)
{
	list_remove(&transport->active);
	list_remove(&transport->unsent);
}

void
server_activate(struct server *server, struct transport *transport)
{
	if (list_empty(&transport->active))
		list_append(
		    &server->fresh[transport->privileged], &transport->active);
}

void
server_background(struct server *server, bool (*run)(void *ctx), void *ctx)
{
	unsigned i;

	for (i = 0; i < BACKGROUND; i++) {
		if (server->background[i].run == run &&
		    server->background[i].ctx == ctx)
			return;
		if (server->background[i].run == NULL) {
			server->background[i].run = run;
			server->background[i].ctx = ctx;
			return;
		}
	}
}

/* How many wait in LIST, counted up to MAX. */
static int
count_up_to(const struct list *list, int max)
{
	const struct list *link = list->next;
	int n = 0;

	for (; link != list && n < max; link = link->next)
		n++;
	return n;
}

/* What a turn is when others of the same KIND wait for theirs. */
static int
quantum_beside(const struct server *server, int kind)
{
	const int max = QUANTUM / QUANTUM_MIN - 1;
	int n = count_up_to(&server->fresh[kind], max);

	n += count_up_to(&server->active[kind], max - n);
	return QUANTUM / (1 + n);
}

/*
 * Begins to bring in what the next turn from LIST needs: with many clients none
 * of it is in the cache, and one waits for it less if something else is done
 * meanwhile. The link after the first one is at hand, as the one before it was
 * just taken out.
 */
static void
prepare(const struct list *list)
{
	const struct transport *t;
	const char *conn;
	int i;

	if (list_empty(list))
		return;
	t = list_entry(list->next, struct transport, active);
	conn = (const char *)t->conn;
	for (i = 0; i < PREPARE; i++)
		__builtin_prefetch(conn + i * 64);
	__builtin_prefetch((const char *)t + 64);
	__builtin_prefetch(t->active.next);
}

/* One turn for one of KIND. */
static void
run_first(struct server *server, int kind)
{
	struct list *list = &server->fresh[kind];
	struct transport *t;

	if (list_empty(list) ||
	    (server->was_fresh[kind] && !list_empty(&server->active[kind])))
		list = &server->active[kind];
	if (list_empty(list))
		return;
	server->was_fresh[kind] = list == &server->fresh[kind];
	t = list_entry(list->next, struct transport, active);
	list_remove(&t->active);
	prepare(list);
	stats_mark(server->stats);
	/* It may be gone when run() comes back without more to do. */
	if (t->run(t, quantum_beside(server, kind)) == TURN_MORE &&
	    list_empty(&t->active))
		list_append(&server->active[kind], &t->active);
}

static void
send_all(struct server *server)
{
	struct transport *t;

	while (!list_empty(&server->unsent)) {
		t = list_entry(server->unsent.next, struct transport, unsent);
		list_remove(&t->unsent);
		t->flush(t);
	}
}

static bool
run_background(struct server *server)
{
	bool more = state_step(server->state, STEP);
	unsigned i;

	for (i = 0; i < BACKGROUND; i++) {
		if (server->background[i].run == NULL)
			continue;
		if (server->background[i].run(server->background[i].ctx))
			more = true;
		else
			server->background[i].run = NULL;
	}
	return more;
}

static bool
has_fresh(const struct server *server)
{
	return !list_empty(&server->fresh[0]) || !list_empty(&server->fresh[1]);
}

static bool
has_work(const struct server *server)
{
	return has_fresh(server) || !list_empty(&server->active[0]) ||
	       !list_empty(&server->active[1]);
}

/* Whether turns go on before the kernel is asked again who wants one. */
static bool
may_go_on(const struct server *server, int round)
{
	if (round < ROUNDS_LEFT)
		return has_work(server);
	if (!has_fresh(server))
		return false;
	return round < ROUNDS || stats_round_us(server->stats) < ROUNDS_US;
}

bool
server_turn(struct server *server, bool block)
{
	bool more;
	int round;

	if (event_base_loop(
		server->base, EVLOOP_ONCE | (block ? 0 : EVLOOP_NONBLOCK)) < 0)
		fatalx("the event loop failed");
	for (round = 0; may_go_on(server, round); round++) {
		run_first(server, 1);
		run_first(server, 0);
		send_all(server);
	}
	more = run_background(server);
	send_all(server);
	if (server->look != NULL)
		server->look(server->look_ctx);
	snapshots_make(&server->snapshots, server->state, server->log);
	if (stats_due(server->stats))
		gauge_state(server->state, stats_page(server->stats));
	more = more || has_work(server);
	stats_round(server->stats, more);
	return more;
}

void
server_run(struct server *server)
{
	bool more = true; /* who took over has what was begun */

	while (!server->stopping)
		more = server_turn(server, !more);
}

void
server_stop(struct server *server)
{
	server->stopping = true;
	event_base_loopbreak(server->base);
}
