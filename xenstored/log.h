/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The commit log: every record that changes the state, in shared memory, before
 * any byte that shows the change leaves the process. It survives the process.
 * Others map the file and follow it by sequence number; the oldest records are
 * overwritten when the area is full, and whoever is that slow finds out.
 *
 * The file is a page with struct log_header, then SIZE bytes of entries. An
 * entry is struct log_entry and its data, a multiple of 8 bytes, never across
 * the end of the area: there an entry of type 0 fills what is left.
 */
#ifndef XENSTORED_LOG_H
#define XENSTORED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstored/record.h"

#define LOG_MAGIC UINT64_C(0x31676f6c7362726b) /* "krbslog1" */

#ifndef LOG_LATER
#define LOG_LATER 0 /* 1 in a program of tomorrow (next.h) */
#endif

enum {
	/* Also of what records mean and how a state answers them: whoever
	 * follows does just what the writer did. */
	LOG_VERSION = 5 + LOG_LATER,
	LOG_HEADER_SIZE = 4096,
	LOG_BOOT_SIZE = 16,
	LOG_SIZE = 16 << 20,   /* of the daemon's own */
	LOG_PIECE = 256 << 10, /* whose memory is taken at once */
};

/* Offsets count bytes written since the beginning; modulo SIZE they are
 * places. MAGIC, VERSION, BOOT and CLOSED are in the same places in all
 * versions: whether a log is to be gone on with is known before the rest. */
struct log_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint64_t epoch; /* differs between two logs in one file */
	uint64_t first; /* offset of the oldest entry that is whole */
	uint64_t end;	/* offset behind the newest; published last */
	uint64_t next_seq;
	uint8_t boot[LOG_BOOT_SIZE]; /* life of the hypervisor; 0: not known */
	uint64_t closed;	     /* enum log_closed */
};

/* How the log's daemon ended. */
enum log_closed {
	LOG_OPEN,   /* it runs, or was killed */
	LOG_CLOSED, /* as it was told to: the log ends here for good */
	LOG_RESTS,  /* so, too, but the next daemon goes on */
};

struct log_entry {
	uint32_t len;	  /* of data */
	uint16_t type;	  /* enum record_type; 0: skip to the area's start */
	uint16_t outcome; /* struct record's */
	uint64_t seq;
	uint64_t a, b;
	uint64_t sum; /* of all the others and the data */
};

struct log;

/* Where a reader is. */
struct log_pos {
	uint64_t offset;
	uint64_t seq;
};

/*
 * A new file PATH of SIZE bytes, a multiple of 4096, with an empty log, made
 * with mode 0600 in place of any other; its descriptor, or -1 with errno. BOOT:
 * struct log_header's. There is memory for the first LOG_PIECE of it:
 * log_reserve() takes the others, which should not hold up the start.
 */
int log_make(const char *path, uint32_t size, uint64_t epoch,
    const uint8_t boot[LOG_BOOT_SIZE]);

/*
 * Takes memory for the next LOG_PIECE of the log in FD, from *AT (0 at first),
 * which is moved on, as to find none later would be a SIGBUS. 1; 0: there was
 * nothing left to be taken; -1 with errno.
 */
int log_reserve(int fd, uint64_t *at);

/* Maps the log in FD, which the caller keeps, for reading. NULL with errno:
 * EINVAL: it holds no log of this version. */
struct log *log_map(int fd);

/* From now on records are added to LOG at POS, whatever is behind it. */
void log_resume(struct log *log, const struct log_pos *pos);

/* Says so in the file. */
void log_mark(struct log *log, enum log_closed how);

/*
 * WAIT is called before a record is overwritten that is not older than *KEEP
 * (an offset that others move on), again and again until it says false: then it
 * is overwritten all the same.
 */
void log_set_guard(
    struct log *log, const uint64_t *keep, bool (*wait)(void *ctx), void *ctx);

/* Where the next record goes. */
struct log_pos log_end(const struct log *log);

/* The log in the new file PATH of SIZE bytes, a multiple of 4096, made with
 * mode 0600 in place of any other; BOOT as in log_make(). It has all its
 * memory. NULL with errno. */
struct log *log_create(const char *path, uint32_t size, uint64_t epoch,
    const uint8_t boot[LOG_BOOT_SIZE]);

/* The same in memory that no one else sees. NULL with errno. */
struct log *log_private(uint32_t size, uint64_t epoch);

/* Unmaps it; the file stays. */
void log_close(struct log *log);

/* Adds RECORD and publishes it. Cannot fail: a record fits. */
void log_append(struct log *log, const struct record *record);

const struct log_header *log_header(const struct log *log);

enum log_read {
	LOG_READ_OK,
	LOG_READ_NONE, /* nothing new */
	LOG_READ_LOST, /* overwritten before it was read, or damaged */
};

/* The place of the oldest record that HEADER's log has. */
struct log_pos log_oldest(const struct log_header *header);

/*
 * Copies the entry at *POS to *ENTRY_OUT and its data (at most SIZE bytes) to
 * BUF, and moves *POS on. HEADER is the mapped file.
 */
enum log_read log_read(const struct log_header *header, struct log_pos *pos,
    struct log_entry *entry_out, void *buf, size_t size);

#endif
