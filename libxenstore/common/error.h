/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The errors of the protocol: one type, the strings that stand for them on the
 * wire, and errno. Knows schema/errors.tbl and nothing else.
 */
#ifndef XS_COMMON_ERROR_H
#define XS_COMMON_ERROR_H

#include <stddef.h>

#define XS_MUST_CHECK __attribute__((warn_unused_result))

/* XS_OK is 0, the others are XS_EINVAL, XS_EACCES, ... in the table's order. */
enum xs_err {
	XS_OK,
#define XS_ERROR(name) XS_##name,
#include "schema/errors.tbl"
	XS_ERR_COUNT
};

/* The wire string of ERR ("ENOENT"), or "OK" for XS_OK. Static storage. */
const char *error_name(enum xs_err err);

/*
 * The error whose wire string is the LEN bytes at NAME (a NUL that ends them
 * may be counted or not). Any unknown string is XS_EINVAL.
 */
enum xs_err error_from_name(const char *name, size_t len);

/* The errno value of ERR; 0 for XS_OK. */
int error_to_errno(enum xs_err err);

/* The error for an errno value; XS_OK for 0, XS_EINVAL for an unknown one. */
enum xs_err error_from_errno(int value);

#endif
