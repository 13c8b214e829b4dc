#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xenbackendd/nodes.h"
#include "xenstore.h"

/* DIR/NODE into PATH. 0, or -1 with errno. */
static int
join(char path[XENSTORE_ABS_PATH_MAX], const char *dir, const char *node)
{
	if ((size_t)snprintf(path, XENSTORE_ABS_PATH_MAX, "%s/%s", dir, node) <
	    XENSTORE_ABS_PATH_MAX)
		return 0;
	errno = E2BIG;
	return -1;
}

static char *
read_in(
    struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *node)
{
	char path[XENSTORE_ABS_PATH_MAX];

	if (xs == NULL) {
		errno = EBADF;
		return NULL;
	}
	return join(path, dir, node) == 0 ? xs_read(xs, t, path, NULL) : NULL;
}

char *
nodes_read(struct xs_handle *xs, const char *dir, const char *node)
{
	return read_in(xs, XBT_NULL, dir, node);
}

/* What a transaction does to the device at DIR. */
struct change {
	const char *dir;
	size_t count;
	const char *const *nodes, *const *values;
};

/* Runs BODY within transactions until one is committed. 0, or -1 with errno,
 * which is BODY's if it gives up. */
static int
transaction(struct xs_handle *xs,
    int (*body)(
	struct xs_handle *xs, xs_transaction_t t, const struct change *c),
    const struct change *c)
{
	xs_transaction_t t;
	int err;

	for (;;) {
		if (xs == NULL) {
			errno = EBADF;
			return -1;
		}
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return -1;
		if (body(xs, t, c) != 0) {
			err = errno;
			xs_transaction_end(xs, t, true);
			errno = err;
			return -1;
		}
		if (xs_transaction_end(xs, t, false))
			return 0;
		if (errno != EAGAIN)
			return -1;
	}
}

/* All of nodes_write. */
static int
write_in(struct xs_handle *xs, xs_transaction_t t, const struct change *c)
{
	char path[XENSTORE_ABS_PATH_MAX];
	char *there = read_in(xs, t, c->dir, "frontend");

	if (there == NULL)
		return -1;
	free(there);
	for (size_t i = 0; i < c->count; i++)
		if (join(path, c->dir, c->nodes[i]) != 0 ||
		    !xs_write(xs, t, path, c->values[i],
			(unsigned)strlen(c->values[i])))
			return -1;
	return 0;
}

int
nodes_write(struct xs_handle *xs, const char *dir, size_t count,
    const char *const *nodes, const char *const *values)
{
	const struct change c = { dir, count, nodes, values };

	return transaction(xs, write_in, &c);
}

/* All of nodes_clear. */
static int
clear_in(struct xs_handle *xs, xs_transaction_t t, const struct change *c)
{
	char parent[XENSTORE_ABS_PATH_MAX];
	size_t len = (size_t)(strrchr(c->dir, '/') - c->dir);
	char *there = read_in(xs, t, c->dir, "frontend");
	unsigned count = 0;

	if (there != NULL || errno != ENOENT) {
		free(there);
		return -1;
	}
	if (len >= sizeof(parent) || !xs_rm(xs, t, c->dir))
		return -1;
	memcpy(parent, c->dir, len);
	parent[len] = '\0';
	free(xs_directory(xs, t, parent, &count));
	if (count == 0)
		(void)xs_rm(xs, t, parent);
	return 0;
}

void
nodes_clear(struct xs_handle *xs, const char *dir)
{
	const struct change c = { .dir = dir };

	(void)transaction(xs, clear_in, &c);
}

void
nodes_remove(struct xs_handle *xs, const char *dir, const char *node)
{
	char path[XENSTORE_ABS_PATH_MAX];

	if (xs != NULL && join(path, dir, node) == 0)
		(void)xs_rm(xs, XBT_NULL, path);
}

int
nodes_disconnected(void)
{
	return errno == EBADF || errno == EPIPE || errno == EIO ||
	       errno == ECONNRESET;
}
