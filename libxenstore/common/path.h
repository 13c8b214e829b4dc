/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Path syntax: what is a path, which domain's home a relative one starts from,
 * and which path lies within which. Pure functions on strings; knows no node
 * and no quota but the protocol's own limits.
 */
#ifndef XS_COMMON_PATH_H
#define XS_COMMON_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

enum {
	PATH_HOME_MAX = 25, /* "/local/domain/4294967295" and its NUL */
	/* a relative path of a full payload behind the longest home */
	PATH_BUF_SIZE = WIRE_PAYLOAD_MAX + PATH_HOME_MAX + 1,
};

enum path_kind {
	PATH_BAD,      /* not a path */
	PATH_ABSOLUTE, /* "/", "/a/b" */
	PATH_RELATIVE, /* "a/b": below the home of the domain that says it */
	PATH_SPECIAL,  /* "@releaseDomain" and everything else behind an '@' */
};

/*
 * What the LEN characters at PATH are. Legal are letters, digits and -/_@;
 * components are not empty, so "//" and a '/' at the end are bad, "/" alone
 * excepted. Length is not judged.
 */
enum path_kind path_kind(const char *path, size_t len);

/* "/local/domain/DOMID" with its NUL into BUF; the length without the NUL. */
size_t path_home(uint32_t domid, char buf[PATH_HOME_MAX]);

/*
 * The absolute form of PATH as DOMID says it, with its NUL, into BUF of SIZE
 * bytes (PATH_BUF_SIZE always suffices for what fits a payload). Absolute and
 * special paths are copied. The length without the NUL, or 0 if it is no path
 * or does not fit.
 */
size_t path_absolute(uint32_t domid, const char *path, char *buf, size_t size);

/*
 * The length that the path limits are about: of an absolute path what follows
 * "/local/domain/<number>/", if it starts so, else all of it.
 */
size_t path_counted_len(const char *path);

/*
 * Whether CHILD is PARENT or below it, component by component: "/a/b" is within
 * "/a" and "/", "/ab" is not within "/a". Both of one kind and valid.
 */
bool path_within(const char *parent, const char *child);

#endif
