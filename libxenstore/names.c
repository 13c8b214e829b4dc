/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xenstore.h"

static int
append(struct names *n, const char *text, size_t len)
{
	if (n->size - n->len <= len) {
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
	n->text[n->len] = '\0';
	return 0;
}

/* A part is a generation, names, and at the list's end one empty name. */
enum names_result
names_take(struct names *n, const char *body, size_t len)
{
	const char *end = len > 0 ? memchr(body, '\0', len) : NULL;
	const char *list;
	size_t list_len;
	enum names_result result = NAMES_MORE;

	errno = EIO;
	if (end == NULL || (size_t)(end - body) >= sizeof(n->generation) ||
	    body[len - 1] != '\0')
		return NAMES_ERROR;
	list = end + 1;
	list_len = len - (size_t)(list - body);
	if (n->len > 0 && strcmp(n->generation, body) != 0)
		return NAMES_CHANGED;
	strcpy(n->generation, body);
	if (list_len == 1 || (list_len >= 2 && list[list_len - 2] == '\0')) {
		list_len--;
		result = NAMES_LAST;
	}
	if (list_len == 0 && result == NAMES_MORE)
		return NAMES_ERROR;
	return append(n, list, list_len) == 0 ? result : NAMES_ERROR;
}

void
names_restart(struct names *n)
{
	n->len = 0;
}

void
names_free(struct names *n)
{
	free(n->text);
	*n = (struct names){ 0 };
}
