/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/image_io.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 * 1024 };

/* Room for LEN bytes more, or NULL. */
static char *
room(struct image *img, size_t len)
{
	size_t cap = img->cap;
	char *data;

	if (img->failed)
		return NULL;
	if (len > cap - img->len) {
		do
			cap = cap == 0 ? FIRST_CAP : cap * 2;
		while (len > cap - img->len);
		data = realloc(img->data, cap);
		if (data == NULL) {
			img->failed = true;
			return NULL;
		}
		img->data = data;
		img->cap = cap;
	}
	data = img->data + img->len;
	img->len += len;
	return data;
}

void
put_u8(struct image *img, uint8_t value)
{
	char *to = room(img, 1);

	if (to != NULL)
		*to = (char)value;
}

void
put_u32(struct image *img, uint32_t value)
{
	char *to = room(img, 4);

	if (to == NULL)
		return;
	to[0] = (char)(value & 0xff);
	to[1] = (char)(value >> 8 & 0xff);
	to[2] = (char)(value >> 16 & 0xff);
	to[3] = (char)(value >> 24);
}

void
put_u64(struct image *img, uint64_t value)
{
	put_u32(img, (uint32_t)value);
	put_u32(img, (uint32_t)(value >> 32));
}

void
put_bytes(struct image *img, const void *data, size_t len)
{
	char *to = len > 0 ? room(img, len) : NULL;

	if (to != NULL)
		memcpy(to, data, len);
}

void
put_string(struct image *img, const char *text, size_t len)
{
	put_u32(img, (uint32_t)len);
	put_bytes(img, text, len);
}

void
put_quotas(struct image *img, const struct quota_set *set)
{
	unsigned i;

	for (i = 0; i < QUOTA_COUNT; i++)
		put_u64(img, (uint64_t)set->n[i]);
}

/* Damage is to be found, not an attacker: the key is no secret. */
static const struct hash_key sum_key = { { 0x6b65726e62757331u, 2 } };

uint64_t
bytes_sum(const void *data, size_t len)
{
	return hash_bytes(&sum_key, data, len);
}

uint64_t
image_sum(const void *data, size_t len)
{
	size_t head = IMAGE_HEADER_SIZE - sizeof(uint64_t);

	return hash_bytes(&sum_key, data, head) * 31 +
	       hash_bytes(&sum_key, (const char *)data + IMAGE_HEADER_SIZE,
		   len - IMAGE_HEADER_SIZE);
}

bool
in_wrong(struct image_in *in, const char *what)
{
	if (in->wrong == NULL)
		in->wrong = what;
	in->left = 0;
	return false;
}

const char *
get_bytes(struct image_in *in, size_t len)
{
	const uint8_t *at = in->pos;

	if (len > in->left) {
		in_wrong(in, "it ends too early");
		return NULL;
	}
	in->pos += len;
	in->left -= len;
	return (const char *)at;
}

uint8_t
get_u8(struct image_in *in)
{
	const char *at = get_bytes(in, 1);

	return at != NULL ? (uint8_t)*at : 0;
}

uint32_t
get_u32(struct image_in *in)
{
	const uint8_t *at = (const uint8_t *)get_bytes(in, 4);

	if (at == NULL)
		return 0;
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

uint64_t
get_u64(struct image_in *in)
{
	uint32_t low = get_u32(in);

	return low | (uint64_t)get_u32(in) << 32;
}

uint32_t
get_index(struct image_in *in, size_t limit, const char *what)
{
	uint32_t i = get_u32(in);

	if (i >= limit)
		in_wrong(in, what);
	return i;
}

uint32_t
get_index_or_none(struct image_in *in, size_t limit, const char *what)
{
	uint32_t i = get_u32(in);

	if (i >= limit && i != IMAGE_NONE)
		in_wrong(in, what);
	return i;
}

const char *
get_string(struct image_in *in, size_t max, size_t *len_out)
{
	*len_out = get_u32(in);
	if (*len_out > max) {
		in_wrong(in, "a string is too long");
		return NULL;
	}
	return get_bytes(in, *len_out);
}

uint32_t
get_count(struct image_in *in, size_t size)
{
	uint32_t n = get_u32(in);

	if (n > in->left / size) {
		in_wrong(in, "it ends too early");
		return 0;
	}
	return n;
}
