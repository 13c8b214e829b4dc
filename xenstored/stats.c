/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/clock.h"

struct stats {
	struct stats_page *page;
	uint64_t mark;	/* ns */
	uint64_t round; /* when it began, ns; 0: nothing was done yet */
	uint64_t due;	/* s */
};

/* What is in shared memory is read by others meanwhile: whole words only. */
static void
add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static bool
is_page(const struct stats_page *page)
{
	return page->magic == STATS_MAGIC && page->version == STATS_VERSION &&
	       page->size == sizeof(*page);
}

/* Continues what is there, if it is what it should be. */
static void
begin(struct stats_page *page)
{
	if (is_page(page))
		return;
	memset(page, 0, sizeof(*page));
	page->version = STATS_VERSION;
	page->size = sizeof(*page);
	__atomic_store_n(&page->magic, STATS_MAGIC, __ATOMIC_RELEASE);
}

/* The memory of the file PATH, or of none. MAP_FAILED with errno. */
static void *
map(const char *path)
{
	void *memory;
	int fd, saved;

	if (path == NULL)
		return mmap(NULL, sizeof(struct stats_page),
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return MAP_FAILED;
	/* The memory is taken now: to find none later would be a SIGBUS. */
	saved = posix_fallocate(fd, 0, sizeof(struct stats_page));
	memory = MAP_FAILED;
	if (saved == 0) {
		memory = mmap(NULL, sizeof(struct stats_page),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		saved = errno;
	}
	close(fd);
	errno = saved;
	return memory;
}

struct stats *
stats_open(const char *path)
{
	struct stats *stats = calloc(1, sizeof(*stats));
	void *memory;

	if (stats == NULL)
		return NULL;
	memory = map(path);
	if (memory == MAP_FAILED) {
		free(stats);
		return NULL;
	}
	stats->page = memory;
	begin(stats->page);
	return stats;
}

void
stats_close(struct stats *stats)
{
	if (stats == NULL)
		return;
	munmap(stats->page, sizeof(*stats->page));
	free(stats);
}

const struct stats_page *
stats_map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct stats_page *page = NULL;
	struct stat st;
	void *memory;

	if (fd < 0)
		return NULL;
	errno = EINVAL;
	if (fstat(fd, &st) == 0 &&
	    st.st_size >= (off_t)sizeof(struct stats_page)) {
		memory = mmap(NULL, sizeof(struct stats_page), PROT_READ,
		    MAP_SHARED, fd, 0);
		page = memory != MAP_FAILED ? memory : NULL;
	}
	close(fd);
	if (page != NULL && !is_page(page)) {
		stats_unmap(page);
		errno = EINVAL;
		return NULL;
	}
	return page;
}

void
stats_unmap(const struct stats_page *page)
{
	if (page != NULL)
		munmap((void *)(uintptr_t)page, sizeof(*page));
}

struct stats_page *
stats_page(struct stats *stats)
{
	return stats->page;
}

void
stats_serve(struct stats *stats, bool takeover)
{
	__atomic_store_n(
	    &stats->page->pid, (uint64_t)getpid(), __ATOMIC_RELAXED);
	__atomic_store_n(&stats->page->longest_round, 0, __ATOMIC_RELAXED);
	if (takeover)
		add(&stats->page->takeovers, 1);
}

void
stats_mark(struct stats *stats)
{
	stats->mark = mono_ns();
	if (stats->round == 0)
		stats->round = stats->mark;
	add(&stats->page->turns, 1);
}

/* The bucket for NS. */
static unsigned
bucket_of(uint64_t ns)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(ns | 1);
	unsigned i = bits > STATS_SHIFT ? bits - STATS_SHIFT : 0;

	return i < STATS_BUCKETS ? i : STATS_BUCKETS - 1;
}

void
stats_request(struct stats *stats, uint32_t type, enum xs_err err)
{
	uint64_t now = mono_ns(), ns = now - stats->mark;
	struct stats_histogram *h =
	    &stats->page->request[type < STATS_OPS ? type : STATS_OPS - 1];

	stats->mark = now;
	add(&h->bucket[bucket_of(ns)], 1);
	add(&h->ns, ns);
	if (err != XS_OK)
		add(&stats->page->error[(unsigned)err < STATS_ERRORS
					    ? (unsigned)err
					    : STATS_ERRORS - 1],
		    1);
}

uint64_t
stats_round_us(const struct stats *stats)
{
	return stats->round != 0 ? (stats->mark - stats->round) / 1000 : 0;
}

void
stats_round(struct stats *stats, bool more)
{
	struct stats_histogram *h = &stats->page->round;
	uint64_t now, ns;

	if (stats->round == 0 && !more)
		return; /* nothing was done, and nobody knows since when */
	now = mono_ns();
	if (stats->round != 0) {
		ns = now - stats->round;
		add(&h->bucket[bucket_of(ns)], 1);
		add(&h->ns, ns);
		if (ns > stats->page->longest_round)
			__atomic_store_n(
			    &stats->page->longest_round, ns, __ATOMIC_RELAXED);
	}
	stats->round = more ? now : 0;
}

bool
stats_due(struct stats *stats)
{
	uint64_t now = stats->mark / 1000000000;

	if (now == stats->due)
		return false;
	stats->due = now;
	return true;
}

void
stats_standby(struct stats *stats, uint64_t seq)
{
	__atomic_store_n(&stats->page->standby_seq, seq, __ATOMIC_RELAXED);
}
