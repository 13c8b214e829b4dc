/* The head of a request: what is taken, what is refused, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/guest/kernels/fileserver/http_parse.h"

static int
parse(const char *head, struct http_request *req)
{
	return http_parse(head, strlen(head), req);
}

static void
a_get_is_understood(void **state)
{
	struct http_request req;

	(void)state;
	assert_int_equal(
	    parse("GET /a/b%20c.txt?x=1 HTTP/1.1\r\nHost: foo\r\n\r\n", &req),
	    0);
	assert_int_equal(req.method, HTTP_GET);
	assert_string_equal(req.path, "/a/b c.txt");
	assert_true(req.keep_alive);
	assert_false(req.has_length);
}

/* A redirect to "//a/" would lead to a host called a. */
static void
slashes_side_by_side_are_one(void **state)
{
	struct http_request req;

	(void)state;
	assert_int_equal(parse("GET //a///b%2F/c HTTP/1.1\r\n\r\n", &req), 0);
	assert_string_equal(req.path, "/a/b/c");
}

static void
a_field_name_has_no_space_in_it(void **state)
{
	struct http_request req;

	(void)state;
	assert_int_equal(
	    parse("GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", &req), 400);
	assert_int_equal(
	    parse("GET / HTTP/1.1\r\nA: b\r\n Content-Length: 5\r\n\r\n", &req),
	    400);
}

static void
http_1_0_closes_unless_asked(void **state)
{
	struct http_request req;

	(void)state;
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &req), 0);
	assert_false(req.keep_alive);
	assert_int_equal(
	    parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &req), 0);
	assert_true(req.keep_alive);
}

static void
a_put_needs_a_length(void **state)
{
	struct http_request req;

	(void)state;
	assert_int_equal(parse("PUT /x HTTP/1.1\r\n\r\n", &req), 411);
	assert_int_equal(parse("PUT /x HTTP/1.1\r\ncontent-length:  12 \r\n"
			       "Expect: 100-continue\r\n\r\n",
			     &req),
	    0);
	assert_int_equal(req.length, 12);
	assert_true(req.expects_continue);
}

static void
bad_heads_get_their_status(void **state)
{
	static const struct {
		const char *head;
		int status;
	} rows[] = {
		{ "\r\n\r\n", 400 },
		{ "GET\r\n\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET / HTTP/2.0\r\n\r\n", 505 },
		{ "GET / FTP/1.10\r\n\r\n", 400 },
		{ "GET x HTTP/1.1\r\n\r\n", 400 },
		{ "GET  HTTP/1.1\r\n\r\n", 400 },
		{ "GET /%4 HTTP/1.1\r\n\r\n", 400 },
		{ "GET /%zz HTTP/1.1\r\n\r\n", 400 },
		{ "GET /a%00b HTTP/1.1\r\n\r\n", 404 },
		{ "GET /../etc HTTP/1.1\r\n\r\n", 404 },
		{ "GET /a/%2e%2e HTTP/1.1\r\n\r\n", 404 },
		{ "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n: empty\r\n\r\n", 400 },
		{ "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400 },
		{ "PUT / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400 },
		{ "PUT / HTTP/1.1\r\nContent-Length: "
		  "9999999999999999999\r\n\r\n",
		    400 },
		{ "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: "
		  "2\r\n\r\n",
		    400 },
		{ "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501 },
		{ "GET / HTTP/1.1", 400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request req;

		if (parse(rows[i].head, &req) != rows[i].status)
			fail_msg("row %zu: %d, not %d", i,
			    parse(rows[i].head, &req), rows[i].status);
	}
}

static void
a_path_at_the_limit_is_taken_and_one_byte_more_is_not(void **state)
{
	struct http_request req;
	char head[HTTP_PATH_MAX + 64];
	size_t n = HTTP_PATH_MAX - 1;

	(void)state;
	for (int more = 0; more < 2; more++) {
		strcpy(head, "GET /");
		memset(head + 5, 'a', n - 1 + (size_t)more);
		strcpy(head + 4 + n + (size_t)more, " HTTP/1.1\r\n\r\n");
		assert_int_equal(parse(head, &req), more ? 414 : 0);
	}
}

static void
names_with_two_dots_inside_are_names(void **state)
{
	struct http_request req;

	(void)state;
	assert_int_equal(parse("GET /a..b/..c HTTP/1.1\r\n\r\n", &req), 0);
	assert_string_equal(req.path, "/a..b/..c");
}

static void
the_type_follows_the_suffix(void **state)
{
	(void)state;
	assert_string_equal(http_type("/a.TXT"), "text/plain; charset=utf-8");
	assert_string_equal(http_type("/.txt"), "text/plain; charset=utf-8");
	assert_string_equal(http_type("/big.bin"), "application/octet-stream");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_get_is_understood),
		cmocka_unit_test(slashes_side_by_side_are_one),
		cmocka_unit_test(a_field_name_has_no_space_in_it),
		cmocka_unit_test(http_1_0_closes_unless_asked),
		cmocka_unit_test(a_put_needs_a_length),
		cmocka_unit_test(bad_heads_get_their_status),
		cmocka_unit_test(
		    a_path_at_the_limit_is_taken_and_one_byte_more_is_not),
		cmocka_unit_test(names_with_two_dots_inside_are_names),
		cmocka_unit_test(the_type_follows_the_suffix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
