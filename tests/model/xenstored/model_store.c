/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random requests of several connections go to the state machine and to the
 * reference; each reply and the set of events of each step must be the same. A
 * follower gets the records of the state machine and must become the same.
 * MODEL_STEPS and MODEL_SEED say how many and which.
 */
#include "../../unit/xenstored/harness.h"
#include "follower.h"
#include "reference.h"

struct run {
	struct h h;
	struct model m;
	struct conn *conn[M_CONNS];
	uint64_t random;
	unsigned long step;
	unsigned long accepted, refused, events;
};

static char what_now[256]; /* the step, for a report */

static unsigned
pick(struct run *r, unsigned n)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (unsigned)((r->random >> 20) % n);
}

/* --- comparing --- */

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What CONN was sent unasked, sorted; and what the reference says. */
static void
compare_events(struct run *r, int c)
{
	static char got[512][M_PATH + 16];
	struct m_conn *mc = &r->m.conn[c];
	char *at, *save = NULL;
	int n = 0;

	/* h.event holds them as "path|token;" */
	for (at = strtok_r(r->h.event, ";", &save); at != NULL;
	     at = strtok_r(NULL, ";", &save))
		snprintf(got[n++], sizeof(got[0]), "%s", at);
	qsort(got, (size_t)n, sizeof(got[0]), by_text);
	/* two watches with one token may both tell */
	for (int i = 0, all = n; i < all; i++) {
		if (i == 0)
			n = 0;
		if (i == 0 || got[i][0] == '@' ||
		    strcmp(got[i], got[n - 1]) != 0)
			memmove(got[n++], got[i], sizeof(got[0]));
	}
	qsort(mc->event, (size_t)mc->n_events, sizeof(mc->event[0]), by_text);
	r->events += (unsigned long)n;
	for (int i = 0; i < n || i < mc->n_events; i++)
		if (i >= n || i >= mc->n_events ||
		    strcmp(got[i], mc->event[i]) != 0)
			fail_msg("step %lu, %s: connection %d got event %s "
				 "and should get %s",
			    r->step, what_now, c, i < n ? got[i] : "(none)",
			    i < mc->n_events ? mc->event[i] : "(none)");
	mc->n_events = 0;
	r->h.event[0] = '\0';
}

/* Those of ASKER were taken with its reply. */
static void
compare_all_events(struct run *r, int asker)
{
	if (r->conn[asker] != NULL)
		compare_events(r, asker);
	for (int c = 0; c < M_CONNS; c++) {
		if (c == asker || r->conn[c] == NULL)
			continue;
		h_events(&r->h, r->conn[c]);
		compare_events(r, c);
	}
}

/* The reply as text: names and permissions each with a NL. */
static const char *
reply_text(struct run *r, int c, const struct m_request *req, unsigned tx,
    const void *payload, size_t len)
{
	static struct h_message m;
	enum xs_err err;

	err = h_call(
	    &r->h, r->conn[c], (uint32_t)req->type, tx, payload, len, &m);
	if (err != XS_OK)
		return error_name(err);
	if (req->type == WIRE_DIRECTORY || req->type == WIRE_GET_PERMS)
		for (uint32_t i = 0; i < m.header.len; i++)
			if (m.payload[i] == '\0')
				m.payload[i] = '\n';
	return m.payload;
}

static void
expect(struct run *r, const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		fail_msg("step %lu, %s: answered '%s', should be '%s'", r->step,
		    what_now, got, want);
}

/* --- making --- */

static void
random_path(struct run *r, char path[M_PATH])
{
	static const char *const base[] = { "", "/", "/local/domain/1/",
		"/local/domain/2/", "/local/domain/3/", "/tool/" };
	unsigned n = pick(r, 3) + 1, i;
	char *end;

	if (pick(r, 20) == 0) {
		strcpy(path, pick(r, 2) == 0 ? "/" : "/local/domain/1");
		return;
	}
	strcpy(path, base[pick(r, 6)]);
	end = path + strlen(path);
	for (i = 0; i < n; i++) {
		if (i > 0)
			*end++ = '/';
		*end++ = (char)('a' + pick(r, 3));
	}
	*end = '\0';
}

static void
random_perms(struct run *r, struct m_request *req)
{
	req->n_perms = 1 + (int)pick(r, 3);
	for (int i = 0; i < req->n_perms; i++) {
		struct m_perm *p = &req->perm[i];

		p->domid = (int)pick(r, M_DOMS);
		p->bits = (int)pick(r, 4);
		p->life = p->domid != 0 && r->m.alive[p->domid]
			      ? r->m.life[p->domid]
			      : 0;
	}
}

/* The bytes of REQ. */
static size_t
encode(const struct m_request *req, char *to)
{
	size_t len = strlen(req->path) + 1;

	memcpy(to, req->path, len);
	if (req->type == WIRE_WRITE) {
		memcpy(to + len, req->arg, strlen(req->arg));
		return len + strlen(req->arg);
	}
	if (req->type == WIRE_SET_PERMS)
		for (int i = 0; i < req->n_perms; i++)
			len += (size_t)sprintf(to + len, "%c%d",
				   "nrwb"[req->perm[i].bits],
				   req -> perm[i].domid) +
			       1;
	return len;
}

static struct m_txn *
random_txn(struct run *r, int c)
{
	return pick(r, 3) > 0 ? r->m.conn[c].txn[pick(r, M_TXNS)] : NULL;
}

/* --- steps --- */

static void
step_nodes(struct run *r, int c)
{
	static const int types[] = { WIRE_READ, WIRE_READ, WIRE_DIRECTORY,
		WIRE_GET_PERMS, WIRE_WRITE, WIRE_WRITE, WIRE_WRITE, WIRE_MKDIR,
		WIRE_RM, WIRE_SET_PERMS };
	struct m_request req = { .type = types[pick(r, 10)] };
	struct m_txn *txn = random_txn(r, c);
	char payload[256], reply[M_TEXT];
	const char *want;
	size_t len;

	if (txn != NULL && (txn->n_log == M_LOG || txn->overflow))
		txn = NULL;
	random_path(r, req.path);
	/* the base that guests' homes stand on stays the toolstack's */
	if (req.type == WIRE_SET_PERMS && strcmp(req.path, "/") == 0)
		return;
	if (req.type == WIRE_RM && !r->m.conn[c].priv && pick(r, 2) == 0)
		return;
	snprintf(req.arg, sizeof(req.arg), "%u", pick(r, 3));
	random_perms(r, &req);
	len = encode(&req, payload);
	snprintf(what_now, sizeof(what_now), "%s %s by %d in %u",
	    wire_op_name((uint32_t)req.type), req.path, c,
	    txn != NULL ? txn->id : 0);
	want = m_request(&r->m, c, txn, &req, reply);
	expect(r,
	    reply_text(r, c, &req, txn != NULL ? txn->id : 0, payload, len),
	    want);
}

static void
step_begin(struct run *r, int c)
{
	struct m_conn *mc = &r->m.conn[c];
	int open = 0;
	struct h_message m;
	enum xs_err err;

	for (int i = 0; i < M_TXNS; i++)
		open += mc->txn[i] != NULL;
	if (mc->priv && open == M_TXNS)
		return;
	snprintf(what_now, sizeof(what_now), "begin by %d", c);
	err = h_strings(
	    &r->h, r->conn[c], WIRE_TRANSACTION_START, 0, &m, "", NULL);
	if (!mc->priv && open >= M_TXN_QUOTA) {
		assert_int_equal(err, XS_ENOSPC);
		return;
	}
	assert_int_equal(err, XS_OK);
	assert_non_null(m_begin(&r->m, c, (unsigned)atoi(m.payload)));
}

static void
step_end(struct run *r, int c)
{
	struct m_txn *txn = r->m.conn[c].txn[pick(r, M_TXNS)];
	bool commit = pick(r, 4) > 0;
	const char *want = "OK";
	enum xs_err err;

	if (txn == NULL)
		return;
	if (txn->overflow)
		commit = false;
	snprintf(what_now, sizeof(what_now), "%s %u of %d",
	    commit ? "commit" : "abort", txn->id, c);
	if (commit)
		want = m_commit(&r->m, c, txn);
	if (commit && strcmp(want, "OK") == 0)
		r->accepted++;
	else if (commit)
		r->refused++;
	err = h_end(&r->h, r->conn[c], txn->id, commit ? "T" : "F");
	expect(r, error_name(err), want);
	m_drop(&r->m, c, txn);
}

/* The path of W as sent, or in the other form that means the same to C. */
static const char *
either_form(struct run *r, const struct m_conn *c, const char *wpath,
    char other[M_PATH])
{
	char home[M_PATH];
	size_t len = (size_t)sprintf(home, "/local/domain/%d/", c->domid);

	if (pick(r, 2) == 0)
		return wpath;
	if (strncmp(wpath, home, len) == 0)
		return strcpy(other, wpath + len);
	m_absolute(c, wpath, other);
	return other;
}

static bool
same_watch(
    const struct m_conn *c, const struct m_watch *v, const struct m_watch *w)
{
	char a[M_PATH], b[M_PATH];

	m_absolute(c, v->wpath, a);
	m_absolute(c, w->wpath, b);
	return strcmp(a, b) == 0 && strcmp(v->token, w->token) == 0;
}

static void
step_watch(struct run *r, int c)
{
	static const char *const special[] = { "@releaseDomain",
		"@introduceDomain", "@releaseDomain/2" };
	struct m_conn *mc = &r->m.conn[c];
	struct m_watch *w = &mc->watch[pick(r, M_WATCHES)];
	struct h_message m;
	char other[M_PATH];
	bool exists = false;
	enum xs_err err;
	int n = 0;

	if (w->used) {
		snprintf(what_now, sizeof(what_now), "unwatch %s %s by %d",
		    w->wpath, w->token, c);
		err = h_strings(&r->h, r->conn[c], WIRE_UNWATCH, 0, &m,
		    either_form(r, mc, w->wpath, other), w->token, NULL);
		assert_int_equal(err, XS_OK);
		w->used = false;
		return;
	}
	if (pick(r, 6) == 0)
		strcpy(w->wpath, special[pick(r, 3)]);
	else
		random_path(r, w->wpath);
	snprintf(w->token, sizeof(w->token), "t%u", pick(r, 3));
	for (int i = 0; i < M_WATCHES; i++) {
		n += mc->watch[i].used;
		if (mc->watch[i].used && same_watch(mc, &mc->watch[i], w))
			exists = true;
	}
	snprintf(what_now, sizeof(what_now), "watch %s %s by %d", w->wpath,
	    w->token, c);
	err = h_strings(
	    &r->h, r->conn[c], WIRE_WATCH, 0, &m, w->wpath, w->token, NULL);
	if (exists) {
		assert_int_equal(err, XS_EEXIST);
		return;
	}
	if (!mc->priv && n >= M_WATCH_QUOTA) {
		assert_int_equal(err, XS_ENOSPC);
		return;
	}
	assert_int_equal(err, XS_OK);
	w->used = true;
	m_event_at(mc, w);
}

static void
step_reset(struct run *r, int c)
{
	struct m_conn *mc = &r->m.conn[c];

	snprintf(what_now, sizeof(what_now), "reset by %d", c);
	assert_int_equal(
	    h_one(&r->h, r->conn[c], WIRE_RESET_WATCHES, 0, ""), XS_OK);
	for (int i = 0; i < M_WATCHES; i++)
		mc->watch[i].used = false;
	for (int i = 0; i < M_TXNS; i++)
		if (mc->txn[i] != NULL)
			m_drop(&r->m, c, mc->txn[i]);
}

/* A new life of DOMID, known to the toolstack before it is introduced. */
static void
birth(struct run *r, int domid)
{
	struct m_request mkdir = { .type = WIRE_MKDIR };
	struct m_request perms = { .type = WIRE_SET_PERMS, .n_perms = 1 };
	char text[16], payload[256], reply[M_TEXT];
	struct h_message m;

	r->m.life[domid]++;
	r->m.alive[domid] = true;
	r->h.domain[domid].exists = true;
	r->h.domain[domid].unique_id =
	    (uint64_t)(domid * 100000 + r->m.life[domid]);
	snprintf(text, sizeof(text), "%d", domid);
	assert_int_equal(h_strings(&r->h, r->conn[0], WIRE_INTRODUCE, 0, &m,
			     text, "1", "5", NULL),
	    XS_OK);
	r->conn[domid + 1] = r->h.last_ring;
	m_introduce(&r->m, domid);
	compare_all_events(r, 0);
	snprintf(mkdir.path, sizeof(mkdir.path), "/local/domain/%d", domid);
	strcpy(perms.path, mkdir.path);
	perms.perm[0].domid = domid;
	perms.perm[0].life = r->m.life[domid];
	expect(r, reply_text(r, 0, &mkdir, 0, payload, encode(&mkdir, payload)),
	    m_request(&r->m, 0, NULL, &mkdir, reply));
	compare_all_events(r, 0);
	expect(r, reply_text(r, 0, &perms, 0, payload, encode(&perms, payload)),
	    m_request(&r->m, 0, NULL, &perms, reply));
}

static void
step_domain(struct run *r)
{
	int domid = 1 + (int)pick(r, 3);
	struct domain_info gone = { .exists = false };
	char text[16];

	snprintf(what_now, sizeof(what_now), "life or death of %d", domid);
	if (!r->m.alive[domid]) {
		if (r->m.life[domid] < 7990)
			birth(r, domid);
		return;
	}
	r->conn[domid + 1] = NULL;
	m_die(&r->m, domid);
	r->h.domain[domid].exists = false;
	if (pick(r, 2) == 0) {
		h_use_all();
		state_domain_changed(r->h.st, (uint32_t)domid, &gone);
		h_events(&r->h, r->conn[0]);
	} else {
		snprintf(text, sizeof(text), "%d", domid);
		assert_int_equal(
		    h_one(&r->h, r->conn[0], WIRE_RELEASE, 0, text), XS_OK);
	}
}

static void
step(struct run *r)
{
	int c = (int)pick(r, M_CONNS);
	unsigned what = pick(r, 1000);

	if (what < 4)
		c = 0;
	if (r->conn[c] == NULL)
		return;
	r->h.event[0] = '\0';
	if (what < 4) {
		step_domain(r);
	} else if (what < 6) {
		step_reset(r, c);
	} else if (what < 60) {
		step_watch(r, c);
	} else if (what < 130) {
		step_begin(r, c);
	} else if (what < 200) {
		step_end(r, c);
	} else {
		step_nodes(r, c);
	}
	compare_all_events(r, c);
}

static void
all_replies_and_events_are_those_of_the_reference(void **unused)
{
	static struct run r;
	static struct follower follower;
	const char *steps = getenv("MODEL_STEPS"), *seed = getenv("MODEL_SEED");
	unsigned long n = steps != NULL ? strtoul(steps, NULL, 10) : 1000000;
	const char *wrong;

	(void)unused;
	r.random = seed != NULL ? strtoull(seed, NULL, 10) : 88172645463325252u;
	printf("seed %llu, %lu steps\n", (unsigned long long)r.random, n);
	h_start(&r.h);
	for (int i = 1; i < H_DOMAINS; i++)
		r.h.domain[i].exists = false;
	principals_pool(r.h.st->all)->limits.n[QUOTA_NODES] = M_NODE_QUOTA;
	principals_pool(r.h.st->all)->limits.n[QUOTA_WATCHES] = M_WATCH_QUOTA;
	principals_pool(r.h.st->all)->limits.n[QUOTA_TXNS] = M_TXN_QUOTA;
	m_start(&r.m);
	follower_start(&follower, &r.h.config, r.h.st);
	*principals_pool(apply_state(follower.apply)->all) =
	    *principals_pool(r.h.st->all);
	r.h.tap = follower_apply;
	r.h.tap_ctx = &follower;
	r.conn[0] = h_socket(&r.h);
	r.conn[1] = h_socket(&r.h);
	for (r.step = 0; r.step < n; r.step++) {
		r.m.now++;
		h_in_pieces = r.step % 3 == 0;
		step(&r);
		if (r.step % 512 == 0) {
			wrong = state_check(r.h.st);
			if (wrong != NULL)
				fail_msg("step %lu: %s", r.step, wrong);
			follower_compare(&follower, r.h.st);
		}
	}
	printf("%lu commits, %lu refused, %lu rebased, %lu events\n",
	    r.accepted, r.refused, (unsigned long)r.h.st->n_replays, r.events);
	assert_true(r.accepted > n / 1000 && r.refused > n / 10000);
	for (int c = 0; c < M_CONNS; c++)
		m_close(&r.m, c);
	follower_compare(&follower, r.h.st);
	printf("%lu queues of %lu bytes compared\n", follower.queues,
	    follower.bytes);
	assert_true(follower.bytes > n);
	follower_stop(&follower);
	h_stop(&r.h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    all_replies_and_events_are_those_of_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
