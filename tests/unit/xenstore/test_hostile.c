/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers that break the protocol, or die: a definite error, never a crash, a
 * hang or a wrong answer. */
#include "fake_server.h"

/* After this the handle is dead: nothing works, and nothing waits. */
static void
assert_dead(struct xs_handle *h)
{
	unsigned int num;

	errno = 0;
	assert_false(xs_mkdir(h, 0, "/x"));
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_null(xs_read_watch(h, &num));
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_null(xs_check_watch(h));
	assert_int_equal(errno, EBADF);
	assert_true(fake_readable(xs_fileno(h), 0));
}

/* SCRIPT's answer to a request breaks the connection. */
static void
expect_death(void (*script)(struct fake *f))
{
	struct fake f;
	struct xs_handle *h;

	fake_start(&f, script);
	h = fake_open(0);
	errno = 0;
	assert_null(xs_read(h, 0, "/x", NULL));
	assert_int_equal(errno, EBADF);
	assert_dead(h);
	xs_close(h);
	fake_stop(&f);
}

/* The answer REPLY to a READ gives ERR; the connection goes on if it can. */
static int
error_of(uint32_t type, const char *reply, size_t len)
{
	struct fake f;
	struct xs_handle *h;
	int err;

	fake_start(&f, fake_answer);
	f.reply_type = type;
	f.reply = reply;
	f.reply_len = len;
	h = fake_open(0);
	errno = 0;
	assert_null(xs_read(h, 0, "/x", NULL));
	err = errno;
	xs_close(h);
	fake_stop(&f);
	return err;
}

static void
answer_wrong_type(struct fake *f)
{
	fake_recv(f);
	fake_send(f, WIRE_WRITE, "OK", 3);
	fake_recv(f);
}

static void
a_reply_of_another_type_ends_the_connection(void **state)
{
	(void)state;
	expect_death(answer_wrong_type);
}

static void
answer_wrong_id(struct fake *f)
{
	fake_recv(f);
	f->req.hdr.req_id++;
	fake_send(f, f->req.hdr.type, "value", 5);
	fake_recv(f);
}

static void
a_reply_with_another_id_ends_the_connection(void **state)
{
	(void)state;
	expect_death(answer_wrong_id);
}

static void
answer_huge_length(struct fake *f)
{
	struct wire_header hdr = { .type = WIRE_READ, .len = 0xffffffff };

	fake_recv(f);
	fake_bytes(f, &hdr, sizeof(hdr));
	fake_recv(f);
}

static void
a_huge_length_ends_the_connection(void **state)
{
	(void)state;
	expect_death(answer_huge_length);
}

static void
answer_half_header(struct fake *f)
{
	fake_recv(f);
	fake_bytes(f, "\2\0\0", 3);
}

static void
answer_half_body(struct fake *f)
{
	struct wire_header hdr = { .type = WIRE_READ, .len = 100 };

	fake_recv(f);
	fake_bytes(f, &hdr, sizeof(hdr));
	fake_bytes(f, "part", 4);
}

static void
answer_nothing(struct fake *f)
{
	fake_recv(f);
}

static void
a_server_that_dies_in_an_answer_is_an_error(void **state)
{
	(void)state;
	expect_death(answer_nothing);
	expect_death(answer_half_header);
	expect_death(answer_half_body);
}

static void
answer_pieces(struct fake *f)
{
	struct wire_header hdr = { .type = WIRE_READ, .len = 5 };
	char msg[sizeof(hdr) + 5];

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), "value", 5);
	fake_recv(f);
	for (size_t i = 0; i < sizeof(msg); i++) {
		fake_bytes(f, msg + i, 1);
		usleep(200);
	}
	fake_recv(f);
}

static void
an_answer_in_pieces_is_put_together(void **state)
{
	struct fake f;
	struct xs_handle *h;
	char *value;

	(void)state;
	fake_start(&f, answer_pieces);
	h = fake_open(0);
	value = xs_read(h, 0, "/x", NULL);
	assert_string_equal(value, "value");
	free(value);
	xs_close(h);
	fake_stop(&f);
}

static void
answer_twice(struct fake *f)
{
	fake_recv(f);
	fake_send(f, WIRE_READ, "1", 1);
	fake_send(f, WIRE_READ, "2", 1);
	fake_recv(f);
	fake_recv(f);
}

static void
an_answer_to_no_question_ends_the_connection(void **state)
{
	struct fake f;
	struct xs_handle *h;
	char *value;
	unsigned int num;

	(void)state;
	fake_start(&f, answer_twice);
	h = fake_open(0);
	value = xs_read(h, 0, "/x", NULL);
	assert_string_equal(value, "1");
	free(value);
	assert_null(xs_read_watch(h, &num)); /* meets the second */
	assert_int_equal(errno, EBADF);
	assert_dead(h);
	xs_close(h);
	fake_stop(&f);
}

static void
answer_long_value(struct fake *f)
{
	static char value[16384];

	fake_recv(f);
	memset(value, 'v', sizeof(value));
	fake_send(f, WIRE_READ, value, sizeof(value));
	fake_recv(f);
}

static void
an_answer_longer_than_the_protocol_allows_is_taken(void **state)
{
	struct fake f;
	struct xs_handle *h;
	unsigned int len;
	char *value;

	(void)state;
	fake_start(&f, answer_long_value);
	h = fake_open(0);
	value = xs_read(h, 0, "/x", &len);
	assert_non_null(value);
	assert_int_equal(len, 16384);
	assert_int_equal(value[16383], 'v');
	assert_int_equal(value[16384], '\0');
	free(value);
	xs_close(h);
	fake_stop(&f);
}

static void
error_strings_become_errno(void **state)
{
	(void)state;
	assert_int_equal(error_of(WIRE_ERROR, "ENOENT", 7), ENOENT);
	assert_int_equal(error_of(WIRE_ERROR, "EPERM", 6), EPERM);
	assert_int_equal(error_of(WIRE_ERROR, "ENOENT", 6), ENOENT);
	assert_int_equal(error_of(WIRE_ERROR, "EQUOTA", 7), EINVAL);
	assert_int_equal(error_of(WIRE_ERROR, "", 0), EINVAL);
	assert_int_equal(error_of(WIRE_ERROR, "ENOENT\0x", 8), EINVAL);
}

#define ANSWERED(f, h, text)                                                   \
	do {                                                                   \
		fake_start(&f, fake_answer);                                   \
		f.reply = text;                                                \
		f.reply_len = sizeof(text) - 1;                                \
		h = fake_open(0);                                              \
	} while (0)

static void
a_directory_without_its_last_nul_is_an_error(void **state)
{
	struct fake f;
	struct xs_handle *h;
	unsigned int num = 77;

	(void)state;
	ANSWERED(f, h, "one\0tw");
	assert_null(xs_directory(h, 0, "/", &num));
	assert_int_equal(errno, EIO);
	assert_int_equal(num, 77);
	xs_close(h);
	fake_stop(&f);
}

static void
permissions_that_are_none_are_an_error(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "", 0 },
		{ "n0", 2 },
		{ "x0", 3 },
		{ "n", 2 },
		{ "n0\0r", 5 },
		{ "n0\0", 4 },
		{ "n-1", 4 },
		{ "n0x", 4 },
		{ "n4294967296", 12 },
	};
	unsigned int num = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fake f;
		struct xs_handle *h;

		fake_start(&f, fake_answer);
		f.reply = bad[i].text;
		f.reply_len = bad[i].len;
		h = fake_open(0);
		errno = 0;
		assert_null(xs_get_permissions(h, 0, "/", &num));
		assert_int_equal(errno, EIO);
		assert_int_equal(num, 77);
		xs_close(h);
		fake_stop(&f);
	}
}

static void
a_transaction_id_that_is_none_is_an_error(void **state)
{
	static const char *const bad[] = { "0", "", "abc", "-1", "4294967296",
		"1 " };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fake f;
		struct xs_handle *h;

		fake_start(&f, fake_answer);
		f.reply = bad[i];
		f.reply_len = strlen(bad[i]) + 1;
		h = fake_open(0);
		errno = 0;
		assert_int_equal(xs_transaction_start(h), XBT_NULL);
		assert_int_equal(errno, EIO);
		xs_close(h);
		fake_stop(&f);
	}
}

static void
send_bad_event(struct fake *f)
{
	fake_recv(f);
	fake_ok(f);
	fake_recv(f);
	fake_send(f, WIRE_WATCH_EVENT, f->reply, f->reply_len);
	fake_recv(f);
}

static void
an_event_without_a_token_ends_the_connection(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = { { "", 0 }, { "/x", 3 }, { "/x\0t", 4 }, { "/x", 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fake f;
		struct xs_handle *h;

		fake_start(&f, send_bad_event);
		f.reply = bad[i].text;
		f.reply_len = bad[i].len;
		h = fake_open(0);
		assert_true(xs_watch(h, "/x", "t"));
		assert_false(xs_mkdir(h, 0, "/x"));
		assert_int_equal(errno, EBADF);
		assert_dead(h);
		xs_close(h);
		fake_stop(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_of_another_type_ends_the_connection),
		cmocka_unit_test(a_reply_with_another_id_ends_the_connection),
		cmocka_unit_test(a_huge_length_ends_the_connection),
		cmocka_unit_test(a_server_that_dies_in_an_answer_is_an_error),
		cmocka_unit_test(an_answer_in_pieces_is_put_together),
		cmocka_unit_test(an_answer_to_no_question_ends_the_connection),
		cmocka_unit_test(
		    an_answer_longer_than_the_protocol_allows_is_taken),
		cmocka_unit_test(error_strings_become_errno),
		cmocka_unit_test(a_directory_without_its_last_nul_is_an_error),
		cmocka_unit_test(permissions_that_are_none_are_an_error),
		cmocka_unit_test(a_transaction_id_that_is_none_is_an_error),
		cmocka_unit_test(an_event_without_a_token_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
