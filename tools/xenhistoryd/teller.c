/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenhistoryd/teller.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"

struct op {
	const char *name;
	const char *args;
};

/* clang-format off */
static const struct op ops[WIRE_OP_COUNT] = {
#define XS_OP(number, name, handler, args, flags) \
	[number] = { #name, args },
#include "schema/ops.tbl"
};
/* clang-format on */

const char *
teller_op(uint32_t type)
{
	if (type >= WIRE_OP_COUNT || ops[type].name == NULL)
		return "?";
	return ops[type].name;
}

/* --- who --- */

/* What process PID is called; "" if nobody can say. */
static void
command_of(pid_t pid, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	buf[0] = '\0';
	if (pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

struct history_who
teller_who(const struct conn *conn)
{
	struct history_who who = { .kind = "ring", .uid = -1, .pid = -1 };

	who.domid = conn->who.self->domid;
	who.unique_id = conn->who.self->unique_id;
	if (!conn->is_ring) {
		strcpy(who.kind, "socket");
		who.uid = (int64_t)conn->uid;
		who.pid = conn->pid;
		command_of(conn->pid, who.command, sizeof(who.command));
	}
	return who;
}

/* --- requests --- */

/* The absolute path that a request is about; false: it is about none. */
static bool
path_of(const struct conn *conn, const struct wire_header *header,
    const void *payload, char buf[WIRE_ABS_PATH_MAX + 1])
{
	const char *text = payload;
	size_t len = strnlen(text, header->len);
	char first =
	    header->type < WIRE_OP_COUNT && ops[header->type].args != NULL
		? ops[header->type].args[0]
		: '\0';
	enum path_kind kind;

	if ((first != 'p' && first != 'P' && first != 'w') ||
	    len == header->len)
		return false;
	kind = path_kind(text, len);
	if (kind == PATH_BAD || len > WIRE_ABS_PATH_MAX)
		return false;
	if (kind == PATH_RELATIVE)
		return path_absolute(conn->who.self->domid, text, buf,
			   WIRE_ABS_PATH_MAX + 1) > 0;
	memcpy(buf, text, len + 1);
	return true;
}

/* The strings of a request in one line. */
static void
arguments(const struct wire_header *header, const void *payload, char *buf,
    size_t size)
{
	const unsigned char *text = payload;
	size_t i, n = 0;

	for (i = 0; i < header->len && n + 1 < size; i++)
		buf[n++] =
		    text[i] >= ' ' && text[i] < 0x7f ? (char)text[i] : ' ';
	while (n > 0 && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
}

/* Which rights stood in the way of a request for T->path. */
static void
explain_rights(struct telling *t, const struct conn *conn)
{
	char perms[HISTORY_PERMS_SIZE];
	struct state *st = conn->st;
	struct found f;
	int len;

	if (!t->has_path || t->path[0] != '/')
		return;
	store_find(&st->heap, st->live, t->path, &f);
	teller_perms(f.nearest->acl, perms);
	len = f.nearest_len < 256 ? (int)f.nearest_len : 256;
	snprintf(
	    t->note, sizeof(t->note), "%.*s has %.200s", len, t->path, perms);
}

static void
note_refusal(struct telling *t, const struct refusal *refused)
{
	t->refused = true;
	t->quota = refused->id;
	t->quota_domid = refused->domid;
	t->quota_value = refused->value;
	t->quota_limit = refused->limit;
}

void
teller_answered(struct telling *t, const struct conn *conn,
    const struct wire_header *header, const void *payload, enum xs_err err)
{
	const struct refusal *refused = state_refused(conn->st);

	t->answered = true;
	t->conn = conn_id(conn);
	t->type = header->type;
	t->tx = header->tx_id;
	t->err = err;
	t->has_path = path_of(conn, header, payload, t->path);
	t->note[0] = '\0';
	if (err != XS_OK && refused != NULL)
		note_refusal(t, refused);
	if (err == XS_EACCES || err == XS_EPERM)
		explain_rights(t, conn);
	else if (!t->has_path && header->type != WIRE_TRANSACTION_END)
		arguments(header, payload, t->note, sizeof(t->note));
}

void
teller_conflict(struct telling *t, const struct conn *conn,
    const struct wire_header *header, const void *payload)
{
	t->conflict = true;
	t->why_type = header->type;
	t->why_has_path = path_of(conn, header, payload, t->why_path);
}

/* Requests that change the daemon, and are rare. */
static bool
is_deed(uint32_t type)
{
	return type == WIRE_INTRODUCE || type == WIRE_RELEASE ||
	       type == WIRE_RESUME || type == WIRE_SET_TARGET ||
	       type == WIRE_SET_FEATURE || type == WIRE_SET_QUOTA ||
	       type == WIRE_CONTROL;
}

bool
teller_notable(const struct telling *t)
{
	if (!t->answered)
		return false;
	switch (t->err) {
	case XS_OK:
		return is_deed(t->type);
	case XS_EACCES:
	case XS_EPERM:
	case XS_ENOSPC:
	case XS_ENOMEM:
	case XS_EAGAIN:
		return true;
	default:
		return t->refused || t->conflict;
	}
}

/* --- nodes --- */

void
teller_perms(const struct acl *acl, char buf[HISTORY_PERMS_SIZE])
{
	char one[PERM_TEXT_MAX];
	size_t len = 0, n;
	uint32_t i;

	for (i = 0; i < acl->n; i++) {
		n = perm_format(&acl->entry[i].perm, one);
		if (len + n + 2 > HISTORY_PERMS_SIZE)
			break;
		if (i > 0)
			buf[len++] = ',';
		memcpy(buf + len, one, n);
		len += n;
	}
	buf[len] = '\0';
}

uint64_t
teller_digest(const struct node *node)
{
	/* the same in every history: values are compared over time */
	static const struct hash_key key = { { 0x686973746f727931u, 1 } };

	return hash_bytes(&key, node_value(node), node_value_len(node));
}
