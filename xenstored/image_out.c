/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/image_out.h"
#include "xenstored/next.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
image_free(struct image *image)
{
	free(image->data);
	memset(image, 0, sizeof(*image));
}

static bool
out_init(struct image_out *out, const struct state *st, struct image *img)
{
	size_t nodes = st->heap.live;

	memset(out, 0, sizeof(*out));
	out->img = img;
	out->st = st;
	return image_map_init(&out->principals, 64) &&
	       image_map_init(&out->acls, 64) &&
	       image_map_init(&out->nodes, nodes) &&
	       image_map_init(&out->conns, 64) &&
	       image_map_init(&out->sources, 64);
}

static void
out_end(struct image_out *out)
{
	image_map_end(&out->principals);
	image_map_end(&out->acls);
	image_map_end(&out->nodes);
	image_map_end(&out->conns);
	image_map_end(&out->sources);
	free(out->kid);
}

/* --- what is there once --- */

static void
put_header(struct image *img, const struct image_mark *mark)
{
	static const struct image_mark none;

	if (mark == NULL)
		mark = &none;
	put_u64(img, IMAGE_MAGIC);
	put_u32(img, IMAGE_VERSION);
	put_u32(img, IMAGE_HEADER_SIZE);
	put_u64(img, 0); /* length and sum are known at the end */
	put_u64(img, mark->epoch);
	put_u64(img, mark->pos.offset);
	put_u64(img, mark->pos.seq);
	put_u64(img, 0);
}

/* What a program of tomorrow writes. */
static void
put_news(struct image *img)
{
	if (next_writes("optional")) {
		put_u8(img, 'n');
		put_string(img, "news", 4);
	}
	if (next_writes("part"))
		put_u8(img, 'Q');
}

/* Writes length and checksum into the header. */
static void
seal(struct image *img)
{
	struct image tail = { .data = img->data, .len = 16, .cap = img->cap };

	put_u64(&tail, img->len);
	tail.len = IMAGE_HEADER_SIZE - 8;
	put_u64(&tail, image_sum(img->data, img->len));
}

static void
put_general(struct image *img, const struct state *st)
{
	const struct quota_pool *pool = principals_pool(st->all);
	unsigned i;

	put_u8(img, IMAGE_GENERAL);
	put_u32(img, QUOTA_COUNT);
	for (i = 0; i < QUOTA_COUNT; i++)
		put_string(img, quota_name((enum quota_id)i),
		    strlen(quota_name((enum quota_id)i)));
	put_u64(img, st->config.seed.k[0]);
	put_u64(img, st->config.seed.k[1]);
	put_quotas(img, &st->config.quotas);
	put_u64(img, (uint64_t)st->config.soft_memory);
	put_u8(img, st->config.keep_orphans);
	put_u32(img, st->config.priv_domid);
	put_u64(img, st->heap.stamp);
	put_u32(img, st->next_conn);
	put_u64(img, st->last_sock);
	put_u32(img, st->virq_port);
	put_u64(img, st->last_death);
	put_u64(img, st->n_commits);
	put_u64(img, st->n_conflicts);
	put_u64(img, st->n_replays);
	put_u64(img, (uint64_t)st->soft_memory);
	put_quotas(img, &pool->limits);
	put_quotas(img, &pool->peak);
}

/* --- trees --- */

static int
by_age(const void *a, const void *b)
{
	const struct txn *x = *(const struct txn *const *)a;
	const struct txn *y = *(const struct txn *const *)b;

	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	if (x->conn->id != y->conn->id)
		return x->conn->id < y->conn->id ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* All open transactions, the oldest first; their number to *N_OUT. NULL: no
 * memory, or there are none. */
static struct txn **
all_txns(const struct state *st, size_t *n_out)
{
	const struct list *link, *t;
	struct txn **txn = NULL;
	const struct conn *conn;
	size_t n = 0;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		if (pass == 1)
			txn = n > 0 ? calloc(n, sizeof(struct txn *)) : NULL;
		*n_out = n;
		if (pass == 1 && txn == NULL)
			return NULL;
		n = 0;
		for (link = st->conns.next; link != &st->conns;
		     link = link->next) {
			conn = list_entry(link, const struct conn, link);
			for (t = conn->txns.next; t != &conn->txns;
			     t = t->next, n++)
				if (pass == 1)
					txn[n] =
					    list_entry(t, struct txn, link);
		}
	}
	qsort(txn, n, sizeof(struct txn *), by_age);
	return txn;
}

static void
put_trees(struct image_out *out)
{
	const struct node *base = NULL;
	struct txn **txn;
	size_t n, i;

	txn = all_txns(out->st, &n);
	if (txn == NULL && n > 0)
		out->img->failed = true;
	for (i = 0; txn != NULL && i < n; i++) {
		if (txn_given_up(txn[i]))
			continue; /* its trees are younger than it is */
		image_out_tree(out, txn[i]->base, base);
		base = txn[i]->base;
		image_out_tree(out, txn[i]->top, base);
	}
	free(txn);
	i = image_out_tree(out, out->st->live, base);
	put_u8(out->img, IMAGE_LIVE);
	put_u32(out->img, (uint32_t)i);
}

/* --- principals --- */

static void
put_principals(struct image_out *out)
{
	const struct list *head = &out->st->unburied, *link;
	uint32_t i, number;

	for (i = 0; i < DOMID_FIRST_RESERVED; i++)
		image_out_principal(out, principal_current(out->st->all, i));
	for (link = head->next; link != head; link = link->next) {
		number = image_out_principal(
		    out, list_entry(link, const struct principal, unburied));
		put_u8(out->img, IMAGE_UNBURIED);
		put_u32(out->img, number);
	}
}

/* --- all --- */

static void
put_conns(struct image_out *out)
{
	const struct state *st = out->st;
	struct image_map_entry *entry;
	const struct list *link;
	const struct domain *d;
	bool is_new;
	uint32_t i;

	for (link = st->conns.next; link != &st->conns; link = link->next)
		image_out_conn(out, list_entry(link, const struct conn, link));
	for (i = 0; i < DOMID_FIRST_RESERVED; i++) {
		d = st->domain[i];
		if (d == NULL)
			continue;
		entry = image_map_get(&out->conns, d->conn, &is_new);
		if (entry == NULL || is_new) {
			out->img->failed = true;
			return;
		}
		put_u8(out->img, IMAGE_DOMAIN);
		put_u32(out->img, entry->number);
		put_u8(out->img, d->shutdown);
	}
}

bool
image_export(const struct state *st, const struct image_mark *mark,
    struct image *image_out)
{
	struct image_out *out = malloc(sizeof(*out));
	struct image *img = image_out;

	memset(img, 0, sizeof(*img));
	if (out == NULL)
		return false;
	if (out_init(out, st, img)) {
		put_header(img, mark);
		put_general(img, st);
		put_principals(out);
		put_trees(out);
		put_conns(out);
		put_news(img);
		put_u8(img, IMAGE_END);
	} else {
		img->failed = true;
	}
	out_end(out);
	free(out);
	if (img->failed) {
		image_free(img);
		return false;
	}
	seal(img);
	return true;
}

static bool
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

bool
image_save(const struct state *st, const struct image_mark *mark, int fd)
{
	struct image img;
	bool ok;

	if (!image_export(st, mark, &img)) {
		errno = ENOMEM;
		return false;
	}
	ok = write_all(fd, img.data, img.len);
	image_free(&img);
	return ok;
}
