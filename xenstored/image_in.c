/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "xenstored/account.h"
#include "xenstored/image_inp.h"
#include "xenstored/next.h"

/* No number that is counted with is greater; none can overflow. */
#define NUMBER_MAX (INT64_C(1) << 48)

bool
image_list_add(struct image_list *list, void *item)
{
	size_t cap = list->cap == 0 ? 64 : list->cap * 2;
	void **items = list->item;

	if (list->n == list->cap) {
		items = realloc(items, cap * sizeof(void *));
		if (items == NULL)
			return false;
		list->item = items;
		list->cap = cap;
	}
	items[list->n++] = item;
	return true;
}

/* --- numbers --- */

uint64_t
inp_stamp(struct image_inp *inp)
{
	uint64_t stamp = get_u64(&inp->in);

	if (stamp > inp->stamp)
		in_wrong(&inp->in, "something is from the future");
	return stamp;
}

bool
inp_bool(struct image_inp *inp)
{
	uint8_t value = get_u8(&inp->in);

	if (value > 1)
		in_wrong(&inp->in, "a number is out of range");
	return value == 1;
}

int64_t
inp_number(struct image_inp *inp, int64_t min, int64_t max)
{
	int64_t value = (int64_t)get_u64(&inp->in);

	if (value >= min && value <= max)
		return value;
	in_wrong(&inp->in, "a number is out of range");
	return min;
}

uint32_t
inp_number32(struct image_inp *inp, uint32_t max)
{
	return get_index(&inp->in, (size_t)max + 1, "a number is out of range");
}

/* Numbers by quota, MIN at least, to *SET; what the image knows not stays. */
static void
read_quotas(struct image_inp *inp, struct quota_set *set, int64_t min)
{
	int64_t n;
	unsigned i;

	for (i = 0; i < inp->n_quotas; i++) {
		n = inp_number(inp, min, NUMBER_MAX);
		if (inp->quota[i] != QUOTA_COUNT)
			set->n[inp->quota[i]] = n;
	}
}

/* --- what is there once --- */

/* The names of quotas, which say where their numbers stand. */
static bool
read_quota_names(struct image_inp *inp)
{
	uint32_t n = get_count(&inp->in, 5), i;
	char name[64];
	const char *str;
	size_t len;

	inp->quota = calloc(n + 1, sizeof(*inp->quota));
	if (inp->quota == NULL)
		return inp_no_memory(inp);
	inp->n_quotas = n;
	for (i = 0; i < n; i++) {
		str = get_string(&inp->in, sizeof(name) - 1, &len);
		if (str == NULL)
			return false;
		memcpy(name, str, len);
		name[len] = '\0';
		inp->quota[i] = quota_by_name(name);
	}
	return true;
}

/* Takes away the tree that a new state has. */
static void
uproot(struct state *st)
{
	node_unref(&st->heap, st->live);
	st->live = NULL;
	while (heap_reap(&st->heap, SIZE_MAX))
		;
}

bool
image_inp_general(struct image_inp *inp, const struct state_env *env)
{
	struct state_config config = { .quotas = quota_defaults() };
	struct quota_pool *pool;
	struct state *st;

	if (!read_quota_names(inp))
		return false;
	config.seed.k[0] = get_u64(&inp->in);
	config.seed.k[1] = get_u64(&inp->in);
	read_quotas(inp, &config.quotas, 0);
	config.soft_memory = inp_number(inp, 0, NUMBER_MAX);
	config.keep_orphans = inp_bool(inp);
	config.priv_domid = inp_number32(inp, DOMID_FIRST_RESERVED - 1);
	if (inp->in.wrong != NULL)
		return false;
	st = inp->st = state_new(&config, env);
	if (st == NULL)
		return inp_no_memory(inp);
	uproot(st);
	inp->stamp = (uint64_t)inp_number(inp, 0, INT64_MAX / 2);
	st->next_conn = get_u32(&inp->in);
	st->last_sock = get_u64(&inp->in);
	st->virq_port = get_u32(&inp->in);
	st->last_death = inp_stamp(inp);
	st->n_commits = get_u64(&inp->in);
	st->n_conflicts = get_u64(&inp->in);
	st->n_replays = get_u64(&inp->in);
	st->soft_memory = inp_number(inp, 0, NUMBER_MAX);
	pool = principals_pool(st->all);
	read_quotas(inp, &pool->limits, 0);
	read_quotas(inp, &pool->peak, 0);
	return true;
}

/* --- principals --- */

static struct principal *
principal_at(struct image_inp *inp, uint32_t i)
{
	return inp->in.wrong == NULL && i != IMAGE_NONE
		   ? inp->principals.item[i]
		   : NULL;
}

struct principal *
inp_principal(struct image_inp *inp)
{
	return principal_at(inp,
	    get_index(&inp->in, inp->principals.n, "a principal is missing"));
}

struct principal *
inp_principal_or_none(struct image_inp *inp)
{
	return principal_at(inp, get_index_or_none(&inp->in, inp->principals.n,
				     "a principal is missing"));
}

/* A principal as the image names it, with a reference; NULL: wrong. */
static struct principal *
read_principal(struct image_inp *inp)
{
	uint32_t domid = inp_number32(inp, DOMID_FIRST_RESERVED - 1);
	uint64_t unique_id = get_u64(&inp->in);
	uint64_t birth = inp_stamp(inp), death = inp_stamp(inp);
	struct principal *p = inp->st->dom0;

	if (inp->in.wrong != NULL)
		return NULL;
	if (domid == 0 && inp->principals.n == 0 && death == 0) {
		p->unique_id = unique_id;
		p->birth_stamp = birth;
		return principal_ref(p);
	}
	if (domid == 0 || inp->principals.n == 0 ||
	    (death == 0 && principal_current(inp->st->all, domid) != NULL)) {
		in_wrong(&inp->in, "a principal is there twice");
		return NULL;
	}
	p = principal_restore(inp->st->all, domid, unique_id, birth, death);
	if (p == NULL)
		inp_no_memory(inp);
	return p;
}

bool
image_inp_principal(struct image_inp *inp)
{
	struct principal *p = read_principal(inp);

	if (p == NULL)
		return false;
	if (!image_list_add(&inp->principals, p)) {
		principal_unref(p);
		return inp_no_memory(inp);
	}
	p->privileged = inp_bool(inp);
	if (p == inp->st->dom0 && !p->privileged)
		in_wrong(&inp->in, "domain 0 may not do everything");
	p->features = get_u32(&inp->in);
	read_quotas(inp, &p->limit, -1);
	read_quotas(inp, &p->usage, 0);
	read_quotas(inp, &p->peak, 0);
	return true;
}

bool
image_inp_unburied(struct image_inp *inp)
{
	struct principal *p = inp_principal(inp);

	if (p == NULL || !principal_dead(p) || !list_empty(&p->unburied))
		return in_wrong(&inp->in, "somebody is not to be buried");
	list_append(&inp->st->unburied, &principal_ref(p)->unburied);
	return true;
}

/* --- all --- */

static bool
read_part(struct image_inp *inp, uint8_t tag)
{
	size_t len;

	switch (tag) {
	case IMAGE_PRINCIPAL:
		return image_inp_principal(inp);
	case IMAGE_ACL:
		return image_inp_acl(inp);
	case IMAGE_NODE:
		return image_inp_node(inp);
	case IMAGE_VERSION_OF:
		return image_inp_version(inp);
	case IMAGE_KIDS:
		return image_inp_kids(inp);
	case IMAGE_LIVE:
		return image_inp_live(inp);
	case IMAGE_UNBURIED:
		return image_inp_unburied(inp);
	case IMAGE_CONN:
		return image_inp_conn(inp);
	case IMAGE_TXN:
		return image_inp_txn(inp);
	case IMAGE_DOMAIN:
		return image_inp_domain(inp);
	default:
		if (tag == 'Q' && next_writes("part"))
			return true;
		if ((tag & IMAGE_OPTIONAL) == 0)
			return in_wrong(&inp->in, "a part is " NOT_KNOWN);
		return get_string(&inp->in, inp->in.left, &len) != NULL;
	}
}

/* Whether what was read is a whole state. */
static bool
whole(struct image_inp *inp)
{
	struct state *st = inp->st;
	const struct conn *conn = NULL;
	const char *wrong;

	if (inp->in.left != 0)
		return in_wrong(&inp->in, "something follows its end");
	if (st->live == NULL || inp->principals.n == 0)
		return in_wrong(&inp->in, "it has no tree");
	while ((conn = state_next_conn(st, conn)) != NULL)
		if (conn->is_ring && conn->who.self != st->dom0 &&
		    conn->domain == NULL)
			return in_wrong(&inp->in, "a ring without domain");
	wrong = state_check(st);
	return wrong == NULL || in_wrong(&inp->in, wrong);
}

static bool
read_all(struct image_inp *inp, const struct state_env *env)
{
	uint8_t tag = get_u8(&inp->in);
	uint32_t next_conn;

	if (tag != IMAGE_GENERAL || !image_inp_general(inp, env))
		return in_wrong(&inp->in, "it does not begin as it should");
	next_conn = inp->st->next_conn;
	while (inp->in.wrong == NULL && (tag = get_u8(&inp->in)) != IMAGE_END)
		if (!read_part(inp, tag))
			in_wrong(&inp->in, "it is damaged");
	if (inp->in.wrong != NULL || !whole(inp))
		return false;
	inp->st->next_conn = next_conn;
	inp->st->heap.stamp = inp->stamp;
	return true;
}

/* Drops what only the reading needed. */
static void
inp_end(struct image_inp *inp)
{
	struct state *st = inp->st;
	size_t i;

	for (i = 0; i < inp->nodes.n; i++)
		node_unref(&st->heap, inp->nodes.item[i]);
	for (i = 0; i < inp->acls.n; i++)
		acl_unref(st->heap.acls, inp->acls.item[i]);
	for (i = 0; i < inp->principals.n; i++)
		principal_unref(inp->principals.item[i]);
	free(inp->nodes.item);
	free(inp->acls.item);
	free(inp->principals.item);
	free(inp->conns.item);
	free(inp->place);
	free(inp->place_of);
	free(inp->quota);
}

/* Reads the header; false: it is no image that can be read here. */
static bool
read_header(struct image_in *in, const void *data, size_t len,
    struct image_mark *mark_out)
{
	uint64_t sum, magic;
	uint32_t version;

	if (len < IMAGE_HEADER_SIZE)
		return in_wrong(in, "it is too short");
	magic = get_u64(in);
	if (magic != IMAGE_MAGIC)
		return in_wrong(in, "it is no image");
	version = get_u32(in);
	if (get_u32(in) != IMAGE_HEADER_SIZE || get_u64(in) != len)
		return in_wrong(in, "its length is not the one it should have");
	mark_out->epoch = get_u64(in);
	mark_out->pos.offset = get_u64(in);
	mark_out->pos.seq = get_u64(in);
	sum = get_u64(in);
	if (sum != image_sum(data, len))
		return in_wrong(in, "its checksum is wrong");
	/* the header is the same in all of them */
	if (version != IMAGE_VERSION)
		return in_wrong(in, "its version is " NOT_KNOWN);
	return true;
}

bool
image_is_not_known(const char *why)
{
	size_t len = strlen(why), end = strlen(NOT_KNOWN);

	return len >= end && strcmp(why + len - end, NOT_KNOWN) == 0;
}

bool
image_whole(const void *data, size_t len, struct image_mark *mark_out,
    char why[IMAGE_WHY_SIZE])
{
	struct image_in in = { .pos = data, .left = len };
	struct image_mark mark;

	if (read_header(&in, data, len, &mark)) {
		if (mark_out != NULL)
			*mark_out = mark;
		return true;
	}
	snprintf(why, IMAGE_WHY_SIZE, "image: %s", in.wrong);
	return false;
}

struct state *
image_import(const void *data, size_t len, const struct state_env *env,
    struct image_mark *mark_out, char why[IMAGE_WHY_SIZE])
{
	struct image_inp inp = { .in = { .pos = data, .left = len } };
	struct image_mark mark;

	if (read_header(&inp.in, data, len, &mark) && read_all(&inp, env)) {
		inp_end(&inp);
		if (mark_out != NULL)
			*mark_out = mark;
		return inp.st;
	}
	snprintf(why, IMAGE_WHY_SIZE, "image: %s", inp.in.wrong);
	inp_end(&inp);
	if (inp.st != NULL)
		state_free(inp.st);
	return NULL;
}

struct state *
image_load(int fd, const struct state_env *env, struct image_mark *mark_out,
    char why[IMAGE_WHY_SIZE])
{
	struct state *st;
	struct stat info;
	void *data;

	data = MAP_FAILED;
	errno = EINVAL;
	if (fstat(fd, &info) == 0 && info.st_size > 0)
		data = mmap(
		    NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		snprintf(why, IMAGE_WHY_SIZE, "image: it cannot be read: %s",
		    strerror(errno));
		return NULL;
	}
	st = image_import(data, (size_t)info.st_size, env, mark_out, why);
	munmap(data, (size_t)info.st_size);
	return st;
}
