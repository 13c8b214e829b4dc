/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole of a state machine as bytes, and back: the tree with what its
 * versions share, permissions with the incarnations they were given to,
 * principals and their books, domains, connections with watches, queues,
 * transactions and partial input, counters. A machine made from an image
 * behaves as the one it was taken from, whatever comes.
 *
 * An image has a version and a checksum and does not depend on the machine's
 * byte order or layout of structures. Knows no file and no log; where in a log
 * the image belongs is only carried along.
 */
#ifndef XENSTORED_IMAGE_H
#define XENSTORED_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstored/log.h"
#include "xenstored/state.h"

#define IMAGE_MAGIC UINT64_C(0x31676d697362726b) /* "krbsimg1" */

/* How a reason ends if a later program made what was read. */
#define NOT_KNOWN "not known here"

enum { IMAGE_VERSION = 1, IMAGE_WHY_SIZE = 160 };

/* Which place in which log an image shows the state of: all records before
 * POS are in it. */
struct image_mark {
	uint64_t epoch;
	struct log_pos pos;
};

/* Bytes of an image. */
struct image {
	char *data; /* of malloc() */
	size_t len, cap;
	bool failed; /* there was no memory */
};

/*
 * The state ST between two records, with MARK (NULL: all zero), to *IMAGE_OUT,
 * which image_free() frees. Changes nothing in ST and calls nothing of its
 * environment. False: no memory, nothing to free.
 */
bool image_export(const struct state *st, const struct image_mark *mark,
    struct image *image_out);

void image_free(struct image *image);

/* Exports and writes to FD from its present place on. False with errno. */
bool image_save(const struct state *st, const struct image_mark *mark, int fd);

/*
 * A new state from LEN bytes at DATA, its mark to *MARK_OUT (may be NULL).
 * The configuration is that of the image. Calls nothing of ENV; connections
 * have no shell (state_next_conn(), conn_set_shell()), some have output to
 * send, and rings are not open. NULL: the image was refused, or there was no
 * memory, which WHY says.
 */
struct state *image_import(const void *data, size_t len,
    const struct state_env *env, struct image_mark *mark_out,
    char why[IMAGE_WHY_SIZE]);

/* Whether the reason WHY is that: the bytes are whole, and another program can
 * read them. */
bool image_is_not_known(const char *why);

/* Whether LEN bytes at DATA are an image with the right checksum that can be
 * read here, and its mark (MARK_OUT may be NULL); WHY not. */
bool image_whole(const void *data, size_t len, struct image_mark *mark_out,
    char why[IMAGE_WHY_SIZE]);

/* The same from a file that begins at FD's offset 0 (a memfd or a regular
 * file). */
struct state *image_load(int fd, const struct state_env *env,
    struct image_mark *mark_out, char why[IMAGE_WHY_SIZE]);

#endif
