/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/end_notice.h"
#include "xenstored/plat.h"

enum { AT = 5000, SOON = 60000, QUIET = 50 };

/* A word that two processes share, who watches it, and who promised. */
struct bed {
	int fd, events, told[2];
	char *memory;
	uint32_t *word;
	pid_t child;
};

static struct bed bed;

static bool
heard(int ms)
{
	struct pollfd p = { .fd = bed.events, .events = POLLIN };

	if (poll(&p, 1, ms) <= 0)
		return false;
	end_notice_take(bed.events);
	return true;
}

/* A process that promises, says so and does WHAT. */
static void
start(void (*what)(void))
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	char byte;

	bed.child = fork();
	assert_true(bed.child >= 0);
	if (bed.child == 0) {
		(void)setrlimit(RLIMIT_CORE, &any);
		plat_no_core();
		end_notice_promise(bed.word);
		if (write(bed.told[1], "x", 1) == 1)
			what();
		_exit(7);
	}
	assert_int_equal(read(bed.told[0], &byte, 1), 1);
}

static void
rest(void)
{
	for (;;)
		pause();
}

static int
set_up(void **unused)
{
	(void)unused;
	bed.fd = memfd_create("word", MFD_CLOEXEC);
	if (bed.fd < 0 || ftruncate(bed.fd, 8192) != 0 || pipe(bed.told) != 0)
		return -1;
	bed.memory =
	    mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, bed.fd, 0);
	bed.word = (uint32_t *)(void *)(bed.memory + AT);
	bed.events = end_notice_watch(bed.fd, AT);
	return bed.memory != MAP_FAILED && bed.events >= 0 ? 0 : -1;
}

static int
tear_down(void **unused)
{
	(void)unused;
	if (bed.child > 0) {
		kill(bed.child, SIGKILL);
		(void)waitpid(bed.child, NULL, 0);
	}
	bed.child = 0;
	close(bed.told[0]);
	close(bed.told[1]);
	close(bed.fd);
	return munmap(bed.memory, 8192);
}

static void
who_is_killed_is_heard_of_and_it_is_true(void **unused)
{
	int status = 0;

	(void)unused;
	start(rest);
	assert_false(end_notice_confirm(bed.child, &status));
	assert_false(heard(QUIET));
	kill(bed.child, SIGKILL);
	assert_true(heard(SOON));
	assert_true(end_notice_confirm(bed.child, &status));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void
break_down(void)
{
	abort();
}

static void
leave(void)
{
	_exit(3);
}

static void
how_it_ends_is_told_before_the_parent_is(void **unused)
{
	int status = 0;

	(void)unused;
	start(break_down);
	assert_true(heard(SOON));
	assert_true(end_notice_confirm(bed.child, &status));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(WCOREDUMP(status));
	(void)waitpid(bed.child, NULL, 0);

	start(leave);
	assert_true(heard(SOON));
	assert_true(end_notice_confirm(bed.child, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

static void
scribble(void)
{
	*bed.word = FUTEX_OWNER_DIED;
	(void)syscall(SYS_futex, bed.word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	rest();
}

static void
a_word_that_somebody_scribbled_on_is_not_believed(void **unused)
{
	int status = -1;

	(void)unused;
	start(scribble);
	assert_true(heard(SOON));
	assert_false(end_notice_confirm(bed.child, &status));
	assert_int_equal(status, -1);
	assert_int_equal(kill(bed.child, 0), 0);
}

static void
scribble_for_ever(void)
{
	for (;;) {
		*bed.word ^= FUTEX_OWNER_DIED;
		(void)syscall(
		    SYS_futex, bed.word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

static long
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
scribbling_costs_a_thousand_looks_a_second_at_most(void **unused)
{
	struct rusage before, after;
	long us, wall_us;
	int n = 0;

	(void)unused;
	start(scribble_for_ever);
	(void)getrusage(RUSAGE_SELF, &before);
	wall_us = now_us();
	usleep(300000);
	wall_us = now_us() - wall_us;
	(void)getrusage(RUSAGE_SELF, &after);
	/* an eventfd counts, and is read whole */
	for (us = now_us(); n < 1000 && heard(0); n++)
		;
	assert_in_range(n, 1, 2 + (now_us() - us) / 1000);
	us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
	     after.ru_utime.tv_usec - before.ru_utime.tv_usec;
	us += (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
	      after.ru_stime.tv_usec - before.ru_stime.tv_usec;
	assert_in_range(us, 0, wall_us / 2);
}

static void *
outlive(void *unused)
{
	(void)unused;
	rest();
	return NULL;
}

static void
leave_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, outlive, NULL) == 0)
		(void)syscall(SYS_exit, 0);
}

static void
whose_thread_goes_on_has_not_ended(void **unused)
{
	int status = -1;

	(void)unused;
	start(leave_a_thread);
	assert_true(heard(SOON));
	assert_false(end_notice_confirm(bed.child, &status));
	kill(bed.child, SIGKILL);
	(void)waitpid(bed.child, NULL, 0);
	bed.child = 0;
}

static void
fork_and_rest(void)
{
	if (fork() == 0)
		_exit(0);
	rest();
}

static void
the_end_of_a_child_of_who_promised_is_not_told(void **unused)
{
	(void)unused;
	start(fork_and_rest);
	assert_false(heard(QUIET));
}

static void
the_next_one_is_heard_of_too(void **unused)
{
	int status = 0, i;

	(void)unused;
	for (i = 0; i < 5; i++) {
		start(rest);
		kill(bed.child, SIGKILL);
		assert_true(heard(SOON));
		assert_true(end_notice_confirm(bed.child, &status));
		(void)waitpid(bed.child, NULL, 0);
	}
	assert_false(end_notice_confirm(bed.child, &status));
	bed.child = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_is_killed_is_heard_of_and_it_is_true),
		T(how_it_ends_is_told_before_the_parent_is),
		T(a_word_that_somebody_scribbled_on_is_not_believed),
		T(scribbling_costs_a_thousand_looks_a_second_at_most),
		T(whose_thread_goes_on_has_not_ended),
		T(the_end_of_a_child_of_who_promised_is_not_told),
		T(the_next_one_is_heard_of_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
