/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about nodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/perm.h"
#include "common/wire.h"
#include "handle.h"

void *
xs_read(struct xs_handle *h, xs_transaction_t txn, const char *path,
    unsigned int *len_out)
{
	size_t len;
	char *value =
	    handle_body(handle_ask_string(h, WIRE_READ, txn, path), &len);

	if (value != NULL && len_out != NULL)
		*len_out = (unsigned int)len;
	return value;
}

bool
xs_write(struct xs_handle *h, xs_transaction_t txn, const char *path,
    const void *data, unsigned int len)
{
	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ data, len },
	};

	return handle_done(handle_ask(h, WIRE_WRITE, txn, parts, 2));
}

bool
xs_mkdir(struct xs_handle *h, xs_transaction_t txn, const char *path)
{
	return handle_done(handle_ask_string(h, WIRE_MKDIR, txn, path));
}

bool
xs_rm(struct xs_handle *h, xs_transaction_t txn, const char *path)
{
	return handle_done(handle_ask_string(h, WIRE_RM, txn, path));
}

/* How many NUL-terminated strings fill BODY exactly; -1 if they do not. */
static long
count_strings(const char *body, size_t len)
{
	long n = 0;

	if (len > 0 && body[len - 1] != '\0')
		return -1;
	for (size_t i = 0; i < len; i++)
		n += body[i] == '\0';
	return n;
}

struct xs_permissions *
xs_get_permissions(struct xs_handle *h, xs_transaction_t txn, const char *path,
    unsigned int *num_out)
{
	struct message *reply = handle_ask_string(h, WIRE_GET_PERMS, txn, path);
	struct xs_permissions *perms = NULL;
	long n;
	int err = EIO;

	if (reply == NULL)
		return NULL;
	n = count_strings(reply->body, reply->len);
	if (n > 0) {
		perms = calloc((size_t)n, sizeof(*perms));
		if (perms == NULL)
			err = ENOMEM;
		else if (!xs_strings_to_perms(
			     perms, (unsigned)n, reply->body)) {
			free(perms);
			perms = NULL;
		}
	}
	free(reply);
	if (perms == NULL) {
		errno = err;
		return NULL;
	}
	*num_out = (unsigned)n;
	return perms;
}

bool
xs_set_permissions(struct xs_handle *h, xs_transaction_t txn, const char *path,
    struct xs_permissions *perms, unsigned int num)
{
	char text[XENSTORE_PAYLOAD_MAX];
	size_t len = 0;

	for (unsigned int i = 0; i < num; i++) {
		struct perm perm = {
			.domid = perms[i].id,
			.bits = (uint8_t)perms[i].perms,
		};

		if (perms[i].perms > (XS_PERM_READ | XS_PERM_WRITE)) {
			errno = EINVAL;
			return false;
		}
		if (sizeof(text) - len < PERM_TEXT_MAX) {
			errno = E2BIG;
			return false;
		}
		len += perm_format(&perm, text + len) + 1;
	}

	const struct part parts[] = {
		{ path, strlen(path) + 1 },
		{ text, len },
	};
	return handle_done(handle_ask(h, WIRE_SET_PERMS, txn, parts, 2));
}
