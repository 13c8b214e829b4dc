/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of a difference's key: what kind of step it was, in a form that a
 * pattern of allowed.tbl can match.
 */
#ifndef TESTS_DIFF_KEY_H
#define TESTS_DIFF_KEY_H

#include "diff.h"

/*
 * "nothing" no payload; "shape" the strings do not fit the operation; "empty"
 * "root" "special" "prefix" (/local/domain/ without a number) "syntax" "long"
 * "rel" "abs" for operations with a path; "domid" "badid" for those with a
 * domain ("self": a domain and itself, "zero": a target for
 * domain 0); else "-". A further word for the rest: "+perms" bad permissions,
 * "+offset" an odd offset, "+depth" a watch with three strings.
 * TRANSACTION_END: "commit" "abort" "oddend".
 */
void key_subject(const struct step *step, char *word, size_t size);

/* "ENOENT", "OK", "SILENCE". */
const char *key_reply(const struct reply *reply);

/*
 * How two replies without an error differ: NULL (not at all), "reordered" the
 * same strings, or "differs". What is a daemon's own choice (transaction ids,
 * generations) is no difference.
 */
const char *key_compare(
    uint32_t op, const struct reply *ours, const struct reply *theirs);

/* Whether the strings of A are strings of B, in their order. */
bool key_shrunk(const char *a, size_t a_len, const char *b, size_t b_len);

/* Whether two lists of permissions differ in the first entry's domain only. */
bool key_owner(const char *a, size_t a_len, const char *b, size_t b_len);

/* Where an event's PATH lies, seen from what STEP changed: "at" "above"
 * "below" "special" "initial" "elsewhere". */
const char *key_relation(const struct step *step, const char *path, int conn);

/* Whether X and Y, as CONN sent or was sent them, are the same absolute path.
 */
bool key_same_path(const char *x, const char *y, int conn);

#endif
