/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory's list of names put together from the parts that DIRECTORY_PART
 * gives. Knows what a part looks like; asks nobody.
 */
#ifndef LIBXENSTORE_NAMES_H
#define LIBXENSTORE_NAMES_H

#include <stddef.h>

/* Names in a row, each with its NUL, and one NUL more. All zero before the
 * first part. */
struct names {
	char *text;
	size_t len; /* what was taken: the next part begins there */
	size_t size;
	char generation[32]; /* of the directory, at the first part */
};

enum names_result {
	NAMES_MORE,
	NAMES_LAST,
	NAMES_CHANGED, /* the directory did: begin anew */
	NAMES_ERROR    /* errno: EIO for what is no part, ENOMEM */
};

/* Takes the part in BODY. */
enum names_result names_take(struct names *n, const char *body, size_t len);

/* Begins anew. */
void names_restart(struct names *n);

void names_free(struct names *n);

#endif
