/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What those who look on are told: answers, conflicts, refusals.
 */
#include "harness.h"

#include "xenstored/principal.h"

struct seen {
	unsigned n_answered, n_conflicts;
	uint32_t type, domid;
	enum xs_err err;
	uint32_t conflict_type;
	char conflict_path[64];
	struct refusal refused;
};

static struct h h;
static struct seen seen;

static void
answered(void *ctx, const struct conn *conn, const struct wire_header *header,
    const void *payload, enum xs_err err)
{
	const struct refusal *refused = state_refused(h.st);

	(void)ctx;
	(void)payload;
	seen.n_answered++;
	seen.type = header->type;
	seen.domid = conn_domid(conn);
	seen.err = err;
	seen.refused.id = QUOTA_COUNT;
	if (refused != NULL)
		seen.refused = *refused;
}

static void
conflict(void *ctx, const struct conn *conn, const struct wire_header *header,
    const void *payload)
{
	(void)ctx;
	(void)conn;
	seen.n_conflicts++;
	seen.conflict_type = header->type;
	snprintf(seen.conflict_path, sizeof(seen.conflict_path), "%s",
	    (const char *)payload);
}

static int
setup(void **state)
{
	(void)state;
	h_start(&h);
	h.env.answered = answered;
	h.env.conflict = conflict;
	memset(&seen, 0, sizeof(seen));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	h_stop(&h);
	return 0;
}

static void
each_answer_is_told_with_its_error(void **state)
{
	struct conn *s = h_socket(&h);

	(void)state;
	assert_int_equal(h_write(&h, s, 0, "/a", "1"), XS_OK);
	assert_int_equal(seen.n_answered, 1);
	assert_int_equal(seen.type, WIRE_WRITE);
	assert_int_equal(seen.err, XS_OK);
	assert_string_equal(h_read(&h, s, 0, "/b"), "ENOENT");
	assert_int_equal(seen.n_answered, 2);
	assert_int_equal(seen.err, XS_ENOENT);
	assert_int_equal(seen.refused.id, QUOTA_COUNT);
}

static void
a_conflict_names_the_request_that_would_be_answered_otherwise(void **state)
{
	struct conn *s = h_socket(&h), *other = h_socket(&h);
	uint32_t tx;

	(void)state;
	assert_int_equal(h_write(&h, s, 0, "/a/b", "1"), XS_OK);
	tx = h_begin(&h, s);
	assert_string_equal(h_read(&h, s, tx, "/a/b"), "1");
	assert_int_equal(h_write(&h, s, tx, "/c", "2"), XS_OK);
	assert_int_equal(h_write(&h, other, 0, "/a/b", "3"), XS_OK);
	assert_int_equal(seen.n_conflicts, 0);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_EAGAIN);
	assert_int_equal(seen.n_conflicts, 1);
	assert_int_equal(seen.conflict_type, WIRE_READ);
	assert_string_equal(seen.conflict_path, "/a/b");
	assert_int_equal(seen.type, WIRE_TRANSACTION_END);
	assert_int_equal(seen.err, XS_EAGAIN);
}

static void
a_commit_without_conflict_tells_of_none(void **state)
{
	struct conn *s = h_socket(&h), *other = h_socket(&h);
	uint32_t tx;

	(void)state;
	tx = h_begin(&h, s);
	assert_int_equal(h_write(&h, s, tx, "/c", "2"), XS_OK);
	assert_int_equal(h_write(&h, other, 0, "/d", "3"), XS_OK);
	assert_int_equal(h_end(&h, s, tx, "T"), XS_OK);
	assert_int_equal(seen.n_conflicts, 0);
}

static void
a_quota_that_refuses_is_named_with_its_limit(void **state)
{
	struct conn *s = h_socket(&h), *guest = h_guest(&h, s, 3);
	struct h_message m;

	(void)state;
	assert_int_equal(
	    h_strings(&h, s, WIRE_SET_QUOTA, 0, &m, "3", "nodes", "2", NULL),
	    XS_OK);
	assert_int_equal(h_write(&h, guest, 0, "a", "1"), XS_OK);
	assert_int_equal(h_write(&h, guest, 0, "b", "1"), XS_ENOSPC);
	assert_int_equal(seen.domid, 3);
	assert_int_equal(seen.refused.id, QUOTA_NODES);
	assert_int_equal(seen.refused.domid, 3);
	assert_int_equal(seen.refused.value, 3);
	assert_int_equal(seen.refused.limit, 2);
	/* the next answer has nothing to do with it */
	assert_int_equal(h_write(&h, guest, 0, "a", "2"), XS_OK);
	assert_int_equal(seen.refused.id, QUOTA_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    each_answer_is_told_with_its_error, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_conflict_names_the_request_that_would_be_answered_otherwise,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_commit_without_conflict_tells_of_none, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_quota_that_refuses_is_named_with_its_limit, setup,
		    teardown),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
