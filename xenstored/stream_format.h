/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers of the migration stream. A header of 16 bytes, big-endian:
 * "xenstore", version, flags. Then records in the byte order that the flags
 * tell: type, length of the body, body, up to 7 bytes of padding.
 */
#ifndef XENSTORED_STREAM_FORMAT_H
#define XENSTORED_STREAM_FORMAT_H

#define STREAM_IDENT "xenstore"

enum {
	STREAM_BIG_ENDIAN = 1, /* in flags */
	STREAM_HEADER_SIZE = 16,
	STREAM_RECORD_SIZE = 8, /* before the body */
	STREAM_ALIGN = 8,
};

enum stream_type {
	STREAM_END = 0,
	STREAM_GLOBAL = 1,
	STREAM_CONNECTION = 2,
	STREAM_WATCH = 3,
	STREAM_TRANSACTION = 4,
	STREAM_NODE = 5,
	STREAM_GLOBAL_QUOTA = 6,
	STREAM_DOMAIN = 7,
	STREAM_WATCH_EXT = 8, /* version 2 */
};

enum {
	STREAM_RING = 0, /* types of connections */
	STREAM_SOCKET = 1,
	STREAM_HAS_UNIQUE_ID = 1,  /* fields of one */
	STREAM_NO_DOMAIN = 0x7ff4, /* for a target that is none */
	STREAM_NO_DEPTH = 0xffff,
	STREAM_PERM_STALE = 1, /* flag of a permission: it grants nothing */
	STREAM_READ = 1,       /* access of a node in a transaction */
	STREAM_WRITTEN = 2,
	/* bodies before their strings */
	STREAM_CONNECTION_SIZE = 24,
	STREAM_WATCH_SIZE = 8,
	STREAM_WATCH_EXT_SIZE = 12,
	STREAM_NODE_SIZE = 16,
};

#endif
