/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "xenstored/cost.h"
#include "xenstored/ops.h"

/* An id that no open transaction of CONN has; never 0. */
static uint32_t
new_id(struct conn *conn)
{
	do
		conn->last_txn++;
	while (conn->last_txn == 0 || txn_find(conn, conn->last_txn) != NULL);
	return conn->last_txn;
}

/* TRANSACTION_START -> id */
enum xs_err
op_txn_start(struct request *req)
{
	struct conn *conn = req->conn;
	struct principal *self = conn->who.self;
	struct txn *txn;
	char text[16];

	if (req->view.txn != NULL)
		return XS_EBUSY;
	if (!conn->who.privileged && !principal_may(self, QUOTA_TXNS, 1))
		return quota_error(QUOTA_TXNS);
	if (!conn->who.privileged &&
	    !principal_may(self, QUOTA_MEMORY, COST_TXN))
		return quota_error(QUOTA_MEMORY);
	txn = txn_new(conn);
	if (txn == NULL)
		return XS_ENOMEM;
	txn->id = new_id(conn);
	txn_open(txn);
	principal_charge(self, QUOTA_TXNS, 1);
	txn_reserve(txn);
	snprintf(text, sizeof(text), "%u", (unsigned)txn->id);
	return request_reply_string(req, text);
}

/* TRANSACTION_END T|F -> OK */
enum xs_err
op_txn_end(struct request *req)
{
	struct txn *txn = req->view.txn;
	const char *how = req->arg[0].str;
	bool commit = strcmp(how, "T") == 0;
	enum xs_err err = XS_OK;

	if (!commit && strcmp(how, "F") != 0)
		return XS_EINVAL;
	if (txn == NULL)
		return XS_ENOENT;
	/* Whatever becomes of it now, it is over, and the log has to know. */
	req->view.txn = NULL;
	req->changed = true;
	list_remove(&txn->link);
	principal_charge(req->conn->who.self, QUOTA_TXNS, -1);
	if (commit)
		err = txn_commit(txn);
	if (commit && err == XS_EAGAIN)
		req->conn->n_refused++;
	else if (commit && err == XS_OK)
		req->conn->n_refused = 0;
	txn_free(txn);
	if (err != XS_OK)
		return err;
	return request_ok(req);
}
