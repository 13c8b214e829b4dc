/* SPDX-License-Identifier: BSD-2-Clause */
/* The usual requests. */
#include <string.h>

#include "async.h"

static struct iovec
part(const void *data, size_t len)
{
	/* iovecs are not const, though what is sent is not changed */
	union {
		const void *in;
		void *out;
	} u = { .in = data };

	return (struct iovec){ u.out, len };
}

static struct xs_async_request *
on_path(struct xs_async *a, enum xs_async_op op, xs_transaction_t txn,
    const char *path, xs_async_done *done, void *ctx)
{
	struct iovec iov = part(path, strlen(path) + 1);

	return xs_async_submit(a, op, txn, &iov, 1, done, ctx);
}

struct xs_async_request *
xs_async_read(struct xs_async *a, xs_transaction_t txn, const char *path,
    xs_async_done *done, void *ctx)
{
	return on_path(a, XS_ASYNC_READ, txn, path, done, ctx);
}

struct xs_async_request *
xs_async_directory(struct xs_async *a, xs_transaction_t txn, const char *path,
    xs_async_done *done, void *ctx)
{
	return on_path(a, XS_ASYNC_DIRECTORY, txn, path, done, ctx);
}

struct xs_async_request *
xs_async_get_permissions(struct xs_async *a, xs_transaction_t txn,
    const char *path, xs_async_done *done, void *ctx)
{
	return on_path(a, XS_ASYNC_GET_PERMS, txn, path, done, ctx);
}

struct xs_async_request *
xs_async_write(struct xs_async *a, xs_transaction_t txn, const char *path,
    const void *data, unsigned int len, xs_async_done *done, void *ctx)
{
	struct iovec iov[] = { part(path, strlen(path) + 1), part(data, len) };

	return xs_async_submit(a, XS_ASYNC_WRITE, txn, iov, 2, done, ctx);
}

struct xs_async_request *
xs_async_mkdir(struct xs_async *a, xs_transaction_t txn, const char *path,
    xs_async_done *done, void *ctx)
{
	return on_path(a, XS_ASYNC_MKDIR, txn, path, done, ctx);
}

struct xs_async_request *
xs_async_rm(struct xs_async *a, xs_transaction_t txn, const char *path,
    xs_async_done *done, void *ctx)
{
	return on_path(a, XS_ASYNC_RM, txn, path, done, ctx);
}

struct xs_async_request *
xs_async_transaction_start(struct xs_async *a, xs_async_done *done, void *ctx)
{
	return on_path(a, XS_ASYNC_TRANSACTION_START, XBT_NULL, "", done, ctx);
}

struct xs_async_request *
xs_async_transaction_end(struct xs_async *a, xs_transaction_t txn, bool abort,
    xs_async_done *done, void *ctx)
{
	return on_path(
	    a, XS_ASYNC_TRANSACTION_END, txn, abort ? "F" : "T", done, ctx);
}
