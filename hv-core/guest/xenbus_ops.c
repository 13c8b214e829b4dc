/*
 * The requests, a short function each, and transactions.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/xenbus_int.h"

int
xenbus_join(const char *dir, const char *node, char buf[WIRE_ABS_PATH_MAX + 1])
{
	size_t dir_len = strlen(dir), node_len = 0;
	int slash = 0;

	if (dir_len > WIRE_ABS_PATH_MAX)
		return -E2BIG;
	memcpy(buf, dir, dir_len + 1);
	if (node != NULL) {
		slash = dir_len > 0 && dir[dir_len - 1] != '/';
		node_len = strlen(node);
		if (node_len + (size_t)slash > WIRE_ABS_PATH_MAX - dir_len)
			return -E2BIG;
		if (slash)
			buf[dir_len++] = '/';
		memcpy(buf + dir_len, node, node_len + 1);
	}
	return dir_len + node_len == 0 ? -EINVAL : 0;
}

/* A request TYPE whose first part is the path, with its NUL, and then REST. */
static int
talk_path(struct xenbus *xb, uint32_t type, uint32_t tx, const char *dir,
    const char *node, struct xenbus_part rest, struct xenbus_reply *reply)
{
	char path[WIRE_ABS_PATH_MAX + 1];
	struct xenbus_part parts[2] = { { path, 0 }, rest };
	int rc = xenbus_join(dir, node, path);

	if (rc != 0)
		return rc;
	parts[0].len = strlen(path) + 1;
	return xenbus_talk(xb, type, tx, parts, 2, reply);
}

static const struct xenbus_part no_more = { NULL, 0 };

int
xenbus_read(struct xenbus *xb, uint32_t tx, const char *dir, const char *node,
    char **value_out, size_t *len_out)
{
	struct xenbus_reply reply;
	int rc = talk_path(xb, WIRE_READ, tx, dir, node, no_more, &reply);

	if (rc != 0)
		return rc;
	*value_out = reply.data;
	if (len_out != NULL)
		*len_out = reply.len;
	return 0;
}

int
xenbus_read_str(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, char *buf, size_t size)
{
	char *value;
	size_t len;
	int rc;

	buf[0] = '\0';
	rc = xenbus_read(xb, tx, dir, node, &value, &len);
	if (rc != 0)
		return rc;
	if (strlen(value) != len)
		rc = -EINVAL;
	else if (len >= size)
		rc = -EMSGSIZE;
	else
		memcpy(buf, value, len + 1);
	free(value);
	return rc;
}

/* -EINVAL unless TEXT is LEN digits, at least one; -ERANGE beyond MAX. */
static int
parse_num(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	if (len == 0 || strspn(text, "0123456789") != len)
		return -EINVAL;
	return wire_number(text, max, out) ? 0 : -ERANGE;
}

int
xenbus_read_num(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, uint64_t max, uint64_t *out)
{
	char *value;
	size_t len;
	int rc = xenbus_read(xb, tx, dir, node, &value, &len);

	if (rc != 0)
		return rc;
	rc = parse_num(value, len, max, out);
	free(value);
	return rc;
}

int
xenbus_read_num_or(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, uint64_t max, uint64_t fallback, uint64_t *out)
{
	int rc = xenbus_read_num(xb, tx, dir, node, max, out);

	if (rc != -ENOENT)
		return rc;
	*out = fallback;
	return 0;
}

int
xenbus_directory(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, char ***names_out, size_t *count_out)
{
	struct xenbus_reply reply;
	size_t count = 0, i;
	char **names = NULL, *text;
	int rc = talk_path(xb, WIRE_DIRECTORY, tx, dir, node, no_more, &reply);

	if (rc != 0)
		return rc;
	for (i = 0; i < reply.len; i++)
		count += reply.data[i] == '\0';
	if (reply.len > 0 && reply.data[reply.len - 1] != '\0')
		count++; /* the one behind the reply ends it */
	if (count > 0) {
		names = malloc(count * sizeof(*names) + reply.len + 1);
		if (names == NULL) {
			free(reply.data);
			return -ENOMEM;
		}
		text = (char *)(names + count);
		memcpy(text, reply.data, reply.len + 1);
		for (i = 0; i < count; i++) {
			names[i] = text;
			text += strlen(text) + 1;
		}
	}
	free(reply.data);
	*names_out = names;
	*count_out = count;
	return 0;
}

int
xenbus_exists(struct xenbus *xb, uint32_t tx, const char *dir, const char *node)
{
	char *value;
	int rc = xenbus_read(xb, tx, dir, node, &value, NULL);

	if (rc == -ENOENT)
		return 0;
	if (rc != 0)
		return rc;
	free(value);
	return 1;
}

int
xenbus_write(struct xenbus *xb, uint32_t tx, const char *dir, const char *node,
    const void *value, size_t len)
{
	struct xenbus_part rest = { value, len };

	return talk_path(xb, WIRE_WRITE, tx, dir, node, rest, NULL);
}

int
xenbus_printf(struct xenbus *xb, uint32_t tx, const char *dir, const char *node,
    const char *fmt, ...)
{
	char text[WIRE_PAYLOAD_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -E2BIG;
	return xenbus_write(xb, tx, dir, node, text, (size_t)n);
}

int
xenbus_mkdir(struct xenbus *xb, uint32_t tx, const char *dir, const char *node)
{
	return talk_path(xb, WIRE_MKDIR, tx, dir, node, no_more, NULL);
}

int
xenbus_rm(struct xenbus *xb, uint32_t tx, const char *dir, const char *node)
{
	return talk_path(xb, WIRE_RM, tx, dir, node, no_more, NULL);
}

int
xenbus_set_perms(struct xenbus *xb, uint32_t tx, const char *dir,
    const char *node, const char *const *perms, size_t count)
{
	char text[WIRE_PAYLOAD_MAX];
	struct xenbus_part rest = { text, 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		size_t len = strlen(perms[i]) + 1;

		if (len > sizeof(text) - rest.len)
			return -E2BIG;
		memcpy(text + rest.len, perms[i], len);
		rest.len += len;
	}
	return talk_path(xb, WIRE_SET_PERMS, tx, dir, node, rest, NULL);
}

int
xenbus_tx_start(struct xenbus *xb, uint32_t *tx_out)
{
	struct xenbus_part nul = { "", 1 };
	struct xenbus_reply reply;
	uint64_t tx;
	int rc;

	rc = xenbus_talk(xb, WIRE_TRANSACTION_START, 0, &nul, 1, &reply);
	if (rc != 0)
		return rc;
	rc = parse_num(reply.data, strlen(reply.data), UINT32_MAX, &tx);
	free(reply.data);
	if (rc != 0 || tx == XENBUS_NO_TX)
		return xenbus_break(xb, "a bad transaction number");
	*tx_out = (uint32_t)tx;
	return 0;
}

static int
tx_end(struct xenbus *xb, uint32_t tx, const char *how)
{
	struct xenbus_part part = { how, 2 };

	return xenbus_talk(xb, WIRE_TRANSACTION_END, tx, &part, 1, NULL);
}

int
xenbus_tx_commit(struct xenbus *xb, uint32_t tx)
{
	return tx_end(xb, tx, "T");
}

int
xenbus_tx_abort(struct xenbus *xb, uint32_t tx)
{
	return tx_end(xb, tx, "F");
}

int
xenbus_transaction(struct xenbus *xb, xenbus_tx_body *body, void *arg)
{
	int tries, rc = -EAGAIN;

	for (tries = 0; tries < XENBUS_TX_TRIES && rc == -EAGAIN; tries++) {
		uint32_t tx;

		rc = xenbus_tx_start(xb, &tx);
		if (rc != 0)
			return rc;
		rc = body(xb, tx, arg);
		if (rc == 0)
			rc = xenbus_tx_commit(xb, tx);
		else
			(void)xenbus_tx_abort(xb, tx);
	}
	return rc;
}
