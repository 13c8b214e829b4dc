/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of operations and the dispatcher: who may, in which transaction,
 * with which arguments; then the handler.
 */
#ifndef XENSTORED_OPS_H
#define XENSTORED_OPS_H

#include "xenstored/request.h"

/*
 * Runs the request in REQ (st, conn, header, payload, quiet are set) and sends
 * one reply, an error's if need be. The connection's queue is ready for a small
 * reply.
 */
void ops_run(struct request *req);

/* Answers it with ERR, and that is all. */
void ops_refuse(struct request *req, enum xs_err err);

/*
 * Runs REQ inside TXN without a reply: its digest is left in REQ. The request
 * went through ops_run() in a transaction before. The handler's result.
 */
enum xs_err ops_replay(struct request *req, struct txn *txn);

/* Whether requests of TYPE become part of a transaction's log. */
bool ops_in_txn(uint32_t type);

/* Whether a request with HEADER may change the tree that all see. */
bool ops_changes(const struct wire_header *header);

/* The handlers, by file. Each replies on XS_OK and does nothing on an error. */
/* op_read.c */
enum xs_err op_directory(struct request *req);
enum xs_err op_directory_part(struct request *req);
enum xs_err op_read(struct request *req);
enum xs_err op_get_perms(struct request *req);
/* op_write.c */
enum xs_err op_write(struct request *req);
enum xs_err op_mkdir(struct request *req);
enum xs_err op_rm(struct request *req);
enum xs_err op_set_perms(struct request *req);
/* op_watch.c */
enum xs_err op_watch(struct request *req);
enum xs_err op_unwatch(struct request *req);
enum xs_err op_reset_watches(struct request *req);
/* op_txn.c */
enum xs_err op_txn_start(struct request *req);
enum xs_err op_txn_end(struct request *req);
/* op_domain.c */
enum xs_err op_introduce(struct request *req);
enum xs_err op_release(struct request *req);
enum xs_err op_get_domain_path(struct request *req);
enum xs_err op_is_introduced(struct request *req);
enum xs_err op_resume(struct request *req);
enum xs_err op_set_target(struct request *req);
enum xs_err op_get_feature(struct request *req);
enum xs_err op_set_feature(struct request *req);
/* op_control.c */
enum xs_err op_control(struct request *req);
enum xs_err op_get_quota(struct request *req);
enum xs_err op_set_quota(struct request *req);

#endif
