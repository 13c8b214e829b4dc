/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "xenstored/ops.h"

/* WRITE <path> <value...> -> OK. Missing parents are made. */
enum xs_err
op_write(struct request *req)
{
	struct bytes value = { req->arg[1].str, req->arg[1].len };
	enum xs_err err;

	err = view_put(&req->view, req->arg[0].path, &value);
	if (err != XS_OK)
		return err;
	return request_ok(req);
}

/* MKDIR <path> -> OK, also if it exists. */
enum xs_err
op_mkdir(struct request *req)
{
	enum xs_err err;

	err = view_put(&req->view, req->arg[0].path, NULL);
	if (err != XS_OK)
		return err;
	return request_ok(req);
}

/* RM <path> -> OK, also if only the last component is missing. */
enum xs_err
op_rm(struct request *req)
{
	enum xs_err err;

	err = view_remove(&req->view, req->arg[0].path);
	if (err != XS_OK)
		return err;
	return request_ok(req);
}

/*
 * One entry from TEXT. The right belongs to the domain that has this id now; to
 * nobody if there is none.
 */
static enum xs_err
parse_entry(struct request *req, const char *text, struct acl_entry *entry)
{
	struct principal *self = req->conn->who.self;
	enum xs_err err;

	entry->who = NULL;
	if (!perm_parse(text, &entry->perm))
		return XS_EINVAL;
	if (entry->perm.domid == PERM_DOMID_ANY)
		return XS_OK;
	if (entry->perm.domid >= DOMID_FIRST_RESERVED)
		return XS_EINVAL;
	if (entry->perm.domid == self->domid) {
		entry->who = self;
		return XS_OK;
	}
	err = core_principal(req->st, entry->perm.domid, &entry->who);
	if (err != XS_OK && err != XS_ENOENT)
		return err;
	/* Run again, it gives no right to whoever got the id meanwhile. */
	if (err != XS_OK || entry->who->birth_stamp > req->as_of)
		entry->who = NULL;
	return XS_OK;
}

/* SET_PERMS <path> <owner and default> <perm>... -> OK */
enum xs_err
op_set_perms(struct request *req)
{
	size_t n = 1 + wire_in_strings(&req->rest), i;
	struct acl_entry *entry;
	const char *text = req->arg[1].str;
	enum xs_err err = XS_OK;

	/* Before the world is asked for the domain of each entry. */
	if (!principal_allows(req->conn->who.self, QUOTA_PERMS, (int64_t)n))
		return quota_error(QUOTA_PERMS);
	entry = calloc(n, sizeof(*entry));
	if (entry == NULL)
		return XS_ENOMEM;
	for (i = 0; i < n && err == XS_OK; i++) {
		err = parse_entry(req, text, &entry[i]);
		(void)wire_in_string(&req->rest, &text, NULL);
	}
	if (err == XS_OK && entry[0].who == NULL)
		err = XS_ENOENT;
	/* The special nodes are for the privileged. */
	if (err == XS_OK && req->arg[0].path[0] == '@' &&
	    !req->conn->who.privileged)
		err = XS_EACCES;
	if (err == XS_OK)
		err = view_set_acl(&req->view, req->arg[0].path, entry, n);
	free(entry);
	if (err != XS_OK)
		return err;
	return request_ok(req);
}
