/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory too long for one answer: the request becomes one for its first
 * part, then for the next, and so on, from the beginning when the directory
 * changes meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "async.h"

enum { RESTARTS_MAX = 1000 };

/* Rewrites REQ as one for the part at OFFSET: the path stays. */
static void
set_part(struct xs_async_request *req, size_t offset)
{
	char *path = (char *)req->msg + WIRE_HEADER_SIZE;
	char *end = path + strlen(path) + 1;
	struct wire_header hdr;

	/* async_new left room for it */
	end += sprintf(end, "%u", (unsigned)offset) + 1;
	memcpy(&hdr, req->msg, sizeof(hdr));
	hdr.type = req->type = WIRE_DIRECTORY_PART;
	hdr.len = (uint32_t)(end - path);
	memcpy(req->msg, &hdr, sizeof(hdr));
	req->len = sizeof(hdr) + hdr.len;
}

void
async_directory_restart(struct xs_async_request *req)
{
	if (req->names == NULL)
		return;
	names_restart(req->names);
	set_part(req, 0);
}

/* Asks for the next part. False if that is impossible. */
static bool
ask_next(struct xs_async *a, struct xs_async_request *req, size_t offset)
{
	set_part(req, offset);
	if (req->len <= WIRE_MESSAGE_MAX && async_push(a, req) == 0)
		return true;
	return false;
}

bool
async_directory_hook(struct xs_async *a, struct xs_async_request *req, int *err,
    const char **data, size_t *len)
{
	enum names_result result = NAMES_CHANGED;

	if (req->cancelled)
		return true;
	if (req->names == NULL) {
		/* the names of a whole list must end as those of a part do */
		if (*err == 0 && *len > 0 && (*data)[*len - 1] != '\0')
			*err = EIO;
		if (*err != E2BIG)
			return true;
		req->names = calloc(1, sizeof(*req->names));
		if (req->names == NULL)
			*err = ENOMEM;
		return req->names == NULL || !ask_next(a, req, 0);
	}
	if (*err == ENOSYS) /* a server without parts */
		*err = E2BIG;
	if (*err != 0)
		return true;
	result = names_take(req->names, *data, *len);
	if (result == NAMES_CHANGED) {
		names_restart(req->names);
		*err = EAGAIN;
		if (++req->restarts >= RESTARTS_MAX)
			return true;
	}
	if (result == NAMES_MORE || result == NAMES_CHANGED)
		return !ask_next(a, req, req->names->len);
	*err = result == NAMES_LAST ? 0 : errno;
	*data = req->names->text;
	*len = req->names->len;
	return true;
}
