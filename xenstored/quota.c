/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/quota.h"

#include <string.h>

static const struct {
	const char *name;
	const char *what;
	int64_t limit;
	enum xs_err error;
} quotas[QUOTA_COUNT] = {
#define XS_QUOTA(id, name, limit, error, what)                                 \
	[QUOTA_##id] = { name, what, limit, XS_##error },
#include "schema/quotas.tbl"
};

struct quota_set
quota_defaults(void)
{
	struct quota_set set;
	unsigned i;

	for (i = 0; i < QUOTA_COUNT; i++)
		set.n[i] = quotas[i].limit;
	return set;
}

enum quota_id
quota_by_name(const char *name)
{
	unsigned i;

	if (strcmp(name, "permissions") == 0)
		return QUOTA_PERMS; /* what releases up to 4.17 call it */
	for (i = 0; i < QUOTA_COUNT; i++)
		if (strcmp(quotas[i].name, name) == 0)
			break;
	return (enum quota_id)i;
}

const char *
quota_name(enum quota_id id)
{
	return quotas[id].name;
}

const char *
quota_what(enum quota_id id)
{
	return quotas[id].what;
}

enum xs_err
quota_error(enum quota_id id)
{
	return quotas[id].error;
}
