/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xenstored/crash_point.h"
#include "xenstored/flight.h"
#include "xenstored/handover.h"
#include "xenstored/msg.h"
#include "xenstored/options.h"
#include "xenstored/plat.h"
#include "xenstored/sup_core.h"

enum { TRIAL_MS = 5000 };

/* It goes on as the program it is. */
static void
stay(struct sup_exec *e, const char *why)
{
	msg_warnx("the supervisor goes on as the program it is: %s", why);
	e->wanted = e->tried = false;
}

static void
stay_errno(struct sup_exec *e, const char *what)
{
	char why[128];

	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	stay(e, why);
}

/* All that S holds, PROGRAM being its own; what it points to stays S's. */
static struct handover
gather(const struct supervisor *s, int program)
{
	return (struct handover){
		.program = program,
		.words = s->argv,
		.lock = s->lock,
		.listener = s->listener,
		.evtchn = s->gifts.evtchn,
		.store = s->store,
		.primary = s->primary,
		.standby = s->standby,
		.socks = s->socks,
		.retry = s->retry,
		.image_due = s->image_due,
		.child_program = s->update.program,
		.child_words = s->update.argv,
	};
}

/* The words to execute PROGRAM with, for it to do HOW with what is in FD. */
static char **
words_for(char *words[], const char *how, int fd, char option[32])
{
	snprintf(option, 32, "--resume=%s:%d", how, fd);
	return sup_child_words(words, option);
}

/* --- the trial --- */

static _Noreturn void
become_trial(const struct sup_update *u, int fd)
{
	char option[32], **words = words_for(u->argv, "try", fd, option);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (words != NULL && fcntl(fd, F_SETFD, 0) == 0)
		execv(u->program, words);
	_exit(1);
}

static void
try(struct supervisor *s, uint64_t now)
{
	struct handover h = gather(s, -1);
	int fd = handover_write(&h);

	if (fd < 0) {
		stay_errno(&s->exec, "there is no memory for what it holds");
		return;
	}
	s->exec.trial = fork();
	if (s->exec.trial == 0)
		become_trial(&s->update, fd);
	close(fd);
	s->exec.limit = now + TRIAL_MS;
	if (s->exec.trial < 0) {
		s->exec.trial = 0;
		stay_errno(&s->exec, "the new one cannot be tried");
	}
}

void
sup_exec_ended(struct supervisor *s, pid_t pid, bool well, const char *how)
{
	char why[128];

	if (s->exec.trial == 0 || pid != s->exec.trial)
		return;
	s->exec.trial = 0;
	s->exec.tried = well;
	if (well)
		return;
	snprintf(why, sizeof(why), "the new one, tried, %s", how);
	stay(&s->exec, why);
}

int
sup_exec_try(const struct options *options)
{
	char why[HANDOVER_WHY];
	struct handover h;

	if (!options->foreground)
		msg_to_syslog();
	if (!handover_read(options->resume_fd, &h, why))
		fatalx("%s", why);
	if (options->no_domains != (h.evtchn < 0))
		fatalx("what was handed over is not what the options say");
	return 0;
}

/* --- going --- */

void
sup_exec_hold_signals(bool yes)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(yes ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* Whether a signal was caught that nobody has looked at. */
static bool
has_signal(const struct supervisor *s)
{
	struct pollfd p = { .fd = s->signals[0], .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* Becomes the program of the children. Comes back if that fails. */
static void
become_new(struct supervisor *s)
{
	int program = open(plat_own_program(), O_RDONLY | O_CLOEXEC), fd;
	struct handover h = gather(s, program);
	char option[32], **words;

	fd = program >= 0 ? handover_write(&h) : -1;
	words = fd >= 0 ? words_for(s->update.argv, "go", fd, option) : NULL;
	CRASH_POINT();
	if (crash_fault("term"))
		(void)kill(getpid(), SIGTERM);
	if (words != NULL) {
		handover_keep(&h, true);
		(void)fcntl(fd, F_SETFD, 0);
		CRASH_POINT();
		execv(s->update.program, words);
		handover_keep(&h, false);
	}
	stay_errno(&s->exec, s->update.program);
	free(words);
	if (fd >= 0)
		close(fd);
	if (program >= 0)
		close(program);
}

/* The same, unless there is a signal to look at: it would be lost. Those that
 * come from now on are found by the other program. */
static void
go(struct supervisor *s)
{
	sup_exec_hold_signals(true);
	if (!has_signal(s))
		become_new(s);
	sup_exec_hold_signals(false);
}

void
sup_exec_tick(struct supervisor *s, uint64_t now)
{
	struct sup_exec *e = &s->exec;

	if (e->trial != 0 && now >= e->limit) {
		kill(e->trial, SIGKILL); /* and then it ends */
		e->limit = UINT64_MAX;
	}
	/* not in the middle of something */
	if (!e->wanted || e->trial != 0 || s->stopping || !s->primary.serving ||
	    s->update.phase != SUP_UPDATE_NONE)
		return;
	if (!e->tried)
		try(s, now);
	else
		go(s);
}

/* --- in the other program --- */

/* This program cannot go on: the one before does. */
static _Noreturn void
go_back(const struct options *options, const char *why)
{
	char option[32], **words;
	int program = handover_way_back(options->resume_fd, &words);

	msg_warnx("this program cannot go on for the supervisor: %s", why);
	if (options->resume == RESUME_BACK || program < 0)
		fatalx("there is no way back");
	words = words_for(words, "back", options->resume_fd, option);
	CRASH_POINT();
	if (words != NULL)
		fexecve(program, words, environ);
	fatal("the program before cannot be executed");
}

/* Of the maps and files that belong to descriptors. */
static const char *
reopen(struct supervisor *s, const struct handover *h)
{
	if (!handover_is_there(h))
		return "a descriptor is missing";
	if (s->options->no_domains != (h->evtchn < 0))
		return "it is not what the options say";
	if (crash_fault("resume"))
		return "it is told so by a test";
	if (!sup_store_resume(&s->store, &h->store, s->paths->dir))
		return "its log is of no use";
	return NULL;
}

static void
take(struct supervisor *s, struct handover *h)
{
	s->lock = h->lock;
	s->listener = h->listener;
	s->gifts.evtchn = h->evtchn;
	s->gifts.syslog = !s->options->foreground;
	s->primary = h->primary;
	s->standby = h->standby;
	s->socks = h->socks;
	s->retry = h->retry;
	s->image_due = h->image_due;
	s->served = true;
	/* who came back is not what its children are */
	if (s->options->resume == RESUME_BACK) {
		s->update.program = h->child_program;
		s->update.argv = h->child_words;
	} else {
		free(h->child_program);
		free(h->child_words);
	}
	free(h->words);
	if (h->program >= 0)
		close(h->program);
}

void
sup_exec_resume(struct supervisor *s)
{
	char why[HANDOVER_WHY];
	struct handover h;
	const char *wrong;

	plat_name_self();
	if (!s->options->foreground)
		msg_to_syslog();
	if (!handover_read(s->options->resume_fd, &h, why))
		go_back(s->options, why);
	wrong = reopen(s, &h);
	if (wrong != NULL)
		go_back(s->options, wrong);
	crash_role("heir", s->store.flight);
	CRASH_POINT();
	handover_keep(&h, false);
	take(s, &h);
	close(s->options->resume_fd);
	CRASH_POINT();
	sup_exec_hold_signals(false);
	if (s->options->resume == RESUME_BACK)
		msg_warnx("the supervisor goes on as the program it was");
	else
		msg_info("the supervisor is the new program, too");
}
