/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/state.h"

#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "xenstored/account.h"
#include "xenstored/check.h"
#include "xenstored/cost.h"
#include "xenstored/conn.h"
#include "xenstored/crash_point.h"
#include "xenstored/domain.h"
#include "xenstored/former.h"
#include "xenstored/merge.h"
#include "xenstored/ops.h"
#include "xenstored/txn.h"

enum {
	BURY_COST = 2, /* pieces of work that a subtree's removal counts as */
	REAP_BESIDE = 64, /* pieces of work put off that each request does */
};

/* The tree at the start: "/", "/tool/xenstored" and the specials, of domain 0
 * and for nobody else, but all may learn that a domain went. */
static bool
plant(struct state *st)
{
	struct acl_entry entry[2] = {
		{ .who = st->dom0, .perm = { 0, PERM_NONE } },
		{ .perm = { PERM_DOMID_ANY, PERM_READ } },
	};
	struct acl *acl = acl_get(st->heap.acls, entry, 1);
	struct acl *all = acl_get(st->heap.acls, entry, 2);
	struct node *created;
	bool ok = false;

	if (acl != NULL && all != NULL)
		st->live = store_new_tree(&st->heap, acl, all);
	if (st->live != NULL)
		ok = store_put(&st->heap, &st->live, "/tool/xenstored", NULL,
			 acl, &created) == XS_OK;
	if (ok)
		account_start(&st->books, &st->walk, st->live);
	if (acl != NULL)
		acl_unref(st->heap.acls, acl);
	if (all != NULL)
		acl_unref(st->heap.acls, all);
	return ok;
}

static int
state_destroy(struct state *st)
{
	uint32_t i;

	while (!list_empty(&st->conns))
		conn_free(list_entry(st->conns.next, struct conn, link));
	for (i = 0; st->domain != NULL && i < DOMID_FIRST_RESERVED; i++)
		if (st->domain[i] != NULL)
			principal_unref(st->domain[i]->self);
	while (!list_empty(&st->unburied)) {
		struct principal *p =
		    list_entry(st->unburied.next, struct principal, unburied);

		list_remove(&p->unburied);
		principal_unref(p);
	}
	(void)txn_reap(st, SIZE_MAX);
	if (st->live != NULL)
		node_unref(&st->heap, st->live);
	if (st->heap.atoms != NULL)
		heap_end(&st->heap);
	table_end(&st->conns_by_id);
	principals_free(st->all);
	watches_free(st->watches);
	diff_free(st->diff);
	merge_free(st->merge);
	former_free(st->former);
	free(st->check);
	free(st->domain);
	return 0;
}

struct state *
state_new(const struct state_config *config, const struct state_env *env)
{
	struct state *st = talloc_zero(NULL, struct state);

	if (st == NULL)
		return NULL;
	st->env = env;
	st->config = *config;
	st->soft_memory = config->soft_memory;
	list_init(&st->conns);
	list_init(&st->unburied);
	list_init(&st->forgotten);
	list_init(&st->snapshots);
	talloc_set_destructor(st, state_destroy);
	st->domain = calloc(DOMID_FIRST_RESERVED, sizeof(struct domain *));
	st->diff = diff_new();
	st->merge = merge_new();
	st->former = former_new();
	st->check = check_new();
	st->all = principals_new(&config->quotas);
	if (st->domain != NULL && st->diff != NULL && st->merge != NULL &&
	    st->former != NULL && st->check != NULL && st->all != NULL &&
	    table_init(&st->conns_by_id) &&
	    heap_init(&st->heap, &config->seed)) {
		st->watches = watches_new(st->heap.atoms, &config->seed);
		st->dom0 = principal_get(st->all, 0, 0, 0);
	}
	if (st->watches != NULL && st->dom0 != NULL) {
		st->dom0->privileged = true;
		st->books.dom0 = st->dom0;
		if (plant(st))
			return st;
	}
	talloc_free(st);
	return NULL;
}

void
state_free(struct state *st)
{
	talloc_free(st);
}

void
core_trace(const struct conn *conn, const char *direction,
    const struct wire_header *header, const void *payload)
{
	const struct state_env *env = conn->st->env;

	if (conn->st->trace)
		env->trace(env->ctx, conn, direction, header, payload);
}

void
state_set_trace(struct state *st, bool on)
{
	st->trace = on;
}

void
core_record(struct state *st, enum record_type type, uint64_t a, uint64_t b,
    const void *data, size_t len)
{
	struct record record = { .type = type, .a = a, .b = b };

	record.data[0] = data;
	record.len[0] = len;
	st->env->record(st->env->ctx, &record);
}

void
state_set_env(struct state *st, const struct state_env *env)
{
	st->env = env;
}

/* --- connections --- */

struct conn *
state_open_socket(struct state *st, uid_t uid, pid_t pid, void *shell)
{
	return state_open_sock(st, uid, pid, 0, shell);
}

struct conn *
state_open_sock(
    struct state *st, uid_t uid, pid_t pid, uint64_t sock, void *shell)
{
	struct record_socket data = { .pid = pid, .sock = sock };
	struct conn *conn = conn_new(st, st->dom0, true, false, shell);

	if (conn == NULL)
		return NULL;
	conn->uid = uid;
	conn->pid = pid;
	conn->sock = sock;
	if (sock > st->last_sock)
		st->last_sock = sock;
	core_record(st, RECORD_OPEN_SOCKET, conn->id, uid, &data, sizeof(data));
	return conn;
}

uint64_t
state_last_sock(const struct state *st)
{
	return st->last_sock;
}

struct conn *
state_open_dom0(
    struct state *st, uint64_t unique_id, uint32_t port, void *shell)
{
	struct conn *conn = conn_new(st, st->dom0, true, true, shell);

	if (conn == NULL)
		return NULL;
	st->dom0->unique_id = unique_id;
	conn->port = port;
	core_record(st, RECORD_OPEN_DOM0, conn->id, unique_id, &conn->port,
	    sizeof(conn->port));
	return conn;
}

void
state_close(struct conn *conn)
{
	core_record(conn->st, RECORD_CLOSE, conn->id, 0, NULL, 0);
	conn_free(conn);
}

void
state_reset(struct conn *conn)
{
	core_record(conn->st, RECORD_RESET, conn->id, 0, NULL, 0);
	conn_clear(conn);
	conn->ignored = false;
}

void
state_ignore(struct conn *conn)
{
	core_record(conn->st, RECORD_IGNORE, conn->id, 0, NULL, 0);
	conn_clear(conn);
	conn->ignored = true;
}

/* --- input --- */

/* Whether CONN's requests must wait until more of its output is taken. */
static bool
must_wait(const struct conn *conn)
{
	if (conn->q.reply_bytes > REPLY_LIMIT)
		return true;
	return !principal_allows(
	    conn->who.self, QUOTA_OUTSTANDING, (int64_t)conn->q.n_replies + 1);
}

static void
record_reply(void *ctx, const struct reply *reply)
{
	struct conn *conn = ctx;

	core_record(conn->st, RECORD_REPLY, conn->id, reply->item.upto,
	    reply->bytes, reply->len);
}

void
state_settle(struct conn *conn)
{
	if (conn->q.n_unlogged > 0)
		outq_settle(&conn->q, record_reply, conn);
}

/* The replies before the one of this request, whose bytes of input end at
 * the same place. */
static void
record_reply_before(void *ctx, const struct reply *reply)
{
	const struct conn *conn = ctx;

	if (reply->item.upto != conn->q.upto)
		record_reply(ctx, reply);
}

/*
 * Whether REQ has to be in the log. An answer of the world may have changed
 * something though it failed; and people ask why something was refused.
 */
static bool
is_for_log(const struct request *req)
{
	/* its beginning is in the log already */
	if (req->conn->part != NULL)
		return true;
	if (req->changed || req->st->asked || req->err == XS_EACCES)
		return true;
	return req->err != XS_OK && state_refused(req->st) != NULL;
}

/* Says once that P, who is limited, uses more memory than is thought usual. */
static void
mind_soft_limit(struct state *st, struct principal *p)
{
	const struct state_env *env = st->env;
	int64_t used = p->usage.n[QUOTA_MEMORY], soft = st->soft_memory;

	if (p->privileged || soft <= 0)
		return;
	if (p->soft_told) {
		p->soft_told = used >= soft - soft / 10;
	} else if (used > soft) {
		p->soft_told = true;
		if (env->soft_limit != NULL)
			env->soft_limit(env->ctx, p->domid, used, soft);
	}
}

/* What there was no memory for since the beginning of something. */
struct lack {
	uint64_t missed, stuck, buried;
};

static struct lack
lack_now(struct state *st)
{
	return (struct lack){ watches_events(st->watches)->missed, st->n_stuck,
		st->n_buried };
}

/* The flags of the outcome of what began at BEFORE. */
static uint16_t
lack_since(struct state *st, const struct lack *before)
{
	struct lack now = lack_now(st);
	uint16_t flags = 0;

	if (now.missed != before->missed)
		flags |= RECORD_EVENT_MISSED;
	if (now.stuck != before->stuck)
		flags |= RECORD_BURIAL_STUCK;
	return flags;
}

/* What has no answer has an outcome only if something was missing. */
static void
record_outcome(struct state *st, const struct lack *before)
{
	st->outcome = lack_since(st, before);
	st->buried = st->n_buried - before->buried;
	if (st->outcome != 0)
		core_record(
		    st, RECORD_OUTCOME, st->outcome, st->buried, NULL, 0);
}

/* How REQ was answered, for its record. Who follows has no shell to answer
 * CONTROL. */
static uint16_t
outcome_of(const struct request *req, uint16_t lack)
{
	uint16_t outcome = (uint16_t)(req->err + 1) | lack;

	if (req->header.type == WIRE_CONTROL)
		return 0;
	if (req->err == XS_ENOMEM && !req->changed && !req->st->asked)
		outcome |= RECORD_NOT_DONE;
	return outcome;
}

static void
record_request(
    const struct request *req, size_t upto, const void *bytes, size_t len)
{
	struct state *st = req->st;
	struct record record = {
		.type = RECORD_REQUEST,
		.a = req->conn->id,
		.b = upto,
		.outcome = st->outcome,
	};

	record.data[0] = bytes;
	record.len[0] = len;
	st->env->record(st->env->ctx, &record);
}

/* Of a test: this process has no memory for REQ. */
static bool
is_to_fail(const struct request *req)
{
	return crash_fault("enomem") && req->header.type == WIRE_WRITE &&
	       req->header.len >= 7 && memcmp(req->payload, "/enomem", 7) == 0;
}

/*
 * Runs the request of LEN bytes at BYTES, which end UPTO bytes behind the
 * beginning of the turn's input; its cost. REFUSE: for want of memory.
 */
static int
run(struct conn *conn, const void *bytes, size_t len, size_t upto, bool refuse)
{
	struct request req = {
		.st = conn->st, .conn = conn, .as_of = UINT64_MAX
	};
	const struct state_env *env = conn->st->env;
	const struct lack before = lack_now(conn->st);
	uint64_t fired;

	memcpy(&req.header, bytes, sizeof(req.header));
	req.payload = (const char *)bytes + sizeof(req.header);
	if (!conn->later)
		core_trace(conn, "IN", &req.header, req.payload);
	conn->q.upto = (uint32_t)upto;
	conn->st->asked = false;
	conn->st->work = 0;
	fired = watches_fired(conn->st->watches);
	principals_pool(conn->st->all)->refused.id = QUOTA_COUNT;
	if (refuse || is_to_fail(&req))
		ops_refuse(&req, XS_ENOMEM);
	else
		ops_run(&req);
	conn->later = req.later;
	if (req.later)
		return 0;
	conn->st->outcome = outcome_of(&req, lack_since(conn->st, &before));
	if (env->answered != NULL)
		env->answered(
		    env->ctx, conn, &req.header, req.payload, req.err);
	if (is_for_log(&req)) {
		outq_settle(&conn->q, record_reply_before, conn);
		record_request(&req, upto, bytes, len);
	}
	heap_reap(&conn->st->heap, REAP_BESIDE);
	txn_reap(conn->st, REAP_BESIDE);
	txn_age_next(conn->st);
	mind_soft_limit(conn->st, conn->who.self);
	fired = watches_fired(conn->st->watches) - fired;
	return 1 + (int)(len / 1024) +
	       (int)((conn->st->work + fired * WORK_EVENT) / 1000);
}

/* The length of the message that starts with HEADER, or 0 if it is too long. */
static size_t
message_len(const void *bytes)
{
	struct wire_header header;

	memcpy(&header, bytes, sizeof(header));
	if (header.len > WIRE_PAYLOAD_MAX)
		return 0;
	return sizeof(header) + header.len;
}

/* Whether CONN's next request may run now. */
static bool
may_run(struct conn *conn, const int *budget, enum input_result *why_out)
{
	*why_out = must_wait(conn) ? INPUT_WAIT : INPUT_BUSY;
	return *why_out != INPUT_WAIT && *budget > 0 && outq_ready(&conn->q);
}

/* Whether CONN's request, whose header is at BYTES, is put off. */
static bool
is_held_back(struct conn *conn, const void *bytes)
{
	struct wire_header header;
	bool burying = domain_burying(conn->st);

	if (conn->st->reserved == NULL && !burying)
		return false;
	memcpy(&header, bytes, sizeof(header));
	return (burying && ops_changes(&header)) ||
	       txn_holds_back(conn, header.type);
}

bool
state_input_part(struct conn *conn, const void *bytes, size_t len)
{
	if (conn->part == NULL)
		conn->part = talloc_size(conn, WIRE_MESSAGE_MAX);
	if (conn->part == NULL)
		return false;
	state_settle(conn);
	core_record(
	    conn->st, RECORD_PART, conn->id, conn->q.upto + len, bytes, len);
	memcpy(conn->part + conn->part_len, bytes, len);
	conn->part_len += len;
	conn->q.upto += (uint32_t)len;
	return true;
}

static void
drop_part(struct conn *conn)
{
	talloc_free(conn->part);
	conn->part = NULL;
	conn->part_len = 0;
}

/* Adds to a header that came in parts. False: it is not whole yet. */
static bool
input_header(struct conn *conn, const char *bytes, size_t len, size_t *used_out)
{
	size_t missing;

	if (conn->part_len >= sizeof(struct wire_header))
		return true;
	missing = sizeof(struct wire_header) - conn->part_len;
	if (len < missing)
		missing = len;
	if (missing > 0 && state_input_part(conn, bytes, missing))
		*used_out += missing;
	return conn->part_len >= sizeof(struct wire_header);
}

/* Adds to a message that came in parts, and runs it when it is whole. */
static enum input_result
input_rest(struct conn *conn, const char *bytes, size_t len, int *budget,
    size_t *used_out)
{
	enum input_result why;
	size_t missing;

	if (!input_header(conn, bytes, len, used_out))
		return INPUT_MORE;
	bytes += *used_out;
	len -= *used_out;
	missing = message_len(conn->part);
	if (missing == 0)
		return INPUT_BAD;
	missing -= conn->part_len;
	if (len < missing) {
		if (len > 0 && state_input_part(conn, bytes, len))
			*used_out += len;
		return INPUT_MORE;
	}
	if (!may_run(conn, budget, &why))
		return why;
	if (is_held_back(conn, conn->part))
		return INPUT_BUSY;
	memcpy(conn->part + conn->part_len, bytes, missing);
	*budget -= run(conn, conn->part, conn->part_len + missing,
	    *used_out + missing, false);
	if (conn->later)
		return INPUT_BUSY;
	*used_out += missing;
	drop_part(conn);
	return INPUT_MORE;
}

enum input_result
state_input(struct conn *conn, const void *bytes, size_t len, int *budget,
    size_t *used_out)
{
	const char *pos = bytes;
	enum input_result why;
	size_t n;

	*used_out = 0;
	conn->q.upto = 0;
	if (conn->part != NULL) {
		why = input_rest(conn, pos, len, budget, used_out);
		if (why != INPUT_MORE || conn->part != NULL)
			return why;
	}
	while (len - *used_out >= sizeof(struct wire_header)) {
		n = message_len(pos + *used_out);
		if (n == 0)
			return INPUT_BAD;
		if (len - *used_out < n)
			return INPUT_MORE;
		if (!may_run(conn, budget, &why))
			return why;
		if (is_held_back(conn, pos + *used_out))
			return INPUT_BUSY;
		*budget -= run(conn, pos + *used_out, n, *used_out + n, false);
		if (conn->later)
			return INPUT_BUSY;
		*used_out += n;
	}
	return INPUT_MORE;
}

bool
state_stash(struct conn *conn, const void *bytes, size_t len, uint64_t upto)
{
	size_t left = conn->stash_len - conn->stash_at;
	char *all = malloc(left + len);

	if (all == NULL)
		return false;
	if (left > 0)
		memcpy(all, conn->stash + conn->stash_at, left);
	memcpy(all + left, bytes, len);
	conn_drop_stash(conn);
	conn->stash = all;
	conn->stash_len = (uint32_t)(left + len);
	core_record(conn->st, RECORD_STASH, conn->id, upto, bytes, len);
	return true;
}

const char *
state_stashed(const struct conn *conn, size_t *len_out)
{
	*len_out = conn->stash_len - conn->stash_at;
	return *len_out > 0 ? conn->stash + conn->stash_at : NULL;
}

bool
state_unstash(struct conn *conn, uint64_t n)
{
	if (n > conn->stash_len - conn->stash_at)
		return false;
	if (n == 0)
		return true;
	core_record(conn->st, RECORD_UNSTASH, conn->id, n, NULL, 0);
	conn->stash_at += (uint32_t)n;
	if (conn->stash_at == conn->stash_len)
		conn_drop_stash(conn);
	return true;
}

void
state_set_port(struct conn *conn, uint32_t port)
{
	core_record(conn->st, RECORD_PORT, conn->id, port, NULL, 0);
	conn->port = port;
}

/* --- output --- */

const char *
state_kept(const struct conn *conn, size_t *len_out)
{
	*len_out = outq_kept(&conn->q);
	return *len_out > 0 ? conn->q.kept + conn->q.kept_at : NULL;
}

void
state_sent(struct conn *conn, size_t n)
{
	if (n == 0)
		return;
	core_record(conn->st, RECORD_SENT, conn->id, n, NULL, 0);
	(void)outq_sent(&conn->q, n);
}

void
state_take(struct conn *conn, char *buf, size_t size, size_t enough,
    struct taken *taken_out)
{
	outq_take(&conn->q, buf, size, enough, taken_out);
}

void
state_taken(struct conn *conn, const struct taken *taken)
{
	if (taken->n_logged > 0)
		core_record(
		    conn->st, RECORD_TAKE, conn->id, taken->n_logged, NULL, 0);
}

bool
state_keep(struct conn *conn, const char *bytes, size_t len)
{
	if (!outq_keep(&conn->q, bytes, len))
		return false;
	core_record(conn->st, RECORD_KEEP, conn->id, 0, bytes, len);
	return true;
}

bool
state_has_output(const struct conn *conn)
{
	return !outq_empty(&conn->q) || outq_kept(&conn->q) > 0;
}

/* Takes bytes that were kept. */
static size_t
output_kept(struct conn *conn, char *buf, size_t max)
{
	size_t len;
	const char *kept = state_kept(conn, &len);

	if (len > max)
		len = max;
	if (len > 0)
		memcpy(buf, kept, len);
	state_sent(conn, len);
	return len;
}

size_t
state_output(struct conn *conn, char *buf, size_t max)
{
	size_t n = output_kept(conn, buf, max);
	char item[WIRE_MESSAGE_MAX];
	struct taken taken;

	while (n < max && outq_kept(&conn->q) == 0) {
		state_take(conn, item, sizeof(item), 1, &taken);
		state_taken(conn, &taken);
		if (taken.len == 0 || !state_keep(conn, item, taken.len))
			break;
		n += output_kept(conn, buf + n, max - n);
	}
	return n;
}

/* --- following --- */

bool
state_replay(
    struct conn *conn, const void *message, size_t len, uint16_t outcome)
{
	if (len < sizeof(struct wire_header) || message_len(message) != len ||
	    !outq_ready(&conn->q))
		return false;
	/* it was finished there, in however many turns */
	do
		run(conn, message, len, 0, (outcome & RECORD_NOT_DONE) != 0);
	while (conn->later);
	outq_settle(&conn->q, NULL, NULL);
	drop_part(conn);
	return true;
}

bool
state_replay_part(struct conn *conn, const void *bytes, size_t len)
{
	return len <= WIRE_MESSAGE_MAX - conn->part_len &&
	       state_input_part(conn, bytes, len);
}

bool
state_replay_take(struct conn *conn, uint64_t n)
{
	return outq_drop(&conn->q, n);
}

bool
state_replay_reply(struct conn *conn, const void *message, size_t len)
{
	return len >= sizeof(struct wire_header) &&
	       message_len(message) == len &&
	       outq_add_reply(&conn->q, message, len);
}

bool
state_replay_sent(struct conn *conn, uint64_t n)
{
	return outq_sent(&conn->q, n);
}

uint16_t
state_outcome(const struct state *st)
{
	return st->outcome;
}

uint64_t
state_buried(const struct state *st)
{
	return st->buried;
}

/* --- world --- */

void
state_set_virq(struct state *st, uint32_t port)
{
	st->virq_port = port;
	core_record(st, RECORD_WORLD, port, 0, NULL, 0);
}

uint32_t
state_virq(const struct state *st)
{
	return st->virq_port;
}

/* What a record says about a domain. */
struct told_info {
	uint8_t exists, shutdown, dying;
};

static void
record_info(struct state *st, enum record_type type, uint32_t domid,
    const struct domain_info *info)
{
	struct told_info told = { info->exists, info->shutdown, info->dying };

	core_record(st, type, domid, info->unique_id, &told, sizeof(told));
}

struct domain_info
core_ask_domain(struct state *st, uint32_t domid)
{
	struct domain_info info = st->env->domain_info(st->env->ctx, domid);

	record_info(st, RECORD_ANSWER_INFO, domid, &info);
	st->asked = true;
	return info;
}

enum xs_err
core_principal_now(struct state *st, uint32_t domid, struct principal **p_out)
{
	struct principal *p = principal_current(st->all, domid);
	struct domain_info info;

	if (domid == 0) {
		*p_out = st->dom0;
		return XS_OK;
	}
	if (domid >= DOMID_FIRST_RESERVED)
		return XS_ENOENT;
	info = core_ask_domain(st, domid);
	if (p != NULL &&
	    (!info.exists || info.dying || info.unique_id != p->unique_id))
		domain_bury(st, p);
	if (!info.exists || info.dying)
		return XS_ENOENT;
	*p_out =
	    principal_get(st->all, domid, info.unique_id, ++st->heap.stamp);
	return *p_out != NULL ? XS_OK : XS_ENOMEM;
}

enum xs_err
core_principal(struct state *st, uint32_t domid, struct principal **p_out)
{
	*p_out = principal_current(st->all, domid);
	return *p_out != NULL ? XS_OK : core_principal_now(st, domid, p_out);
}

void
state_domain_changed(
    struct state *st, uint32_t domid, const struct domain_info *info)
{
	const struct lack before = lack_now(st);

	record_info(st, RECORD_DOMAIN, domid, info);
	domain_changed(st, domid, info);
	record_outcome(st, &before);
}

uint32_t
state_next_domain(const struct state *st, uint32_t domid)
{
	while (++domid < DOMID_FIRST_RESERVED)
		if (principal_current(st->all, domid) != NULL)
			return domid;
	return 0;
}

struct domain_info
state_known_domain(const struct state *st, uint32_t domid)
{
	const struct principal *p = principal_current(st->all, domid);
	const struct domain *d = domain_find(st, domid);
	struct domain_info info = { .exists = p != NULL };

	if (p != NULL)
		info.unique_id = p->unique_id;
	info.shutdown = d != NULL && d->shutdown;
	return info;
}

bool
state_domain_is_news(
    const struct state *st, uint32_t domid, const struct domain_info *info)
{
	return domain_is_news(st, domid, info);
}

bool
state_step(struct state *st, size_t budget)
{
	const struct lack before = lack_now(st);
	bool more = false;

	st->outcome = 0;
	if (!list_empty(&st->unburied)) {
		core_record(st, RECORD_STEP, budget, 0, NULL, 0);
		more = domain_bury_rest(st, budget / BURY_COST);
		record_outcome(st, &before);
	}
	more = txn_reap(st, budget) || more;
	return heap_reap(&st->heap, budget) || more;
}

const struct refusal *
state_refused(const struct state *st)
{
	const struct refusal *refused = &principals_pool(st->all)->refused;

	return refused->id != QUOTA_COUNT ? refused : NULL;
}
