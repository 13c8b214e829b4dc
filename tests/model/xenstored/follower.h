/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A second state machine that knows nothing but the records of the first, and a
 * comparison of the two.
 */
#ifndef TESTS_MODEL_XENSTORED_FOLLOWER_H
#define TESTS_MODEL_XENSTORED_FOLLOWER_H

#include "../../unit/xenstored/harness.h"

enum { F_CONNS = 200000, F_ANSWERS = 16 };

struct follower {
	struct h h;
	struct conn *conn[F_CONNS]; /* by id */
	struct domain_info info[F_ANSWERS];
	uint32_t info_domid[F_ANSWERS];
	enum xs_err ring[F_ANSWERS];
	unsigned n_info, next_info, n_ring, next_ring;
};

/* The answers are those in the log, in their order. */
static struct domain_info
f_domain_info(void *ctx, uint32_t domid)
{
	struct follower *f = ctx;

	assert_true(f->next_info < f->n_info);
	assert_int_equal(f->info_domid[f->next_info], domid);
	return f->info[f->next_info++];
}

static enum xs_err
f_ring_open(void *ctx, struct conn *conn, uint32_t domid, uint32_t port,
    uint32_t features)
{
	struct follower *f = ctx;

	(void)domid;
	(void)port;
	(void)features;
	assert_true(f->next_ring < f->n_ring);
	f->conn[conn_id(conn)] = conn;
	return f->ring[f->next_ring++];
}

static void
f_ring_close(void *ctx, struct conn *conn)
{
	struct follower *f = ctx;

	f->conn[conn_id(conn)] = NULL;
}

static void
f_record(void *ctx, const struct record *record)
{
	(void)ctx;
	(void)record;
}

static void
follower_start(struct follower *f, const struct state_config *config)
{
	memset(f, 0, sizeof(*f));
	f->h.env = (struct state_env){
		.ctx = f,
		.domain_info = f_domain_info,
		.ring_open = f_ring_open,
		.ring_close = f_ring_close,
		.wake = h_wake,
		.record = f_record,
		.trace = h_trace,
		.control = h_control,
	};
	f->h.st = state_new(config, &f->h.env);
	assert_non_null(f->h.st);
}

static struct domain_info
f_told(const struct record *r)
{
	const uint8_t *told = r->data[0];

	return (struct domain_info){
		.exists = told[0],
		.shutdown = told[1],
		.dying = told[2],
		.unique_id = r->b,
	};
}

static void
f_request(struct follower *f, const struct record *r)
{
	struct conn *conn = f->conn[r->a];
	char waste[4096];
	int budget = 1000;
	size_t used;

	assert_non_null(conn);
	assert_int_equal(
	    state_input(conn, r->data[0], r->len[0], &budget, &used),
	    INPUT_MORE);
	assert_int_equal(used, r->len[0]);
	assert_int_equal(f->next_info, f->n_info);
	assert_int_equal(f->next_ring, f->n_ring);
	f->n_info = f->next_info = f->n_ring = f->next_ring = 0;
	while (f->conn[r->a] != NULL &&
	       state_output(conn, waste, sizeof(waste)) > 0)
		;
}

/* Does what the record says; a tap of struct h. */
static void
follower_apply(void *ctx, const struct record *r)
{
	struct follower *f = ctx;
	struct domain_info info;

	switch (r->type) {
	case RECORD_OPEN_SOCKET:
		assert_true(r->a < F_CONNS);
		f->conn[r->a] = state_open_socket(f->h.st, 0, 1, NULL);
		assert_int_equal(conn_id(f->conn[r->a]), r->a);
		break;
	case RECORD_CLOSE:
		state_close(f->conn[r->a]);
		f->conn[r->a] = NULL;
		break;
	case RECORD_REQUEST:
		f_request(f, r);
		break;
	case RECORD_DOMAIN:
		info = f_told(r);
		state_domain_changed(f->h.st, (uint32_t)r->a, &info);
		break;
	case RECORD_ANSWER_INFO:
		f->info_domid[f->n_info] = (uint32_t)r->a;
		f->info[f->n_info++] = f_told(r);
		break;
	case RECORD_ANSWER_RING:
		f->ring[f->n_ring++] = (enum xs_err)r->b;
		break;
	default:
		fail_msg("record of type %d", (int)r->type);
	}
}

static void
follower_compare_nodes(struct node *a, struct node *b)
{
	assert_string_equal(a->id->name->text, b->id->name->text);
	assert_int_equal(node_value_len(a), node_value_len(b));
	if (a->value != NULL)
		assert_memory_equal(
		    a->value->data, b->value->data, a->value->len);
	assert_int_equal(a->value_stamp, b->value_stamp);
	assert_int_equal(a->kids_stamp, b->kids_stamp);
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

	assert_int_equal(st->heap.stamp, f->h.st->heap.stamp);
	walk_start(&st->walk, st->live);
	walk_start(&f->h.st->walk, f->h.st->live);
	for (;;) {
		a = walk_next(&st->walk);
		b = walk_next(&f->h.st->walk);
		assert_int_equal(a != NULL, b != NULL);
		if (a == NULL)
			break;
		follower_compare_nodes(a, b);
	}
	for (uint32_t i = 0; i < H_DOMAINS; i++) {
		struct principal *p = principal_current(st->all, i);
		struct principal *q = principal_current(f->h.st->all, i);

		assert_int_equal(p != NULL, q != NULL);
		if (p != NULL)
			assert_memory_equal(
			    &p->usage, &q->usage, sizeof(p->usage));
	}
}

#endif
