/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "xenstored/ops.h"
#include "xenstored/stream_in.h"
#include "xenstored/txn.h"

static bool
no_memory(struct stream_in *s)
{
	return stream_wrong(s, "there is no memory for it");
}

/* What a node's record says. */
struct told_node {
	uint32_t conn, txn;
	unsigned access, n_perms;
	const uint8_t *perms;
	const char *path; /* with a NUL */
	struct bytes value;
};

static bool
read_node(struct stream_in *s, struct told_node *n)
{
	size_t path_len;
	enum path_kind kind;

	n->conn = stream_u32(s);
	n->txn = stream_u32(s);
	path_len = stream_u16(s);
	n->value.len = stream_u16(s);
	n->access = stream_u16(s);
	n->n_perms = stream_u16(s);
	n->perms = (const uint8_t *)get_bytes(&s->in, 4 * n->n_perms);
	n->path = get_bytes(&s->in, path_len);
	n->value.data = get_bytes(&s->in, n->value.len);
	if (s->in.wrong != NULL)
		return false;
	if (path_len == 0 || strnlen(n->path, path_len) != path_len - 1 ||
	    path_len - 1 > WIRE_ABS_PATH_MAX)
		return stream_wrong(s, "a path is none");
	kind = path_kind(n->path, path_len - 1);
	if (kind != PATH_ABSOLUTE && strcmp(n->path, "@introduceDomain") != 0 &&
	    strcmp(n->path, "@releaseDomain") != 0)
		return stream_wrong(s, "a path is none");
	if (n->value.len > WIRE_PAYLOAD_MAX)
		return stream_wrong(s, "a value is too long");
	return true;
}

/* --- permissions --- */

static bool
read_perm(struct stream_in *s, struct stream_in *from, struct acl_entry *e)
{
	static const char letter[] = "nrwb";
	const char *bits = get_bytes(&from->in, 1);
	const char *flags = get_bytes(&from->in, 1);

	e->perm.domid = stream_u16(from);
	if (bits == NULL || *bits == '\0' || strchr(letter, *bits) == NULL)
		return stream_wrong(s, "a permission is none");
	e->perm.bits = (uint8_t)(strchr(letter, *bits) - letter);
	e->who = (*flags & STREAM_PERM_STALE) != 0
		     ? NULL
		     : stream_principal(s, e->perm.domid);
	return true;
}

/*
 * The permissions of N with a reference. A node must have an owner: what
 * belonged to one who is gone is domain 0's. NULL: wrong.
 */
static struct acl *
read_acl(struct stream_in *s, const struct told_node *n)
{
	struct stream_in from = { .big_endian = s->big_endian };
	struct acl_entry *entry;
	struct acl *acl = NULL;
	unsigned i;
	bool ok = true;

	if (n->n_perms == 0) {
		stream_wrong(s, "a node has no owner");
		return NULL;
	}
	entry = calloc(n->n_perms, sizeof(*entry));
	if (entry == NULL) {
		no_memory(s);
		return NULL;
	}
	from.in.pos = n->perms;
	from.in.left = 4 * n->n_perms;
	for (i = 0; ok && i < n->n_perms; i++)
		ok = read_perm(s, &from, &entry[i]);
	if (ok && entry[0].who == NULL) {
		entry[0].who = s->st->dom0;
		entry[0].perm.domid = 0;
	}
	if (ok) {
		acl = acl_get(s->st->heap.acls, entry, n->n_perms);
		if (acl == NULL)
			no_memory(s);
	}
	free(entry);
	return acl;
}

/* --- committed nodes --- */

static bool
put_live(struct stream_in *s, const struct told_node *n)
{
	struct state *st = s->st;
	struct acl *acl = read_acl(s, n);
	struct node *node;
	enum xs_err err;

	if (acl == NULL)
		return false;
	err = store_put(&st->heap, &st->live, n->path, &n->value, acl, &node);
	/* it was there if it is one of those that always are */
	if (err == XS_OK && node == NULL)
		err = store_set_acl(&st->heap, &st->live, n->path, acl, &node);
	acl_unref(st->heap.acls, acl);
	return err == XS_OK || no_memory(s);
}

/* --- pending nodes --- */

bool
stream_in_transaction(struct stream_in *s)
{
	uint32_t conn_id = stream_u32(s), id = stream_u32(s);
	struct conn *conn = state_find_conn(s->st, conn_id);
	struct txn *txn;

	if (s->in.wrong != NULL)
		return false;
	if (!s->pending || conn == NULL)
		return true; /* later; or it was left out */
	if (id == 0 || txn_find(conn, id) != NULL)
		return stream_wrong(s, "a transaction is none");
	txn = txn_new(conn);
	if (txn == NULL)
		return no_memory(s);
	txn->id = id;
	txn_open(txn);
	principal_charge(conn->who.self, QUOTA_TXNS, 1);
	if (id > conn->last_txn)
		conn->last_txn = id;
	return true;
}

/* Does the request TYPE in TXN, as its client did before. */
static void
redo(struct stream_in *s, struct txn *txn, uint32_t type, const char *payload,
    size_t len)
{
	struct request req = { .st = s->st, .conn = txn->conn };
	enum xs_err err;

	req.header.type = type;
	req.header.len = (uint32_t)len;
	req.payload = payload;
	req.as_of = UINT64_MAX;
	err = ops_replay(&req, txn);
	if (err == XS_OK || err == XS_ENOENT)
		err = txn_log(txn, type, payload, len, req.digest);
	/* it cannot be what it was: the client has to start over */
	if (err != XS_OK && txn->failed == XS_OK)
		txn->failed = XS_EAGAIN;
}

/* The strings of N's permissions behind its path, into BUF; the length, 0: no
 * room. */
static size_t
perms_payload(const struct stream_in *s, const struct told_node *n, char *buf,
    size_t size)
{
	size_t len = strlen(n->path) + 1;
	unsigned i, domid;
	const uint8_t *p;
	struct perm perm;

	memcpy(buf, n->path, len);
	for (i = 0; i < n->n_perms; i++) {
		p = n->perms + 4 * i;
		if (size - len < PERM_TEXT_MAX)
			return 0;
		domid = s->big_endian ? (unsigned)(p[2] << 8 | p[3])
				      : (unsigned)(p[3] << 8 | p[2]);
		perm.domid = domid;
		perm.bits = (uint8_t)(p[0] == 'b'   ? 3
				      : p[0] == 'w' ? PERM_WRITE
				      : p[0] == 'r' ? PERM_READ
						    : 0);
		len += perm_format(&perm, buf + len) + 1;
	}
	return len;
}

static bool
same_perms(const struct stream_in *s, const struct told_node *n,
    const struct node *node)
{
	char had[WIRE_PAYLOAD_MAX], has[WIRE_PAYLOAD_MAX];
	size_t len = perms_payload(s, n, has, sizeof(has));
	size_t at = strlen(n->path) + 1;
	uint32_t i;

	memcpy(had, n->path, at);
	for (i = 0; i < node->acl->n && sizeof(had) - at >= PERM_TEXT_MAX; i++)
		at += perm_format(&node->acl->entry[i].perm, had + at) + 1;
	return len == at && memcmp(had, has, len) == 0;
}

/* Whether the transaction sees at N's path what N says. */
static bool
seen(struct stream_in *s, const struct txn *txn, const struct told_node *n)
{
	const struct node *node = store_get(&s->st->heap, txn->top, n->path);

	if (n->n_perms == 0 || node == NULL)
		return (n->n_perms == 0) == (node == NULL);
	return node_value_len(node) == n->value.len &&
	       memcmp(node_value(node), n->value.data, n->value.len) == 0 &&
	       same_perms(s, n, node);
}

/* What was written becomes requests that write it; what was read is read. */
static void
pend(struct stream_in *s, struct txn *txn, const struct told_node *n)
{
	char payload[WIRE_PAYLOAD_MAX];
	size_t len = strlen(n->path) + 1;
	const struct node *node;

	memcpy(payload, n->path, len);
	if (n->n_perms == 0 && n->access == 0) {
		redo(s, txn, WIRE_RM, payload, len);
		return;
	}
	if ((n->access & STREAM_WRITTEN) != 0 && n->path[0] != '@') {
		if (n->value.len > sizeof(payload) - len) {
			txn->failed = XS_EAGAIN;
			return;
		}
		memcpy(payload + len, n->value.data, n->value.len);
		redo(s, txn, WIRE_WRITE, payload, len + n->value.len);
	}
	node = store_get(&s->st->heap, txn->top, n->path);
	if ((n->access & STREAM_WRITTEN) != 0 && node != NULL &&
	    !same_perms(s, n, node)) {
		len = perms_payload(s, n, payload, sizeof(payload));
		redo(s, txn, WIRE_SET_PERMS, payload, len);
	}
	if ((n->access & STREAM_READ) != 0) {
		len = strlen(n->path) + 1;
		redo(s, txn, WIRE_GET_PERMS, n->path, len);
		if (n->path[0] != '@') {
			redo(s, txn, WIRE_READ, n->path, len);
			redo(s, txn, WIRE_DIRECTORY, n->path, len);
		}
	}
	if (!seen(s, txn, n) && txn->failed == XS_OK)
		txn->failed = XS_EAGAIN;
}

bool
stream_in_node(struct stream_in *s)
{
	struct told_node n;
	struct conn *conn;
	struct txn *txn;

	if (!read_node(s, &n))
		return false;
	if (s->pending != (n.conn != 0))
		return true;
	if (n.conn == 0)
		return put_live(s, &n);
	conn = state_find_conn(s->st, n.conn);
	if (conn == NULL)
		return true; /* it was left out */
	txn = txn_find(conn, n.txn);
	if (txn == NULL)
		return stream_wrong(s, "a node of no transaction");
	pend(s, txn, &n);
	return true;
}
