/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/outbuf.h"

#include <stdlib.h>
#include <string.h>

void
outbuf_init(struct outbuf *buf, size_t limit)
{
	*buf = (struct outbuf){ .limit = limit };
	if (limit < OUTBUF_LIMIT_MIN)
		buf->limit = OUTBUF_LIMIT_MIN;
	if (limit > OUTBUF_LIMIT_MAX)
		buf->limit = OUTBUF_LIMIT_MAX;
}

void
outbuf_free(struct outbuf *buf)
{
	free(buf->data);
	outbuf_init(buf, buf->limit);
}

/* Makes room for LEN more at the end. */
static bool
reserve(struct outbuf *buf, size_t len)
{
	size_t size = buf->size * 2 + len;
	char *data;

	if (buf->start > 0) {
		memmove(buf->data, buf->data + buf->start, buf->len);
		buf->start = 0;
	}
	if (buf->size - buf->len >= len)
		return true;
	data = realloc(buf->data, size);
	if (data == NULL)
		return false;
	buf->data = data;
	buf->size = size;
	return true;
}

/* Drops the middle, so that just the limit is left. */
static void
shrink(struct outbuf *buf)
{
	char *data = buf->data + buf->start;
	size_t head = buf->limit / 2;
	size_t tail = buf->limit - head;

	memmove(data + head, data + buf->len - tail, tail);
	buf->len = buf->limit;
}

bool
outbuf_append(struct outbuf *buf, const char *data, size_t len)
{
	if (buf->size - buf->start - buf->len < len && !reserve(buf, len))
		return false;
	memcpy(buf->data + buf->start + buf->len, data, len);
	buf->len += len;
	if (buf->len > buf->limit + buf->limit / 4)
		shrink(buf);
	return true;
}

size_t
outbuf_room(const struct outbuf *buf)
{
	return buf->len < buf->limit ? buf->limit - buf->len : 0;
}

const char *
outbuf_peek(const struct outbuf *buf, size_t *len_out)
{
	*len_out = buf->len;
	return buf->data + buf->start;
}

void
outbuf_consume(struct outbuf *buf, size_t len)
{
	buf->start += len;
	buf->len -= len;
	if (buf->len == 0)
		buf->start = 0;
}
