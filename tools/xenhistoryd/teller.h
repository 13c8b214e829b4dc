/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the state machine for the history: who a connection is, what a
 * request asked for and why it was refused, how a node is written down. Pure
 * functions of what they are given, but for the name of a process.
 */
#ifndef TOOLS_XENHISTORYD_TELLER_H
#define TOOLS_XENHISTORYD_TELLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/history/history.h"
#include "xenstored/core.h"

/* What one request did, gathered while it is applied. */
struct telling {
	bool answered;
	uint32_t conn;
	struct history_who who;
	uint32_t type, tx;
	enum xs_err err;
	bool has_path;
	char path[WIRE_ABS_PATH_MAX + 1];
	char note[512]; /* "": none */
	/* a limit */
	bool refused;
	enum quota_id quota;
	uint32_t quota_domid;
	int64_t quota_value, quota_limit;
	/* a conflict */
	bool conflict, why_has_path;
	uint32_t why_type;
	char why_path[WIRE_ABS_PATH_MAX + 1];
};

/* The operation's name as in schema/ops.tbl; "?" for others. */
const char *teller_op(uint32_t type);

/* Who CONN is; the command is looked for in /proc. */
struct history_who teller_who(const struct conn *conn);

/* What the hooks of the state machine say. */
void teller_answered(struct telling *t, const struct conn *conn,
    const struct wire_header *header, const void *payload, enum xs_err err);
void teller_conflict(struct telling *t, const struct conn *conn,
    const struct wire_header *header, const void *payload);

/* Whether such a request is worth remembering though it changed no node. */
bool teller_notable(const struct telling *t);

/* The permissions of ACL as text into BUF: "n0,r3". */
void teller_perms(const struct acl *acl, char buf[HISTORY_PERMS_SIZE]);

/* A number that stands for the value of NODE. */
uint64_t teller_digest(const struct node *node);

#endif
