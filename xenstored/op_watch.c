/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "xenstored/conn.h"
#include "xenstored/ops.h"

/* DEPTH from TEXT, as the protocol has it: a number, or EINVAL. */
static enum xs_err
parse_depth(const struct request *req, int *depth_out)
{
	uint64_t depth;

	*depth_out = WATCH_ANY_DEPTH;
	if (req->n_args < 3)
		return XS_OK;
	if ((conn_features(req->conn) & WIRE_FEATURE_WATCH_DEPTH) == 0 ||
	    !wire_number(req->arg[2].str, INT32_MAX, &depth))
		return XS_EINVAL;
	*depth_out = (int)depth;
	return XS_OK;
}

/* WATCH <wpath> <token> [<depth>] -> OK, then the first event */
enum xs_err
op_watch(struct request *req)
{
	const char *wpath = req->arg[0].str, *token = req->arg[1].str;
	struct principal *self = req->conn->who.self;
	int64_t cost = (int64_t)watch_cost(wpath, token);
	enum xs_err err;
	int depth;

	err = parse_depth(req, &depth);
	if (err != XS_OK)
		return err;
	if (!req->conn->who.privileged) {
		if (watch_exists(req->st->watches, &req->conn->watcher,
			req->arg[0].path, token))
			return XS_EEXIST;
		if (!principal_may(self, QUOTA_WATCHES, 1))
			return quota_error(QUOTA_WATCHES);
		if (!principal_may(self, QUOTA_MEMORY, cost))
			return quota_error(QUOTA_MEMORY);
	}
	err = watch_add(req->st->watches, &req->conn->watcher, wpath, token,
	    req->arg[0].path, depth);
	if (err != XS_OK)
		return err;
	principal_charge(self, QUOTA_WATCHES, 1);
	principal_charge(self, QUOTA_MEMORY, cost);
	err = request_ok(req);
	watch_announce(&req->conn->watcher);
	return err;
}

/* UNWATCH <wpath> <token> -> OK */
enum xs_err
op_unwatch(struct request *req)
{
	struct principal *self = req->conn->who.self;
	enum xs_err err;
	size_t cost;

	err = watch_remove(req->st->watches, &req->conn->watcher,
	    req->arg[0].path, req->arg[1].str, &cost);
	if (err != XS_OK)
		return err;
	principal_charge(self, QUOTA_WATCHES, -1);
	principal_charge(self, QUOTA_MEMORY, -(int64_t)cost);
	return request_ok(req);
}

/* RESET_WATCHES -> OK; transactions go too, that of the request included. */
enum xs_err
op_reset_watches(struct request *req)
{
	conn_drop_watches(req->conn);
	conn_drop_txns(req->conn);
	req->view.txn = NULL;
	return request_ok(req);
}
