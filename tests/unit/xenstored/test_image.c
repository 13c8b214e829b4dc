/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <time.h>

#include "harness.h"
#include "xenstored/image.h"
#include "xenstored/image_io.h"
#include "xenstored/txn.h"

enum { CLIENTS = 6, DOMS = 4, STEPS = 6000 };

/* A machine, and a second one that was made from an image of it. */
struct pair {
	struct h h, copy;
	uint32_t id[CLIENTS]; /* of sockets, then of guests; 0: none */
	uint64_t random;
	unsigned long step, replies, events, imports;
	size_t most_txns;
};

static unsigned
pick(struct pair *p, unsigned n)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return (unsigned)((p->random >> 20) % n);
}

static struct conn *
conn_at(struct state *st, uint32_t id)
{
	struct conn *conn = NULL;

	while ((conn = state_next_conn(st, conn)) != NULL)
		if (conn_id(conn) == id)
			return conn;
	return NULL;
}

static void export(struct state *st, struct image *img)
{
	const struct image_mark mark = { 5, { 6, 7 } };

	assert_true(image_export(st, &mark, img));
}

/* Both have the same image, byte for byte. */
static void
compare(struct pair *p)
{
	struct image a, b;

	export(p->h.st, &a);
	export(p->copy.st, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	image_free(&a);
	image_free(&b);
}

/* The copy is made anew. */
static void
copy(struct pair *p)
{
	char why[IMAGE_WHY_SIZE];
	struct image_mark mark;
	struct image img;

	if (p->copy.st != NULL)
		h_stop(&p->copy);
	p->copy = p->h;
	p->copy.env.ctx = &p->copy;
	export(p->h.st, &img);
	p->copy.st = image_import(img.data, img.len, &p->copy.env, &mark, why);
	if (p->copy.st == NULL)
		fail_msg("step %lu: %s", p->step, why);
	assert_int_equal(mark.epoch, 5);
	assert_int_equal(mark.pos.offset, 6);
	assert_int_equal(mark.pos.seq, 7);
	image_free(&img);
	p->imports++;
	compare(p);
}

/* --- what happens to both --- */

static void
take(struct pair *p, unsigned who, size_t max)
{
	static char a[70000], b[70000];
	struct conn *x = conn_at(p->h.st, p->id[who]);
	struct conn *y = conn_at(p->copy.st, p->id[who]);
	size_t n;

	n = state_output(x, a, max);
	assert_int_equal(state_output(y, b, max), n);
	assert_memory_equal(a, b, n);
	p->replies += n > 0;
}

static void
feed(struct pair *p, unsigned who, const char *bytes, size_t len)
{
	size_t used[2];
	int budget[2] = { 1000, 1000 };
	enum input_result r = state_input(
	    conn_at(p->h.st, p->id[who]), bytes, len, &budget[0], &used[0]);

	assert_int_equal(r, state_input(conn_at(p->copy.st, p->id[who]), bytes,
				len, &budget[1], &used[1]));
	assert_int_equal(used[0], used[1]);
	if (r == INPUT_WAIT)
		take(p, who, 65536);
	if (conn_at(p->h.st, p->id[who])->part == NULL && used[0] < len &&
	    len - used[0] >= sizeof(struct wire_header) && r == INPUT_MORE) {
		assert_true(state_input_part(conn_at(p->h.st, p->id[who]),
		    bytes + used[0], len - used[0]));
		assert_true(state_input_part(conn_at(p->copy.st, p->id[who]),
		    bytes + used[0], len - used[0]));
	}
}

static void
send(struct pair *p, unsigned who, uint32_t type, uint32_t tx,
    const void *payload, size_t len)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct wire_header header = {
		.type = type, .req_id = 7, .tx_id = tx, .len = (uint32_t)len
	};
	size_t all = sizeof(header) + len, first = 0;
	struct conn *conn = conn_at(p->h.st, p->id[who]);

	if (conn->part != NULL) { /* the rest of a WRITE of 100 bytes */
		feed(p, who,
		    "................................................"
		    "....................................................",
		    100);
		return;
	}
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), payload, len);
	if (type == WIRE_WRITE && len < 100 && pick(p, 30) == 0) {
		header.len = (uint32_t)len + 100;
		memcpy(bytes, &header, sizeof(header));
	}
	feed(p, who, bytes + first, all);
}

static size_t
random_path(struct pair *p, char *path)
{
	static const char *const base[] = { "", "/", "/local/domain/1/",
		"/local/domain/2/", "/wide/", "/wide/", "/tool/" };
	const char *b = base[pick(p, 7)];
	size_t len = strlen(b);

	memcpy(path, b, len);
	if (strcmp(b, "/wide/") == 0)
		len += (size_t)sprintf(path + len, "k%u", pick(p, 120));
	else
		path[len++] = (char)('a' + pick(p, 3));
	while (pick(p, 3) == 0) {
		path[len++] = '/';
		path[len++] = (char)('a' + pick(p, 3));
	}
	path[len++] = '\0';
	return len;
}

static uint32_t
random_txn(struct pair *p, const struct conn *conn)
{
	uint32_t id = 0;

	for (struct list *l = conn->txns.next; l != &conn->txns; l = l->next)
		if (pick(p, 2) == 0)
			id = list_entry(l, struct txn, link)->id;
	return id;
}

static void
step_request(struct pair *p, unsigned who)
{
	static const uint32_t types[] = { WIRE_READ, WIRE_DIRECTORY,
		WIRE_GET_PERMS, WIRE_WRITE, WIRE_WRITE, WIRE_WRITE, WIRE_MKDIR,
		WIRE_RM, WIRE_SET_PERMS, WIRE_WATCH, WIRE_WATCH, WIRE_UNWATCH,
		WIRE_TRANSACTION_START, WIRE_TRANSACTION_END,
		WIRE_TRANSACTION_END, WIRE_RESET_WATCHES, WIRE_DIRECTORY_PART,
		WIRE_SET_TARGET };
	const struct conn *conn = conn_at(p->h.st, p->id[who]);
	uint32_t type = types[pick(p, 18)], tx = random_txn(p, conn);
	char payload[4096];
	size_t len = random_path(p, payload);

	if (type == WIRE_RESET_WATCHES && pick(p, 20) != 0)
		type = WIRE_WRITE;
	if ((type == WIRE_WATCH || type == WIRE_UNWATCH) && pick(p, 6) == 0)
		len = (size_t)sprintf(payload, "@releaseDomain") + 1;
	if (type == WIRE_WATCH || type == WIRE_UNWATCH)
		len += (size_t)sprintf(payload + len, "t%u", pick(p, 2)) + 1;
	if (type == WIRE_WATCH && pick(p, 4) == 0)
		len += (size_t)sprintf(payload + len, "%u", pick(p, 3)) + 1;
	if (type == WIRE_WRITE)
		len += (size_t)sprintf(payload + len, "%u", pick(p, 1000)) *
		       pick(p, 2);
	if (type == WIRE_SET_PERMS)
		len +=
		    (size_t)sprintf(payload + len, "%c%u%cr%u",
			"nrwb"[pick(p, 4)], pick(p, DOMS), 0, pick(p, DOMS)) +
		    1;
	if (type == WIRE_DIRECTORY_PART)
		len += (size_t)sprintf(payload + len, "0") + 1;
	if (type == WIRE_TRANSACTION_END)
		len = (size_t)sprintf(payload, pick(p, 4) > 0 ? "T" : "F") + 1;
	if (type == WIRE_TRANSACTION_START) {
		payload[0] = '\0';
		len = 1;
		tx = 0;
	}
	if (type == WIRE_SET_TARGET)
		len = (size_t)sprintf(payload, "%u%c%u", 1 + pick(p, 3), 0,
			  1 + pick(p, 3)) +
		      1;
	send(p, who, type, tx, payload, len);
}

/* A domain comes, is introduced again, shuts down, or goes. */
static void
step_domain(struct pair *p)
{
	unsigned domid = 1 + pick(p, 3);
	struct domain_info *info = &p->h.domain[domid];
	uint32_t *id = &p->id[2 + domid];
	char payload[32];
	size_t len;

	len = (size_t)sprintf(payload, "%u%c1%c5", domid, 0, 0) + 1;
	if (conn_at(p->h.st, p->id[0])->part != NULL)
		return;
	if (*id == 0 || pick(p, 3) == 0) {
		info->exists = true;
		info->unique_id += *id == 0;
		info->shutdown = false;
		p->copy.domain[domid] = *info;
		p->h.last_ring = NULL;
		send(p, 0, WIRE_INTRODUCE, 0, payload, len);
		if (p->h.last_ring != NULL)
			*id = conn_id(p->h.last_ring);
		len = (size_t)sprintf(
			  payload, "/local/domain/%u%cn%u", domid, 0, domid) +
		      1;
		send(p, 0, WIRE_MKDIR, 0, payload, strlen(payload) + 1);
		send(p, 0, WIRE_SET_PERMS, 0, payload, len);
		return;
	}
	if (pick(p, 2) == 0) {
		info->shutdown = true;
	} else {
		info->exists = false;
		*id = 0;
	}
	p->copy.domain[domid] = *info;
	state_domain_changed(p->h.st, domid, info);
	state_domain_changed(p->copy.st, domid, info);
	if (*id != 0 && conn_at(p->h.st, *id) == NULL)
		*id = 0;
}

static void
step_socket(struct pair *p)
{
	unsigned who = 1 + pick(p, 2);

	if (p->id[who] != 0) {
		state_close(conn_at(p->h.st, p->id[who]));
		state_close(conn_at(p->copy.st, p->id[who]));
		p->id[who] = 0;
		return;
	}
	p->id[who] = conn_id(state_open_socket(p->h.st, who, 77, NULL));
	assert_int_equal(
	    conn_id(state_open_socket(p->copy.st, who, 77, NULL)), p->id[who]);
}

static void
step(struct pair *p)
{
	unsigned who = pick(p, CLIENTS), what = pick(p, 1000);
	size_t txns = 0;
	struct conn *conn;

	if (what < 12) {
		step_domain(p);
	} else if (what < 20) {
		step_socket(p);
	} else if (p->id[who] != 0) {
		conn = conn_at(p->h.st, p->id[who]);
		if (conn == NULL) { /* its domain went with a request */
			p->id[who] = 0;
			return;
		}
		for (struct list *l = conn->txns.next; l != &conn->txns;
		     l = l->next)
			txns++;
		if (txns > p->most_txns)
			p->most_txns = txns;
		step_request(p, who);
		if (pick(p, 5) == 0)
			take(p, who, 1 + pick(p, 3000));
	}
}

static void
start(struct pair *p)
{
	h_use_all();
	(void)h_send;
	memset(p, 0, sizeof(*p));
	p->random = 88172645463325252u;
	h_start(&p->h);
	for (unsigned i = 1; i < H_DOMAINS; i++)
		p->h.domain[i].exists = false;
	principals_pool(p->h.st->all)->limits.n[QUOTA_NODES] = 25;
	principals_pool(p->h.st->all)->limits.n[QUOTA_WATCHES] = 6;
	p->id[0] = conn_id(h_socket(&p->h));
	copy(p);
}

static void
a_machine_made_from_an_image_goes_on_as_the_first(void **unused)
{
	static struct pair p;
	const char *steps = getenv("IMAGE_STEPS"), *seed = getenv("IMAGE_SEED");
	unsigned long n = steps != NULL ? strtoul(steps, NULL, 10) : STEPS;

	(void)unused;
	start(&p);
	if (seed != NULL)
		p.random = strtoull(seed, NULL, 10);
	for (p.step = 0; p.step < n; p.step++) {
		step(&p);
		if (pick(&p, 16) == 0)
			compare(&p);
		if (pick(&p, 40) == 0)
			copy(&p);
	}
	compare(&p);
	printf("%lu imports, %lu takes, at most %zu transactions\n", p.imports,
	    p.replies, p.most_txns);
	assert_true(p.replies > n / 20 && p.most_txns >= 5);
	assert_true(p.h.st->n_commits > 10 && p.h.st->n_replays > 5);
	h_stop(&p.copy);
	h_stop(&p.h);
}

/* --- refusals --- */

/* A small state that has one of everything. */
static void
small(struct h *h)
{
	struct conn *s, *g;
	uint32_t tx;

	h_start(h);
	s = h_socket(h);
	g = h_guest(h, s, 1);
	h_guest(h, s, 2);
	assert_int_equal(h_write(h, s, 0, "/a/b", "1"), XS_OK);
	assert_int_equal(h_watch(h, g, "x", "t"), XS_OK);
	assert_int_equal(h_watch(h, s, "/a", "t"), XS_OK);
	tx = h_begin(h, g);
	assert_int_equal(h_write(h, g, tx, "x/y", "2"), XS_OK);
	assert_int_equal(h_write(h, s, 0, "/a/b", "3"), XS_OK);
	h_send(g, WIRE_READ, 0, "x", 2);
	h_send(s, WIRE_WRITE, 0, "/a/b\0004", 6);
	state_domain_changed(
	    h->st, 2, &(struct domain_info){ .exists = false });
}

/* Damage of an image with a right checksum gives a refusal or a sound state. */
static void
try(const struct h *h, char *data, size_t len)
{
	char why[IMAGE_WHY_SIZE] = "";
	struct state *st;

	st = image_import(data, len, &h->env, NULL, why);
	if (st == NULL) {
		assert_true(strlen(why) > strlen("image: "));
		return;
	}
	assert_null(state_check(st));
	state_free(st);
}

static void
reseal(char *data, size_t len)
{
	uint64_t sum = image_sum(data, len);

	memcpy(data + IMAGE_HEADER_SIZE - 8, &sum, 8);
}

static void
an_image_cut_or_changed_anywhere_is_refused(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	struct image img;
	struct h h;
	size_t i;

	(void)unused;
	small(&h);
	export(h.st, &img);
	printf("%zu positions\n", img.len);
	if (getenv("IMAGE_SAVE") != NULL) { /* for the fuzzer's corpus */
		FILE *f = fopen(getenv("IMAGE_SAVE"), "w");

		assert_non_null(f);
		assert_int_equal(fwrite(img.data, 1, img.len, f), img.len);
		fclose(f);
	}
	for (i = 0; i < img.len; i++) {
		why[0] = '\0';
		assert_null(image_import(img.data, i, &h.env, NULL, why));
		assert_true(why[0] != '\0');
		img.data[i] ^= (char)(1 << (i % 8));
		why[0] = '\0';
		assert_null(image_import(img.data, img.len, &h.env, NULL, why));
		assert_true(why[0] != '\0');
		img.data[i] ^= (char)(1 << (i % 8));
	}
	image_free(&img);
	h_stop(&h);
}

static void
a_changed_image_with_a_right_sum_gives_no_unsound_state(void **unused)
{
	static const unsigned char bits[] = { 0x01, 0x80, 0xff };
	struct image img;
	struct h h;
	size_t i;

	(void)unused;
	small(&h);
	export(h.st, &img);
	for (i = IMAGE_HEADER_SIZE; i < img.len; i++) {
		img.data[i] ^= (char)bits[i % 3];
		reseal(img.data, img.len);
		try(&h, img.data, img.len);
		img.data[i] ^= (char)bits[i % 3];
	}
	image_free(&img);
	h_stop(&h);
}

static void
a_version_from_the_future_is_refused_by_name(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	struct image img;
	struct h h;

	(void)unused;
	small(&h);
	export(h.st, &img);
	img.data[8]++;
	reseal(img.data, img.len);
	assert_null(image_import(img.data, img.len, &h.env, NULL, why));
	assert_string_equal(why, "image: its version is not known here");
	image_free(&img);
	h_stop(&h);
}

/* IMG with LEN bytes of a part more before its end. */
static void
add_part(struct image *img, const void *part, size_t len)
{
	char end = img->data[img->len - 1];
	uint64_t all;

	img->len--;
	put_bytes(img, part, len);
	put_bytes(img, &end, 1);
	assert_false(img->failed);
	all = img->len;
	memcpy(img->data + 16, &all, sizeof(all)); /* little-endian */
	reseal(img->data, img->len);
}

static void
a_part_that_is_not_known_is_skipped_if_it_may_be(void **unused)
{
	struct image img, again;
	char why[IMAGE_WHY_SIZE];
	struct state *st;
	struct h h;

	(void)unused;
	small(&h);
	export(h.st, &img);
	add_part(&img, "n\4\0\0\0news", 9);
	st = image_import(img.data, img.len, &h.env, NULL, why);
	assert_non_null(st);
	export(st, &again);
	assert_int_equal(again.len, img.len - 9);
	image_free(&again);
	state_free(st);
	add_part(&img, "n\377\0\0\0news", 9);
	assert_null(image_import(img.data, img.len, &h.env, NULL, why));
	assert_false(image_is_not_known(why));
	image_free(&img);
	export(h.st, &img);
	add_part(&img, "Q\4\0\0\0news", 9);
	assert_null(image_import(img.data, img.len, &h.env, NULL, why));
	assert_string_equal(why, "image: a part is not known here");
	assert_true(image_is_not_known(why));
	image_free(&img);
	h_stop(&h);
}

/* Guests write headers in pieces, and what waits may be whole. */
static void
a_message_that_came_in_part_is_copied_wherever_it_ends(void **unused)
{
	static const struct wire_header header = {
		.type = WIRE_WRITE, .req_id = 1, .len = 20
	};
	static const struct wire_header empty = {
		.type = WIRE_TRANSACTION_START, .req_id = 1
	};
	char bytes[sizeof(header) + 20] = "";
	char why[IMAGE_WHY_SIZE];
	struct state *other;
	struct image img;
	struct conn *conn;
	size_t len;
	struct h h;

	(void)unused;
	for (len = 1; len < sizeof(bytes); len++) {
		h_start(&h);
		conn = h_socket(&h);
		memcpy(bytes, len == sizeof(header) ? &empty : &header,
		    sizeof(header));
		assert_true(state_input_part(conn, bytes, len));
		export(h.st, &img);
		other = image_import(img.data, img.len, &h.env, NULL, why);
		if (other == NULL)
			fail_msg("%zu bytes: %s", len, why);
		conn = conn_at(other, conn_id(conn));
		assert_int_equal(conn->part_len, len);
		assert_memory_equal(conn->part, bytes, len);
		image_free(&img);
		state_free(other);
		h_stop(&h);
	}
}

/* Writes node I anew on both machines, and reads what the guest's transaction
 * TX made in it; whether it is still there, on both. */
static bool
goes_on(struct h *h, struct h *copy, uint32_t s, uint32_t g, uint32_t tx, int i)
{
	bool is[2];
	char path[24];

	snprintf(path, sizeof(path), "/d/n%d", i);
	assert_int_equal(h_write(h, conn_at(h->st, s), 0, path, "new"), XS_OK);
	assert_int_equal(
	    h_write(copy, conn_at(copy->st, s), 0, path, "new"), XS_OK);
	is[0] = strcmp(h_read(h, conn_at(h->st, g), tx, "y"), "1") == 0;
	is[1] = strcmp(h_read(copy, conn_at(copy->st, g), tx, "y"), "1") == 0;
	assert_int_equal(is[0], is[1]);
	return is[0];
}

static void
a_transaction_that_keeps_too_much_ends_at_the_same_request(void **unused)
{
	char why[IMAGE_WHY_SIZE], path[24];
	struct conn *s, *g;
	struct h h, copy;
	struct image img;
	uint32_t tx;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "/d/n%d", i);
		assert_int_equal(h_write(&h, s, 0, path, "old"), XS_OK);
	}
	tx = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, tx, "y", "1"), XS_OK);
	for (i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/d/n%d", i);
		assert_int_equal(h_write(&h, s, 0, path, "new"), XS_OK);
	}
	copy = h;
	copy.env.ctx = &copy;
	export(h.st, &img);
	copy.st = image_import(img.data, img.len, &copy.env, NULL, why);
	assert_non_null(copy.st);
	image_free(&img);
	while (goes_on(&h, &copy, conn_id(s), conn_id(g), tx, i))
		assert_true(++i < 2000);
	assert_true(i > 500);
	g = conn_at(copy.st, conn_id(g));
	assert_int_equal(h_end(&copy, g, tx, "T"), XS_EAGAIN);
	h_stop(&copy);
	h_stop(&h);
}

/* G gives nodes I to N - 1 a value of LEN bytes. */
static void
fill(struct h *h, struct conn *g, int i, int n, size_t len)
{
	char path[24], value[2001];

	memset(value, 'x', len);
	value[len] = '\0';
	for (; i < n; i++) {
		snprintf(path, sizeof(path), "d/n%d", i);
		assert_int_equal(h_write(h, g, 0, path, value), XS_OK);
	}
}

/* Its tree is a younger one than that of a transaction which began later. */
static void
one_that_was_given_up_is_copied_beside_others(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	uint32_t first, second;
	struct conn *s, *g;
	struct h h, copy;
	struct image img;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	fill(&h, g, 0, 140, 2000);
	first = h_begin(&h, g);
	fill(&h, g, 0, 100, 1);
	second = h_begin(&h, g);
	assert_int_equal(h_write(&h, g, second, "y", "1"), XS_OK);
	fill(&h, g, 100, 140, 1);
	assert_int_equal(h_write(&h, g, 0, "new", "1"), XS_OK);
	assert_string_equal(h_read(&h, g, first, "new"), "1");
	copy = h;
	copy.env.ctx = &copy;
	export(h.st, &img);
	copy.st = image_import(img.data, img.len, &copy.env, NULL, why);
	image_free(&img);
	if (copy.st == NULL)
		fail_msg("%s", why);
	g = conn_at(copy.st, conn_id(g));
	assert_string_equal(h_read(&copy, g, first, "new"), "1");
	assert_string_equal(h_read(&copy, g, second, "y"), "1");
	assert_int_equal(h_end(&copy, g, first, "T"), XS_EAGAIN);
	assert_int_equal(h_end(&copy, g, second, "T"), XS_OK);
	assert_string_equal(h_read(&copy, g, 0, "y"), "1");
	h_stop(&copy);
	h_stop(&h);
}

/* --- speed --- */

static void
a_large_state_is_copied_fast(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	struct state *other;
	struct image img;
	double start, out, in;
	struct h h;

	(void)unused;
	h_start(&h);
	h_fill(&h);
	start = h_cpu_ms();
	export(h.st, &img);
	out = h_cpu_ms() - start;
	start = h_cpu_ms();
	other = image_import(img.data, img.len, &h.env, NULL, why);
	in = h_cpu_ms() - start;
	printf("%zu nodes, %zu bytes: %.0f ms of CPU out, %.0f ms in\n",
	    h.st->heap.live, img.len, out, in);
	assert_non_null(other);
	assert_int_equal(other->heap.live, h.st->heap.live);
	assert_true(out < 2000 && in < 2000);
	image_free(&img);
	state_free(other);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_cut_or_changed_anywhere_is_refused),
		cmocka_unit_test(
		    a_changed_image_with_a_right_sum_gives_no_unsound_state),
		cmocka_unit_test(a_version_from_the_future_is_refused_by_name),
		cmocka_unit_test(
		    a_part_that_is_not_known_is_skipped_if_it_may_be),
		cmocka_unit_test(
		    a_message_that_came_in_part_is_copied_wherever_it_ends),
		cmocka_unit_test(
		    a_transaction_that_keeps_too_much_ends_at_the_same_request),
		cmocka_unit_test(one_that_was_given_up_is_copied_beside_others),
		cmocka_unit_test(a_large_state_is_copied_fast),
		cmocka_unit_test(
		    a_machine_made_from_an_image_goes_on_as_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
