/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/ops.h"

#include <string.h>

#include "common/path.h"

enum {
	OP_TXN = 1,
	OP_ANYTX = 2,
	OP_WRITES = 4,
	OP_CHANGES = 8,
	OP_PRIV = 16,
	OP_REPLY = 32,
};

struct op {
	enum xs_err (*run)(struct request *req);
	const char *args;
	unsigned flags;
};

/* clang-format off */
static const struct op ops[WIRE_OP_COUNT] = {
#define XS_OP(number, name, handler, args, flags) \
	[number] = { handler, args, flags },
#include "schema/ops.tbl"
};
/* clang-format on */

/* --- replies --- */

enum xs_err
request_reply(struct request *req, const void *data, size_t len)
{
	struct wire_header header = req->header;

	if (req->view.txn != NULL)
		req->digest = hash_bytes(&req->st->config.seed, data, len) |
			      1; /* no error's */
	if (req->quiet)
		return XS_OK;
	header.len = (uint32_t)len;
	core_trace(req->conn, "OUT", &header, data);
	return outq_reply(&req->conn->q, &header, data, len) ? XS_OK
							     : XS_ENOMEM;
}

enum xs_err
request_reply_string(struct request *req, const char *str)
{
	return request_reply(req, str, strlen(str) + 1);
}

enum xs_err
request_ok(struct request *req)
{
	return request_reply_string(req, "OK");
}

static void
reply_error(struct request *req, enum xs_err err)
{
	struct wire_header header = req->header;
	const char *name = error_name(err);

	req->digest = (uint64_t)err << 1;
	req->err = err;
	if (req->quiet)
		return;
	header.type = WIRE_ERROR;
	header.len = (uint32_t)strlen(name) + 1;
	core_trace(req->conn, "OUT", &header, name);
	/* small and prepared for, so it cannot fail */
	(void)outq_reply(&req->conn->q, &header, name, header.len);
}

/* --- arguments --- */

static enum xs_err
parse_path(struct request *req, struct arg *arg, char letter)
{
	enum path_kind kind = path_kind(arg->str, arg->len);
	size_t len;

	if (kind == PATH_BAD)
		return XS_EINVAL;
	if (kind == PATH_SPECIAL &&
	    (letter == 'p' ||
		(letter == 'P' && strcmp(arg->str, "@introduceDomain") != 0 &&
		    strcmp(arg->str, "@releaseDomain") != 0)))
		return XS_EINVAL;
	if (kind == PATH_RELATIVE && arg->len > WIRE_REL_PATH_MAX)
		return XS_EINVAL;
	arg->path = arg->str;
	len = arg->len;
	if (kind == PATH_RELATIVE) {
		len = path_absolute(req->conn->who.self->domid, arg->str,
		    req->st->path, sizeof(req->st->path));
		arg->path = req->st->path;
	}
	if (len > WIRE_ABS_PATH_MAX)
		return XS_EINVAL;
	if (!req->conn->who.self->privileged &&
	    !principal_allows(req->conn->who.self, QUOTA_PATHMAX,
		(int64_t)path_counted_len(arg->path)))
		return quota_error(QUOTA_PATHMAX);
	return XS_OK;
}

/* The next argument, of kind LETTER, out of IN. */
static enum xs_err
parse_arg(struct request *req, struct wire_in *in, char letter)
{
	struct arg *arg = &req->arg[req->n_args++];

	if (letter == 'b') {
		arg->str = wire_in_rest(in, &arg->len);
		return XS_OK;
	}
	if (!wire_in_string(in, &arg->str, &arg->len))
		return XS_EINVAL;
	switch (letter) {
	case 'p':
	case 'P':
	case 'w':
		return XS_OK; /* after the shape of all is known to be right */
	case 'u':
		return wire_number(arg->str, UINT32_MAX, &arg->num) ? XS_OK
								    : XS_EINVAL;
	case 'd':
		if (!wire_number(arg->str, DOMID_SELF, &arg->num))
			return XS_EINVAL;
		return XS_OK;
	default:
		return XS_OK;
	}
}

static enum xs_err
parse_paths(struct request *req, const char *letters)
{
	unsigned i = 0;

	for (; *letters != '\0' && i < req->n_args; letters++) {
		if (*letters == '?')
			continue;
		if (*letters == 'p' || *letters == 'P' || *letters == 'w') {
			enum xs_err err =
			    parse_path(req, &req->arg[i], *letters);

			if (err != XS_OK)
				return err;
		}
		i++;
	}
	return XS_OK;
}

static enum xs_err
parse(struct request *req, const char *letters)
{
	struct wire_in in = wire_in(req->payload, req->header.len);
	/* bytes, which are the second argument, are not looked through */
	bool bytes = letters[0] != '\0' && letters[1] == 'b';
	size_t n_strings = bytes ? 0 : wire_in_strings(&in);
	bool optional = false;
	const char *l;
	enum xs_err err;

	if (letters[0] == '-')
		return XS_OK;
	if (letters[1] == '\0' &&
	    (n_strings != 1 || in.pos[in.left - 1] != '\0'))
		return XS_EINVAL;
	for (l = letters; *l != '\0' && *l != '*'; l++) {
		if (*l == '?') {
			optional = true;
			continue;
		}
		if (*l != 'b' && req->n_args == n_strings && optional)
			break;
		err = parse_arg(req, &in, *l);
		if (err != XS_OK)
			return err;
	}
	if (*l == '*')
		req->rest = in;
	else if (letters[1] != '\0' && !bytes && n_strings > req->n_args)
		return XS_EINVAL;
	return parse_paths(req, letters);
}

/* --- dispatching --- */

/* Everything before the handler, in the order of the protocol's checks. */
static enum xs_err
admit(struct request *req, const struct op *op)
{
	if (op->run == NULL)
		return XS_ENOSYS;
	if ((op->flags & OP_PRIV) != 0 && !req->conn->who.privileged)
		return XS_EACCES;
	if (req->header.tx_id != 0 && (op->flags & OP_ANYTX) == 0) {
		req->view.txn = txn_use(req->conn, req->header.tx_id);
		if (req->view.txn == NULL)
			return XS_ENOENT;
	}
	return parse(req, op->args);
}

/* A request in a transaction becomes part of its log; ERR is how it ended. */
static void
remember(struct request *req, const struct op *op, enum xs_err err)
{
	struct txn *txn = req->view.txn;
	bool writes = (op->flags & OP_WRITES) != 0;

	if (txn == NULL || (op->flags & OP_TXN) == 0)
		return;
	req->changed = true;
	if (writes && err == XS_OK)
		txn->changed = true;
	if (writes && (err == XS_ENOSPC || err == XS_ENOMEM) &&
	    txn->failed != XS_EAGAIN)
		txn->failed = err;
	if (txn->failed != XS_OK)
		return; /* it will not run again */
	err = txn_log(
	    txn, req->header.type, req->payload, req->header.len, req->digest);
	if (err != XS_OK)
		txn->failed = err;
}

void
ops_refuse(struct request *req, enum xs_err err)
{
	reply_error(req, err);
}

void
ops_run(struct request *req)
{
	static const struct op none;
	const struct op *op =
	    req->header.type < WIRE_OP_COUNT ? &ops[req->header.type] : &none;
	int64_t copied = req->st->heap.copied;
	enum xs_err err;

	req->view.st = req->st;
	req->view.conn = req->conn;
	err = admit(req, op);
	if (err != XS_OK) {
		reply_error(req, err);
		return;
	}
	err = op->run(req);
	if (req->view.txn != NULL)
		txn_copied(req->view.txn, copied);
	if (err != XS_OK)
		reply_error(req, err);
	else if ((op->flags & (OP_WRITES | OP_CHANGES)) != 0)
		req->changed = true;
	remember(req, op, err);
}

enum xs_err
ops_replay(struct request *req, struct txn *txn)
{
	const struct op *op = &ops[req->header.type];
	int64_t copied = req->st->heap.copied;
	enum xs_err err;

	req->view.st = req->st;
	req->view.conn = req->conn;
	req->view.txn = txn;
	req->quiet = true;
	err = parse(req, op->args);
	if (err == XS_OK)
		err = op->run(req);
	txn_copied(txn, copied);
	if (err != XS_OK)
		reply_error(req, err);
	if (err == XS_OK && (op->flags & OP_WRITES) != 0)
		txn->changed = true;
	return err;
}

bool
ops_in_txn(uint32_t type)
{
	return type < WIRE_OP_COUNT && (ops[type].flags & OP_TXN) != 0;
}

bool
ops_changes(const struct wire_header *header)
{
	if (header->type == WIRE_TRANSACTION_END)
		return true;
	return header->tx_id == 0 && header->type < WIRE_OP_COUNT &&
	       (ops[header->type].flags & OP_WRITES) != 0;
}
