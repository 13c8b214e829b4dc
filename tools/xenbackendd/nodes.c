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

/* All of nodes_write within transaction T. 0, or -1 with errno. */
static int
write_in(struct xs_handle *xs, xs_transaction_t t, const char *dir,
    size_t count, const char *const *nodes, const char *const *values)
{
	char path[XENSTORE_ABS_PATH_MAX];
	char *there = read_in(xs, t, dir, "frontend");

	if (there == NULL)
		return -1;
	free(there);
	for (size_t i = 0; i < count; i++)
		if (join(path, dir, nodes[i]) != 0 ||
		    !xs_write(
			xs, t, path, values[i], (unsigned)strlen(values[i])))
			return -1;
	return 0;
}

int
nodes_write(struct xs_handle *xs, const char *dir, size_t count,
    const char *const *nodes, const char *const *values)
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
		if (write_in(xs, t, dir, count, nodes, values) != 0) {
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
