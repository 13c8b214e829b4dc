/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A state that came from an input is used as any other.
 */
#ifndef TESTS_FUZZ_USE_H
#define TESTS_FUZZ_USE_H

#include "tests/unit/xenstored/harness.h"

/* One request by each connection, and the answers. */
static void
state_use(struct state *st)
{
	static const char path[] = "/a/b";
	struct conn *conn = NULL;
	struct wire_header header = { .type = WIRE_WRITE };
	char out[8192];
	char in[sizeof(header) + sizeof(path)];
	size_t used;

	header.len = sizeof(path);
	memcpy(in, &header, sizeof(header));
	memcpy(in + sizeof(header), path, sizeof(path));
	while ((conn = state_next_conn(st, conn)) != NULL) {
		int budget = 100;

		state_input(conn, in, sizeof(in), &budget, &used);
		while (state_output(conn, out, sizeof(out)) > 0)
			;
	}
}

#endif
