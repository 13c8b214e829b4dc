/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/subscribe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/wire.h"
#include "xenstored/clock.h"
#include "xenstored/snapshot.h"

enum {
	DATA_MAX = 1 << 20, /* of one record */
	SNAPSHOT_POLL_MS = 5,
	PATH_SIZE = 4096,
};

struct subscriber {
	char path[PATH_SIZE];
	const struct log_header *header;
	size_t mapped;
	dev_t dev;
	ino_t ino;
	struct log_pos pos;
	char *data; /* DATA_MAX */
};

static bool __attribute__((format(printf, 2, 3)))
refuse(char *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, SUBSCRIBE_WHY_SIZE, format, ap);
	va_end(ap);
	return false;
}

/* --- the log --- */

static bool
check_header(
    const struct log_header *header, off_t size, const char *path, char *why)
{
	if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != LOG_MAGIC)
		return refuse(why, "%.100s is no commit log", path);
	if (header->version != LOG_VERSION)
		return refuse(why,
		    "%.80s: a commit log of version %u; this program knows %d",
		    path, (unsigned)header->version, LOG_VERSION);
	if (header->size == 0 || header->size % 8 != 0 ||
	    (off_t)header->size + LOG_HEADER_SIZE != size)
		return refuse(why, "%.100s: the file has another size", path);
	return true;
}

static bool
map(struct subscriber *sub, int fd, char *why)
{
	struct stat st;
	void *memory;

	if (fstat(fd, &st) != 0)
		return refuse(why, "%.80s: %s", sub->path, strerror(errno));
	if (st.st_size < LOG_HEADER_SIZE)
		return refuse(why, "%.100s is no commit log", sub->path);
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return refuse(why, "%.80s: %s", sub->path, strerror(errno));
	sub->header = memory;
	sub->mapped = (size_t)st.st_size;
	sub->dev = st.st_dev;
	sub->ino = st.st_ino;
	return check_header(sub->header, st.st_size, sub->path, why);
}

struct subscriber *
subscribe_open(const char *dir, char why[SUBSCRIBE_WHY_SIZE])
{
	struct subscriber *sub = calloc(1, sizeof(*sub));
	bool ok = false;
	int fd;

	if (sub == NULL || (sub->data = malloc(DATA_MAX)) == NULL) {
		refuse(why, "no memory");
		free(sub);
		return NULL;
	}
	snprintf(sub->path, sizeof(sub->path), "%s/log", dir);
	fd = open(sub->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		refuse(why, "%.80s: %s", sub->path, strerror(errno));
	} else {
		ok = map(sub, fd, why);
		close(fd);
	}
	if (!ok) {
		subscribe_close(sub);
		return NULL;
	}
	sub->pos = log_oldest(sub->header);
	return sub;
}

void
subscribe_close(struct subscriber *sub)
{
	if (sub == NULL)
		return;
	if (sub->header != NULL)
		munmap((void *)(uintptr_t)sub->header, sub->mapped);
	free(sub->data);
	free(sub);
}

bool
subscribe_seek(struct subscriber *sub, const struct image_mark *mark)
{
	const struct log_header *header = sub->header;

	if (mark->epoch != header->epoch ||
	    mark->pos.offset <
		__atomic_load_n(&header->first, __ATOMIC_ACQUIRE) ||
	    mark->pos.offset > __atomic_load_n(&header->end, __ATOMIC_ACQUIRE))
		return false;
	sub->pos = mark->pos;
	return true;
}

struct image_mark
subscribe_mark(const struct subscriber *sub)
{
	return (struct image_mark){
		.epoch = sub->header->epoch,
		.pos = sub->pos,
	};
}

const struct log_header *
subscribe_log(const struct subscriber *sub)
{
	return sub->header;
}

uint64_t
subscribe_lag(const struct subscriber *sub)
{
	uint64_t next =
	    __atomic_load_n(&sub->header->next_seq, __ATOMIC_RELAXED);

	return sub->pos.seq <= next ? next - sub->pos.seq : 0;
}

/* Whether there is another file at the path of the log. */
static bool
replaced(const struct subscriber *sub)
{
	struct stat st;

	return stat(sub->path, &st) == 0 &&
	       (st.st_dev != sub->dev || st.st_ino != sub->ino);
}

enum subscribed
subscribe_next(
    struct subscriber *sub, struct log_entry *entry_out, const void **data_out)
{
	*data_out = sub->data;
	switch (
	    log_read(sub->header, &sub->pos, entry_out, sub->data, DATA_MAX)) {
	case LOG_READ_OK:
		return SUBSCRIBE_RECORD;
	case LOG_READ_NONE:
		return replaced(sub) ? SUBSCRIBE_OTHER : SUBSCRIBE_NONE;
	case LOG_READ_LOST:
		break;
	}
	return SUBSCRIBE_LOST;
}

/* --- snapshots --- */

static int
connect_to(const char *dir, char *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *given = getenv("XENSTORED_PATH");
	int fd, n;

	if (given != NULL && given[0] != '\0')
		n = snprintf(
		    address.sun_path, sizeof(address.sun_path), "%s", given);
	else
		n = snprintf(address.sun_path, sizeof(address.sun_path),
		    "%s/socket", dir);
	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		refuse(why, "the socket's path is too long");
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			   sizeof(address)) == 0)
		return fd;
	refuse(why, "%.100s: %s", address.sun_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool
read_all(int fd, void *buf, size_t len)
{
	char *pos = buf;
	ssize_t n;

	while (len > 0) {
		n = read(fd, pos, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		pos += n;
		len -= (size_t)n;
	}
	return true;
}

/* Sends a request of LEN bytes of PAYLOAD and takes the reply's payload as a
 * string; its type, or -1 if there is none. */
static int
call(int fd, uint32_t type, const void *payload, size_t len,
    char answer[WIRE_PAYLOAD_MAX + 1])
{
	struct {
		struct wire_header header;
		char payload[128];
	} m = { .header = { .type = type, .len = (uint32_t)len } };
	struct wire_header *header = &m.header;

	if (len > sizeof(m.payload))
		return -1;
	memcpy(m.payload, payload, len);
	if (send(fd, &m, sizeof(*header) + len, MSG_NOSIGNAL) !=
		(ssize_t)(sizeof(*header) + len) ||
	    !read_all(fd, header, sizeof(*header)) ||
	    header->len > WIRE_PAYLOAD_MAX ||
	    !read_all(fd, answer, header->len))
		return -1;
	answer[header->len] = '\0';
	return (int)header->type;
}

/* CONTROL snapshot NAME; whether the answer is "OK". */
static bool
ask(int fd, const char *name, char *why)
{
	char request[128], answer[WIRE_PAYLOAD_MAX + 1];
	int n = snprintf(request, sizeof(request), "snapshot%c%s", 0, name);
	int type = call(fd, WIRE_CONTROL, request, (size_t)n + 1, answer);

	if (type < 0)
		return refuse(why, "the store daemon does not answer");
	if (type == WIRE_CONTROL && strcmp(answer, "OK") == 0)
		return true;
	return refuse(why, "the store daemon makes no snapshot: %.80s", answer);
}

bool
subscribe_probe(const char *dir, uint64_t *ns_out, char why[SUBSCRIBE_WHY_SIZE])
{
	static const struct timeval second = { 1, 0 };
	char answer[WIRE_PAYLOAD_MAX + 1];
	int fd = connect_to(dir, why), type;
	uint64_t before;

	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	before = mono_ns();
	type = call(fd, WIRE_IS_DOMAIN_INTRODUCED, "0", 2, answer);
	*ns_out = mono_ns() - before;
	close(fd);
	return type >= 0 || refuse(why, "the store daemon does not answer");
}

/* Whether all of the snapshot in FD is there; its end is cut off then. */
static bool
is_whole(int fd)
{
	struct stat st;
	uint64_t end;

	return fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(end) &&
	       pread(fd, &end, sizeof(end), st.st_size - (off_t)sizeof(end)) ==
		   sizeof(end) &&
	       end == SNAPSHOT_END &&
	       ftruncate(fd, st.st_size - (off_t)sizeof(end)) == 0;
}

static int
wait_for(const char *path, int seconds, char *why)
{
	static const struct timespec pause = { 0, SNAPSHOT_POLL_MS * 1000000 };
	int tries = seconds * 1000 / SNAPSHOT_POLL_MS;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0) {
		refuse(why, "%.80s: %s", path, strerror(errno));
		return -1;
	}
	while (!is_whole(fd)) {
		if (tries-- == 0) {
			refuse(why, "%.80s: it does not become whole", path);
			close(fd);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return fd;
}

int
subscribe_snapshot(const char *dir, int seconds, char why[SUBSCRIBE_WHY_SIZE])
{
	char path[PATH_SIZE], name[64];
	int fd = connect_to(dir, why);
	bool ok;

	if (fd < 0)
		return -1;
	snprintf(name, sizeof(name), "snapshot.%ld", (long)getpid());
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path); /* of one who had this number before */
	ok = ask(fd, name, why);
	close(fd);
	if (!ok)
		return -1;
	fd = wait_for(path, seconds, why);
	(void)unlink(path);
	return fd;
}
