/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/server.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <talloc.h>

#include "xenstored/msg.h"
#include "xenstored/trace.h"

enum {
	QUANTUM = 32,	/* microseconds of work in one turn, about */
	ROUNDS = 16,	/* turns of all before the kernel is asked again */
	STEP = 1000,	/* pieces of work put off in one round */
	BACKGROUND = 4, /* others that take turns */
};

struct server {
	struct event_base *base;
	struct state *state;
	struct state_env env;
	struct world *world;
	struct log *log;
	struct trace *trace;
	/* Those with work; privileged ones and guests get as many turns. */
	struct list active[2];
	struct list unsent;
	struct {
		bool (*run)(void *ctx);
		void *ctx;
	} background[BACKGROUND];
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
env_record(void *ctx, const struct record *record)
{
	struct server *server = ctx;

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

static enum xs_err
env_control(void *ctx, int argc, const char *const argv[], char *buf,
    size_t size, size_t *len_out)
{
	struct server *server = ctx;

	if (strcmp(argv[0], "log") == 0)
		return control_log(server, argc, argv, buf, size, len_out);
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

	state_set_trace(server->state, trace_wanted(server->trace));
	return known;
}

struct server *
server_new(const struct server_config *config, struct log *log)
{
	struct server *server = talloc_zero(NULL, struct server);
	struct event_config *events = event_config_new();

	if (server == NULL || events == NULL)
		fatalx("no memory");
	event_config_set_flag(events,
	    EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	server->base = event_base_new_with_config(events);
	event_config_free(events);
	server->log = log;
	server->world = world_none();
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
	};
	server->trace = trace_new(config->files_fd);
	server->state = state_new(&config->state, &server->env);
	if (server->base == NULL || server->state == NULL ||
	    server->trace == NULL)
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
server_free(struct server *server)
{
	state_free(server->state);
	trace_free(server->trace);
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
		    &server->active[transport->privileged], &transport->active);
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

/* One turn for whoever waits longest in LIST. */
static void
run_first(struct server *server, struct list *list)
{
	struct transport *t;

	if (list_empty(list))
		return;
	t = list_entry(list->next, struct transport, active);
	list_remove(&t->active);
	/* It may be gone when run() comes back without more to do. */
	if (t->run(t, QUANTUM) == TURN_MORE)
		server_activate(server, t);
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
has_work(const struct server *server)
{
	return !list_empty(&server->active[0]) ||
	       !list_empty(&server->active[1]);
}

bool
server_turn(struct server *server, bool block)
{
	bool more;
	int round;

	if (event_base_loop(
		server->base, EVLOOP_ONCE | (block ? 0 : EVLOOP_NONBLOCK)) < 0)
		fatalx("the event loop failed");
	for (round = 0; round < ROUNDS && has_work(server); round++) {
		run_first(server, &server->active[1]);
		run_first(server, &server->active[0]);
		send_all(server);
	}
	more = run_background(server);
	send_all(server);
	return more || has_work(server);
}

void
server_run(struct server *server)
{
	bool more = false;

	while (!server->stopping)
		more = server_turn(server, !more);
}

void
server_stop(struct server *server)
{
	server->stopping = true;
	event_base_loopbreak(server->base);
}
