#include "store.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/clock.h"
#include "xenstore.h"

/* Commits that may fail before a transaction is given up: another writer that
 * is always faster does not exist. */
#define RETRIES 1000

struct store {
	struct xs_handle *xs;
	int interrupt_fd;
};

struct store *
store_open(void)
{
	struct store *st = calloc(1, sizeof(*st));
	int err;

	if (st == NULL)
		return NULL;
	st->interrupt_fd = -1;
	st->xs = xs_open(XS_UNWATCH_FILTER);
	if (st->xs != NULL)
		return st;
	err = errno;
	free(st);
	errno = err;
	return NULL;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	xs_close(st->xs);
	free(st);
}

void
store_close_after_fork(struct store *st)
{
	if (st == NULL)
		return;
	xs_daemon_destroy_postfork(st->xs);
	free(st);
}

void
store_set_interrupt(struct store *st, int fd)
{
	st->interrupt_fd = fd;
}

int
store_introduce(struct store *st, uint32_t domid, uint64_t gfn, uint32_t port)
{
	return xs_introduce_domain(st->xs, domid, (unsigned long)gfn, port)
		   ? 0
		   : -1;
}

void
store_release(struct store *st, uint32_t domid)
{
	xs_release_domain(st->xs, domid);
}

char *
store_read(struct store *st, struct arena *mem, const char *path)
{
	unsigned len = 0;
	char *value = xs_read(st->xs, XBT_NULL, path, &len), *copy;

	if (value == NULL)
		return NULL;
	copy = arena_strndup(mem, value, len);
	free(value);
	return copy;
}

char *
store_read_in(
    struct store *st, struct arena *mem, const char *dir, const char *name)
{
	return store_read(st, mem, arena_printf(mem, "%s/%s", dir, name));
}

char **
store_list(
    struct store *st, struct arena *mem, const char *path, size_t *count_out)
{
	unsigned count = 0;
	char **names = xs_directory(st->xs, XBT_NULL, path, &count);
	char **copy;

	if (names == NULL)
		count = 0;
	copy = arena_zalloc(mem, (count + 1) * sizeof(*copy));
	for (unsigned i = 0; i < count; i++)
		copy[i] = arena_strdup(mem, names[i]);
	free(names);
	*count_out = count;
	return copy;
}

int
store_remove(struct store *st, const char *path)
{
	return xs_rm(st->xs, XBT_NULL, path) || errno == ENOENT ? 0 : -1;
}

static bool
set_rights(struct store *st, xs_transaction_t t, const struct node *node,
    uint32_t domid)
{
	struct xs_permissions perms[2] = {
		{ .id = 0, .perms = XS_PERM_NONE },
		{ .id = domid, .perms = XS_PERM_READ },
	};
	unsigned count = 2;

	switch (node->rights) {
	case NODE_INHERIT:
		return true;
	case NODE_PRIVATE:
		count = 1;
		break;
	case NODE_SHOWN:
		break;
	case NODE_GUEST:
		perms[0].id = domid;
		perms[1].id = 0;
		break;
	}
	return xs_set_permissions(st->xs, t, node->path, perms, count);
}

static bool
write_node(struct store *st, xs_transaction_t t, const struct node *node,
    uint32_t domid)
{
	const char *value = node->value;

	if (value != NULL) {
		if (!xs_write(
			st->xs, t, node->path, value, (unsigned)strlen(value)))
			return false;
	} else if (!xs_mkdir(st->xs, t, node->path)) {
		return false;
	}
	return set_rights(st, t, node, domid);
}

/*
 * Runs BODY(ST, transaction, ARG) and commits, again and again until no other
 * writer came between.
 */
static int
transaction(struct store *st,
    bool (*body)(struct store *st, xs_transaction_t t, const void *arg),
    const void *arg)
{
	for (int i = 0; i < RETRIES; i++) {
		xs_transaction_t t = xs_transaction_start(st->xs);

		if (t == XBT_NULL)
			return -1;
		if (!body(st, t, arg)) {
			int err = errno;

			xs_transaction_end(st->xs, t, true);
			errno = err;
			return -1;
		}
		if (xs_transaction_end(st->xs, t, false))
			return 0;
		if (errno != EAGAIN)
			return -1;
	}
	return -1;
}

static bool
write_all(struct store *st, xs_transaction_t t, const void *arg)
{
	const struct nodes *n = arg;

	for (size_t i = 0; i < n->count; i++) {
		if (!write_node(st, t, &n->node[i], n->domid))
			return false;
	}
	return true;
}

int
store_write_nodes(struct store *st, const struct nodes *n)
{
	return transaction(st, write_all, n);
}

struct changes {
	const struct store_condition *cond;
	const struct store_change *change;
	size_t count;
};

static bool
holds(struct store *st, xs_transaction_t t, const struct store_condition *cond)
{
	unsigned len;
	char *value = xs_read(st->xs, t, cond->path, &len);
	bool same;

	if (value == NULL)
		return false;
	same = cond->unless != NULL && strcmp(value, cond->unless) == 0;
	free(value);
	if (same)
		errno = ECANCELED;
	return !same;
}

static bool
change_all(struct store *st, xs_transaction_t t, const void *arg)
{
	const struct changes *c = arg;

	if (c->cond != NULL && !holds(st, t, c->cond))
		return false;
	for (size_t i = 0; i < c->count; i++) {
		const struct store_change *one = &c->change[i];

		if (one->value != NULL
			? !xs_write(st->xs, t, one->path, one->value,
			      (unsigned)strlen(one->value))
			: !xs_rm(st->xs, t, one->path) && errno != ENOENT)
			return false;
	}
	return true;
}

int
store_change(struct store *st, const struct store_condition *cond,
    const struct store_change *changes, size_t count)
{
	const struct changes all = { cond, changes, count };

	return transaction(st, change_all, &all);
}

/* Throws away what is queued. False once the connection has ended. */
static bool
drain(struct store *st)
{
	char **event;

	while ((event = xs_check_watch(st->xs)) != NULL)
		free(event);
	return errno == EAGAIN;
}

/* Waits for an event until DEADLINE (-1: for ever). 0, or -1 with errno. */
static int
wait_event(struct store *st, int64_t deadline)
{
	struct pollfd fds[2] = {
		{ .fd = xs_fileno(st->xs), .events = POLLIN },
		{ .fd = st->interrupt_fd, .events = POLLIN },
	};
	int timeout = -1, n;

	if (deadline >= 0) {
		int64_t left = deadline - clock_ms();

		timeout = left < 0 ? 0 : (int)left;
	}
	n = poll(fds, 2, timeout);
	if (n == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	if (fds[1].revents != 0) {
		errno = EINTR;
		return -1;
	}
	if (!drain(st)) {
		errno = EBADF;
		return -1;
	}
	return 0;
}

#define TOKEN "xl"

int
store_wait(struct store *st, const char *const *paths, int timeout_ms,
    bool (*done)(void *arg), void *arg)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	size_t watched = 0;
	int ret = 0, err = 0;

	while (ret == 0 && paths[watched] != NULL) {
		if (xs_watch(st->xs, paths[watched], TOKEN))
			watched++;
		else
			ret = -1;
	}
	while (ret == 0 && !done(arg))
		ret = wait_event(st, deadline);
	err = errno;
	while (watched > 0)
		xs_unwatch(st->xs, paths[--watched], TOKEN);
	drain(st);
	errno = err;
	return ret;
}
