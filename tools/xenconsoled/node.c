/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/node.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_PATH_SIZE = 256 };

/* DIR/NAME's value, or NULL; without NULs inside. */
static char *
read_text(struct xs_handle *xs, const char *dir, const char *name)
{
	char path[NODE_PATH_SIZE];
	unsigned int len;
	char *text;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return NULL;
	text = xs_read(xs, XBT_NULL, path, &len);
	if (text != NULL && strlen(text) != len) {
		free(text);
		return NULL;
	}
	return text;
}

bool
node_number(struct xs_handle *xs, const char *dir, const char *name,
    uint64_t max, uint64_t *value_out)
{
	char *text = read_text(xs, dir, name);
	unsigned long long value = 0;
	bool ok = false;
	char *end;

	if (text != NULL && isdigit((unsigned char)text[0])) {
		errno = 0;
		value = strtoull(text, &end, 10);
		ok = *end == '\0' && errno == 0 && value <= max;
	}
	free(text);
	if (ok)
		*value_out = value;
	return ok;
}

bool
node_is(
    struct xs_handle *xs, const char *dir, const char *name, const char *value)
{
	char *text = read_text(xs, dir, name);
	bool same = text != NULL && strcmp(text, value) == 0;

	free(text);
	return same;
}

bool
node_is_ours(struct xs_handle *xs, const char *dir)
{
	char *type = read_text(xs, dir, "type");
	bool ours = type == NULL || strcmp(type, "xenconsoled") == 0;

	free(type);
	return ours;
}

/* The node is made anew: the guest may own the present one. */
static bool
replace_private(struct xs_handle *xs, xs_transaction_t txn, const char *path,
    const char *value)
{
	struct xs_permissions nobody = { .id = 0, .perms = XS_PERM_NONE };

	return xs_rm(xs, txn, path) &&
	       xs_write(xs, txn, path, value, (unsigned)strlen(value)) &&
	       xs_set_permissions(xs, txn, path, &nobody, 1);
}

bool
node_write_private(
    struct xs_handle *xs, const char *dir, const char *name, const char *value)
{
	char path[NODE_PATH_SIZE];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (;;) {
		xs_transaction_t txn = xs_transaction_start(xs);
		bool ok;
		int err;

		if (txn == XBT_NULL)
			return false;
		ok = replace_private(xs, txn, path, value);
		err = errno;
		if (xs_transaction_end(xs, txn, !ok) && ok)
			return true;
		if (ok && errno == EAGAIN)
			continue;
		if (!ok)
			errno = err;
		return false;
	}
}

void
node_domain_name(struct xs_handle *xs, uint32_t domid, char *buf, size_t size)
{
	char dir[64];
	char *name;

	snprintf(dir, sizeof(dir), "/local/domain/%u", domid);
	name = xs != NULL ? read_text(xs, dir, "name") : NULL;
	if (name == NULL || name[0] == '\0' || name[0] == '.' ||
	    strlen(name) >= size)
		snprintf(buf, size, "%u", domid);
	else
		snprintf(buf, size, "%s", name);
	free(name);
	for (char *p = buf; *p != '\0'; p++)
		if (*p == '/' || !isprint((unsigned char)*p))
			*p = '_';
}
