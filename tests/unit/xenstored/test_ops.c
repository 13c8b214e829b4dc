/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#define RAW(s) s, sizeof(s) - 1

/* Payloads that no operation may take, by a socket. */
static const struct {
	uint32_t type;
	const char *payload;
	size_t len;
	enum xs_err err;
} malformed[] = {
	{ WIRE_CONTROL, RAW(""), XS_EINVAL },
	{ WIRE_CONTROL, RAW("no-such-command\0"), XS_EINVAL },
	{ WIRE_CONTROL, RAW("check\0more\0"), XS_EINVAL },
	{ WIRE_CONTROL, RAW("quota\0set\0nodes\0x\0"), XS_EINVAL },
	{ WIRE_CONTROL, RAW("quota\0max\0-r\0-r\0"), XS_EINVAL },
	{ WIRE_CONTROL, RAW("quota\00012\0003\0"), XS_EINVAL },
	{ WIRE_CONTROL, RAW("quota\00077\0"), XS_ENOENT },
	{ WIRE_CONTROL, RAW("1\0002\0003\0004\0005\0006\0007\0008\0009\0"),
	    XS_EINVAL },
	{ WIRE_DIRECTORY, RAW(""), XS_EINVAL },
	{ WIRE_DIRECTORY, RAW("/tool"), XS_EINVAL },
	{ WIRE_DIRECTORY, RAW("/tool\0/tool\0"), XS_EINVAL },
	{ WIRE_DIRECTORY, RAW("@releaseDomain\0"), XS_EINVAL },
	{ WIRE_READ, RAW(""), XS_EINVAL },
	{ WIRE_READ, RAW("\0"), XS_EINVAL },
	{ WIRE_READ, RAW("/tool"), XS_EINVAL },
	{ WIRE_READ, RAW("/tool\0x"), XS_EINVAL },
	{ WIRE_READ, RAW("/tool/\0"), XS_EINVAL },
	{ WIRE_READ, RAW("//\0"), XS_EINVAL },
	{ WIRE_READ, RAW("/a b\0"), XS_EINVAL },
	{ WIRE_READ, RAW("@releaseDomain\0"), XS_EINVAL },
	{ WIRE_GET_PERMS, RAW("@nope\0"), XS_EINVAL },
	{ WIRE_GET_PERMS, RAW("@releaseDomain/5\0"), XS_EINVAL },
	{ WIRE_GET_PERMS, RAW("/tool\0\0"), XS_EINVAL },
	{ WIRE_WATCH, RAW(""), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a\0"), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a\0t"), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a/\0t\0"), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a\0t\0001\0002\0"), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a\0t\0-1\0"), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a\0t\0abc\0"), XS_EINVAL },
	{ WIRE_WATCH, RAW("/a\0t\0004294967295\0"), XS_EINVAL },
	{ WIRE_UNWATCH, RAW("/a\0"), XS_EINVAL },
	{ WIRE_UNWATCH, RAW("/a\0t\0x\0"), XS_EINVAL },
	{ WIRE_UNWATCH, RAW("/a\0t\0"), XS_ENOENT },
	{ WIRE_TRANSACTION_END, RAW("T\0"), XS_ENOENT },
	{ WIRE_TRANSACTION_END, RAW("x\0"), XS_EINVAL },
	{ WIRE_TRANSACTION_END, RAW(""), XS_EINVAL },
	{ WIRE_TRANSACTION_END, RAW("T"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("1\0001\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("abc\0001\0005\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("0x1\0001\0005\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("-1\0001\0005\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("99999\0001\0005\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("32752\0001\0005\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("1\0001\0000\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("1\0001\000-5\0"), XS_EINVAL },
	{ WIRE_INTRODUCE, RAW("12\0001\0005\0"), XS_ENOENT },
	{ WIRE_RELEASE, RAW("0\0"), XS_EINVAL },
	{ WIRE_RELEASE, RAW("1\0"), XS_ENOENT },
	{ WIRE_RELEASE, RAW("1\0001\0"), XS_EINVAL },
	{ WIRE_RELEASE, RAW("32752\0"), XS_EINVAL },
	{ WIRE_GET_DOMAIN_PATH, RAW("x\0"), XS_EINVAL },
	{ WIRE_WRITE, RAW(""), XS_EINVAL },
	{ WIRE_WRITE, RAW("/a"), XS_EINVAL },
	{ WIRE_WRITE, RAW("\0x"), XS_EINVAL },
	{ WIRE_WRITE, RAW("@releaseDomain\0x"), XS_EINVAL },
	{ WIRE_MKDIR, RAW("/a\0/b\0"), XS_EINVAL },
	{ WIRE_MKDIR, RAW("@a\0"), XS_EINVAL },
	{ WIRE_RM, RAW("/\0"), XS_EINVAL },
	{ WIRE_RM, RAW("@releaseDomain\0"), XS_EINVAL },
	{ WIRE_RM, RAW("/none/x\0"), XS_ENOENT },
	{ WIRE_SET_PERMS, RAW("/tool\0"), XS_EINVAL },
	{ WIRE_SET_PERMS, RAW("/tool\0n0"), XS_EINVAL },
	{ WIRE_SET_PERMS, RAW("/tool\0x0\0"), XS_EINVAL },
	{ WIRE_SET_PERMS, RAW("/tool\0n0\0r\0"), XS_EINVAL },
	{ WIRE_SET_PERMS, RAW("/tool\0n0\0r99999\0"), XS_EINVAL },
	{ WIRE_SET_PERMS, RAW("/tool\0n0\0b6junk\0"), XS_EINVAL },
	{ WIRE_SET_PERMS, RAW("/tool\0n12\0"), XS_ENOENT },
	{ WIRE_SET_PERMS, RAW("/none\0n0\0"), XS_ENOENT },
	{ WIRE_SET_PERMS, RAW("/tool\0n32757\0"), XS_ENOENT },
	{ WIRE_WATCH_EVENT, RAW("/a\0t\0"), XS_ENOSYS },
	{ WIRE_ERROR, RAW("EINVAL\0"), XS_ENOSYS },
	{ WIRE_IS_DOMAIN_INTRODUCED, RAW(""), XS_EINVAL },
	{ WIRE_RESUME, RAW("1\0"), XS_ENOENT },
	{ WIRE_RESUME, RAW("0\0"), XS_EINVAL },
	{ WIRE_SET_TARGET, RAW("1\0"), XS_EINVAL },
	{ WIRE_SET_TARGET, RAW("1\0002\0"), XS_ENOENT },
	{ WIRE_RESTRICT, RAW("1\0"), XS_ENOSYS },
	{ WIRE_DIRECTORY_PART, RAW("/tool\0"), XS_EINVAL },
	{ WIRE_DIRECTORY_PART, RAW("/tool\0-1\0"), XS_EINVAL },
	{ WIRE_DIRECTORY_PART, RAW("/none\0000\0"), XS_ENOENT },
	{ WIRE_GET_FEATURE, RAW("1\0002\0"), XS_EINVAL },
	{ WIRE_GET_FEATURE, RAW("12\0"), XS_ENOENT },
	{ WIRE_SET_FEATURE, RAW("1\0"), XS_EINVAL },
	{ WIRE_SET_FEATURE, RAW("1\00016\0"), XS_EINVAL },
	{ WIRE_SET_FEATURE, RAW("12\0001\0"), XS_ENOENT },
	{ WIRE_GET_QUOTA, RAW("nope\0"), XS_EINVAL },
	{ WIRE_GET_QUOTA, RAW("12\0nodes\0"), XS_ENOENT },
	{ WIRE_SET_QUOTA, RAW("nodes\0"), XS_EINVAL },
	{ WIRE_SET_QUOTA, RAW("nodes\0bogus\0"), XS_EINVAL },
	{ WIRE_SET_QUOTA, RAW("nope\0001\0"), XS_EINVAL },
	{ WIRE_SET_QUOTA, RAW("12\0nodes\0001\0"), XS_ENOENT },
	{ WIRE_OP_COUNT, RAW(""), XS_ENOSYS },
	{ 0xffffffffu, RAW(""), XS_ENOSYS },
};

static void
malformed_requests_are_refused_and_change_nothing(void **unused)
{
	struct h_message m;
	struct node *before;
	uint64_t stamp;
	struct conn *s;
	enum xs_err err;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	before = h.st->live;
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		stamp = h.st->heap.stamp;
		err = h_call(&h, s, malformed[i].type, 0, malformed[i].payload,
		    malformed[i].len, &m);
		if (err != malformed[i].err)
			fail_msg("row %zu (%s): %s, not %s", i,
			    wire_op_name(malformed[i].type), error_name(err),
			    error_name(malformed[i].err));
		assert_ptr_equal(h.st->live, before);
		/* a name of a domain may have been looked up */
		assert_true(h.st->heap.stamp <= stamp + 1);
		assert_true(list_empty(&s->txns));
		assert_int_equal(h.n_events, 0);
	}
	assert_int_equal(h.n_ring_open, 0);
	h_stop(&h);
}

static void
privileged_operations_are_for_the_privileged(void **unused)
{
	static const uint32_t ops[] = { WIRE_CONTROL, WIRE_INTRODUCE,
		WIRE_RELEASE, WIRE_IS_DOMAIN_INTRODUCED, WIRE_RESUME,
		WIRE_SET_TARGET, WIRE_SET_FEATURE, WIRE_GET_QUOTA,
		WIRE_SET_QUOTA };
	struct h_message m;
	struct conn *s, *g;
	struct h h;
	uint32_t tx;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	tx = h_begin(&h, g);
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(
		    h_call(&h, g, ops[i], 0, "1\0001\0", 4, &m), XS_EACCES);
		assert_int_equal(
		    h_call(&h, g, ops[i], tx, "1\0001\0", 4, &m), XS_EACCES);
		/* before the transaction is looked at */
		assert_int_equal(
		    h_call(&h, g, ops[i], 99, "", 0, &m), XS_EACCES);
	}
	assert_int_equal(
	    h_call(&h, g, WIRE_GET_FEATURE, 0, "1\0", 2, &m), XS_EACCES);
	assert_int_equal(h_call(&h, g, WIRE_GET_FEATURE, 0, "", 0, &m), XS_OK);
	assert_string_equal(m.payload, "15");
	h_stop(&h);
}

static void
a_dead_transaction_is_noticed_before_the_arguments(void **unused)
{
	struct h_message m;
	struct conn *s;
	uint32_t op;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	for (op = 0; op < WIRE_OP_COUNT; op++) {
		enum xs_err want = XS_ENOENT;

		if (op == WIRE_WATCH || op == WIRE_UNWATCH)
			want = XS_EINVAL; /* they do not look */
		if (op == WIRE_WATCH_EVENT || op == WIRE_ERROR ||
		    op == WIRE_RESTRICT)
			want = XS_ENOSYS;
		assert_int_equal(h_call(&h, s, op, 77, "", 0, &m), want);
	}
	h_stop(&h);
}

static void
replies_without_data_are_ok_and_its_nul(void **unused)
{
	struct h_message m;
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_int_equal(h_call(&h, s, WIRE_MKDIR, 0, "/a\0", 3, &m), XS_OK);
	assert_int_equal(m.header.len, 3);
	assert_memory_equal(m.payload, "OK\0", 3);
	assert_int_equal(
	    h_call(&h, s, WIRE_WRITE, 0, "/a\0v\0w", 6, &m), XS_OK);
	assert_int_equal(h_call(&h, s, WIRE_READ, 0, "/a\0", 3, &m), XS_OK);
	assert_int_equal(m.header.len, 3);
	assert_memory_equal(m.payload, "v\0w", 3);
	assert_int_equal(h_call(&h, s, WIRE_READ, 0, "/\0", 2, &m), XS_OK);
	assert_int_equal(m.header.len, 0);
	assert_string_equal(
	    h_text(&h, s, WIRE_GET_DOMAIN_PATH, 0, "007"), "/local/domain/7");
	h_stop(&h);
}

static void
directories_are_listed_in_the_order_of_creation(void **unused)
{
	static const char *const name[] = { "/d/z", "/d/a", "/d/m", "/d/b" };
	struct conn *s;
	struct h h;
	int i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	for (i = 0; i < 4; i++)
		assert_int_equal(h_write(&h, s, 0, name[i], ""), XS_OK);
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/d"), "z a m b");
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/d/a"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, "/d/a", ""), XS_OK);
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/d"), "z m b a");
	h_stop(&h);
}

/* Walks DIRECTORY_PART and counts the names; they must be n0, n1, ... */
static unsigned
walk_parts(struct h *h, struct conn *s)
{
	char offset[16], generation[32] = "", want[16];
	struct h_message m;
	size_t at = 0, pos;
	unsigned n = 0;

	for (;;) {
		snprintf(offset, sizeof(offset), "%zu", at);
		assert_int_equal(h_strings(h, s, WIRE_DIRECTORY_PART, 0, &m,
				     "/d", offset, NULL),
		    XS_OK);
		if (generation[0] == '\0')
			snprintf(
			    generation, sizeof(generation), "%.20s", m.payload);
		assert_string_equal(m.payload, generation);
		pos = strlen(m.payload) + 1;
		while (pos < m.header.len) {
			if (m.payload[pos] == '\0')
				return n;
			snprintf(want, sizeof(want), "n%u", n++);
			assert_string_equal(m.payload + pos, want);
			at += strlen(want) + 1;
			pos += strlen(want) + 1;
		}
	}
}

static void
twenty_thousand_children_are_listed_in_parts(void **unused)
{
	struct h_message m;
	struct conn *s;
	char path[32];
	struct h h;
	unsigned i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	for (i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "/d/n%u", i);
		assert_int_equal(h_write(&h, s, 0, path, ""), XS_OK);
	}
	assert_string_equal(h_text(&h, s, WIRE_DIRECTORY, 0, "/d"), "E2BIG");
	assert_int_equal(walk_parts(&h, s), 20000);
	assert_int_equal(h_strings(&h, s, WIRE_DIRECTORY_PART, 0, &m, "/d",
			     "4000000000", NULL),
	    XS_OK);
	assert_int_equal(m.header.len, strlen(m.payload) + 2);
	for (i = 0; i < 20000; i += 2) {
		snprintf(path, sizeof(path), "/d/n%u", i);
		assert_int_equal(h_one(&h, s, WIRE_RM, 0, path), XS_OK);
	}
	h_stop(&h);
}

static void
paths_end_where_the_limits_say(void **unused)
{
	static const struct {
		size_t len;
		bool absolute;
		enum xs_err socket, guest;
	} table[] = {
		{ 2047, false, XS_OK, XS_OK },
		{ 2048, false, XS_OK, XS_OK },
		{ 2049, false, XS_EINVAL, XS_EINVAL },
		{ 2048, true, XS_OK, XS_EACCES },
		{ 2049, true, XS_OK, XS_EINVAL },
		{ 3071, true, XS_OK, XS_EINVAL },
		{ 3072, true, XS_OK, XS_EINVAL },
		{ 3073, true, XS_EINVAL, XS_EINVAL },
	};
	char path[4096];
	struct conn *s, *g;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	g = h_guest(&h, s, 1);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(path, 'x', sizeof(path));
		if (table[i].absolute)
			path[0] = '/';
		path[table[i].len] = '\0';
		assert_int_equal(h_write(&h, s, 0, path, ""), table[i].socket);
		assert_int_equal(h_write(&h, g, 0, path, ""), table[i].guest);
		/* whatever can be made can be listed and removed */
		if (table[i].guest == XS_OK)
			assert_int_equal(h_one(&h, g, WIRE_RM, 0, path), XS_OK);
		if (table[i].socket == XS_OK)
			assert_int_equal(h_one(&h, s, WIRE_RM, 0, path), XS_OK);
	}
	h_stop(&h);
}

static void
a_tree_as_deep_as_paths_go_is_handled_without_recursion(void **unused)
{
	char path[WIRE_ABS_PATH_MAX + 1];
	struct conn *s;
	struct h h;
	size_t i;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	for (i = 0; i < WIRE_ABS_PATH_MAX; i += 2)
		memcpy(path + i, "/a", 2);
	path[WIRE_ABS_PATH_MAX] = '\0';
	assert_int_equal(h_watch(&h, s, path, "t"), XS_OK);
	assert_int_equal(h_write(&h, s, 0, path, "v"), XS_OK);
	assert_string_equal(h_read(&h, s, 0, path), "v");
	assert_null(state_check(h.st));
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/a"), XS_OK);
	assert_int_equal(h.n_events, 1);
	assert_string_equal(h_read(&h, s, 0, "/a"), "ENOENT");
	h_stop(&h);
}

static void
control_answers_in_the_known_formats(void **unused)
{
	struct h_message m;
	struct conn *s;
	struct h h;

	(void)unused;
	h_start(&h);
	s = h_socket(&h);
	assert_string_equal(h_text(&h, s, WIRE_CONTROL, 0, "check"), "OK");
	assert_int_equal(h_one(&h, s, WIRE_CONTROL, 0, "memreport"), XS_OK);
	assert_int_equal(h_one(&h, s, WIRE_CONTROL, 0, "help"), XS_OK);
	assert_int_equal(
	    h_call(&h, s, WIRE_CONTROL, 0, "help\0x\0", 7, &m), XS_EINVAL);
	assert_string_equal(
	    h_text(&h, s, WIRE_CONTROL, 0, "live-update"), "shell");
	assert_int_equal(
	    h_call(&h, s, WIRE_CONTROL, 0, "quota\0", 6, &m), XS_OK);
	assert_memory_equal(m.payload,
	    "Quota settings:\nnodes            :     1000 nodes owned\n", 54);
	assert_int_equal(h_strings(&h, s, WIRE_CONTROL, 0, &m, "quota", "set",
			     "nodes", "5", NULL),
	    XS_OK);
	assert_int_equal(
	    h_strings(&h, s, WIRE_GET_QUOTA, 0, &m, "nodes", NULL), XS_OK);
	assert_string_equal(m.payload, "5");
	/* domain 3 exists, but nobody here has met it: C xenstored's answer */
	assert_int_equal(
	    h_strings(&h, s, WIRE_CONTROL, 0, &m, "quota", "3", NULL),
	    XS_ENOENT);
	(void)h_guest(&h, s, 3);
	assert_int_equal(h_one(&h, s, WIRE_RM, 0, "/local/domain/3"), XS_OK);
	assert_int_equal(
	    h_strings(&h, s, WIRE_CONTROL, 0, &m, "quota", "3", NULL), XS_OK);
	assert_memory_equal(m.payload,
	    "Domain 3:\nnodes            :        0 (max        1)\n", 53);
	assert_int_equal(
	    h_strings(&h, s, WIRE_CONTROL, 0, &m, "quota", "max", NULL), XS_OK);
	assert_memory_equal(m.payload,
	    "Max. seen accounting values:\nnodes            :        1\n", 56);
	h_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    malformed_requests_are_refused_and_change_nothing),
		cmocka_unit_test(privileged_operations_are_for_the_privileged),
		cmocka_unit_test(
		    a_dead_transaction_is_noticed_before_the_arguments),
		cmocka_unit_test(replies_without_data_are_ok_and_its_nul),
		cmocka_unit_test(
		    directories_are_listed_in_the_order_of_creation),
		cmocka_unit_test(twenty_thousand_children_are_listed_in_parts),
		cmocka_unit_test(paths_end_where_the_limits_say),
		cmocka_unit_test(
		    a_tree_as_deep_as_paths_go_is_handled_without_recursion),
		cmocka_unit_test(control_answers_in_the_known_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
