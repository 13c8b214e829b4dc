/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "common/path.h"
#include "xenstored/conn.h"
#include "xenstored/image_inp.h"
#include "xenstored/ops.h"

enum {
	WATCH_SIZE_MIN = 12, /* bytes that one takes at least */
	ITEM_SIZE_MIN = 5,
	TOUCHED_SIZE_MIN = 6,
	OP_SIZE_MIN = 24,
	LOG_SLACK = 64 * 1024, /* room that a log may have beyond its use */
};

/* --- watches --- */

/* The absolute form of LEN characters at PATH as CONN says it, or NULL. */
static const char *
absolute(struct image_inp *inp, const struct conn *conn, const char *path,
    size_t len)
{
	char *buf = inp->st->path;
	size_t n;

	if (path_kind(path, len) == PATH_BAD)
		return NULL;
	n = path_absolute(
	    conn->who.self->domid, path, buf, sizeof(inp->st->path));
	return n > 0 && n <= WIRE_ABS_PATH_MAX ? buf : NULL;
}

/* The next string with a NUL into BUF; false: it is none. */
static bool
text(struct image_inp *inp, char *buf, size_t size)
{
	size_t len;
	const char *str = get_string(&inp->in, size - 1, &len);

	if (str == NULL || memchr(str, '\0', len) != NULL)
		return in_wrong(&inp->in, "a text is none");
	memcpy(buf, str, len);
	buf[len] = '\0';
	return true;
}

static bool
read_watch(struct image_inp *inp, struct conn *conn)
{
	char wpath[WIRE_PAYLOAD_MAX], token[WIRE_PAYLOAD_MAX];
	int32_t depth = (int32_t)get_u32(&inp->in);
	const char *path;
	enum xs_err err;

	if (!text(inp, wpath, sizeof(wpath)) ||
	    !text(inp, token, sizeof(token)))
		return false;
	path = absolute(inp, conn, wpath, strlen(wpath));
	if (path == NULL || depth < WATCH_ANY_DEPTH)
		return in_wrong(&inp->in, "a watch is none");
	err = watch_add(
	    inp->st->watches, &conn->watcher, wpath, token, path, depth);
	if (err == XS_ENOMEM)
		return inp_no_memory(inp);
	return err == XS_OK || in_wrong(&inp->in, "two watches are the same");
}

/* All watches of CONN, to *SOURCES_OUT by their numbers. */
static bool
read_watches(struct image_inp *inp, struct conn *conn,
    struct event_source ***sources_out, uint32_t *n_out)
{
	uint32_t n = get_count(&inp->in, WATCH_SIZE_MIN), i;

	*n_out = n;
	*sources_out = calloc(n + 1, sizeof(struct event_source *));
	if (*sources_out == NULL)
		return inp_no_memory(inp);
	for (i = 0; i < n; i++) {
		if (!read_watch(inp, conn))
			return false;
		(*sources_out)[i] = watch_newest(&conn->watcher);
	}
	return true;
}

/* --- what waits --- */

static bool
read_reply(struct image_inp *inp, struct outq *q)
{
	struct wire_header header;
	const char *bytes;
	size_t len;

	bytes = get_string(&inp->in, WIRE_MESSAGE_MAX, &len);
	if (bytes == NULL)
		return false;
	if (len < sizeof(header))
		return in_wrong(&inp->in, "a message is none");
	memcpy(&header, bytes, sizeof(header));
	if (header.len != len - sizeof(header))
		return in_wrong(&inp->in, "a message is none");
	return outq_add_reply(q, bytes, len) || inp_no_memory(inp);
}

/* The path of an event of SOURCE; NULL: it is wrong, or no memory. */
static struct event_path *
read_event_path(
    struct image_inp *inp, const struct event_source *source, uint32_t domid)
{
	char home[PATH_HOME_MAX];
	struct event_path *path;
	size_t len;
	const char *str = get_string(&inp->in, WIRE_ABS_PATH_MAX, &len);

	if (str == NULL)
		return NULL;
	if (path_kind(str, len) != PATH_ABSOLUTE &&
	    path_kind(str, len) != PATH_SPECIAL) {
		in_wrong(&inp->in, "an event has no path");
		return NULL;
	}
	if (source->strip > 0 &&
	    (len <= source->strip ||
		path_home(domid, home) + 1 != source->strip ||
		memcmp(str, home, source->strip - 1) != 0 ||
		str[source->strip - 1] != '/')) {
		in_wrong(&inp->in, "an event is outside of its watch");
		return NULL;
	}
	path = event_path_new(source->q->events, str, len);
	if (path == NULL)
		inp_no_memory(inp);
	return path;
}

static bool
read_event(struct image_inp *inp, struct conn *conn, unsigned kind,
    struct event_source **source, uint32_t n)
{
	uint32_t i = get_index(&inp->in, n, "an event has no watch");
	const struct list *last = conn->q.items.prev;
	struct event_path *path = NULL;

	if (inp->in.wrong != NULL)
		return false;
	if (kind == IMAGE_ITEM_INITIAL) {
		outq_initial_event(source[i]);
	} else {
		if (kind == IMAGE_ITEM_EVENT) {
			path = read_event_path(
			    inp, source[i], conn->who.self->domid);
			if (path == NULL)
				return false;
		}
		outq_event(source[i], path);
		event_path_unref(path);
	}
	if (conn->q.items.prev == last)
		return in_wrong(&inp->in, "an event waits twice");
	/* which it would also do for want of memory */
	if (source[i]->is_collapsed != (kind == IMAGE_ITEM_COLLAPSED))
		return in_wrong(&inp->in, "too many events wait");
	return true;
}

/* What CONN is to be sent, SOURCE being its N watches. */
static bool
read_queue(struct image_inp *inp, struct conn *conn,
    struct event_source **source, uint32_t n)
{
	size_t len;
	const char *kept = get_string(&inp->in, UINT32_MAX, &len);
	uint64_t collapses = get_u64(&inp->in), drops = get_u64(&inp->in);
	uint32_t left = get_count(&inp->in, ITEM_SIZE_MIN);
	void (*wake)(struct outq * q) = conn->q.wake;
	bool ok = true;
	uint8_t kind;

	if (kept == NULL)
		return false;
	if (len > 0 && !outq_keep(&conn->q, kept, len))
		return inp_no_memory(inp);
	conn->q.wake = NULL;
	for (; ok && left > 0; left--) {
		kind = get_u8(&inp->in);
		if (kind == IMAGE_ITEM_BYTES)
			ok = read_reply(inp, &conn->q);
		else if (kind <= IMAGE_ITEM_COLLAPSED)
			ok = read_event(inp, conn, kind, source, n);
		else
			ok = in_wrong(&inp->in, "an item of no kind");
	}
	conn->q.wake = wake;
	conn->q.collapses = collapses;
	conn->q.drops = drops;
	return ok && inp->in.wrong == NULL;
}

/* --- transactions --- */

static bool
read_touched(struct image_inp *inp, struct txn *txn)
{
	uint8_t aspects = get_u8(&inp->in), changes = get_u8(&inp->in);
	struct touched *t;
	const char *path;
	size_t len;

	path = get_string(&inp->in, WIRE_ABS_PATH_MAX, &len);
	if (path == NULL || aspects > 15 || changes > 3 ||
	    (path_kind(path, len) != PATH_ABSOLUTE &&
		path_kind(path, len) != PATH_SPECIAL))
		return in_wrong(&inp->in, "a footprint is none");
	t = malloc(sizeof(*t) + len + 1);
	if (t == NULL)
		return inp_no_memory(inp);
	t->aspects = aspects;
	t->changes = changes;
	memcpy(t->path, path, len);
	t->path[len] = '\0';
	table_add(&txn->touched, &t->link,
	    hash_bytes(&inp->st->config.seed, path, len));
	list_append(&txn->order, &t->in_order);
	txn->n_touched++;
	return true;
}

static bool
read_op(struct image_inp *inp, struct txn *txn)
{
	struct txn_op op = { .type = get_u32(&inp->in) };
	const char *payload;
	size_t len;

	op.digest = get_u64(&inp->in);
	op.stamp = inp_stamp(inp);
	payload = get_string(&inp->in, WIRE_PAYLOAD_MAX, &len);
	if (payload == NULL || !ops_in_txn(op.type))
		return in_wrong(&inp->in, "a request is none");
	op.len = (uint32_t)len;
	if (txn->log_cap - txn->log_len < sizeof(op) + TXN_OP_ROOM(len))
		return in_wrong(&inp->in, "a transaction is too long");
	memcpy(txn->log + txn->log_len, &op, sizeof(op));
	memcpy(txn->log + txn->log_len + sizeof(op), payload, len);
	txn->log_len += sizeof(op) + TXN_OP_ROOM(len);
	return true;
}

static bool
read_log(struct image_inp *inp, struct txn *txn)
{
	uint64_t cap = get_u64(&inp->in);
	uint32_t n = get_count(&inp->in, OP_SIZE_MIN);

	/* what is read takes about as much as it does here */
	if (cap > 2 * inp->in.left + LOG_SLACK)
		return in_wrong(&inp->in, "a transaction is too long");
	if (cap > 0) {
		txn->log = calloc(1, cap);
		if (txn->log == NULL)
			return inp_no_memory(inp);
		txn->log_cap = cap;
	}
	for (; n > 0; n--)
		if (!read_op(inp, txn))
			return false;
	return true;
}

/* An empty transaction of CONN on the tree BASE, with what it made of it. */
static struct txn *
new_txn(struct conn *conn, struct node *base, struct node *top)
{
	struct txn *txn = calloc(1, sizeof(*txn));

	if (txn == NULL)
		return NULL;
	if (!table_init(&txn->touched)) {
		free(txn);
		return NULL;
	}
	txn->conn = conn;
	list_init(&txn->order);
	list_init(&txn->link);
	list_init(&txn->in_turn);
	txn->base = node_ref(base);
	txn->top = node_ref(top);
	txn->copied = INT32_MAX; /* not known, but not more than that */
	txn_open(txn);
	return txn;
}

bool
image_inp_txn(struct image_inp *inp)
{
	uint32_t id = get_u32(&inp->in), n, patience;
	struct node *base = inp_tree(inp), *top = inp_tree(inp);
	struct conn *conn = inp->conn;
	struct txn *txn;

	if (base == NULL || top == NULL)
		return false;
	if (conn == NULL || id == 0 || txn_find(conn, id) != NULL)
		return in_wrong(&inp->in, "a transaction is none");
	txn = new_txn(conn, base, top);
	if (txn == NULL)
		return inp_no_memory(inp);
	txn->id = id;
	txn->stamp = inp_stamp(inp);
	txn->own_nodes = inp_number(inp, INT32_MIN, INT32_MAX);
	txn->memory = inp_number(inp, 0, INT64_MAX / 4);
	txn->failed = (enum xs_err)inp_number32(inp, XS_ERR_COUNT - 1);
	txn->changed = inp_bool(inp);
	patience = get_u32(&inp->in);
	if (patience > 0) {
		inp->st->reserved = txn;
		inp->st->patience = patience - 1;
	}
	for (n = get_count(&inp->in, TOUCHED_SIZE_MIN); n > 0; n--)
		if (!read_touched(inp, txn))
			return false;
	return read_log(inp, txn);
}

/* --- connections --- */

static bool
read_part(struct image_inp *inp, struct conn *conn)
{
	struct wire_header header;
	const char *part;
	size_t len;

	part = get_string(&inp->in, WIRE_MESSAGE_MAX, &len);
	if (part == NULL || len == 0)
		return part != NULL;
	/* it may end in the header, which is judged when it is whole; a message
	 * that waits to be run may be all there */
	if (len >= sizeof(header)) {
		memcpy(&header, part, sizeof(header));
		if (header.len <= WIRE_PAYLOAD_MAX &&
		    len > sizeof(header) + header.len)
			return in_wrong(&inp->in, "a part is none");
	}
	conn->part = talloc_size(conn, WIRE_MESSAGE_MAX);
	if (conn->part == NULL)
		return inp_no_memory(inp);
	memcpy(conn->part, part, len);
	conn->part_len = len;
	return true;
}

static bool
read_stash(struct image_inp *inp, struct conn *conn)
{
	size_t len;
	const char *bytes = get_string(&inp->in, UINT32_MAX, &len);

	if (bytes == NULL || len == 0)
		return bytes != NULL;
	conn->stash = malloc(len);
	if (conn->stash == NULL)
		return inp_no_memory(inp);
	memcpy(conn->stash, bytes, len);
	conn->stash_len = (uint32_t)len;
	return true;
}

/* An empty connection as FLAGS say. */
static struct conn *
read_conn(struct image_inp *inp)
{
	uint32_t id = get_u32(&inp->in);
	uint8_t flags = get_u8(&inp->in);
	uint64_t uid = get_u64(&inp->in), pid = get_u64(&inp->in);
	uint64_t sock = get_u64(&inp->in);
	uint32_t port = get_u32(&inp->in), remote_port = get_u32(&inp->in);
	struct principal *self = inp_principal(inp);
	struct principal *target = inp_principal_or_none(inp);
	struct conn *conn;

	if (inp->in.wrong != NULL)
		return NULL;
	if (flags > 7 || principal_dead(self) ||
	    ((flags & IMAGE_CONN_RING) == 0 && self != inp->st->dom0) ||
	    id == 0 || state_find_conn(inp->st, id) != NULL) {
		in_wrong(&inp->in, "a connection is none");
		return NULL;
	}
	inp->st->next_conn = id - 1; /* the next is ID */
	conn = conn_new(inp->st, self, (flags & IMAGE_CONN_PRIVILEGED) != 0,
	    (flags & IMAGE_CONN_RING) != 0, NULL);
	if (conn == NULL) {
		inp_no_memory(inp);
		return NULL;
	}
	inp->conn = conn;
	conn->uid = (uid_t)uid;
	conn->pid = (pid_t)pid;
	conn->sock = sock;
	conn->port = port;
	conn->remote_port = remote_port;
	conn->ignored = (flags & IMAGE_CONN_IGNORED) != 0;
	if (target != NULL)
		conn->who.target = principal_ref(target);
	conn->last_txn = get_u32(&inp->in);
	conn->n_refused = get_u32(&inp->in);
	return conn;
}

bool
image_inp_conn(struct image_inp *inp)
{
	struct event_source **source = NULL;
	struct conn *conn = read_conn(inp);
	uint32_t n;
	bool ok;

	if (conn == NULL)
		return false;
	if (!image_list_add(&inp->conns, conn))
		return inp_no_memory(inp);
	ok = read_part(inp, conn) && read_stash(inp, conn) &&
	     read_watches(inp, conn, &source, &n) &&
	     read_queue(inp, conn, source, n);
	free(source);
	return ok;
}

bool
image_inp_domain(struct image_inp *inp)
{
	uint32_t i =
	    get_index(&inp->in, inp->conns.n, "a domain has no connection");
	bool shutdown = inp_bool(inp);
	struct domain *d;
	struct conn *conn;
	uint32_t domid;

	if (inp->in.wrong != NULL)
		return false;
	conn = inp->conns.item[i];
	domid = conn->who.self->domid;
	if (!conn->is_ring || conn->domain != NULL ||
	    conn->who.self == inp->st->dom0 || inp->st->domain[domid] != NULL)
		return in_wrong(&inp->in, "a domain is none");
	d = talloc_zero(inp->st, struct domain);
	if (d == NULL)
		return inp_no_memory(inp);
	d->domid = domid;
	d->self = principal_ref(conn->who.self);
	d->conn = conn;
	d->shutdown = shutdown;
	conn->domain = d;
	inp->st->domain[domid] = d;
	return true;
}
