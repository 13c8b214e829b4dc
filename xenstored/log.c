/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/crash_point.h"

enum { PREPARE = 3 }; /* cache lines: those of a WRITE and its answer */

struct log {
	struct log_header *header;
	char *area;
	uint64_t end, first, seq; /* never read back from shared memory */
	uint32_t size;
	const uint64_t *keep;
	bool (*wait)(void *ctx);
	void *wait_ctx;
};

/* Adds WORD to SUM; what comes later cannot make good for it. */
static inline uint64_t
mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

/* Damage is to be found, not an attacker: it is simple, as it is made of every
 * record. Each step can be undone, so one word that differs is always found. */
static uint64_t
entry_sum(const struct log_entry *entry, const void *data)
{
	const char *p = data;
	uint64_t word, sum;
	size_t left = entry->len;

	word = (uint64_t)entry->type << 48 | (uint64_t)entry->outcome << 32;
	sum = mix(LOG_MAGIC, word | entry->len);
	sum = mix(sum, entry->seq);
	sum = mix(sum, entry->a);
	sum = mix(sum, entry->b);
	for (; left >= sizeof(word); left -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = mix(sum, word);
		p += sizeof(word);
	}
	word = 0;
	memcpy(&word, p, left);
	return mix(sum, word);
}

static void
fill_header(struct log_header *header, uint32_t size, uint64_t epoch)
{
	header->version = LOG_VERSION;
	header->size = size;
	header->epoch = epoch;
	__atomic_store_n(&header->magic, LOG_MAGIC, __ATOMIC_RELEASE);
}

static struct log *
map_size(int fd, int flags, uint32_t size)
{
	struct log *log = calloc(1, sizeof(*log));
	void *memory;

	if (log == NULL)
		return NULL;
	memory = mmap(NULL, LOG_HEADER_SIZE + (size_t)size,
	    PROT_READ | PROT_WRITE, flags, fd, 0);
	if (memory == MAP_FAILED) {
		free(log);
		return NULL;
	}
	log->header = memory;
	log->area = (char *)memory + LOG_HEADER_SIZE;
	log->size = size;
	return log;
}

int
log_make(const char *path, uint32_t size, uint64_t epoch,
    const uint8_t boot[LOG_BOOT_SIZE])
{
	struct log *log = NULL;
	uint64_t reserved = 0;
	int fd, saved;

	if (unlink(path) != 0 && errno != ENOENT)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	saved = ftruncate(fd, LOG_HEADER_SIZE + (off_t)size) == 0 &&
			log_reserve(fd, &reserved) >= 0
		    ? 0
		    : errno;
	if (saved == 0) {
		log = map_size(fd, MAP_SHARED, size);
		saved = errno;
	}
	if (log == NULL) {
		close(fd);
		errno = saved;
		return -1;
	}
	memcpy(log->header->boot, boot, LOG_BOOT_SIZE);
	fill_header(log->header, size, epoch);
	log_close(log);
	return fd;
}

int
log_reserve(int fd, uint64_t *at)
{
	struct stat st;
	uint64_t len;
	int err;

	if (fstat(fd, &st) != 0)
		return -1;
	if (*at >= (uint64_t)st.st_size)
		return 0;
	len = (uint64_t)st.st_size - *at;
	if (len > LOG_PIECE)
		len = LOG_PIECE;
	err = posix_fallocate(fd, (off_t)*at, (off_t)len);
	if (err != 0) {
		errno = err;
		return -1;
	}
	*at += len;
	return 1;
}

/* Whether HEADER can be that of a file of LEN bytes. */
static bool
is_sound(const struct log_header *header, uint64_t len)
{
	return header->magic == LOG_MAGIC && header->version == LOG_VERSION &&
	       header->size % 4096 == 0 && header->size > 0 &&
	       len == LOG_HEADER_SIZE + (uint64_t)header->size &&
	       header->first <= header->end &&
	       header->end - header->first <= header->size;
}

struct log *
log_map(int fd)
{
	struct log_header header;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return NULL;
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    !is_sound(&header, (uint64_t)st.st_size)) {
		errno = EINVAL;
		return NULL;
	}
	return map_size(fd, MAP_SHARED, header.size);
}

struct log *
log_create(const char *path, uint32_t size, uint64_t epoch,
    const uint8_t boot[LOG_BOOT_SIZE])
{
	int fd = log_make(path, size, epoch, boot), saved, more;
	struct log *log = NULL;
	uint64_t reserved = 0;

	if (fd < 0)
		return NULL;
	do
		more = log_reserve(fd, &reserved);
	while (more == 1);
	if (more == 0)
		log = map_size(fd, MAP_SHARED, size);
	saved = errno;
	close(fd);
	errno = saved;
	return log;
}

struct log *
log_private(uint32_t size, uint64_t epoch)
{
	struct log *log = map_size(-1, MAP_PRIVATE | MAP_ANONYMOUS, size);

	if (log != NULL)
		fill_header(log->header, size, epoch);
	return log;
}

void
log_resume(struct log *log, const struct log_pos *pos)
{
	log->end = pos->offset;
	log->seq = pos->seq;
	log->first = log->header->first;
	log->header->next_seq = log->seq;
	__atomic_store_n(&log->header->end, log->end, __ATOMIC_RELEASE);
}

void
log_mark(struct log *log, enum log_closed how)
{
	__atomic_store_n(&log->header->closed, (uint64_t)how, __ATOMIC_RELEASE);
}

void
log_set_guard(
    struct log *log, const uint64_t *keep, bool (*wait)(void *ctx), void *ctx)
{
	log->keep = keep;
	log->wait = wait;
	log->wait_ctx = ctx;
}

struct log_pos
log_end(const struct log *log)
{
	return (struct log_pos){ log->end, log->seq };
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

/* Gives those who still need the oldest entry time to do without. */
static void
ask_to_drop(const struct log *log)
{
	while (log->keep != NULL &&
	       log->first >= __atomic_load_n(log->keep, __ATOMIC_ACQUIRE) &&
	       log->wait(log->wait_ctx))
		;
}

/* Gives up the oldest entries until NEED bytes are free. */
static void
make_room(struct log *log, uint64_t need)
{
	const struct log_entry *entry;
	uint64_t room;

	if (log->end + need - log->first <= log->size)
		return;
	while (log->end + need - log->first > log->size) {
		ask_to_drop(log);
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

/* What the next records are written to was last used a whole log ago: to wait
 * for it now, while others work, is better than when they are written. */
static void
prepare_next(const struct log *log)
{
	uint64_t at = log->end % log->size;
	int i;

	for (i = 1; i <= PREPARE; i++)
		__builtin_prefetch(log->area + at + i * 64, 1);
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
		.outcome = record->outcome,
		.seq = log->seq++,
		.a = record->a,
		.b = record->b,
	};
	if (record->len[0] > 0)
		memcpy(data, record->data[0], record->len[0]);
	if (record->len[1] > 0)
		memcpy(data + record->len[0], record->data[1], record->len[1]);
	entry->sum = entry_sum(entry, data);
	CRASH_POINT();
	log->end += need;
	log->header->next_seq = log->seq;
	CRASH_POINT();
	__atomic_store_n(&log->header->end, log->end, __ATOMIC_RELEASE);
	CRASH_POINT();
	prepare_next(log);
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
	/* FIRST is read behind the entry, as it was written before others */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&header->first, __ATOMIC_RELAXED) <= offset;
}

enum log_read
log_read(const struct log_header *header, struct log_pos *pos,
    struct log_entry *entry_out, void *buf, size_t size)
{
	const char *area = (const char *)header + LOG_HEADER_SIZE;
	uint64_t at, room, end;

	for (;;) {
		end = __atomic_load_n(&header->end, __ATOMIC_ACQUIRE);
		if (pos->offset == end)
			return LOG_READ_NONE;
		if (pos->offset > end)
			return LOG_READ_LOST;
		at = pos->offset % header->size;
		room = header->size - at;
		entry_out->type = RECORD_NONE;
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
