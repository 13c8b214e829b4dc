/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One entry of the commit log; schema/records.tbl says what each kind means.
 */
#ifndef XENSTORED_RECORD_H
#define XENSTORED_RECORD_H

#include <stddef.h>
#include <stdint.h>

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

#endif
