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
 * "shape" the strings do not fit the operation; "empty" "root" "special"
 * "prefix" (/local/domain/ without a number) "syntax" "long" "rel" "abs" for
 * operations with a path; "domid" "badid" for those with a domain; else "-".
 * A further word for the rest: "+perms" bad permissions, "+depth" a watch with
 * three strings, "+end" an odd end of a transaction.
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

/* Where an event's PATH lies, seen from what STEP changed: "at" "above"
 * "below" "special" "initial" "elsewhere". */
const char *key_relation(const struct step *step, const char *path, int conn);

#endif
