/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xs/glob.h"

#include <fnmatch.h>
#include <string.h>

enum { COMPONENT_MAX = 4096 };

static const char *
skip_slashes(const char *s)
{
	return s + strspn(s, "/");
}

static size_t
component(const char *s)
{
	return strcspn(s, "/");
}

static bool
component_matches(const char *pat, size_t pat_len, const char *s, size_t len)
{
	char p[COMPONENT_MAX], t[COMPONENT_MAX];

	if (pat_len >= sizeof(p) || len >= sizeof(t))
		return false;
	memcpy(p, pat, pat_len);
	p[pat_len] = '\0';
	memcpy(t, s, len);
	t[len] = '\0';
	return fnmatch(p, t, 0) == 0;
}

static bool
is_any(const char *pat, size_t len)
{
	return len == 2 && pat[0] == '*' && pat[1] == '*';
}

/* Does PAT match PATH; or, if BELOW, may it match something below PATH? */
static bool
match(const char *pat, const char *path, bool below)
{
	for (;;) {
		size_t pat_len, len;

		pat = skip_slashes(pat);
		path = skip_slashes(path);
		pat_len = component(pat);
		len = component(path);
		if (len == 0 && below)
			return pat_len > 0;
		if (is_any(pat, pat_len)) {
			if (below)
				return true;
			pat += pat_len;
			for (;; path = skip_slashes(path + component(path))) {
				if (match(pat, path, false))
					return true;
				if (*path == '\0')
					return false;
			}
		}
		if (pat_len == 0 || len == 0)
			return pat_len == len;
		if (!component_matches(pat, pat_len, path, len))
			return false;
		pat += pat_len;
		path += len;
	}
}

static bool
about_names(const char *pattern)
{
	return strchr(pattern, '/') == NULL;
}

bool
glob_match(const char *pattern, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (about_names(pattern))
		return fnmatch(pattern, slash != NULL ? slash + 1 : path, 0) ==
		       0;
	return (*pattern == '/') == (*path == '/') &&
	       match(pattern, path, false);
}

bool
glob_may_contain(const char *pattern, const char *path)
{
	if (about_names(pattern))
		return true;
	return (*pattern == '/') == (*path == '/') &&
	       match(pattern, path, true);
}
