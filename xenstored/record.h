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

/* In the number of a kind: who does not know it skips the record. Any other
 * kind that is not known ends the reading. */
enum { RECORD_OPTIONAL = 0x8000 };

enum record_type {
	RECORD_NONE,
#define XS_RECORD(number, name, a, b, data) RECORD_##name = number,
#include "schema/records.tbl"
	RECORD_COUNT
};

enum record_outcome {
	/* there was no memory to remove all nodes of a dead domain, yet */
	RECORD_BURIAL_STUCK = 0x2000,
	/* there was no memory for an event, which its watcher was told of */
	RECORD_EVENT_MISSED = 0x4000,
	RECORD_NOT_DONE = 0x8000, /* nothing was changed for lack of memory */
};

struct record {
	enum record_type type;
	uint64_t a, b;
	/* How a REQUEST was answered: its enum xs_err and 1, with enum
	 * record_outcome; 0: not told. */
	uint16_t outcome;
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
