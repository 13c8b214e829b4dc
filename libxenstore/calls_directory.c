/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xs_directory: in one reply, or in parts for a list longer than a message.
 * A walk in parts starts anew when the directory changes under it; after a few
 * times it goes on inside a transaction, where nothing changes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "handle.h"
#include "names.h"

enum {
	RESTARTS_PLAIN = 3, /* then a transaction is tried */
	RESTARTS_MAX = 1000 /* for servers whose transactions do not help */
};

/* The vector for NAMES, strings behind it in the same block. */
static char **
to_vector(const char *text, size_t len, unsigned int *num_out)
{
	size_t num = 0;
	char **vec;
	char *s;

	if (len > 0 && text[len - 1] != '\0') {
		errno = EIO;
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		num += text[i] == '\0';
	vec = malloc((num + 1) * sizeof(*vec) + len);
	if (vec == NULL)
		return NULL;
	s = (char *)(vec + num + 1);
	if (len > 0)
		memcpy(s, text, len);
	for (size_t i = 0; i < num; i++) {
		vec[i] = s;
		s += strlen(s) + 1;
	}
	vec[num] = NULL;
	*num_out = (unsigned)num;
	return vec;
}

/* Walks the list once. */
static enum names_result
walk(struct xs_handle *h, xs_transaction_t txn, const char *path,
    struct names *n)
{
	enum names_result result = NAMES_MORE;

	names_restart(n);
	while (result == NAMES_MORE) {
		char offset[24];
		int olen = snprintf(offset, sizeof(offset), "%zu", n->len);
		const struct part parts[] = {
			{ path, strlen(path) + 1 },
			{ offset, (size_t)olen + 1 },
		};
		struct message *reply =
		    handle_ask(h, WIRE_DIRECTORY_PART, txn, parts, 2);

		if (reply == NULL)
			return NAMES_ERROR;
		result = names_take(n, reply->body, reply->len);
		free(reply);
	}
	return result;
}

static char **
directory_in_parts(struct xs_handle *h, xs_transaction_t txn, const char *path,
    unsigned int *num_out)
{
	xs_transaction_t own = XBT_NULL;
	struct names names = { 0 };
	enum names_result result = NAMES_CHANGED;
	char **vec = NULL;
	int err;

	for (int i = 0; result == NAMES_CHANGED && i < RESTARTS_MAX; i++) {
		if (i == RESTARTS_PLAIN && txn == XBT_NULL)
			own = xs_transaction_start(h);
		result = walk(h, own != XBT_NULL ? own : txn, path, &names);
	}
	if (result == NAMES_LAST)
		vec = to_vector(names.text, names.len, num_out);
	else if (result == NAMES_CHANGED)
		errno = EAGAIN;
	else if (errno == ENOSYS) /* a server without DIRECTORY_PART */
		errno = E2BIG;

	err = errno;
	if (own != XBT_NULL)
		xs_transaction_end(h, own, true);
	names_free(&names);
	errno = err;
	return vec;
}

char **
xs_directory(struct xs_handle *h, xs_transaction_t txn, const char *path,
    unsigned int *num_out)
{
	struct message *reply = handle_ask_string(h, WIRE_DIRECTORY, txn, path);
	char **vec;

	if (reply == NULL && errno == E2BIG)
		return directory_in_parts(h, txn, path, num_out);
	if (reply == NULL)
		return NULL;
	vec = to_vector(reply->body, reply->len, num_out);
	free(reply);
	return vec;
}
