/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "xenstored/cost.h"
#include "xenstored/ops.h"

/* READ <path> -> value */
enum xs_err
op_read(struct request *req)
{
	struct node *node;
	enum xs_err err;

	err = view_read(&req->view, req->arg[0].path, TXN_VALUE, &node);
	if (err != XS_OK)
		return err;
	return request_reply(req, node_value(node), node_value_len(node));
}

/* DIRECTORY <path> -> names in the order of creation */
enum xs_err
op_directory(struct request *req)
{
	struct kids_pos pos = { 0, 0 };
	const struct kid *kid;
	struct node *node;
	enum xs_err err;
	size_t len = 0;

	err = view_read(&req->view, req->arg[0].path, TXN_CHILDREN, &node);
	if (err != XS_OK)
		return err;
	if (node->kids != NULL && node->kids->text > WIRE_PAYLOAD_MAX)
		return XS_E2BIG;
	req->st->work += kids_count(node->kids) * (uint64_t)WORK_NAME;
	while ((kid = kids_next(node->kids, &pos)) != NULL) {
		memcpy(req->st->text + len, node_name(kid->node),
		    node_name_len(kid->node) + 1);
		len += node_name_len(kid->node) + 1;
	}
	return request_reply(req, req->st->text, len);
}

/*
 * Fills BUF (SIZE) with the whole names of KIDS that lie behind OFFSET in the
 * list of all names; one that OFFSET points into gives its tail. At the end of
 * the list comes an empty name. AT is where to begin, not behind OFFSET, and
 * becomes where it ended; how many names were looked at is added to *SEEN.
 */
static size_t
list_part(const struct kids *kids, uint64_t offset, char *buf, size_t size,
    struct list_end *at, uint64_t *seen)
{
	struct kids_pos pos = at->pos;
	const struct kid *kid;
	size_t len = 0, n, from;

	while ((kid = kids_next(kids, &pos)) != NULL) {
		n = node_name_len(kid->node) + 1;
		++*seen;
		if (offset < at->offset + n) {
			from = offset > at->offset ? offset - at->offset : 0;
			if (len + n - from > size)
				return len;
			memcpy(
			    buf + len, node_name(kid->node) + from, n - from);
			len += n - from;
		}
		at->offset += n;
		at->pos = pos;
	}
	if (len < size)
		buf[len++] = '\0';
	return len;
}

/* DIRECTORY_PART <path> <offset> -> generation, names */
enum xs_err
op_directory_part(struct request *req)
{
	struct list_end *last, at = { 0 };
	struct node *node;
	uint64_t offset, seen = 0;
	enum xs_err err;
	size_t len;

	if (!wire_number(req->arg[1].str, UINT32_MAX, &offset))
		return XS_EINVAL;
	err = view_read(&req->view, req->arg[0].path, TXN_CHILDREN, &node);
	if (err != XS_OK)
		return err;
	at.stamp = node_kids_stamp(node);
	len = (size_t)snprintf(req->st->text, sizeof(req->st->text), "%llu",
		  (unsigned long long)at.stamp) +
	      1;
	/* who asks for the next part does not begin at the first name */
	last = &req->st->list_end[at.stamp % LIST_ENDS];
	if (at.stamp != 0 && last->stamp == at.stamp && last->offset <= offset)
		at = *last;
	len += list_part(node->kids, offset, req->st->text + len,
	    sizeof(req->st->text) - len, &at, &seen);
	*last = at;
	req->st->work += seen * WORK_NAME;
	return request_reply(req, req->st->text, len);
}

/* GET_PERMS <path> -> one string per entry */
enum xs_err
op_get_perms(struct request *req)
{
	const struct acl_entry *entry;
	struct node *node;
	enum xs_err err;
	size_t len = 0;
	uint32_t i;

	err = view_read(&req->view, req->arg[0].path, TXN_ACL, &node);
	if (err != XS_OK)
		return err;
	for (i = 0; i < node->acl->n; i++) {
		entry = &node->acl->entry[i];
		if (i > 0 && !acl_entry_shown(entry, view_stamp(&req->view)))
			continue;
		if (len + PERM_TEXT_MAX > sizeof(req->st->text))
			return XS_E2BIG;
		len += perm_format(&entry->perm, req->st->text + len) + 1;
	}
	return request_reply(req, req->st->text, len);
}
