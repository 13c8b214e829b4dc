/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories that do not fit a reply: read in parts. */
#include "fake_server.h"

static struct fake fake;
static struct xs_handle *h;
static int part;       /* how many parts were given */
static int changes;    /* the directory changes so often */
static bool has_parts; /* the server knows DIRECTORY_PART */
static bool progress;  /* its parts hold something */

/* Gives "name0".."name9", three a part. The offset is a multiple of 6. */
static void
give_part(struct fake *f)
{
	const char *offset = f->req.body + strlen(f->req.body) + 1;
	int first = atoi(offset) / 6;
	bool changed = part++ % 2 == 1 && changes > 0;
	char body[64];
	int n = sprintf(body, "%d", 100 + (changed ? changes-- : 0)) + 1;

	for (int i = first; i < first + 3 && i < 10 && progress; i++)
		n += sprintf(body + n, "name%d", i) + 1;
	if (first + 3 >= 10 && progress)
		body[n++] = '\0';
	fake_send(f, WIRE_DIRECTORY_PART, body, (size_t)n);
}

static void
serve(struct fake *f)
{
	while (fake_recv(f)) {
		switch (f->req.hdr.type) {
		case WIRE_DIRECTORY:
			fake_error(f, "E2BIG");
			break;
		case WIRE_DIRECTORY_PART:
			if (has_parts)
				give_part(f);
			else
				fake_error(f, "ENOSYS");
			break;
		case WIRE_TRANSACTION_START:
			changes = 0; /* nothing changes in a transaction */
			fake_send(f, WIRE_TRANSACTION_START, "9", 2);
			break;
		default:
			fake_ok(f);
		}
	}
}

static int
setup(void **state)
{
	(void)state;
	part = changes = 0;
	has_parts = progress = true;
	fake_start(&fake, serve);
	h = fake_open(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	xs_close(h);
	fake_stop(&fake);
	return 0;
}

static void
assert_all_names(void)
{
	unsigned int num;
	char **names = xs_directory(h, 0, "/d", &num);
	char name[16];

	assert_non_null(names);
	assert_int_equal(num, 10);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		assert_string_equal(names[i], name);
	}
	free(names);
}

static void
parts_are_put_together(void **state)
{
	(void)state;
	assert_all_names();
	assert_int_equal(fake.requests, 5);
	assert_string_equal(fake.req.body + 3, "54");
}

static void
a_change_starts_the_walk_anew(void **state)
{
	(void)state;
	changes = 1;
	assert_all_names();
	assert_int_equal(changes, 0);
	assert_int_equal(fake.requests, 1 + 2 + 4);
}

static void
a_directory_in_constant_change_is_read_in_a_transaction(void **state)
{
	(void)state;
	changes = 1000000;
	assert_all_names();
	assert_int_equal(fake.req.hdr.type, WIRE_TRANSACTION_END);
	assert_int_equal(fake.req.hdr.tx_id, 9);
	assert_string_equal(fake.req.body, "F");
}

static void
in_the_callers_transaction_no_other_is_started(void **state)
{
	unsigned int num;

	(void)state;
	changes = 1000000;
	assert_null(xs_directory(h, 5, "/d", &num));
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fake.req.hdr.type, WIRE_DIRECTORY_PART);
	assert_int_equal(fake.req.hdr.tx_id, 5);
}

static void
a_server_without_parts_is_too_big(void **state)
{
	unsigned int num;

	(void)state;
	has_parts = false;
	assert_null(xs_directory(h, 0, "/d", &num));
	assert_int_equal(errno, E2BIG);
}

static void
a_server_that_gives_nothing_is_not_asked_for_ever(void **state)
{
	unsigned int num;

	(void)state;
	progress = false;
	assert_null(xs_directory(h, 0, "/d", &num));
	assert_int_equal(errno, EIO);
	assert_int_equal(fake.requests, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_are_put_together),
		TEST(a_change_starts_the_walk_anew),
		TEST(a_directory_in_constant_change_is_read_in_a_transaction),
		TEST(in_the_callers_transaction_no_other_is_started),
		TEST(a_server_without_parts_is_too_big),
		TEST(a_server_that_gives_nothing_is_not_asked_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
