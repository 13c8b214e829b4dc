/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/wire.h"

#include <string.h>

static const char *const op_names[WIRE_OP_COUNT] = {
#define XS_OP(number, name, handler, args, flags) [number] = #name,
#include "schema/ops.tbl"
};

const char *
wire_op_name(uint32_t op)
{
	return op < WIRE_OP_COUNT ? op_names[op] : NULL;
}

struct wire_in
wire_in(const void *payload, size_t len)
{
	return (struct wire_in){ .pos = payload, .left = len };
}

size_t
wire_in_strings(const struct wire_in *in)
{
	struct wire_in copy = *in;
	const char *str;
	size_t n = 0;

	while (wire_in_string(&copy, &str, NULL))
		n++;
	return n;
}

bool
wire_in_string(struct wire_in *in, const char **str_out, size_t *len_out)
{
	const char *end;

	end = in->left != 0 ? memchr(in->pos, '\0', in->left) : NULL;
	if (end == NULL)
		return false;
	*str_out = in->pos;
	if (len_out != NULL)
		*len_out = (size_t)(end - in->pos);
	in->left -= (size_t)(end + 1 - in->pos);
	in->pos = end + 1;
	return true;
}

const char *
wire_in_rest(struct wire_in *in, size_t *len_out)
{
	const char *rest = in->pos;

	*len_out = in->left;
	in->pos += in->left;
	in->left = 0;
	return rest;
}

bool
wire_number(const char *str, uint64_t max, uint64_t *value_out)
{
	uint64_t value = 0;

	if (*str == '\0')
		return false;
	for (; *str != '\0'; str++) {
		unsigned digit = (unsigned)(unsigned char)*str - '0';

		if (digit > 9 || value > max / 10)
			return false;
		value *= 10;
		if (digit > max - value)
			return false;
		value += digit;
	}
	*value_out = value;
	return true;
}
