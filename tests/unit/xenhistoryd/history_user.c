/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * history_user conflict PATH     a transaction that reads PATH, which then
 *                                changes; exits 0 if its end says EAGAIN
 * history_user quota NAME N      sets a limit for all domains
 * history_user burst N           N writes of 2000 bytes, to one node
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

static int
fail(const char *what)
{
	fprintf(stderr, "history_user: %s: %s\n", what, strerror(errno));
	return 1;
}

static int
conflict(struct xs_handle *xs, struct xs_handle *other, const char *path)
{
	xs_transaction_t t = xs_transaction_start(xs);
	unsigned len;

	if (t == XBT_NULL)
		return fail("start");
	free(xs_read(xs, t, path, &len));
	if (!xs_write(xs, t, "/conflict", "1", 1) ||
	    !xs_write(other, XBT_NULL, path, "other", 5))
		return fail("write");
	if (xs_transaction_end(xs, t, false))
		return fail("there is no conflict");
	return errno == EAGAIN ? 0 : fail("end");
}

static int
quota(struct xs_handle *xs, const char *name, const char *n)
{
	char text[64], *answer;
	int len =
	    snprintf(text, sizeof(text), "set%c%s%c%s", 0, name, 0, n) + 1;

	answer = xs_control_command(xs, "quota", text, (unsigned)len);
	if (answer == NULL || strcmp(answer, "OK") != 0)
		return fail("quota");
	free(answer);
	return 0;
}

static int
burst(struct xs_handle *xs, long n)
{
	char value[2000];

	memset(value, 'x', sizeof(value));
	for (; n > 0; n--)
		if (!xs_write(xs, XBT_NULL, "/burst", value, sizeof(value)))
			return fail("write");
	return 0;
}

int
main(int argc, char **argv)
{
	struct xs_handle *xs = xs_open(0), *other = xs_open(0);

	if (xs == NULL || other == NULL)
		return fail("xs_open");
	if (argc == 3 && strcmp(argv[1], "conflict") == 0)
		return conflict(xs, other, argv[2]);
	if (argc == 4 && strcmp(argv[1], "quota") == 0)
		return quota(xs, argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "burst") == 0)
		return burst(xs, atol(argv[2]));
	fprintf(stderr, "usage: history_user conflict|quota|burst ...\n");
	return 2;
}
