/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A second state machine that knows nothing but the records of the first, and a
 * comparison of the two.
 */
#ifndef TESTS_MODEL_XENSTORED_FOLLOWER_H
#define TESTS_MODEL_XENSTORED_FOLLOWER_H

#include "../../unit/xenstored/harness.h"

#include "xenstored/apply.h"

enum { F_QUEUE = 1 << 20 };

struct follower {
	struct apply *apply;
	struct state *told;	     /* the one whose records these are */
	unsigned long queues, bytes; /* that were compared */
};

static void
follower_start(
    struct follower *f, const struct state_config *config, struct state *told)
{
	struct record_start start;
	struct record record = apply_start(config, &start);

	memset(f, 0, sizeof(*f));
	f->told = told;
	f->apply = apply_new(NULL);
	assert_non_null(f->apply);
	assert_null(apply_record(f->apply, &record));
}

static void
follower_stop(struct follower *f)
{
	const char *wrong = state_check(apply_state(f->apply));

	if (wrong != NULL)
		fail_msg("follower: %s", wrong);
	apply_free(f->apply);
}

/* The same bytes wait for the connection ID of both. */
static void
follower_compare_queue(struct follower *f, uint64_t id)
{
	static char a[F_QUEUE], b[F_QUEUE];
	struct conn *theirs = state_find_conn(f->told, id);
	struct conn *ours = state_find_conn(apply_state(f->apply), id);
	size_t len;

	if (theirs == NULL || ours == NULL)
		return;
	len = outq_peek(&theirs->q, a, sizeof(a));
	assert_int_equal(len, outq_peek(&ours->q, b, sizeof(b)));
	assert_memory_equal(a, b, len);
	assert_int_equal(theirs->q.n_replies, ours->q.n_replies);
	assert_int_equal(theirs->q.reply_bytes, ours->q.reply_bytes);
	assert_int_equal(theirs->q.event_bytes, ours->q.event_bytes);
	f->queues++;
	f->bytes += len;
}

/* Does what the record says; a tap of struct h. */
static void
follower_apply(void *ctx, const struct record *r)
{
	struct follower *f = ctx;
	const char *wrong = apply_record(f->apply, r);
	struct conn *conn;

	if (wrong != NULL)
		fail_msg("record of type %d: %s", (int)r->type, wrong);
	if (r->type == RECORD_TAKE || r->type == RECORD_KEEP)
		follower_compare_queue(f, r->a);
	if (r->type != RECORD_REQUEST)
		return;
	conn = state_next_conn(f->told, NULL);
	for (; conn != NULL; conn = state_next_conn(f->told, conn))
		follower_compare_queue(f, conn->id);
}

static void
follower_compare_nodes(struct node *a, struct node *b)
{
	assert_string_equal(node_name(a), node_name(b));
	assert_int_equal(node_value_len(a), node_value_len(b));
	if (a->value_len > 0)
		assert_memory_equal(node_value(a), node_value(b), a->value_len);
	assert_int_equal(a->value_stamp, b->value_stamp);
	assert_int_equal(node_kids_stamp(a), node_kids_stamp(b));
	assert_int_equal(a->acl_stamp, b->acl_stamp);
	assert_int_equal(a->acl->n, b->acl->n);
	for (uint32_t i = 0; i < a->acl->n; i++) {
		const struct acl_entry *x = &a->acl->entry[i];
		const struct acl_entry *y = &b->acl->entry[i];

		assert_int_equal(x->perm.domid, y->perm.domid);
		assert_int_equal(x->perm.bits, y->perm.bits);
		assert_int_equal(x->who != NULL, y->who != NULL);
		if (x->who != NULL)
			assert_int_equal(x->who->unique_id, y->who->unique_id);
	}
	assert_int_equal(kids_count(a->kids), kids_count(b->kids));
}

/* Both have the same nodes in the same order, and the same books. */
static void
follower_compare(struct follower *f, struct state *st)
{
	struct node *a, *b;

	assert_int_equal(st->heap.stamp, apply_state(f->apply)->heap.stamp);
	walk_start(&st->walk, st->live);
	walk_start(&apply_state(f->apply)->walk, apply_state(f->apply)->live);
	for (;;) {
		a = walk_next(&st->walk);
		b = walk_next(&apply_state(f->apply)->walk);
		assert_int_equal(a != NULL, b != NULL);
		if (a == NULL)
			break;
		follower_compare_nodes(a, b);
	}
	for (uint32_t i = 0; i < H_DOMAINS; i++) {
		struct principal *p = principal_current(st->all, i);
		struct principal *q =
		    principal_current(apply_state(f->apply)->all, i);

		assert_int_equal(p != NULL, q != NULL);
		if (p != NULL)
			assert_memory_equal(
			    &p->usage, &q->usage, sizeof(p->usage));
	}
}

#endif
