/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/clock.h"
#include "xenstored/plat.h"
#include "xenstored/sup_child.h"
#include "xenstored/sup_update.h"
#include "xenstored/supmsg.h"

enum { TOO_LONG = 30, SECOND = 1000 };

/* A process that does nothing, and ends with this one. */
static pid_t
start_idle(void)
{
	pid_t self = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		plat_die_with(self);
		(void)setpgid(0, 0);
		for (;;)
			pause();
	}
	(void)setpgid(pid, pid);
	return pid;
}

/* What is said of the end of CHILD goes to TEXT. */
static void
listen_to(const struct sup_child *child, bool killed, char text[256])
{
	int old = dup(2), ends[2];
	ssize_t n;

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_int_equal(dup2(ends[1], 2), 2);
	sup_child_ended(child, killed);
	assert_int_equal(dup2(old, 2), 2);
	n = read(ends[0], text, 255);
	text[n > 0 ? n : 0] = '\0';
	close(old);
	close(ends[0]);
	close(ends[1]);
}

static void
who_is_broken_with_is_killed_and_why_is_said_if_that_ended_it(void **unused)
{
	struct sup_child child = { .pid = start_idle(), .fd = -1 };
	char text[256];
	int status;

	(void)unused;
	listen_to(&child, true, text);
	assert_string_equal(text, ""); /* somebody else killed it */
	sup_child_break(&child, "does what it must not");
	sup_child_break(&child, "does more of it");
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	listen_to(&child, false, text); /* it ended in another way first */
	assert_string_equal(text, "");
	listen_to(&child, true, text);
	assert_non_null(strstr(text, "does what it must not: it was ended"));
}

/* As somebody who has taken it over would: one a second. */
static void
ask_for_a_look(
    struct sup_update *u, const struct sup_child *primary, uint64_t now)
{
	static char *argv[] = { (char *)(uintptr_t) "xenstored", NULL };
	struct supmsg msg = { .type = SUPMSG_UPDATE_CHECK };
	int answer[2], fds[2];

	assert_int_equal(pipe(answer), 0);
	fds[0] = plat_memory_file("request");
	fds[1] = answer[1];
	assert_true(fds[0] >= 0);
	assert_true(sup_update_hear(u, primary, &msg, fds, 2, argv, now));
	close(fds[0]);
	close(answer[0]);
	close(answer[1]);
}

static void
a_primary_that_has_to_end_cannot_put_that_off(void **unused)
{
	struct sup_child primary = { .pid = start_idle() };
	struct supmsg sound = { .type = SUPMSG_AUDITED, .a = 1 };
	const struct sup_socks none = { .n = 0 };
	struct sup_update u;
	uint64_t now = mono_ms(), i;
	int pair[2], status;

	(void)unused;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	primary.fd = pair[0];
	sup_update_init(&u);
	u.phase = SUP_UPDATE_AUDIT;
	sup_update_audited(&u, &primary, &sound);
	assert_int_equal(u.phase, SUP_UPDATE_STEP);
	assert_false(sup_update_tick(&u, &primary, &none, -1, -1, now));
	assert_int_equal(waitpid(primary.pid, &status, WNOHANG), 0);
	for (i = 1; i <= 5; i++) {
		ask_for_a_look(&u, &primary, now + i * SECOND);
		(void)sup_update_tick(
		    &u, &primary, &none, -1, -1, now + i * SECOND + 1);
	}
	assert_int_equal(waitpid(primary.pid, &status, 0), primary.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (wait(NULL) > 0)
		;
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_is_broken_with_is_killed_and_why_is_said_if_that_ended_it),
		cmocka_unit_test(a_primary_that_has_to_end_cannot_put_that_off),
	};

	(void)alarm(TOO_LONG); /* instead of waiting for ever */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
