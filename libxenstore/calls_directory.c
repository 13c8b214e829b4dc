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

enum {
	RESTARTS_PLAIN = 3, /* then a transaction is tried */
	RESTARTS_MAX = 1000 /* for servers whose transactions do not help */
};

/* Names in a row, as the protocol has them. */
struct names {
	char *text;
	size_t len;
	size_t size;
	char generation[32]; /* of the directory, at the first part */
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

static int
append(struct names *n, const char *text, size_t len)
{
	if (n->size - n->len < len) {
		size_t size = n->size * 2 + len + XENSTORE_PAYLOAD_MAX;
		char *p = realloc(n->text, size);

		if (p == NULL)
			return -1;
		n->text = p;
		n->size = size;
	}
	if (len > 0)
		memcpy(n->text + n->len, text, len);
	n->len += len;
	return 0;
}

enum part_result { PART_MORE, PART_LAST, PART_CHANGED, PART_ERROR };

/* Takes a part: a generation, names, and at the list's end one empty name. */
static enum part_result
take_part(struct names *n, const char *body, size_t len)
{
	const char *end = memchr(body, '\0', len);
	const char *list;
	size_t list_len;
	enum part_result result = PART_MORE;

	errno = EIO;
	if (end == NULL || (size_t)(end - body) >= sizeof(n->generation) ||
	    body[len - 1] != '\0')
		return PART_ERROR;
	list = end + 1;
	list_len = len - (size_t)(list - body);
	if (n->len > 0 && strcmp(n->generation, body) != 0)
		return PART_CHANGED;
	strcpy(n->generation, body);
	if (list_len == 1 || (list_len >= 2 && list[list_len - 2] == '\0')) {
		list_len--;
		result = PART_LAST;
	}
	if (list_len == 0 && result == PART_MORE)
		return PART_ERROR;
	return append(n, list, list_len) == 0 ? result : PART_ERROR;
}

/* Walks the list once. */
static enum part_result
walk(struct xs_handle *h, xs_transaction_t txn, const char *path,
    struct names *n)
{
	enum part_result result = PART_MORE;

	n->len = 0;
	while (result == PART_MORE) {
		char offset[24];
		int olen = snprintf(offset, sizeof(offset), "%zu", n->len);
		const struct part parts[] = {
			{ path, strlen(path) + 1 },
			{ offset, (size_t)olen + 1 },
		};
		struct message *reply =
		    handle_ask(h, WIRE_DIRECTORY_PART, txn, parts, 2);

		if (reply == NULL)
			return PART_ERROR;
		result = take_part(n, reply->body, reply->len);
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
	enum part_result result = PART_CHANGED;
	char **vec = NULL;
	int err;

	for (int i = 0; result == PART_CHANGED && i < RESTARTS_MAX; i++) {
		if (i == RESTARTS_PLAIN && txn == XBT_NULL)
			own = xs_transaction_start(h);
		result = walk(h, own != XBT_NULL ? own : txn, path, &names);
	}
	if (result == PART_LAST)
		vec = to_vector(names.text, names.len, num_out);
	else if (result == PART_CHANGED)
		errno = EAGAIN;
	else if (errno == ENOSYS) /* a server without DIRECTORY_PART */
		errno = E2BIG;

	err = errno;
	if (own != XBT_NULL)
		xs_transaction_end(h, own, true);
	free(names.text);
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
