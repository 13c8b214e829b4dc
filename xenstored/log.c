/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct log {
	struct log_header *header;
	char *area;
	uint64_t end, first, seq; /* never read back from shared memory */
	uint32_t size;
};

/* Damage is to be found, not an attacker: the key is no secret. */
static const struct hash_key sum_key = { { 0x6b65726e62757331u, 1 } };

static uint64_t
entry_sum(const struct log_entry *entry, const void *data)
{
	struct log_entry copy = *entry;

	copy.sum = 0;
	return hash_bytes(&sum_key, &copy, sizeof(copy)) ^
	       hash_bytes(&sum_key, data, entry->len);
}

static struct log *
log_start(void *memory, uint32_t size, uint64_t epoch)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->header = memory;
	log->area = (char *)memory + LOG_HEADER_SIZE;
	log->size = size;
	log->header->version = LOG_VERSION;
	log->header->size = size;
	log->header->epoch = epoch;
	__atomic_store_n(&log->header->magic, LOG_MAGIC, __ATOMIC_RELEASE);
	return log;
}

static struct log *
log_map(int fd, int flags, uint32_t size, uint64_t epoch)
{
	void *memory;
	struct log *log;

	memory = mmap(NULL, LOG_HEADER_SIZE + (size_t)size,
	    PROT_READ | PROT_WRITE, flags, fd, 0);
	if (memory == MAP_FAILED)
		return NULL;
	log = log_start(memory, size, epoch);
	if (log == NULL)
		munmap(memory, LOG_HEADER_SIZE + (size_t)size);
	return log;
}

struct log *
log_create(const char *path, uint32_t size, uint64_t epoch)
{
	struct log *log = NULL;
	int fd, saved;

	if (unlink(path) != 0 && errno != ENOENT)
		return NULL;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	/* The memory is taken now: to find none later would be a SIGBUS. */
	saved = posix_fallocate(fd, 0, LOG_HEADER_SIZE + (off_t)size);
	if (saved == 0) {
		log = log_map(fd, MAP_SHARED, size, epoch);
		saved = errno;
	}
	close(fd);
	errno = saved;
	return log;
}

struct log *
log_private(uint32_t size, uint64_t epoch)
{
	return log_map(-1, MAP_PRIVATE | MAP_ANONYMOUS, size, epoch);
}

void
log_close(struct log *log)
{
	if (log == NULL)
		return;
	munmap(log->header, LOG_HEADER_SIZE + (size_t)log->size);
	free(log);
}

const struct log_header *
log_header(const struct log *log)
{
	return log->header;
}

static struct log_entry *
entry_at(const struct log *log, uint64_t offset)
{
	return (struct log_entry *)(void *)(log->area + offset % log->size);
}

static uint64_t
entry_size(uint64_t len)
{
	return sizeof(struct log_entry) + (len + 7) / 8 * 8;
}

/* The bytes that the entry at OFFSET, of TYPE and LEN, takes up. */
static uint64_t
entry_step(uint64_t offset, uint16_t type, uint32_t len, uint32_t size)
{
	return type == RECORD_NONE ? size - offset % size : entry_size(len);
}

/* Gives up the oldest entries until NEED bytes are free. */
static void
make_room(struct log *log, uint64_t need)
{
	const struct log_entry *entry;
	uint64_t room;

	while (log->end + need - log->first > log->size) {
		entry = entry_at(log, log->first);
		room = log->size - log->first % log->size;
		log->first += room < sizeof(*entry)
				  ? room
				  : entry_step(log->first, entry->type,
					entry->len, log->size);
	}
	__atomic_store_n(&log->header->first, log->first, __ATOMIC_RELEASE);
	/* Readers must see that before they see what is written over it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Fills the area up to its end if NEED bytes are not left there. */
static void
skip_to_start(struct log *log, uint64_t need)
{
	uint64_t room = log->size - log->end % log->size;

	if (room >= need)
		return;
	make_room(log, room);
	if (room >= sizeof(struct log_entry))
		memset(entry_at(log, log->end), 0, sizeof(struct log_entry));
	log->end += room;
}

void
log_append(struct log *log, const struct record *record)
{
	struct log_entry *entry;
	uint64_t need;
	size_t len = record->len[0] + record->len[1];
	char *data;

	need = entry_size(len);
	skip_to_start(log, need);
	make_room(log, need);
	entry = entry_at(log, log->end);
	data = (char *)(entry + 1);
	*entry = (struct log_entry){
		.len = (uint32_t)len,
		.type = (uint16_t)record->type,
		.seq = log->seq++,
		.a = record->a,
		.b = record->b,
	};
	if (record->len[0] > 0)
		memcpy(data, record->data[0], record->len[0]);
	if (record->len[1] > 0)
		memcpy(data + record->len[0], record->data[1], record->len[1]);
	entry->sum = entry_sum(entry, data);
	log->end += need;
	log->header->next_seq = log->seq;
	__atomic_store_n(&log->header->end, log->end, __ATOMIC_RELEASE);
}

/* --- reading --- */

struct log_pos
log_oldest(const struct log_header *header)
{
	struct log_pos pos = { 0, UINT64_MAX };

	pos.offset = __atomic_load_n(&header->first, __ATOMIC_ACQUIRE);
	return pos;
}

/* Whether what was read at OFFSET was not being written over meanwhile. */
static bool
still_there(const struct log_header *header, uint64_t offset)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&header->first, __ATOMIC_ACQUIRE) <= offset;
}

enum log_read
log_read(const struct log_header *header, struct log_pos *pos,
    struct log_entry *entry_out, void *buf, size_t size)
{
	const char *area = (const char *)header + LOG_HEADER_SIZE;
	uint64_t at, room;

	for (;;) {
		if (pos->offset ==
		    __atomic_load_n(&header->end, __ATOMIC_ACQUIRE))
			return LOG_READ_NONE;
		at = pos->offset % header->size;
		room = header->size - at;
		memset(entry_out, 0, sizeof(*entry_out));
		if (room >= sizeof(*entry_out))
			memcpy(entry_out, area + at, sizeof(*entry_out));
		if (entry_out->type != RECORD_NONE)
			break;
		if (!still_there(header, pos->offset))
			return LOG_READ_LOST;
		pos->offset += room;
	}
	if (entry_out->len > room - sizeof(*entry_out) || entry_out->len > size)
		return LOG_READ_LOST;
	memcpy(buf, area + at + sizeof(*entry_out), entry_out->len);
	if (!still_there(header, pos->offset) ||
	    entry_out->sum != entry_sum(entry_out, buf) ||
	    (pos->seq != UINT64_MAX && entry_out->seq != pos->seq))
		return LOG_READ_LOST;
	pos->seq = entry_out->seq + 1;
	pos->offset += entry_size(entry_out->len);
	return LOG_READ_OK;
}
