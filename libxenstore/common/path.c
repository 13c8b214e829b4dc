/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/path.h"

#include <string.h>

static const char home_prefix[] = "/local/domain/";
enum { HOME_PREFIX_LEN = sizeof(home_prefix) - 1 };

/* Bit C % 64 of word C / 64: C may be in a name. */
static const uint64_t in_name[4] = {
	(UINT64_C(0x3ff) << '0') | UINT64_C(1) << '-',
	(UINT64_C(0x3ffffff) << ('a' - 64)) | (UINT64_C(0x3ffffff) << 1) |
	    UINT64_C(1) << ('_' - 64) | UINT64_C(1) << ('@' - 64),
};

static inline bool
char_ok(unsigned char c)
{
	return (in_name[c / 64] >> c % 64 & 1) != 0;
}

enum path_kind
path_kind(const char *path, size_t len)
{
	enum path_kind kind = PATH_RELATIVE;
	bool slash = false; /* the character before was one */
	size_t i;

	if (len == 0)
		return PATH_BAD;
	if (path[0] == '@')
		kind = PATH_SPECIAL;
	else if (path[0] == '/')
		kind = PATH_ABSOLUTE;
	if (len == 1 && kind == PATH_ABSOLUTE)
		return kind;

	for (i = 0; i < len; i++) {
		if (path[i] == '/') {
			if (slash)
				return PATH_BAD;
			slash = true;
		} else if (char_ok((unsigned char)path[i])) {
			slash = false;
		} else {
			return PATH_BAD;
		}
	}
	return slash ? PATH_BAD : kind;
}

size_t
path_home(uint32_t domid, char buf[PATH_HOME_MAX])
{
	char digits[10];
	size_t n = 0, len = HOME_PREFIX_LEN;

	do {
		digits[n++] = (char)('0' + domid % 10);
		domid /= 10;
	} while (domid != 0);
	memcpy(buf, home_prefix, HOME_PREFIX_LEN);
	while (n > 0)
		buf[len++] = digits[--n];
	buf[len] = '\0';
	return len;
}

size_t
path_absolute(uint32_t domid, const char *path, char *buf, size_t size)
{
	char home[PATH_HOME_MAX];
	size_t len = strlen(path), home_len;

	switch (path_kind(path, len)) {
	case PATH_ABSOLUTE:
	case PATH_SPECIAL:
		if (len >= size)
			return 0;
		memcpy(buf, path, len + 1);
		return len;
	case PATH_RELATIVE:
		home_len = path_home(domid, home);
		if (home_len + 1 + len >= size)
			return 0;
		memcpy(buf, home, home_len);
		buf[home_len] = '/';
		memcpy(buf + home_len + 1, path, len + 1);
		return home_len + 1 + len;
	case PATH_BAD:
		break;
	}
	return 0;
}

size_t
path_counted_len(const char *path)
{
	size_t len = strlen(path);
	const char *rest;

	if (strncmp(path, home_prefix, HOME_PREFIX_LEN) != 0)
		return len;
	rest = path + HOME_PREFIX_LEN;
	while (*rest >= '0' && *rest <= '9')
		rest++;
	if (rest == path + HOME_PREFIX_LEN || *rest != '/')
		return len;
	return len - (size_t)(rest + 1 - path);
}

bool
path_within(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	if (len == 1 && parent[0] == '/')
		return child[0] == '/';
	return strncmp(parent, child, len) == 0 &&
	       (child[len] == '\0' || child[len] == '/');
}
