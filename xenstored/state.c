/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/state.h"

#include <string.h>

#include <talloc.h>

#include "xenstored/account.h"
#include "xenstored/conn.h"
#include "xenstored/domain.h"
#include "xenstored/ops.h"

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
	if (ok) {
		account_tree_made(&st->walk, st->live);
		account_gone(st->live); /* the top is no node of the store */
	}
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
	for (i = 0; i < DOMID_FIRST_RESERVED; i++)
		if (st->domain[i] != NULL)
			principal_unref(st->domain[i]->self);
	while (!list_empty(&st->unburied)) {
		struct principal *p =
		    list_entry(st->unburied.next, struct principal, unburied);

		list_remove(&p->unburied);
		principal_unref(p);
	}
	if (st->live != NULL) {
		account_tree_gone(&st->walk, st->live);
		node_unref(&st->heap, st->live);
	}
	if (st->heap.atoms != NULL)
		heap_end(&st->heap);
	principals_free(st->all);
	watches_free(st->watches);
	diff_free(st->diff);
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
	talloc_set_destructor(st, state_destroy);
	st->diff = diff_new();
	st->all = principals_new(&config->quotas);
	if (st->diff != NULL && st->all != NULL &&
	    heap_init(&st->heap, &config->seed)) {
		st->watches = watches_new(st->heap.atoms, &config->seed);
		st->dom0 = principal_get(st->all, 0, 0, 0);
	}
	if (st->watches != NULL && st->dom0 != NULL) {
		st->dom0->privileged = true;
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

/* --- connections --- */

struct conn *
state_open_socket(struct state *st, uid_t uid, pid_t pid, void *shell)
{
	struct conn *conn = conn_new(st, st->dom0, true, false, shell);

	if (conn == NULL)
		return NULL;
	conn->uid = uid;
	conn->pid = pid;
	core_record(
	    st, RECORD_OPEN_SOCKET, conn->id, uid, &conn->pid, sizeof(pid));
	return conn;
}

struct conn *
state_open_dom0(struct state *st, uint64_t unique_id, void *shell)
{
	struct conn *conn = conn_new(st, st->dom0, true, true, shell);

	if (conn == NULL)
		return NULL;
	st->dom0->unique_id = unique_id;
	core_record(st, RECORD_OPEN_DOM0, conn->id, unique_id, NULL, 0);
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

/* Runs the request of LEN bytes at BYTES; its cost. */
static int
run(struct conn *conn, const void *bytes, size_t len)
{
	struct request req = {
		.st = conn->st, .conn = conn, .as_of = UINT64_MAX
	};
	struct record record = { .type = RECORD_REQUEST, .a = conn->id };
	const struct state_env *env = conn->st->env;

	memcpy(&req.header, bytes, sizeof(req.header));
	req.payload = (const char *)bytes + sizeof(req.header);
	core_trace(conn, "IN", &req.header, req.payload);
	conn->st->asked = false;
	if (env->answered != NULL)
		principals_pool(conn->st->all)->refused.id = QUOTA_COUNT;
	ops_run(&req);
	if (env->answered != NULL)
		env->answered(
		    env->ctx, conn, &req.header, req.payload, req.err);
	/* An answer of the world may have changed something though it failed.
	 */
	if (req.changed || conn->st->asked) {
		record.data[0] = bytes;
		record.len[0] = len;
		env->record(env->ctx, &record);
	}
	heap_reap(&conn->st->heap, 64);
	return 1 + (int)(len / 1024);
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

bool
state_input_part(struct conn *conn, const void *bytes, size_t len)
{
	if (conn->part == NULL)
		conn->part = talloc_size(conn, WIRE_MESSAGE_MAX);
	if (conn->part == NULL)
		return false;
	core_record(conn->st, RECORD_PART, conn->id, 0, bytes, len);
	memcpy(conn->part + conn->part_len, bytes, len);
	conn->part_len += len;
	return true;
}

/* Adds to a message that came in parts, and runs it when it is whole. */
static enum input_result
input_rest(struct conn *conn, const char *bytes, size_t len, int *budget,
    size_t *used_out)
{
	size_t missing = message_len(conn->part) - conn->part_len;
	enum input_result why;

	if (len < missing) {
		if (len > 0 && state_input_part(conn, bytes, len))
			*used_out = len;
		return INPUT_MORE;
	}
	if (!may_run(conn, budget, &why))
		return why;
	memcpy(conn->part + conn->part_len, bytes, missing);
	*budget -= run(conn, conn->part, conn->part_len + missing);
	*used_out = missing;
	talloc_free(conn->part);
	conn->part = NULL;
	conn->part_len = 0;
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
		*budget -= run(conn, pos + *used_out, n);
		*used_out += n;
	}
	return INPUT_MORE;
}

size_t
state_output(struct conn *conn, char *buf, size_t max)
{
	return outq_take(&conn->q, buf, max);
}

bool
state_has_output(const struct conn *conn)
{
	return !outq_empty(&conn->q);
}

/* --- world --- */

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
	record_info(st, RECORD_DOMAIN, domid, info);
	domain_changed(st, domid, info);
}

bool
state_step(struct state *st, size_t budget)
{
	bool more = domain_bury_rest(st);

	return heap_reap(&st->heap, budget) || more;
}

const struct refusal *
state_refused(const struct state *st)
{
	const struct refusal *refused = &principals_pool(st->all)->refused;

	return refused->id != QUOTA_COUNT ? refused : NULL;
}
