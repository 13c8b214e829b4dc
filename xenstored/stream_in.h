/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a migration stream: what its parts share. Nothing that is read is
 * believed; what is wrong is remembered in IN and ends the reading.
 */
#ifndef XENSTORED_STREAM_IN_H
#define XENSTORED_STREAM_IN_H

#include "xenstored/core.h"
#include "xenstored/image_io.h"
#include "xenstored/stream.h"
#include "xenstored/stream_format.h"

struct stream_in {
	struct image_in in; /* the body of the record at hand */
	bool big_endian;
	struct state *st;
	const struct stream_reader *reader;
	struct stream_process *process;
	bool pending; /* now only what transactions did; all else was read */
	struct image_in rest; /* what follows the record */
};

bool stream_wrong(struct stream_in *s, const char *what);

unsigned stream_u16(struct stream_in *s);
uint32_t stream_u32(struct stream_in *s);
uint64_t stream_u64(struct stream_in *s);

/* The principal that DOMID is now, made if there is such a domain; NULL: there
 * is none, or no memory. */
struct principal *stream_principal(struct stream_in *s, uint32_t domid);

/* The records, by type; each false: it is wrong. */
bool stream_in_connection(struct stream_in *s);
bool stream_in_watch(struct stream_in *s);
bool stream_in_watch_ext(struct stream_in *s);
bool stream_in_transaction(struct stream_in *s);
bool stream_in_node(struct stream_in *s);

#endif
