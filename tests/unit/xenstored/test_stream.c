/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "harness.h"
#include "xenstored/conn.h"
#include "xenstored/image_io.h"
#include "xenstored/stream.h"
#include "xenstored/stream_format.h"
#include "xenstored/txn.h"

/* What Debian's xenstored 4.17 wrote for a program that was to replace it: its
 * domain 0's ring, a client that watches "/a", and the one that asked. */
static const char debian[] =
    "\x78\x65\x6e\x73\x74\x6f\x72\x65\x00\x00\x00\x01\x00\x00\x00\x00"
    "\x01\x00\x00\x00\x08\x00\x00\x00\x03\x00\x00\x00\x10\x00\x00\x00"
    "\x02\x00\x00\x00\x18\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\xf4\x7f\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x03\x00\x00\x00\x18\x00\x00\x00\x01\x00\x00\x00\x08\x00\x02\x00"
    "\x62\x61\x63\x6b\x65\x6e\x64\x00\x31\x00\x00\x00\x00\x00\x00\x00"
    "\x03\x00\x00\x00\x20\x00\x00\x00\x01\x00\x00\x00\x0f\x00\x02\x00"
    "\x40\x72\x65\x6c\x65\x61\x73\x65\x44\x6f\x6d\x61\x69\x6e\x00\x32"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x18\x00\x00\x00"
    "\x02\x00\x00\x00\x01\x00\x00\x00\x12\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x10\x00\x00\x00"
    "\x02\x00\x00\x00\x03\x00\x03\x00\x2f\x61\x00\x2f\x61\x00\x00\x00"
    "\x02\x00\x00\x00\x30\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00"
    "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x13\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00"
    "\x4f\x4b\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x28\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x00\x00\x00\x01\x00"
    "\x6e\x00\x00\x00\x40\x72\x65\x6c\x65\x61\x73\x65\x44\x6f\x6d\x61"
    "\x69\x6e\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x28\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x11\x00\x00\x00\x00\x00\x01\x00"
    "\x6e\x00\x00\x00\x40\x69\x6e\x74\x72\x6f\x64\x75\x63\x65\x44\x6f"
    "\x6d\x61\x69\x6e\x00\x00\x00\x00\x05\x00\x00\x00\x18\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x01\x00"
    "\x6e\x00\x00\x00\x2f\x00\x00\x00\x05\x00\x00\x00\x20\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x01\x00"
    "\x6e\x00\x00\x00\x2f\x74\x6f\x6f\x6c\x00\x00\x00\x00\x00\x00\x00"
    "\x05\x00\x00\x00\x28\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x10\x00\x00\x00\x00\x00\x01\x00\x6e\x00\x00\x00\x2f\x74\x6f\x6f"
    "\x6c\x2f\x78\x65\x6e\x73\x74\x6f\x72\x65\x64\x00\x00\x00\x00\x00"
    "\x05\x00\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x03\x00\x00\x00\x00\x00\x01\x00\x6e\x00\x00\x00\x2f\x61\x00\x00"
    "\x05\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x05\x00\x05\x00\x00\x00\x01\x00\x6e\x00\x00\x00\x2f\x61\x2f\x62"
    "\x00\x68\x65\x6c\x6c\x6f\x00\x00\x05\x00\x00\x00\x20\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x01\x00"
    "\x6e\x00\x00\x00\x2f\x61\x2f\x63\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00";

static bool
adopt(void *ctx, int fd, struct stream_peer *peer_out)
{
	(void)ctx;
	*peer_out = (struct stream_peer){ (uint64_t)fd + 100, 5, 6 };
	return fd != 66;
}

static const struct stream_reader reader = { .adopt = adopt };

/* The state of LEN bytes at DATA in the world of H; NULL: it was refused. */
static struct state *
read_stream(struct h *h, const void *data, size_t len,
    struct stream_process *process, char why[IMAGE_WHY_SIZE])
{
	h_use_all();
	why[0] = '\0';
	return stream_import(
	    data, len, &h->config, &h->env, &reader, process, why);
}

/* H has what a good stream says, in place of what it had. */
static void
become(struct h *h, const struct image *img)
{
	struct stream_process process;
	char why[IMAGE_WHY_SIZE];
	struct state *st = read_stream(h, img->data, img->len, &process, why);

	if (st == NULL)
		fail_msg("%s", why);
	state_free(h->st);
	h->st = st;
}

static struct conn *
conn_at(const struct h *h, uint32_t id)
{
	struct conn *conn = state_find_conn(h->st, id);

	assert_non_null(conn);
	return conn;
}

static void
what_debians_daemon_wrote_is_read(void **unused)
{
	struct image img = { (char *)debian, sizeof(debian) - 1, 0, false };
	struct stream_process process;
	char why[IMAGE_WHY_SIZE], out[64];
	struct h_message m;
	struct state *st;
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	st = read_stream(&h, img.data, img.len, &process, why);
	if (st == NULL)
		fail_msg("%s", why);
	state_free(h.st);
	h.st = st;
	assert_int_equal(process.version, 1);
	assert_int_equal(process.socket_fd, 3);
	assert_int_equal(process.evtchn_fd, 16);
	assert_true(conn_is_ring(conn_at(&h, 1)));
	assert_int_equal(conn_port(conn_at(&h, 1)), 3);
	assert_int_equal(conn_sock(conn_at(&h, 2)), 118);
	/* the reply to the one that asked for the update */
	s = conn_at(&h, 3);
	assert_int_equal(state_output(s, out, sizeof(out)), 19);
	assert_memory_equal(out + 16, "OK", 3);
	assert_string_equal(h_read(&h, s, 0, "/a/b"), "hello");
	assert_string_equal(h_read(&h, s, 0, "/a/c"), "");
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/a"), "b c");
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/a/b"), "n0");
	assert_int_equal(h_write(&h, s, 0, "/a/b", "2"), XS_OK);
	assert_string_equal(h_events(&h, conn_at(&h, 2)), "/a/b|/a;");
	assert_int_equal(h_strings(&h, conn_at(&h, 1), WIRE_UNWATCH, 0, &m,
			     "@releaseDomain", "2", NULL),
	    XS_OK);
	h_stop(&h);
}

/* --- streams made here --- */

/* A record at a time, in either byte order. */
struct maker {
	struct image img;
	bool big;
	size_t at;
};

static void
number(struct maker *m, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		put_u8(&m->img,
		    (uint8_t)(value >> 8 * (m->big ? len - 1 - i : i)));
}

static void
start(struct maker *m, bool big, unsigned version)
{
	memset(m, 0, sizeof(*m));
	m->big = big;
	put_bytes(&m->img, "xenstore\0\0\0", 11);
	put_u8(&m->img, (uint8_t)version);
	put_bytes(&m->img, "\0\0\0", 3);
	put_u8(&m->img, big);
}

static void
begin(struct maker *m, uint32_t type)
{
	number(m, type, 4);
	number(m, 0, 4);
	m->at = m->img.len;
}

/* Ends a record whose length is short by MISSING. */
static void
end_short(struct maker *m, size_t missing)
{
	uint32_t len;

	while (m->img.len % 8 != 0)
		put_u8(&m->img, 0);
	len = (uint32_t)(m->img.len - m->at - missing);
	for (unsigned i = 0; i < 4; i++)
		m->img.data[m->at - 4 + i] =
		    (char)(len >> 8 * (m->big ? 3 - i : i));
}

static void
end(struct maker *m)
{
	end_short(m, 0);
}

static void
string(struct maker *m, const char *str)
{
	put_bytes(&m->img, str, strlen(str) + 1);
}

static void
ring(struct maker *m, uint32_t id, unsigned domid, unsigned target,
    uint64_t unique_id)
{
	begin(m, STREAM_CONNECTION);
	number(m, id, 4);
	number(m, STREAM_RING, 2);
	number(m, unique_id != 0, 2);
	number(m, domid, 2);
	number(m, target, 2);
	number(m, 40 + domid, 4);
	number(m, 3, 2);
	number(m, 0, 2);
	number(m, 5, 4);
	put_bytes(&m->img, "abcdefgh", 8);
	if (unique_id != 0) {
		while (m->img.len % 8 != 0)
			put_u8(&m->img, 0);
		number(m, unique_id, 8);
	}
	end(m);
}

static void
sock(struct maker *m, uint32_t id, int fd)
{
	begin(m, STREAM_CONNECTION);
	number(m, id, 4);
	number(m, STREAM_SOCKET, 2);
	number(m, 0, 2);
	number(m, (uint64_t)fd, 4);
	number(m, 0, 8);
	number(m, 0, 4);
	end(m);
}

enum ext { EXT_RIGHT, EXT_SHORT, EXT_UNPADDED };

static void
watch_ext(struct maker *m, uint32_t id, const char *path, const char *token,
    unsigned depth, enum ext how)
{
	begin(m, STREAM_WATCH_EXT);
	number(m, id, 4);
	number(m, strlen(path) + 1, 2);
	number(m, strlen(token) + 1, 2);
	number(m, depth, 2);
	if (how != EXT_UNPADDED)
		number(m, 0, 2);
	string(m, path);
	string(m, token);
	end_short(m, how == EXT_SHORT ? 8 : 0);
}

/* PERMS: triples of letter, flag, domid. */
static void
node(struct maker *m, uint32_t conn, uint32_t txn, const char *path,
    const char *value, unsigned access, unsigned n_perms,
    const unsigned perms[][3])
{
	begin(m, STREAM_NODE);
	number(m, conn, 4);
	number(m, txn, 4);
	number(m, strlen(path) + 1, 2);
	number(m, strlen(value), 2);
	number(m, access, 2);
	number(m, n_perms, 2);
	for (unsigned i = 0; i < n_perms; i++) {
		number(m, perms[i][0], 1);
		number(m, perms[i][1], 1);
		number(m, perms[i][2], 2);
	}
	string(m, path);
	put_bytes(&m->img, value, strlen(value));
	end(m);
}

static const unsigned of_dom0[][3] = { { 'n', 0, 0 } };
static const unsigned of_dom1[][3] = { { 'r', 0, 1 }, { 'b', 0, 2 },
	{ 'w', 1, 3 } };
static const unsigned of_dom15[][3] = { { 'b', 0, 15 } };

static void
quotas(struct maker *m, const char *const names[], const uint32_t values[])
{
	unsigned i;

	for (i = 0; names[i] != NULL; i++)
		number(m, values[i], 4);
	for (i = 0; names[i] != NULL; i++)
		string(m, names[i]);
}

/* One of every kind of record. */
static void
everything(struct maker *m, bool big)
{
	start(m, big, 2);
	begin(m, STREAM_GLOBAL);
	number(m, 7, 4);
	number(m, UINT32_MAX, 4);
	end(m);
	begin(m, STREAM_GLOBAL_QUOTA);
	number(m, 2, 2);
	number(m, 1, 2);
	quotas(m, (const char *const[]){ "nodes", "what", "watches", NULL },
	    (const uint32_t[]){ 500, 1, 9 });
	end(m);
	ring(m, 10, 0, STREAM_NO_DOMAIN, 0);
	ring(m, 11, 1, 2, 101);
	watch_ext(m, 11, "dev", "t", 2, EXT_RIGHT);
	watch_ext(m, 11, "/dd", "short", 0, EXT_SHORT);
	watch_ext(m, 11, "@releaseDomain", "t", 1, EXT_UNPADDED);
	sock(m, 12, 4);
	sock(m, 13, 66); /* is no socket any more */
	begin(m, STREAM_WATCH);
	number(m, 12, 4);
	number(m, 3, 2);
	number(m, 2, 2);
	string(m, "/a");
	string(m, "w");
	end(m);
	begin(m, STREAM_WATCH);
	number(m, 13, 4);
	number(m, 3, 2);
	number(m, 2, 2);
	string(m, "/a");
	string(m, "w");
	end(m);
	begin(m, STREAM_TRANSACTION);
	number(m, 12, 4);
	number(m, 77, 4);
	end(m);
	node(m, 12, 77, "/a/b", "new", STREAM_WRITTEN, 1, of_dom0);
	node(m, 12, 77, "/a/c", "", 0, 0, NULL);
	node(m, 12, 77, "/a/d", "d", STREAM_READ, 1, of_dom0);
	node(m, 0, 0, "/", "", 0, 1, of_dom0);
	node(m, 0, 0, "@releaseDomain", "", 0, 3, of_dom1);
	node(m, 0, 0, "/a", "", 0, 1, of_dom0);
	node(m, 0, 0, "/a/b", "old", 0, 3, of_dom1);
	node(m, 0, 0, "/a/c", "c", 0, 1, of_dom0);
	node(m, 0, 0, "/a/d", "d", 0, 1, of_dom0);
	node(m, 0, 0, "/a/e", "e", 0, 1, of_dom15);
	begin(m, STREAM_DOMAIN);
	number(m, 1, 2);
	number(m, 1, 2);
	number(m, 3, 4);
	quotas(m, (const char *const[]){ "transactions", NULL },
	    (const uint32_t[]){ 4 });
	end(m);
	begin(m, STREAM_END);
}

static void
check_everything(struct h *h)
{
	struct conn *s = conn_at(h, 12), *g = conn_at(h, 11);
	struct principal *p = g->who.self;
	char out[16];

	assert_null(state_find_conn(h->st, 13));
	assert_int_equal(
	    principals_pool(h->st->all)->limits.n[QUOTA_NODES], 500);
	assert_int_equal(
	    principals_pool(h->st->all)->limits.n[QUOTA_WATCHES], 9);
	assert_int_equal(p->unique_id, 101);
	assert_int_equal(p->features, 3);
	assert_int_equal(p->limit.n[QUOTA_TXNS], 4);
	assert_int_equal(p->usage.n[QUOTA_WATCHES], 3);
	assert_int_equal(p->usage.n[QUOTA_NODES], 2);
	assert_int_equal(g->who.target->domid, 2);
	assert_int_equal(conn_port(g), 41);
	assert_int_equal(s->sock, 104);
	assert_int_equal(s->uid, 5);
	/* what waited goes on */
	assert_int_equal(state_output(g, out, sizeof(out)), 5);
	assert_memory_equal(out, "defgh", 5);
	assert_int_equal(g->stash_len, 3);
	assert_memory_equal(g->stash, "abc", 3);
	assert_string_equal(h_read(h, s, 0, "/a/b"), "old");
	assert_string_equal(
	    h_text(h, s, WIRE_GET_PERMS, 0, "/a/b"), "r1 b2 w3");
	assert_string_equal(h_text(h, s, WIRE_GET_PERMS, 0, "/a/e"), "b0");
	assert_string_equal(h_text(h, s, WIRE_DIRECTORY, 0, "/"), "a");
	/* the transaction as it was */
	assert_string_equal(h_read(h, s, 77, "/a/b"), "new");
	assert_string_equal(h_read(h, s, 77, "/a/c"), "ENOENT");
	/* depths */
	assert_int_equal(h_write(h, s, 0, "/dd/x", "1"), XS_OK);
	assert_string_equal(h_events(h, g), "");
}

static void
every_kind_of_record_is_read_in_both_byte_orders(void **unused)
{
	struct maker m;
	struct h h;

	(void)unused;
	for (int big = 0; big < 2; big++) {
		h_start(&h);
		everything(&m, big);
		become(&h, &m.img);
		check_everything(&h);
		assert_int_equal(h_end(&h, conn_at(&h, 12), 77, "T"), XS_OK);
		assert_string_equal(
		    h_read(&h, conn_at(&h, 12), 0, "/a/b"), "new");
		image_free(&m.img);
		h_stop(&h);
	}
}

static void
a_transaction_conflicts_as_it_would_have(void **unused)
{
	struct maker m;
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	everything(&m, false);
	become(&h, &m.img);
	s = conn_at(&h, 12);
	assert_int_equal(h_write(&h, s, 0, "/a/d", "other"), XS_OK);
	assert_int_equal(h_end(&h, s, 77, "T"), XS_EAGAIN);
	assert_string_equal(h_read(&h, s, 0, "/a/b"), "old");
	image_free(&m.img);
	h_stop(&h);
}

static void
a_domain_that_went_meanwhile_is_released(void **unused)
{
	struct maker m;
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	h.domain[1].unique_id = 5; /* another one has its number */
	everything(&m, false);
	become(&h, &m.img);
	s = conn_at(&h, 12);
	assert_int_equal(h_watch(&h, s, "@releaseDomain", "r"), XS_OK);
	h_events(&h, s);
	state_domain_changed(h.st, 1, &h.domain[1]);
	assert_null(state_find_conn(h.st, 11));
	assert_string_equal(h_events(&h, s), "/a/b|w;@releaseDomain|r;");
	image_free(&m.img);
	h_stop(&h);
}

/* --- there and back --- */

static void
loaded(struct h *h)
{
	struct conn *s, *g;
	uint32_t tx;

	h_start(h);
	s = h_socket(h);
	s->sock = 9;
	g = h_guest(h, s, 1);
	h_guest(h, s, 2);
	assert_int_equal(h_one(h, s, WIRE_SET_TARGET, 0, "1"), XS_EINVAL);
	assert_int_equal(h_write(h, s, 0, "/a/b", "1"), XS_OK);
	assert_int_equal(h_write(h, s, 0, "/a/c", "1"), XS_OK);
	assert_int_equal(h_perms(h, s, 0, "/a", "b1", "r2", NULL), XS_OK);
	assert_int_equal(h_write(h, g, 0, "x", "mine"), XS_OK);
	assert_int_equal(h_watch(h, g, "x", "t"), XS_OK);
	assert_int_equal(h_watch(h, s, "/a", "t"), XS_OK);
	tx = h_begin(h, s);
	assert_int_equal(h_write(h, s, tx, "/a/b", "2"), XS_OK);
	assert_int_equal(h_one(h, s, WIRE_RM, tx, "/a/c"), XS_OK);
	assert_string_equal(h_read(h, s, tx, "/local/domain/1/x"), "mine");
	h_send(g, WIRE_READ, 0, "x", 2);
	state_output(g, (char[8]){ 0 }, 5);
	h_send(g, WIRE_READ, 0, "x", 2);
}

static struct image
write_stream(struct h *h, unsigned version, bool txns)
{
	struct stream_options options = { .process = { version, 3, 4 },
		.txns = txns };
	char why[IMAGE_WHY_SIZE];
	struct image img;

	if (!stream_export(h->st, &options, &img, why))
		fail_msg("%s", why);
	return img;
}

static void
a_state_goes_through_a_stream(void **unused)
{
	struct image img, again;
	struct conn *s, *g;
	char out[128], want[128];
	uint32_t tx = 1;
	size_t n;
	struct h h;

	(void)unused;
	loaded(&h);
	n = outq_peek(&conn_at(&h, 2)->q, want, sizeof(want));
	assert_int_equal(n, 15 + 20);
	img = write_stream(&h, 2, true);
	become(&h, &img);
	s = conn_at(&h, 1);
	g = conn_at(&h, 2);
	assert_int_equal(s->sock, 109);
	s->sock = 9;
	again = write_stream(&h, 2, true);
	assert_int_equal(again.len, img.len);
	assert_memory_equal(again.data, img.data, img.len);
	image_free(&again);
	image_free(&img);
	assert_int_equal(state_output(g, out, sizeof(out)), n);
	assert_memory_equal(out, want, n);
	assert_string_equal(h_read(&h, s, tx, "/a/b"), "2");
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_string_equal(h.event, "/a/b|t;/a/c|t;");
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/a"), "b");
	assert_string_equal(h_text(&h, s, WIRE_GET_PERMS, 0, "/a"), "b1 r2");
	assert_int_equal(h_write(&h, g, 0, "x", "m"), XS_OK);
	assert_string_equal(h.event, "x|t;");
	h_stop(&h);
}

static void
version_1_says_only_what_it_knows(void **unused)
{
	struct image img;
	uint32_t type, len;
	struct h h;

	(void)unused;
	loaded(&h);
	img = write_stream(&h, 1, false);
	assert_memory_equal(img.data, "xenstore\0\0\0\1\0\0\0\0", 16);
	for (size_t at = 16; at < img.len; at += 8 + len) {
		memcpy(&type, img.data + at, 4);
		memcpy(&len, img.data + at + 4, 4);
		assert_true(type <= STREAM_NODE && type != STREAM_TRANSACTION);
		assert_int_equal(len % 8, 0);
	}
	image_free(&img);
	h_stop(&h);
}

static void
whole_requests_that_wait_cannot_be_told(void **unused)
{
	struct stream_options options = { .process = { 1, 3, 4 } };
	const struct wire_header header = { .type = WIRE_READ, .len = 2 };
	char why[IMAGE_WHY_SIZE], bytes[18] = { 0 };
	struct image img;
	struct h h;

	(void)unused;
	loaded(&h);
	memcpy(bytes, &header, sizeof(header));
	assert_true(state_stash(conn_at(&h, 2), bytes, 18, 0));
	assert_false(stream_export(h.st, &options, &img, why));
	assert_string_equal(why, "stream: connection 2 has requests that wait");
	assert_null(img.data);
	h_stop(&h);
}

/* --- refusals --- */

static void
cuts_and_flips_give_a_refusal_or_a_sound_state(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	struct stream_process process;
	struct maker m;
	struct state *st;
	unsigned refused = 0;
	struct h h;

	(void)unused;
	h_start(&h);
	everything(&m, false);
	if (getenv("STREAM_SAVE") != NULL) { /* for the fuzzer's corpus */
		FILE *f = fopen(getenv("STREAM_SAVE"), "w");

		assert_non_null(f);
		assert_int_equal(
		    fwrite(m.img.data, 1, m.img.len, f), m.img.len);
		fclose(f);
	}
	for (size_t i = 0; i < m.img.len; i++) {
		assert_null(read_stream(&h, m.img.data, i, &process, why));
		assert_true(why[0] != '\0');
		m.img.data[i] ^= (char)(1 << (i % 8));
		st = read_stream(&h, m.img.data, m.img.len, &process, why);
		m.img.data[i] ^= (char)(1 << (i % 8));
		refused += st == NULL;
		if (st != NULL) {
			assert_null(state_check(st));
			state_free(st);
		}
	}
	printf("%u of %zu flips refused\n", refused, m.img.len);
	assert_true(refused > 100);
	image_free(&m.img);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_debians_daemon_wrote_is_read),
		cmocka_unit_test(
		    every_kind_of_record_is_read_in_both_byte_orders),
		cmocka_unit_test(a_transaction_conflicts_as_it_would_have),
		cmocka_unit_test(a_domain_that_went_meanwhile_is_released),
		cmocka_unit_test(a_state_goes_through_a_stream),
		cmocka_unit_test(version_1_says_only_what_it_knows),
		cmocka_unit_test(whole_requests_that_wait_cannot_be_told),
		cmocka_unit_test(
		    cuts_and_flips_give_a_refusal_or_a_sound_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
