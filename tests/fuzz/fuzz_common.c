/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a payload: its strings as paths, permissions, numbers and
 * errors, each against the plainest code that does the same.
 */
#include <ctype.h>
#include <errno.h>

#include "common/error.h"
#include "common/path.h"
#include "common/perm.h"
#include "common/wire.h"
#include "fuzz.h"

static bool
is_name_char(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("-_@", c));
}

/* The documented syntax, component by component. */
static enum path_kind
plain_kind(const char *path, size_t len)
{
	size_t i, in_component = 0;

	if (len == 0)
		return PATH_BAD;
	if (len == 1 && path[0] == '/')
		return PATH_ABSOLUTE;
	for (i = 0; i < len; i++) {
		if (path[i] != '/' && !is_name_char(path[i]))
			return PATH_BAD;
		if (path[i] == '/' && i > 0 && in_component == 0)
			return PATH_BAD;
		in_component = path[i] == '/' ? 0 : in_component + 1;
	}
	if (in_component == 0)
		return PATH_BAD;
	return path[0] == '/'	? PATH_ABSOLUTE
	       : path[0] == '@' ? PATH_SPECIAL
				: PATH_RELATIVE;
}

static void
check_path(const char *path, size_t len, uint32_t domid)
{
	enum path_kind kind = path_kind(path, len);
	char buf[PATH_BUF_SIZE], small[40];
	size_t n;

	must(kind == plain_kind(path, len));
	n = path_absolute(domid, path, buf, sizeof(buf));
	must((n == 0) == (kind == PATH_BAD));
	must(path_absolute(domid, path, small, sizeof(small)) ==
	     (n < sizeof(small) ? n : 0));
	must(path_counted_len(path) <= len);
	if (n == 0)
		return;
	must(strlen(buf) == n);
	must(path_kind(buf, n) ==
	     (kind == PATH_SPECIAL ? PATH_SPECIAL : PATH_ABSOLUTE));
	must(path_within(buf, buf));
	must(kind == PATH_SPECIAL || path_within("/", buf));
	if (kind == PATH_RELATIVE) {
		n = path_home(domid, small);
		must(path_within(small, buf) && !path_within(buf, small));
		must(path_counted_len(buf) == len);
	}
}

/* Whether CHILD is PARENT or continues it with a component. */
static void
check_within(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	if (path_kind(parent, len) != PATH_ABSOLUTE || len == 1 ||
	    path_kind(child, strlen(child)) != PATH_ABSOLUTE)
		return;
	must(path_within(parent, child) ==
	     (memcmp(parent, child, strnlen(child, len)) == 0 &&
		 strlen(child) >= len &&
		 (child[len] == '/' || child[len] == '\0')));
}

static void
check_number(const char *text)
{
	uint64_t value = 77, limit = 4294967295u;
	bool digits = text[0] != '\0', ok = wire_number(text, limit, &value);
	unsigned long long plain;

	for (const char *c = text; *c != '\0'; c++)
		digits = digits && *c >= '0' && *c <= '9';
	errno = 0;
	plain = digits ? strtoull(text, NULL, 10) : 0;
	must(ok == (digits && errno == 0 && plain <= limit));
	must(value == (ok ? plain : 77));
	value = 77;
	ok = wire_number(text, UINT64_MAX, &value);
	must(ok == (digits && errno == 0) && value == (ok ? plain : 77));
}

static void
check_perm(const char *text)
{
	struct perm perm = { 99, 99 }, again;
	char buf[PERM_TEXT_MAX];

	if (!perm_parse(text, &perm)) {
		must(perm.domid == 99 && perm.bits == 99);
		return;
	}
	must(perm.bits <= (PERM_READ | PERM_WRITE));
	must(perm_format(&perm, buf) == strlen(buf));
	must(perm_parse(buf, &again) && again.domid == perm.domid &&
	     again.bits == perm.bits);
	must(buf[0] == text[0]);
}

static void
check_error(const char *text, size_t len)
{
	enum xs_err err = error_from_name(text, len);

	must(err > XS_OK && err < XS_ERR_COUNT);
	must(err == XS_EINVAL || (strlen(error_name(err)) == len &&
				     memcmp(text, error_name(err), len) == 0));
	must(error_from_errno(error_to_errno(err)) == err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_in in = wire_in(data, size);
	size_t n = wire_in_strings(&in), i, len, all = 0;
	const char *str, *before = "/";

	for (i = 0; i < n; i++) {
		must(wire_in_string(&in, &str, &len) && strlen(str) == len);
		all += len + 1;
		if (len <= WIRE_PAYLOAD_MAX)
			check_path(str, len, (uint32_t)(n * 7919 + i));
		check_within(before, str);
		check_number(str);
		check_perm(str);
		check_error(str, len);
		before = str;
	}
	must(!wire_in_string(&in, &str, &len));
	(void)wire_in_rest(&in, &len);
	must(all + len == size);
	return 0;
}
