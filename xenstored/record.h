/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One entry of the commit log; schema/records.tbl says what each kind means.
 */
#ifndef XENSTORED_RECORD_H
#define XENSTORED_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "xenstored/hash.h"
#include "xenstored/quota.h"

enum { RECORD_VERSION = 2 };

enum record_type {
	RECORD_NONE,
#define XS_RECORD(number, name, a, b, data) RECORD_##name = number,
#include "schema/records.tbl"
	RECORD_COUNT
};

struct record {
	enum record_type type;
	uint64_t a, b;
	const void *data[2]; /* two parts, one behind the other */
	size_t len[2];
};

/* Data of START; its flags are keep_orphans << 32 | priv_domid. */
struct record_start {
	struct hash_key seed;
	struct quota_set quotas;
	int64_t soft_memory;
};

/* Data of OPEN_SOCKET. */
struct record_socket {
	int32_t pid;
	uint32_t zero;
	uint64_t sock; /* the supervisor's number of the descriptor; 0: none */
};

#endif
