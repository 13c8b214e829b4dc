/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/flight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/crash_point.h"

static void
set(uint64_t *field, uint64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
	CRASH_POINT();
}

static uint64_t
get(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void
init(struct flight *flight)
{
	flight->version = FLIGHT_VERSION;
	flight->size = sizeof(*flight);
	flight->keep_from = FLIGHT_UNKNOWN;
	set(&flight->magic, FLIGHT_MAGIC);
}

static struct flight *
map(int fd, int flags)
{
	void *memory = mmap(
	    NULL, sizeof(struct flight), PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

int
flight_make(const char *path)
{
	struct flight *flight;
	int fd;

	if (unlink(path) != 0 && errno != ENOENT)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (posix_fallocate(fd, 0, sizeof(*flight)) != 0 ||
	    (flight = map(fd, MAP_SHARED)) == NULL) {
		close(fd);
		return -1;
	}
	init(flight);
	flight_unmap(flight);
	return fd;
}

struct flight *
flight_map(int fd)
{
	struct flight *flight;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return NULL;
	errno = EINVAL;
	if (st.st_size != sizeof(*flight))
		return NULL;
	flight = map(fd, MAP_SHARED);
	if (flight == NULL)
		return NULL;
	if (flight->magic == FLIGHT_MAGIC &&
	    flight->version == FLIGHT_VERSION &&
	    flight->size == sizeof(*flight))
		return flight;
	flight_unmap(flight);
	errno = EINVAL;
	return NULL;
}

struct flight *
flight_private(void)
{
	struct flight *flight = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);

	if (flight != NULL)
		init(flight);
	return flight;
}

void
flight_unmap(struct flight *flight)
{
	if (flight != NULL)
		munmap(flight, sizeof(*flight));
}

void
flight_sleep(struct flight *flight, bool yes)
{
	__atomic_store_n(&flight->sleeps, yes, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool
flight_wake(struct flight *flight)
{
	/* the record must be seen by whoever is not seen to sleep */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (get(&flight->sleeps) == 0)
		return false;
	__atomic_store_n(&flight->sleeps, 0, __ATOMIC_RELEASE);
	return true;
}

void
flight_turn_begin(struct flight *flight, uint64_t conn, uint64_t seq,
    enum flight_source source, uint64_t start)
{
	flight->turn.seq = seq;
	flight->turn.source = source;
	flight->turn.start = start;
	flight->turn.used = flight->turn.total = 0;
	CRASH_POINT();
	set(&flight->turn.conn, conn);
}

void
flight_turn_total(struct flight *flight, uint64_t total)
{
	set(&flight->turn.total, total);
}

void
flight_turn_end(struct flight *flight)
{
	/* It did not crash. */
	if (flight->suspect == flight->turn.conn && flight->turn.total > 0)
		set(&flight->suspect, 0);
	set(&flight->turn.conn, 0);
}

void
flight_out_begin(struct flight *flight, const struct flight_out *out)
{
	struct flight_out copy = *out;

	copy.kind = FLIGHT_NONE;
	flight->out = copy;
	CRASH_POINT();
	__atomic_thread_fence(__ATOMIC_RELEASE);
	set(&flight->out.kind, out->kind);
}

void
flight_out_end(struct flight *flight)
{
	if (flight->out.conn == get(&flight->turn.conn) &&
	    flight->out.upto > flight->turn.used)
		set(&flight->turn.used, flight->out.upto);
	set(&flight->out.kind, FLIGHT_NONE);
}

void
flight_final(struct flight *flight, uint64_t pid, uint64_t final)
{
	if (get(&flight->out.kind) == FLIGHT_NONE || flight->out.pid != pid)
		return;
	flight->out.final = final;
	set(&flight->out.final_of, pid);
}

bool
flight_sent(const struct flight *flight, uint64_t *sent_out)
{
	const struct flight_out *out = &flight->out;

	if (out->at == FLIGHT_UNKNOWN || out->final_of != out->pid ||
	    out->final < out->at || out->final - out->at > out->len)
		return false;
	*sent_out = out->final - out->at;
	return true;
}
