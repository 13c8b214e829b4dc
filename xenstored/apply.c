/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/apply.h"

#include <string.h>

#include <talloc.h>

#include "xenstored/image.h"
#include "xenstored/next.h"

/* What the world answered, in the log before the request that asked. */
struct answer_info {
	uint32_t domid;
	struct domain_info info;
};

struct answer_ring {
	uint32_t domid;
	enum xs_err err;
	uint32_t port;
};

struct apply {
	struct state_env env;
	struct apply_hooks hooks;
	struct state *state;
	struct answer_info *info; /* N_INFO, of which NEXT_INFO were given */
	size_t n_info, next_info;
	struct answer_ring *ring;
	size_t n_ring, next_ring;
	bool differs;		 /* something had another outcome here */
	uint64_t lack, n_buried; /* of what has no answer and was done last,
				  * if there was no memory for all of it */
	const char *wrong; /* what the state asked that the log does not say */
};

/* --- the world as the log tells it --- */

static struct domain_info
env_domain_info(void *ctx, uint32_t domid)
{
	struct apply *a = ctx;

	if (a->next_info == a->n_info || a->info[a->next_info].domid != domid) {
		a->wrong = "a domain was asked for that the log does not tell";
		return (struct domain_info){ .exists = false };
	}
	return a->info[a->next_info++].info;
}

static enum xs_err
env_ring_open(void *ctx, struct conn *conn, uint32_t domid, uint32_t port,
    uint32_t features)
{
	struct apply *a = ctx;
	const struct answer_ring *answer;

	(void)port;
	(void)features;
	if (a->next_ring == a->n_ring || a->ring[a->next_ring].domid != domid) {
		a->wrong = "a ring was opened that the log does not tell";
		return XS_EIO;
	}
	answer = &a->ring[a->next_ring++];
	conn_set_port(conn, answer->port);
	if (answer->err == XS_OK && a->hooks.opened != NULL)
		a->hooks.opened(a->hooks.ctx, conn);
	return answer->err;
}

static void
env_ring_close(void *ctx, struct conn *conn)
{
	struct apply *a = ctx;

	if (a->hooks.closed != NULL)
		a->hooks.closed(a->hooks.ctx, conn);
}

static void
env_wake(void *ctx, struct conn *conn)
{
	(void)ctx;
	(void)conn;
}

static void
env_record(void *ctx, const struct record *record)
{
	(void)ctx;
	(void)record;
}

static void
env_trace(void *ctx, const struct conn *conn, const char *direction,
    const struct wire_header *header, const void *payload)
{
	struct apply *a = ctx;

	if (a->hooks.trace != NULL)
		a->hooks.trace(a->hooks.ctx, conn, direction, header, payload);
}

static enum xs_err
env_control(void *ctx, int argc, const char *const argv[], char *buf,
    size_t size, size_t *len_out)
{
	(void)ctx;
	(void)argc;
	(void)argv;
	(void)buf;
	(void)size;
	(void)len_out;
	return XS_ENOSYS;
}

static void
env_answered(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload, enum xs_err err)
{
	struct apply *a = ctx;

	a->hooks.answered(a->hooks.ctx, conn, header, payload, err);
}

static void
env_conflict(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload)
{
	struct apply *a = ctx;

	a->hooks.conflict(a->hooks.ctx, conn, header, payload);
}

/* --- life --- */

static int
apply_destroy(struct apply *a)
{
	if (a->state != NULL)
		state_free(a->state);
	return 0;
}

struct apply *
apply_new(const struct apply_hooks *hooks)
{
	struct apply *a = talloc_zero(NULL, struct apply);

	if (a == NULL)
		return NULL;
	if (hooks != NULL)
		a->hooks = *hooks;
	a->env = (struct state_env){
		.ctx = a,
		.domain_info = env_domain_info,
		.ring_open = env_ring_open,
		.ring_close = env_ring_close,
		.wake = env_wake,
		.record = env_record,
		.trace = env_trace,
		.control = env_control,
		.answered = a->hooks.answered != NULL ? env_answered : NULL,
		.conflict = a->hooks.conflict != NULL ? env_conflict : NULL,
	};
	talloc_set_destructor(a, apply_destroy);
	return a;
}

void
apply_free(struct apply *a)
{
	talloc_free(a);
}

const struct state_env *
apply_env(const struct apply *a)
{
	return &a->env;
}

void
apply_set_state(struct apply *a, struct state *st)
{
	if (a->state != NULL)
		state_free(a->state);
	a->state = st;
	if (st != NULL)
		state_set_trace(st, a->hooks.trace != NULL);
}

struct state *
apply_state(const struct apply *a)
{
	return a->state;
}

struct state *
apply_take_state(struct apply *a)
{
	struct state *st = a->state;

	a->state = NULL;
	return st;
}

/* --- records --- */

bool
apply_is_between(const struct apply *a)
{
	return a->state != NULL && a->n_info == 0 && a->n_ring == 0;
}

bool
apply_differs(const struct apply *a)
{
	return a->differs;
}

void
apply_end(struct apply *a)
{
	a->differs = a->differs || a->lack != 0;
	a->lack = 0;
}

struct record
apply_entry(const struct log_entry *entry, const void *data)
{
	struct record record = {
		.type = (enum record_type)entry->type,
		.a = entry->a,
		.b = entry->b,
		.outcome = entry->outcome,
	};

	record.data[0] = data;
	record.len[0] = entry->len;
	return record;
}

struct record
apply_start(const struct state_config *config, struct record_start *start)
{
	struct record record = { .type = RECORD_START, .a = RECORD_VERSION };

	memset(start, 0, sizeof(*start));
	start->seed = config->seed;
	start->quotas = config->quotas;
	start->soft_memory = config->soft_memory;
	record.b = (uint64_t)config->keep_orphans << 32 | config->priv_domid;
	record.data[0] = start;
	record.len[0] = sizeof(*start);
	return record;
}

bool
apply_start_config(const struct record *record, struct state_config *config_out)
{
	struct record_start start;

	if (record->type != RECORD_START || record->a != RECORD_VERSION ||
	    record->len[0] != sizeof(start))
		return false;
	memcpy(&start, record->data[0], sizeof(start));
	memset(config_out, 0, sizeof(*config_out));
	config_out->seed = start.seed;
	config_out->quotas = start.quotas;
	config_out->soft_memory = start.soft_memory;
	config_out->keep_orphans = (record->b >> 32) != 0;
	config_out->priv_domid = (uint32_t)record->b;
	return true;
}

static const char *
start(struct apply *a, const struct record *r)
{
	struct state_config config;

	if (a->state != NULL)
		return "a log begins within the log";
	if (!apply_start_config(r, &config))
		return "the log is of a version that is " NOT_KNOWN;
	a->state = state_new(&config, &a->env);
	if (a->state == NULL)
		return "no memory";
	state_set_trace(a->state, a->hooks.trace != NULL);
	return NULL;
}

/* What the record R tells about a domain; false: it tells nothing. */
static bool
told_info(const struct record *r, struct domain_info *info_out)
{
	const uint8_t *told = r->data[0];

	if (r->len[0] != 3)
		return false;
	*info_out = (struct domain_info){
		.exists = told[0] != 0,
		.shutdown = told[1] != 0,
		.dying = told[2] != 0,
		.unique_id = r->b,
	};
	return true;
}

static bool
told_port(const struct record *r, uint32_t *port_out)
{
	if (r->len[0] != sizeof(*port_out))
		return false;
	memcpy(port_out, r->data[0], sizeof(*port_out));
	return true;
}

static const char *
add_info(struct apply *a, const struct record *r)
{
	struct answer_info *more;
	struct domain_info info;

	if (!told_info(r, &info))
		return "an answer about a domain is damaged";
	more = talloc_realloc(a, a->info, struct answer_info, a->n_info + 1);
	if (more == NULL)
		return "no memory";
	a->info = more;
	a->info[a->n_info++] =
	    (struct answer_info){ .domid = (uint32_t)r->a, .info = info };
	return NULL;
}

static const char *
add_ring(struct apply *a, const struct record *r)
{
	struct answer_ring *more;
	uint32_t port;

	if (!told_port(r, &port))
		return "an answer about a ring is damaged";
	more = talloc_realloc(a, a->ring, struct answer_ring, a->n_ring + 1);
	if (more == NULL)
		return "no memory";
	a->ring = more;
	a->ring[a->n_ring++] = (struct answer_ring){
		.domid = (uint32_t)r->a,
		.err = (enum xs_err)r->b,
		.port = port,
	};
	return NULL;
}

static void
drop_answers(struct apply *a)
{
	a->n_info = a->next_info = a->n_ring = a->next_ring = 0;
}

static const char *
request(struct apply *a, struct conn *conn, const struct record *r)
{
	a->wrong = NULL;
	if (!state_replay(conn, r->data[0], r->len[0], r->outcome))
		return "a request is damaged";
	if (r->outcome != 0 && state_outcome(a->state) != r->outcome)
		a->differs = true;
	if (a->wrong == NULL &&
	    (a->next_info != a->n_info || a->next_ring != a->n_ring))
		a->wrong = "the log tells more of the world than was asked";
	drop_answers(a);
	return a->wrong;
}

static const char *
opened(struct apply *a, struct conn *conn, const struct record *r)
{
	if (conn == NULL)
		return "no memory";
	if (conn_id(conn) != r->a)
		return "a connection has another number than in the log";
	if (a->hooks.opened != NULL)
		a->hooks.opened(a->hooks.ctx, conn);
	return NULL;
}

static const char *
open_socket(struct apply *a, const struct record *r)
{
	struct record_socket data;

	if (r->len[0] != sizeof(data))
		return "a record of a socket is damaged";
	memcpy(&data, r->data[0], sizeof(data));
	return opened(a,
	    state_open_sock(a->state, (uid_t)r->b, data.pid, data.sock, NULL),
	    r);
}

static const char *
open_dom0(struct apply *a, const struct record *r)
{
	uint32_t port;

	if (!told_port(r, &port))
		return "the record of domain 0's ring is damaged";
	return opened(a, state_open_dom0(a->state, r->b, port, NULL), r);
}

/* If there was no memory for all of what was just done, the next record says
 * the same, or it was so here only. */
static void
expect_outcome(struct apply *a)
{
	a->lack = state_outcome(a->state);
	a->n_buried = state_buried(a->state);
}

static const char *
domain(struct apply *a, const struct record *r)
{
	struct domain_info info;

	if (!told_info(r, &info))
		return "a domain's fate is damaged";
	a->wrong = NULL;
	state_domain_changed(a->state, (uint32_t)r->a, &info);
	expect_outcome(a);
	return a->wrong;
}

/* What was missing for the record before. */
static const char *
outcome(struct apply *a, const struct record *r)
{
	if (r->a != a->lack || r->b != a->n_buried)
		a->differs = true;
	a->lack = 0;
	return NULL;
}

static void
close_conn(struct apply *a, struct conn *conn)
{
	if (a->hooks.closed != NULL)
		a->hooks.closed(a->hooks.ctx, conn);
	state_close(conn);
}

/* Records about the connection CONN. */
static const char *
conn_record(struct apply *a, struct conn *conn, const struct record *r)
{
	const char *bytes = r->data[0];
	bool ok = true;

	switch (r->type) {
	case RECORD_CLOSE:
		if (conn_is_ring(conn))
			return "a ring was closed like a socket";
		close_conn(a, conn);
		break;
	case RECORD_RESET:
		state_reset(conn);
		break;
	case RECORD_IGNORE:
		state_ignore(conn);
		break;
	case RECORD_PART:
		ok = state_replay_part(conn, bytes, r->len[0]);
		break;
	case RECORD_REQUEST:
		return request(a, conn, r);
	case RECORD_TAKE:
		ok = state_replay_take(conn, r->b);
		break;
	case RECORD_REPLY:
		ok = state_replay_reply(conn, bytes, r->len[0]);
		break;
	case RECORD_KEEP:
		ok = state_keep(conn, bytes, r->len[0]);
		break;
	case RECORD_SENT:
		ok = state_replay_sent(conn, r->b);
		break;
	case RECORD_PORT:
		state_set_port(conn, (uint32_t)r->b);
		break;
	case RECORD_STASH:
		ok = state_stash(conn, bytes, r->len[0], 0);
		break;
	case RECORD_UNSTASH:
		ok = state_unstash(conn, r->b);
		break;
	default:
		return "a record is of a kind that is " NOT_KNOWN;
	}
	return ok ? NULL : "a connection is not as the log has it";
}

const char *
apply_record(struct apply *a, const struct record *r)
{
	struct conn *conn;

	if (((unsigned)r->type & RECORD_OPTIONAL) != 0)
		return NULL; /* of a later program */
	if (r->type == RECORD_START)
		return start(a, r);
	if (a->state == NULL)
		return "the log has no beginning";
	if (r->type == RECORD_OUTCOME)
		return outcome(a, r);
	apply_end(a);
	switch (r->type) {
	case RECORD_OPEN_SOCKET:
		return open_socket(a, r);
	case RECORD_OPEN_DOM0:
		return open_dom0(a, r);
	case RECORD_DOMAIN:
		return domain(a, r);
	case RECORD_ANSWER_INFO:
		return add_info(a, r);
	case RECORD_ANSWER_RING:
		return add_ring(a, r);
	case RECORD_WORLD:
		state_set_virq(a->state, (uint32_t)r->a);
		return NULL;
	case RECORD_STEP:
		(void)state_step(a->state, (size_t)r->a);
		expect_outcome(a);
		return NULL;
	case RECORD_TAKEOVER:
		drop_answers(a);
		return NULL;
	case RECORD_TIME:
		return NULL;
	default:
		if (r->type >= RECORD_COUNT && next_writes("record"))
			return NULL;
		if (r->type >= RECORD_COUNT)
			return "a record is of a kind that is " NOT_KNOWN;
		break;
	}
	conn = state_find_conn(a->state, r->a);
	if (conn == NULL)
		return "a connection of the log is not known";
	return conn_record(a, conn, r);
}
