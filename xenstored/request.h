/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One request: its parsed arguments and the way to its reply. The reply goes to
 * the connection's queue; when a transaction runs its requests again only the
 * digest of it counts.
 */
#ifndef XENSTORED_REQUEST_H
#define XENSTORED_REQUEST_H

#include "common/error.h"
#include "common/wire.h"
#include "xenstored/core.h"
#include "xenstored/view.h"

enum { REQUEST_ARGS = 4 };

/* An argument; what its letter in schema/ops.tbl says is filled in. */
struct arg {
	const char *str;  /* paths: as sent; never NULL for a present one */
	size_t len;	  /* of str, or of raw bytes */
	const char *path; /* absolute */
	uint64_t num;
};

struct request {
	struct state *st;
	struct conn *conn;
	struct wire_header header;
	const char *payload;
	struct view view;
	struct arg arg[REQUEST_ARGS];
	unsigned n_args;
	struct wire_in rest; /* the strings that a '*' stands for */
	bool quiet;	     /* nothing is sent, DIGEST is all */
	uint64_t as_of;	     /* domains that are younger do not exist */
	bool changed;	     /* it has to be in the log */
	bool later;	     /* it is not finished: it must run again */
	uint64_t digest;     /* of the reply */
	enum xs_err err;     /* that it was answered with */
};

/* Replies with LEN bytes at DATA. XS_ENOMEM: nothing was sent. */
XS_MUST_CHECK enum xs_err request_reply(
    struct request *req, const void *data, size_t len);

/* Replies "OK". */
XS_MUST_CHECK enum xs_err request_ok(struct request *req);

/* Replies with the string STR and its NUL. */
XS_MUST_CHECK enum xs_err request_reply_string(
    struct request *req, const char *str);

#endif
