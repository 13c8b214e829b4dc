/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/error.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	int value;
} errors[XS_ERR_COUNT] = {
	[XS_OK] = { "OK", 0 },
#define XS_ERROR(name) [XS_##name] = { #name, name },
#include "schema/errors.tbl"
};

const char *
error_name(enum xs_err err)
{
	if ((unsigned)err >= XS_ERR_COUNT)
		err = XS_EINVAL;
	return errors[err].name;
}

enum xs_err
error_from_name(const char *name, size_t len)
{
	unsigned i;

	if (len > 0 && name[len - 1] == '\0')
		len--;
	for (i = XS_OK + 1; i < XS_ERR_COUNT; i++)
		if (strlen(errors[i].name) == len &&
		    memcmp(errors[i].name, name, len) == 0)
			return (enum xs_err)i;
	return XS_EINVAL;
}

int
error_to_errno(enum xs_err err)
{
	if ((unsigned)err >= XS_ERR_COUNT)
		err = XS_EINVAL;
	return errors[err].value;
}

enum xs_err
error_from_errno(int value)
{
	unsigned i;

	for (i = XS_OK; i < XS_ERR_COUNT; i++)
		if (errors[i].value == value)
			return (enum xs_err)i;
	return XS_EINVAL;
}
