/* SPDX-License-Identifier: BSD-2-Clause */
/* Each call sends the request that the protocol wants and takes its reply. */
#include "fake_server.h"

static struct fake fake;
static struct xs_handle *h;

static int
setup(void **state)
{
	(void)state;
	fake_start(&fake, fake_answer);
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

#define REPLY(text)                                                            \
	do {                                                                   \
		fake.reply = text;                                             \
		fake.reply_len = sizeof(text) - 1;                             \
	} while (0)

/* The request had this type, transaction and payload. */
#define assert_sent(op, tx, payload)                                           \
	do {                                                                   \
		assert_int_equal(fake.req.hdr.type, op);                       \
		assert_int_equal(fake.req.hdr.tx_id, tx);                      \
		assert_int_equal(fake.req.hdr.req_id, 0);                      \
		assert_int_equal(fake.req.hdr.len, sizeof(payload) - 1);       \
		assert_memory_equal(                                           \
		    fake.req.body, payload, sizeof(payload) - 1);              \
	} while (0)

static void
read_gives_the_value_and_a_nul_behind_it(void **state)
{
	unsigned int len = 99;
	char *value;

	(void)state;
	REPLY("a\0b");
	value = xs_read(h, 7, "/x", &len);
	assert_non_null(value);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "a\0b\0", 4);
	assert_sent(WIRE_READ, 7, "/x\0");
	free(value);

	REPLY("");
	value = xs_read(h, 0, "/x", NULL);
	assert_string_equal(value, "");
	free(value);
}

static void
write_sends_the_value_without_a_nul(void **state)
{
	(void)state;
	assert_true(xs_write(h, 3, "/x", "v\0w", 3));
	assert_sent(WIRE_WRITE, 3, "/x\0v\0w");
	assert_true(xs_write(h, 0, "/x", "", 0));
	assert_sent(WIRE_WRITE, 0, "/x\0");
	assert_true(xs_write(h, 0, "/x", NULL, 0));
}

static void
mkdir_and_rm_send_the_path(void **state)
{
	(void)state;
	assert_true(xs_mkdir(h, 1, "/d"));
	assert_sent(WIRE_MKDIR, 1, "/d\0");
	assert_true(xs_rm(h, 2, "/d"));
	assert_sent(WIRE_RM, 2, "/d\0");
}

static void
directory_gives_names_in_one_block(void **state)
{
	unsigned int num;
	char **names;

	(void)state;
	REPLY("one\0two\0");
	names = xs_directory(h, 4, "/d", &num);
	assert_non_null(names);
	assert_int_equal(num, 2);
	assert_string_equal(names[0], "one");
	assert_string_equal(names[1], "two");
	assert_sent(WIRE_DIRECTORY, 4, "/d\0");
	free(names);
}

static void
an_empty_directory_is_not_an_error(void **state)
{
	unsigned int num = 9;
	char **names;

	(void)state;
	REPLY("");
	names = xs_directory(h, 0, "/d", &num);
	assert_non_null(names);
	assert_int_equal(num, 0);
	free(names);
}

static void
permissions_are_parsed(void **state)
{
	struct xs_permissions *perms;
	unsigned int num;

	(void)state;
	REPLY("n0\0b5\0r32757\0w7\0");
	perms = xs_get_permissions(h, 1, "/x", &num);
	assert_non_null(perms);
	assert_int_equal(num, 4);
	assert_int_equal(perms[0].perms, XS_PERM_NONE);
	assert_int_equal(perms[1].id, 5);
	assert_int_equal(perms[1].perms, XS_PERM_READ | XS_PERM_WRITE);
	assert_int_equal(perms[2].id, 32757);
	assert_int_equal(perms[3].perms, XS_PERM_WRITE);
	assert_sent(WIRE_GET_PERMS, 1, "/x\0");
	free(perms);
}

static void
permissions_are_formatted(void **state)
{
	struct xs_permissions perms[] = {
		{ 0, XS_PERM_NONE },
		{ 65535, XS_PERM_READ | XS_PERM_WRITE },
	};

	(void)state;
	assert_true(xs_set_permissions(h, 6, "/x", perms, 2));
	assert_sent(WIRE_SET_PERMS, 6, "/x\0n0\0b65535\0");
}

static void
nonsense_permissions_are_refused_unsent(void **state)
{
	struct xs_permissions perm = { 0, XS_PERM_OWNER };
	struct xs_permissions *many = calloc(2000, sizeof(*many));

	(void)state;
	assert_false(xs_set_permissions(h, 0, "/x", &perm, 1));
	assert_int_equal(errno, EINVAL);
	assert_false(xs_set_permissions(h, 0, "/x", many, 2000));
	assert_int_equal(errno, E2BIG);
	free(many);
	assert_int_equal(fake.requests, 0);
}

static void
transactions_have_numbers(void **state)
{
	(void)state;
	REPLY("4294967295\0");
	assert_int_equal(xs_transaction_start(h), 4294967295u);
	assert_sent(WIRE_TRANSACTION_START, 0, "\0");
	REPLY("OK\0");
	assert_true(xs_transaction_end(h, 17, false));
	assert_sent(WIRE_TRANSACTION_END, 17, "T\0");
	assert_true(xs_transaction_end(h, 18, true));
	assert_sent(WIRE_TRANSACTION_END, 18, "F\0");
}

static void
domain_calls_send_decimal_numbers(void **state)
{
	char *path;

	(void)state;
	assert_true(xs_introduce_domain(h, 5, 123456789012, 9));
	assert_sent(WIRE_INTRODUCE, 0, "5\000123456789012\0009\0");
	assert_true(xs_set_target(h, 5, 6));
	assert_sent(WIRE_SET_TARGET, 0, "5\0006\0");
	assert_true(xs_resume_domain(h, 5));
	assert_sent(WIRE_RESUME, 0, "5\0");
	assert_true(xs_release_domain(h, 5));
	assert_sent(WIRE_RELEASE, 0, "5\0");
	REPLY("/local/domain/5\0");
	path = xs_get_domain_path(h, 5);
	assert_string_equal(path, "/local/domain/5");
	assert_sent(WIRE_GET_DOMAIN_PATH, 0, "5\0");
	free(path);
	REPLY("T\0");
	assert_true(xs_is_domain_introduced(h, 5));
	assert_sent(WIRE_IS_DOMAIN_INTRODUCED, 0, "5\0");
	REPLY("F\0");
	assert_false(xs_is_domain_introduced(h, 5));
}

static void
control_sends_arguments_as_they_are(void **state)
{
	char args[] = "a\0b";
	char *text;

	(void)state;
	REPLY("fine\0");
	text = xs_control_command(h, "cmd", args, sizeof(args));
	assert_string_equal(text, "fine");
	assert_sent(WIRE_CONTROL, 0, "cmd\0a\0b\0");
	free(text);
	text = xs_debug_command(h, "print", NULL, 0);
	assert_string_equal(text, "fine");
	assert_sent(WIRE_CONTROL, 0, "print\0");
	free(text);
}

static void
features_of_a_server_are_asked_once(void **state)
{
	unsigned int mask = 0;

	(void)state;
	REPLY("15\0");
	assert_true(xs_get_features_supported(h, &mask));
	assert_int_equal(mask, 15);
	assert_sent(WIRE_GET_FEATURE, 0, "");
	mask = 0;
	assert_true(xs_get_features_supported(h, &mask));
	assert_int_equal(mask, 15);
	assert_int_equal(fake.requests, 1);
	assert_true(xs_get_features_domain(h, 7, &mask));
	assert_sent(WIRE_GET_FEATURE, 0, "7\0");
	assert_true(xs_set_features_domain(h, 7, 4));
	assert_sent(WIRE_SET_FEATURE, 0, "7\0004\0");
}

static void
quotas_are_named_asked_and_set(void **state)
{
	unsigned int value = 0, num = 0;
	const char **names;

	(void)state;
	REPLY("nodes watches\0");
	names = xs_get_quota_names(h, &num);
	assert_non_null(names);
	assert_int_equal(num, 2);
	assert_string_equal(names[0], "nodes");
	assert_string_equal(names[1], "watches");
	assert_sent(WIRE_GET_QUOTA, 0, "");
	free(names);
	REPLY("1000\0");
	assert_true(xs_get_global_quota(h, "nodes", &value));
	assert_int_equal(value, 1000);
	assert_sent(WIRE_GET_QUOTA, 0, "nodes\0");
	assert_true(xs_get_domain_quota(h, 3, "nodes", &value));
	assert_sent(WIRE_GET_QUOTA, 0, "3\0nodes\0");
	assert_true(xs_set_global_quota(h, "nodes", 5));
	assert_sent(WIRE_SET_QUOTA, 0, "nodes\0005\0");
	assert_true(xs_set_domain_quota(h, 3, "nodes", 5));
	assert_sent(WIRE_SET_QUOTA, 0, "3\0nodes\0005\0");
}

static void
success_clears_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_true(xs_mkdir(h, 0, "/x"));
	assert_int_equal(errno, 0);
	errno = ENOENT;
	free(xs_read(h, 0, "/x", NULL));
	assert_int_equal(errno, 0);
}

static void
a_payload_that_is_too_long_is_not_sent(void **state)
{
	static char big[XENSTORE_PAYLOAD_MAX + 1];

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_false(xs_write(h, 0, "/x", big, sizeof(big)));
	assert_int_equal(errno, E2BIG);
	assert_false(xs_write(h, 0, "/x", big, XENSTORE_PAYLOAD_MAX - 2));
	assert_int_equal(errno, E2BIG);
	assert_int_equal(fake.requests, 0);
	/* one less fits just so */
	assert_true(xs_write(h, 0, "/x", big, XENSTORE_PAYLOAD_MAX - 3));
	assert_int_equal(fake.req.hdr.len, XENSTORE_PAYLOAD_MAX);
}

static void
restrict_is_refused_unsent(void **state)
{
	(void)state;
	assert_false(xs_restrict(h, 1));
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(fake.requests, 0);
}

static void
the_suspend_port_is_read_over_a_connection_of_its_own(void **state)
{
	struct fake other;

	(void)state;
	fake_start(&other, fake_answer);
	other.reply = "12";
	other.reply_len = 2;
	assert_int_equal(xs_suspend_evtchn_port(5), 12);
	fake_stop(&other);
	assert_string_equal(
	    other.req.body, "/local/domain/5/device/suspend/event-channel");
	assert_int_equal(fake.requests, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(read_gives_the_value_and_a_nul_behind_it),
		TEST(write_sends_the_value_without_a_nul),
		TEST(mkdir_and_rm_send_the_path),
		TEST(directory_gives_names_in_one_block),
		TEST(an_empty_directory_is_not_an_error),
		TEST(permissions_are_parsed),
		TEST(permissions_are_formatted),
		TEST(nonsense_permissions_are_refused_unsent),
		TEST(transactions_have_numbers),
		TEST(domain_calls_send_decimal_numbers),
		TEST(control_sends_arguments_as_they_are),
		TEST(features_of_a_server_are_asked_once),
		TEST(quotas_are_named_asked_and_set),
		TEST(success_clears_errno),
		TEST(a_payload_that_is_too_long_is_not_sent),
		TEST(restrict_is_refused_unsent),
		TEST(the_suspend_port_is_read_over_a_connection_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
