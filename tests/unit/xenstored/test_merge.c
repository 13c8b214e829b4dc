/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A commit whose tree is merged with what others did has the effects of one
 * whose requests are done again: two machines are told the same, one of them
 * never merges, and replies, events, trees, what is charged, and the records
 * have to be the same. MERGE_ROUNDS and MERGE_SEED say how much and what.
 */
#include <stdlib.h>

#include "harness.h"

enum { ROUNDS = 1500, CLIENTS = 5, TEXT = 1 << 16 };

/* One of the two machines. */
struct side {
	struct h h;
	struct conn *client[CLIENTS]; /* two sockets, two guests, a watcher */
	uint32_t tx;
	uint64_t records; /* a sum over all */
	char said[TEXT];  /* replies and events since it was last emptied */
	size_t said_len;
};

static struct side merging, replaying;
static uint64_t seed;

static unsigned
pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void
on_record(void *ctx, const struct record *record)
{
	struct side *side = ctx;
	const unsigned char *byte = record->data[0];
	size_t i;

	side->records = side->records * 31 + record->type;
	side->records = side->records * 31 + record->a;
	side->records = side->records * 31 + record->b;
	for (i = 0; i < record->len[0]; i++)
		side->records = side->records * 31 + byte[i];
}

static void __attribute__((format(printf, 2, 3)))
note(struct side *side, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(
	    side->said + side->said_len, TEXT - side->said_len, format, ap);
	va_end(ap);
	side->said_len += (size_t)n;
	assert_true(side->said_len < TEXT);
}

static void
start(struct side *side, bool always_replay)
{
	struct h *h = &side->h;
	struct quota_pool *pool;
	unsigned i;

	memset(side, 0, sizeof(*side));
	h_start(h);
	h->st->always_replay = always_replay;
	h->tap = on_record;
	h->tap_ctx = side;
	pool = principals_pool(h->st->all);
	pool->limits.n[QUOTA_NODES] = 14;
	pool->limits.n[QUOTA_CHILDREN] = 4;
	side->client[0] = h_socket(h);
	side->client[1] = h_socket(h);
	side->client[2] = h_guest(h, side->client[0], 1);
	side->client[3] = h_guest(h, side->client[0], 2);
	side->client[4] = h_socket(h);
	for (i = 1; i < 3; i++) {
		char home[64];

		snprintf(home, sizeof(home), "/local/domain/%u", i);
		assert_int_equal(h_perms(h, side->client[0], 0, home,
				     i == 1 ? "n1" : "n2", "w1", "w2"),
		    XS_OK);
		assert_int_equal(
		    h_watch(h, side->client[1 + i], home, "g"), XS_OK);
	}
	assert_int_equal(h_watch(h, side->client[4], "/", "w"), XS_OK);
	assert_int_equal(h_watch(h, side->client[4], "/t/a/b", "ab"), XS_OK);
	assert_int_equal(
	    h_watch(h, side->client[4], "/local/domain/1/a", "l"), XS_OK);
}

/* --- what is asked --- */

struct ask {
	unsigned client;
	uint32_t type;
	bool in_txn;
	char path[64], value[16], perm[2][8];
};

static void
random_path(char *buf)
{
	static const char *const top[] = { "/t", "/t", "/local/domain/1",
		"/local/domain/2" };
	unsigned depth = 1 + pick(3), i;
	size_t len = (size_t)sprintf(buf, "%s", top[pick(4)]);

	for (i = 0; i < depth; i++)
		len += (size_t)sprintf(buf + len, "/%c", 'a' + (int)pick(4));
}

static struct ask
random_ask(unsigned client, bool in_txn)
{
	/* clang-format off */
	static const uint32_t types[] = {
		WIRE_WRITE, WIRE_WRITE, WIRE_WRITE, WIRE_WRITE, WIRE_MKDIR,
		WIRE_MKDIR, WIRE_RM, WIRE_RM, WIRE_SET_PERMS, WIRE_SET_PERMS,
		WIRE_READ, WIRE_DIRECTORY, WIRE_GET_PERMS,
	};
	/* clang-format on */
	struct ask a = { .client = client, .in_txn = in_txn };
	unsigned i;

	a.type = types[pick(sizeof(types) / sizeof(types[0]) -
			    (in_txn && pick(2) == 0 ? 3 : 0))];
	random_path(a.path);
	snprintf(a.value, sizeof(a.value), "%u", pick(1000));
	for (i = 0; i < 2; i++)
		snprintf(a.perm[i], sizeof(a.perm[i]), "%c%u", "nrwb"[pick(4)],
		    client == 2 || client == 3 ? client - 1 : pick(3));
	return a;
}

static void
act(struct side *side, const struct ask *a)
{
	struct conn *conn = side->client[a->client];
	uint32_t tx = a->in_txn ? side->tx : 0;
	struct h *h = &side->h;

	note(side, "%u %u %s%s: ", a->client, a->type, a->path,
	    a->in_txn ? " in it" : "");
	if (a->type == WIRE_WRITE)
		note(side, "%d", (int)h_write(h, conn, tx, a->path, a->value));
	else if (a->type == WIRE_SET_PERMS)
		note(side, "%d",
		    (int)h_perms(
			h, conn, tx, a->path, a->perm[0], a->perm[1], NULL));
	else
		note(side, "%s", h_text(h, conn, a->type, tx, a->path));
	note(side, " %s\n", h->event);
}

static void
both_act(const struct ask *a)
{
	act(&merging, a);
	act(&replaying, a);
}

/* --- comparing --- */

static void
dump(struct side *side)
{
	struct state *st = side->h.st;
	char path[WIRE_ABS_PATH_MAX + 1];
	struct principal *p;
	struct node *node;
	uint32_t i;

	walk_start(&st->walk, st->live);
	while ((node = walk_next(&st->walk)) != NULL) {
		if (node == st->live)
			continue;
		walk_path(&st->walk, node, "", path, sizeof(path));
		note(side, "%s=%.*s", path, (int)node_value_len(node),
		    node_value(node));
		for (i = 0; i < node->acl->n; i++)
			note(side, " %u/%u", node->acl->entry[i].perm.domid,
			    node->acl->entry[i].perm.bits);
		note(side, "\n");
	}
	for (i = 0; i < 3; i++) {
		p = principal_current(st->all, i);
		note(side, "%u: %lld nodes, %lld bytes\n", i,
		    (long long)p->usage.n[QUOTA_NODES],
		    (long long)p->usage.n[QUOTA_MEMORY]);
	}
	note(side, "records %llx\n", (unsigned long long)side->records);
}

static void
compare(unsigned long round)
{
	unsigned i;

	for (i = 0; i < CLIENTS; i++) {
		note(&merging, "for %u: %s\n", i,
		    h_events(&merging.h, merging.client[i]));
		note(&replaying, "for %u: %s\n", i,
		    h_events(&replaying.h, replaying.client[i]));
	}
	dump(&merging);
	dump(&replaying);
	if (strcmp(merging.said, replaying.said) != 0) {
		fprintf(stderr, "merged:\n%s\nreplayed:\n%s\n", merging.said,
		    replaying.said);
		fail_msg("round %lu", round);
	}
	merging.said_len = replaying.said_len = 0;
	assert_null(state_check(merging.h.st));
}

/* A transaction of one, and what others do before it ends. */
static void
round_of(unsigned client)
{
	unsigned n = 1 + pick(8), others = 1 + pick(3), i;
	struct ask a;

	merging.tx = h_begin(&merging.h, merging.client[client]);
	replaying.tx = h_begin(&replaying.h, replaying.client[client]);
	for (i = 0; i < n; i++) {
		a = random_ask(client, true);
		both_act(&a);
	}
	for (i = 0; i < others; i++) {
		a = random_ask((client + 1 + pick(3)) % 4, false);
		both_act(&a);
	}
	note(&merging, "commit of %u: %d %s\n", client,
	    (int)h_end(&merging.h, merging.client[client], merging.tx, "T"),
	    merging.h.event);
	note(&replaying, "commit of %u: %d %s\n", client,
	    (int)h_end(
		&replaying.h, replaying.client[client], replaying.tx, "T"),
	    replaying.h.event);
}

static void
a_merged_commit_is_as_one_done_again(void **unused)
{
	const char *rounds = getenv("MERGE_ROUNDS");
	const char *first = getenv("MERGE_SEED");
	unsigned long n = rounds != NULL ? strtoul(rounds, NULL, 10) : ROUNDS;
	unsigned long i;

	(void)unused;
	seed = first != NULL ? strtoull(first, NULL, 10) : 1;
	start(&merging, false);
	start(&replaying, true);
	for (i = 0; i < n; i++) {
		round_of(pick(4));
		compare(i);
	}
	printf("%llu commits over others' changes, %llu of them merged, "
	       "%llu refused\n",
	    (unsigned long long)merging.h.st->n_replays,
	    (unsigned long long)merging.h.st->n_merged,
	    (unsigned long long)merging.h.st->n_conflicts);
	/* or it would show nothing */
	assert_true(merging.h.st->n_merged > n / 10);
	assert_int_equal(replaying.h.st->n_merged, 0);
	h_stop(&merging.h);
	h_stop(&replaying.h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_merged_commit_is_as_one_done_again),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
