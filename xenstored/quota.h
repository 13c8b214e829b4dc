/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What can be limited: names, defaults, and the error for too much. Knows
 * numbers and names only.
 */
#ifndef XENSTORED_QUOTA_H
#define XENSTORED_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum quota_id {
#define XS_QUOTA(id, name, limit, error, what) QUOTA_##id,
#include "schema/quotas.tbl"
	QUOTA_COUNT
};

/* One number per quota: limits, usage, or the highest usage seen. */
struct quota_set {
	int64_t n[QUOTA_COUNT];
};

/* The defaults of the table. */
struct quota_set quota_defaults(void);

/* The quota called NAME, or QUOTA_COUNT. */
enum quota_id quota_by_name(const char *name);

const char *quota_name(enum quota_id id);

/* "nodes owned" */
const char *quota_what(enum quota_id id);

/* What a request that passes the limit is answered with. */
enum xs_err quota_error(enum quota_id id);

#endif
