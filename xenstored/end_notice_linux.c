/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux: the word is a robust futex. A task that exits is marked so first, then
 * the futexes on its list are, then its memory goes, its descriptors, and its
 * parent is told.
 */
#ifdef __linux__
#include "xenstored/end_notice.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	STAT_STATE = 3, /* numbers of the fields in /proc/PID/stat */
	STAT_FLAGS = 9,
	STAT_THREADS = 20,
	STAT_EXIT = 52,
	STAT_FIELDS,
	EXITING = 0x4, /* in the flags: the kernel's PF_EXITING */
	PACE_NS = 1000000,
	STACK_SIZE = 64 * 1024,
};

/* --- who ends --- */

void
end_notice_promise(uint32_t *word)
{
	static struct robust_list_head head;
	static struct robust_list entry;
	const uint32_t mark = (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS;

	entry.next = &head.list;
	head.list.next = &entry;
	head.futex_offset = (long)((uintptr_t)word - (uintptr_t)&entry);
	__atomic_store_n(word, mark, __ATOMIC_RELEASE);
	/* nobody here has the C library's robust mutexes */
	(void)syscall(SYS_set_robust_list, &head, sizeof(head));
}

/* --- who watches --- */

struct watch {
	uint32_t *word;
	int events;
};

static void *
watch(void *arg)
{
	/* a word that is scribbled on costs a thousand looks a second */
	const struct timespec pace = { .tv_nsec = PACE_NS };
	const struct watch w = *(const struct watch *)arg;
	uint32_t value;

	free(arg);
	for (;;) {
		value = __atomic_load_n(w.word, __ATOMIC_ACQUIRE);
		/* taken away, so that the next mark is seen to be one */
		if ((value & FUTEX_OWNER_DIED) != 0 &&
		    __atomic_compare_exchange_n(w.word, &value, 0, false,
			__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			(void)eventfd_write(w.events, 1);
		(void)nanosleep(&pace, NULL);
		value = __atomic_load_n(w.word, __ATOMIC_ACQUIRE);
		if ((value & FUTEX_OWNER_DIED) == 0)
			(void)syscall(SYS_futex, w.word, FUTEX_WAIT, value,
			    NULL, NULL, 0);
	}
	return NULL;
}

/* A thread that no signal disturbs. */
static bool
start(struct watch *w)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;
	int err;

	if (pthread_attr_init(&attr) != 0)
		return false;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, watch, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return err == 0;
}

int
end_notice_watch(int fd, size_t at)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct watch *w = malloc(sizeof(*w));
	char *memory;

	if (w == NULL)
		return -1;
	/* of its own: whoever else maps the file may unmap it */
	memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    (off_t)(at / page * page));
	w->events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (memory != MAP_FAILED && w->events >= 0) {
		w->word = (uint32_t *)(void *)(memory + at % page);
		fd = w->events;
		if (start(w))
			return fd;
	}
	if (memory != MAP_FAILED)
		munmap(memory, page);
	if (w->events >= 0)
		close(w->events);
	free(w);
	return -1;
}

void
end_notice_take(int events)
{
	eventfd_t n;

	(void)eventfd_read(events, &n);
}

/* --- whether it is true --- */

/* The fields of PID's stat, from STAT_STATE on; those that are no number are 0.
 */
static bool
read_stat(pid_t pid, unsigned long long field[STAT_FIELDS])
{
	char text[1024], *at;
	ssize_t n = -1;
	int fd, i;

	snprintf(text, sizeof(text), "/proc/%ld/stat", (long)pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* its name, which it can choose, may have anything in it */
	at = strrchr(text, ')');
	for (i = STAT_STATE; i < STAT_FIELDS && at != NULL; i++) {
		at = strchr(at + 1, ' ');
		if (at != NULL)
			field[i] = strtoull(at, NULL, 10);
	}
	return at != NULL;
}

bool
end_notice_begins(pid_t pid)
{
	unsigned long long field[STAT_FIELDS];

	return read_stat(pid, field) && (field[STAT_FLAGS] & EXITING) != 0;
}

bool
end_notice_confirm(pid_t pid, int *status_out)
{
	unsigned long long field[STAT_FIELDS];

	if (!read_stat(pid, field) || (field[STAT_FLAGS] & EXITING) == 0)
		return false;
	/* It can start no thread any more: now they can be counted. */
	if (!read_stat(pid, field) || field[STAT_THREADS] > 1)
		return false;
	*status_out = (int)field[STAT_EXIT];
	return true;
}
#else
typedef int end_notice_linux_is_empty;
#endif
