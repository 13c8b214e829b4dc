/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether concurrent transactions are serialisable, shown by search. Several
 * connections of one state machine do random transactions and single requests
 * at the same time. An episode ends when none is open; then there must be an
 * order of all of them, one after the other, in which a naive reference gives
 * every reply that was given and ends with the tree that there is. What ended
 * before another began comes first (strict serialisability). A transaction
 * that failed or was given up has no effect, but what it was shown must be
 * what there was at some moment of its life, too: it may have acted on it.
 */
#ifndef TESTS_MODEL_XENSTORED_SERIAL_H
#define TESTS_MODEL_XENSTORED_SERIAL_H

#include "../../unit/xenstored/harness.h"
#include "reference.h"

enum {
	S_CONNS = 5,	   /* three sockets, the rings of 1 and 2 */
	S_UNITS = 40,	   /* transactions and single requests of an episode */
	S_OPS = 16,	   /* requests of one */
	S_STEPS = 36,	   /* of an episode, before it is brought to its end */
	S_TEXT = 160,	   /* of a reply */
	S_TREE = 40,	   /* nodes */
	S_TRIES = 2000000, /* until a search is given up */
};

/* What happens at once. */
struct s_unit {
	int conn, n;
	int start, end; /* steps */
	bool open, effect, wrote;
	uint32_t tx; /* 0: one request */
	struct m_request req[S_OPS];
	char reply[S_OPS][S_TEXT];
};

struct s_tree {
	int n;
	struct m_node node[S_TREE];
};

struct serial {
	struct h h;
	struct conn *conn[S_CONNS];
	struct model m; /* rights; its tree is what the search works on */
	struct s_tree first;
	struct s_unit unit[S_UNITS];
	struct s_unit *open[S_CONNS];
	int n_units, step;
	uint64_t random;
	long tries;
	unsigned long ops, units, commits, refused, concurrent;
	char why[512];
};

static unsigned
s_pick(struct serial *s, unsigned n)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (unsigned)((s->random >> 20) % n);
}

/* --- asking the state machine --- */

static size_t
s_encode(const struct m_request *req, char *to)
{
	size_t len = strlen(req->path) + 1;
	int i;

	memcpy(to, req->path, len);
	if (req->type == WIRE_WRITE) {
		memcpy(to + len, req->arg, strlen(req->arg));
		return len + strlen(req->arg);
	}
	for (i = 0; req->type == WIRE_SET_PERMS && i < req->n_perms; i++)
		len += (size_t)sprintf(to + len, "%c%d",
			   "nrwb"[req->perm[i].bits], req -> perm[i].domid) +
		       1;
	return len;
}

static void
s_ask(struct serial *s, int conn, uint32_t tx, const struct m_request *req,
    char reply[S_TEXT])
{
	static struct h_message m;
	char payload[256];
	const char *text;
	enum xs_err err;
	uint32_t i;

	err = h_call(&s->h, s->conn[conn], (uint32_t)req->type, tx, payload,
	    s_encode(req, payload), &m);
	if (err == XS_OK &&
	    (req->type == WIRE_DIRECTORY || req->type == WIRE_GET_PERMS))
		for (i = 0; i < m.header.len; i++)
			if (m.payload[i] == '\0')
				m.payload[i] = '\n';
	text = err == XS_OK ? m.payload : error_name(err);
	assert_true(strlen(text) < S_TEXT);
	strcpy(reply, text);
	s->ops++;
}

/* --- an episode --- */

static void
s_random_request(struct serial *s, int conn, struct m_request *req)
{
	static const int types[] = { WIRE_READ, WIRE_READ, WIRE_READ,
		WIRE_DIRECTORY, WIRE_DIRECTORY, WIRE_GET_PERMS, WIRE_WRITE,
		WIRE_WRITE, WIRE_WRITE, WIRE_WRITE, WIRE_MKDIR, WIRE_RM,
		WIRE_SET_PERMS };
	static const char *const paths[] = { "/t/a", "/t/b", "/t/c", "/t/d/x",
		"/t/d/y", "/t/d/z", "/t/d", "/t/e/f/g", "/t/e", "/t",
		"/t/e/f" };
	int i;

	memset(req, 0, sizeof(*req));
	req->type = types[s_pick(s, 13)];
	strcpy(req->path, paths[s_pick(s, 11)]);
	if (req->type == WIRE_RM && strcmp(req->path, "/t") == 0)
		req->type = WIRE_DIRECTORY;
	/* few values, so that a replay now and then sees the same */
	snprintf(req->arg, sizeof(req->arg), "%u",
	    s_pick(s, 4) == 0 ? s_pick(s, 1000) : s_pick(s, 3));
	req->n_perms = 1 + (int)s_pick(s, 2);
	for (i = 0; i < req->n_perms; i++) {
		struct m_perm *p = &req->perm[i];

		p->domid = i == 0 && conn < 3 ? 0 : (int)s_pick(s, 3);
		p->bits = s_pick(s, 3) == 0 ? (int)s_pick(s, 4) : 3;
		p->life = p->domid != 0 ? 1 : 0;
	}
}

static struct s_unit *
s_new_unit(struct serial *s, int conn)
{
	struct s_unit *u = &s->unit[s->n_units++];

	memset(u, 0, sizeof(*u));
	u->conn = conn;
	u->start = s->step;
	return u;
}

static void
s_do(struct serial *s, struct s_unit *u)
{
	struct m_request *req = &u->req[u->n];

	s_random_request(s, u->conn, req);
	s_ask(s, u->conn, u->tx, req, u->reply[u->n]);
	u->wrote |= m_is_write(req->type) && strcmp(u->reply[u->n], "OK") == 0;
	u->n++;
}

static void
s_finish(struct serial *s, struct s_unit *u)
{
	bool commit = s_pick(s, 6) != 0;
	enum xs_err err =
	    h_end(&s->h, s->conn[u->conn], u->tx, commit ? "T" : "F");

	s->ops++;
	assert_true(err == XS_OK || (commit && err == XS_EAGAIN));
	u->effect = commit && err == XS_OK;
	s->commits += u->effect;
	s->refused += err == XS_EAGAIN;
	u->open = false;
	u->end = s->step;
	s->open[u->conn] = NULL;
}

static void
s_step(struct serial *s, bool ending)
{
	int conn = (int)s_pick(s, S_CONNS), i;
	struct s_unit *u = s->open[conn];

	for (i = 0; ending && u == NULL && i < S_CONNS; i++)
		u = s->open[i];
	if (u != NULL) {
		if (u->n < S_OPS && s_pick(s, 4) != 0)
			s_do(s, u);
		else
			s_finish(s, u);
		return;
	}
	if (ending || s->n_units == S_UNITS)
		return;
	u = s_new_unit(s, conn);
	if (s_pick(s, 4) != 0) {
		u->tx = h_begin(&s->h, s->conn[conn]);
		u->open = true;
		s->open[conn] = u;
		return;
	}
	s_do(s, u);
	u->effect = true;
	u->end = s->step;
}

static bool
s_any_open(const struct serial *s)
{
	int i;

	for (i = 0; i < S_CONNS; i++)
		if (s->open[i] != NULL)
			return true;
	return false;
}

/* --- the search --- */

static void
s_save(const struct serial *s, struct s_tree *to)
{
	to->n = s->m.live.n;
	assert_true(to->n <= S_TREE);
	memcpy(to->node, s->m.live.node, (size_t)to->n * sizeof(to->node[0]));
}

static void
s_load(struct serial *s, const struct s_tree *from)
{
	s->m.live.n = from->n;
	memcpy(s->m.live.node, from->node,
	    (size_t)from->n * sizeof(from->node[0]));
}

/* Does U on the reference's tree; false: a reply is another one. */
static bool
s_run_unit(struct serial *s, const struct s_unit *u)
{
	static struct m_txn dummy;
	static char reply[M_TEXT];
	struct m_conn *c = &s->m.conn[u->conn];
	int i;

	dummy.n_changes = dummy.delta = 0;
	dummy.overflow = false;
	for (i = 0; i < u->n; i++) {
		const char *answer =
		    m_apply(&s->m, c, &s->m.live, &dummy, &u->req[i], reply);

		dummy.n_changes = 0;
		if (strcmp(answer, u->reply[i]) != 0)
			return false;
	}
	return true;
}

/* Nodes in the order of a walk that sorts nothing: as children are listed. */
static void
s_show(struct serial *s, char *to, size_t size, bool live)
{
	static const struct m_request what[] = { { .type = WIRE_READ },
		{ .type = WIRE_DIRECTORY }, { .type = WIRE_GET_PERMS } };
	static const char *const paths[] = { "/t", "/t/a", "/t/b", "/t/c",
		"/t/d", "/t/d/x", "/t/d/y", "/t/d/z", "/t/e", "/t/e/f",
		"/t/e/f/g" };
	static char reply[M_TEXT];
	size_t i, j, len = 0;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (j = 0; j < 3; j++) {
			struct m_request req = what[j];
			char text[S_TEXT];

			strcpy(req.path, paths[i]);
			if (live)
				s_ask(s, 0, 0, &req, text);
			else
				snprintf(text, sizeof(text), "%s",
				    m_apply(&s->m, &s->m.conn[0], &s->m.live,
					NULL, &req, reply));
			len +=
			    (size_t)snprintf(to + len, size - len, "%s;", text);
		}
}

/* When U most likely happened; commits happen at their end. */
static int
s_moment(const struct s_unit *u)
{
	return u->effect && u->wrote ? 2 * u->end : 2 * u->start + 1;
}

static bool
s_may_be_next(const struct serial *s, uint64_t done, int i)
{
	int j;

	for (j = 0; j < s->n_units; j++)
		if (j != i && (done >> j & 1) == 0 &&
		    s->unit[j].end < s->unit[i].start)
			return false;
	return true;
}

/* The units in the order in which they are tried. */
static void
s_sort(const struct serial *s, int order[S_UNITS])
{
	int i, j;

	for (i = 0; i < s->n_units; i++) {
		for (j = i; j > 0 && s_moment(&s->unit[order[j - 1]]) >
					 s_moment(&s->unit[i]);
		     j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
}

static bool
s_search(struct serial *s, const int order[S_UNITS], uint64_t done,
    const struct s_tree *tree, const char *last)
{
	static char text[8192];
	struct s_tree after;
	int k;

	if (done == (UINT64_C(1) << s->n_units) - 1) {
		s_load(s, tree);
		s_show(s, text, sizeof(text), false);
		return strcmp(text, last) == 0;
	}
	for (k = 0; k < s->n_units; k++) {
		int i = order[k];

		if ((done >> i & 1) != 0 || !s_may_be_next(s, done, i))
			continue;
		if (s->tries-- == 0)
			return false;
		s_load(s, tree);
		if (!s_run_unit(s, &s->unit[i]))
			continue;
		if (!s->unit[i].effect)
			s_load(s, tree);
		s_save(s, &after);
		if (s_search(s, order, done | UINT64_C(1) << i, &after, last))
			return true;
		if (s->tries < 0)
			return false;
	}
	return false;
}

/* The episode, for a report. */
static void
s_print(const struct serial *s)
{
	const struct s_unit *u;
	int i, j, k;

	for (i = 0; i < s->n_units; i++) {
		u = &s->unit[i];
		printf("%d: connection %d, steps %d to %d, %s\n", i, u->conn,
		    u->start, u->end, u->effect ? "done" : "without effect");
		for (j = 0; j < u->n; j++) {
			printf("    %s %s %s",
			    wire_op_name((uint32_t)u->req[j].type),
			    u->req[j].path,
			    u->req[j].type == WIRE_WRITE ? u->req[j].arg : "");
			for (k = 0; u->req[j].type == WIRE_SET_PERMS &&
				    k < u->req[j].n_perms;
			     k++)
				printf(" %c%d", "nrwb"[u->req[j].perm[k].bits],
				    u -> req[j].perm[k].domid);
			printf(" -> %s\n", u->reply[j]);
		}
	}
}

/* Whether the episode has an order; then it is the beginning of the next. */
static bool
s_episode(struct serial *s)
{
	static char last[8192];
	int order[S_UNITS], i, j;

	s->n_units = 0;
	for (s->step = 0; s->step < S_STEPS || s_any_open(s); s->step++)
		s_step(s, s->step >= S_STEPS);
	s_show(s, last, sizeof(last), true);
	s_sort(s, order);
	s->tries = S_TRIES;
	s->units += (unsigned)s->n_units;
	for (i = 0; i < s->n_units; i++)
		for (j = 0; j < i; j++)
			s->concurrent += s->unit[j].end > s->unit[i].start;
	if (!s_search(s, order, 0, &s->first, last)) {
		snprintf(s->why, sizeof(s->why),
		    "%d transactions and requests have no order%s", s->n_units,
		    s->tries < 0 ? " that could be found" : "");
		return false;
	}
	s_save(s, &s->first);
	return true;
}

/* --- set-up --- */

static void
s_start(struct serial *s, uint64_t seed)
{
	struct m_request mkdir = { .type = WIRE_MKDIR, .path = "/t" };
	struct m_request perms = { .type = WIRE_SET_PERMS,
		.path = "/t",
		.n_perms = 1,
		.perm = { { .domid = 0, .bits = 3 } } };
	static char reply[M_TEXT];
	char text[S_TEXT];
	int i;

	memset(s, 0, sizeof(*s));
	s->random = seed;
	h_start(&s->h);
	m_start(&s->m);
	s->m.conn[2].open = s->m.conn[2].priv = true;
	for (i = 0; i < 3; i++)
		s->conn[i] = h_socket(&s->h);
	for (i = 1; i < 3; i++) {
		s->conn[2 + i] = h_guest(&s->h, s->conn[0], (unsigned)i);
		s->m.conn[2 + i].open = true;
		s->m.conn[2 + i].domid = i;
		s->m.life[i] = 1;
		s->m.alive[i] = true;
	}
	s_ask(s, 0, 0, &mkdir, text);
	s_ask(s, 0, 0, &perms, text);
	m_apply(&s->m, &s->m.conn[0], &s->m.live, NULL, &mkdir, reply);
	m_apply(&s->m, &s->m.conn[0], &s->m.live, NULL, &perms, reply);
	s_save(s, &s->first);
	h_use_all();
	(void)s_print;
	(void)m_begin;
	(void)m_request;
	(void)m_commit;
	(void)m_drop;
	(void)m_event_at;
	(void)m_introduce;
	(void)m_die;
	(void)m_close;
}

/* OPS requests; false: an episode without an order, see s->why. */
static bool
s_run(struct serial *s, unsigned long ops)
{
	while (s->ops < ops)
		if (!s_episode(s))
			return false;
	return true;
}

#endif
