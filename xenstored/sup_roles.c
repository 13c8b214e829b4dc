/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_roles.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xenstored/crash_point.h"
#include "xenstored/end_notice.h"
#include "xenstored/flight.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/sup_hear.h"
#include "xenstored/supmsg.h"
#include "xenstored/takeover.h"
#include "xenstored/worker.h"

enum {
	RESPAWN_MS = 200,  /* between two standbys that ended at once */
	RESPAWNS = 3,	   /* in vain, behind which it is twice as long ... */
	RESPAWN_TWICE = 5, /* and so on, so often */
	LONG_MS = 10000,   /* who stood by for so long came to something */
	IMAGE_MS = 30000,  /* for an image that was asked for */
	FAILURES = 10,	   /* to serve, in a row */
	RUMOURS = 8, /* of its end that were not true are heard of a primary */
};

void
sup_roles_tell(struct supervisor *s)
{
	struct flight *flight = s->store.flight;

	flight->supervisor_pid = (uint64_t)getpid();
	flight->standby_pid = s->standby.ready ? (uint64_t)s->standby.pid : 0;
	sup_store_status(&s->store, s->primary.serving ? s->primary.pid : 0,
	    s->standby.ready ? s->standby.pid : 0);
}

bool
sup_roles_feed(struct supervisor *s, struct sup_child *child)
{
	switch (sup_store_source(&s->store, s->primary.serving)) {
	case SUP_SOURCE_START:
		return sup_child_load(child, -1);
	case SUP_SOURCE_IMAGE:
		return sup_child_load(child, sup_store_image(&s->store));
	case SUP_SOURCE_PRIMARY:
		if (mono_ms() >= s->image_due &&
		    supmsg_say(s->primary.fd, SUPMSG_IMAGE, 0))
			s->image_due = mono_ms() + IMAGE_MS;
		return false;
	case SUP_SOURCE_NONE:
		break;
	}
	fatalx("the store is lost: the log does not reach back to an image");
}

/* The first one waits already. */
static bool
start_child(struct supervisor *s, struct sup_child *child)
{
	s->gifts.log = s->store.log_fd;
	s->gifts.flight = s->store.flight_fd;
	if (s->first->child.pid == 0)
		return sup_child_start(child, &s->gifts,
		    sup_update_program(&s->update),
		    sup_update_words(&s->update, s->argv));
	sup_child_give(s->first, &s->gifts);
	*child = s->first->child;
	s->first->child.pid = 0;
	return true;
}

/* Not while another one takes over: it would take the time from that. */
void
sup_roles_start_standby(struct supervisor *s)
{
	if (s->stopping || s->standby.pid != 0 || mono_ms() < s->retry)
		return;
	if (s->served && s->primary.pid != 0 && !s->primary.serving)
		return;
	s->retry = mono_ms() + RESPAWN_MS;
	if (!start_child(s, &s->standby))
		return;
	sup_update_started(&s->update);
	s->standby.born = mono_ms();
	(void)sup_roles_feed(s, &s->standby);
	(void)sup_child_pump(&s->standby, &s->socks);
}

void
sup_roles_drop_standby(struct supervisor *s)
{
	s->retry = 0;
	if (s->standby.pid == 0)
		return;
	if (s->standby.ready)
		s->lost = 0;
	sup_child_kill(&s->standby);
	(void)waitpid(s->standby.pid, NULL, 0);
	sup_child_forget(&s->standby);
}

void
sup_roles_promote(struct supervisor *s)
{
	if (s->standby.pid == 0) {
		s->retry = 0;
		sup_roles_start_standby(s);
	}
	s->rumours = 0;
	s->primary = s->standby;
	memset(&s->standby, 0, sizeof(s->standby));
	if (s->primary.pid == 0)
		return;
	/* it waited for an image of one that is dead */
	if (!s->primary.loading)
		(void)sup_roles_feed(s, &s->primary);
	s->primary.promote = true;
	s->primary.rebind = !s->served && !s->adopted;
	s->primary.updated = sup_update_is_new(&s->update);
	(void)sup_child_pump(&s->primary, &s->socks);
}

/* How INFO's process ended, in words. */
static void
describe(const siginfo_t *info, char *buf, size_t size)
{
	if (info->si_code == CLD_EXITED)
		snprintf(buf, size, "ended with status %d", info->si_status);
	else
		snprintf(buf, size, "was killed by signal %d", info->si_status);
}

/* Whether it broke down by itself. */
static bool
is_crash(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return info->si_status != 0;
	return info->si_status != SIGKILL && info->si_status != SIGTERM;
}

/* Whether a signal was caught, or is held back, that says to end and that
 * nobody has looked at; what the others are about is looked at anyway. */
static bool
is_told_to_end(const struct supervisor *s)
{
	unsigned char byte;
	bool told = false;
	sigset_t held;

	while (read(s->signals[0], &byte, 1) == 1)
		told = told || byte == SIGTERM || byte == SIGINT;
	if (sigpending(&held) == 0)
		told = told || sigismember(&held, SIGTERM) == 1 ||
		       sigismember(&held, SIGINT) == 1;
	return told;
}

/*
 * Hands all over to a daemon of another kind. Comes back if that fails, or this
 * one is told to end: that one would not know.
 */
static void
become_another(struct supervisor *s)
{
	struct sup_leave leave = {
		.dir = s->paths->dir,
		.socket = s->paths->socket,
		.socks = &s->socks,
		.listener = s->listener,
		.evtchn = s->gifts.evtchn,
		.lock = s->lock,
	};

	sup_exec_hold_signals(true);
	if (crash_fault("leave"))
		(void)kill(getpid(), SIGTERM);
	if (is_told_to_end(s)) {
		s->stopping = true;
	} else {
		sup_store_hand_over(&s->store, true);
		sup_update_leave(&s->update, &leave, s->argv);
		sup_store_hand_over(&s->store, false);
	}
	sup_exec_hold_signals(false);
}

/*
 * Nobody can serve, as the last one ended like INFO. What was found stays as it
 * is for another start: to begin with an empty store would take from guests
 * that run what they depend on, and from people what they could find out.
 */
static void
give_up(struct supervisor *s, const siginfo_t *info)
{
	bool ended = info->si_code == CLD_EXITED;

	s->stopping = true;
	s->status = 1;
	if (s->failures == FAILURES)
		msg_warnx("%s, as %u before it did: nobody can serve", s->death,
		    s->failures - 1);
	if (s->served || !s->store.recovered)
		return; /* it has said why */
	if (ended && info->si_status == WORKER_NOT_KNOWN)
		sup_store_say_refused(
		    &s->store, "a later program was here before");
	else if (ended && info->si_status == 0)
		sup_store_say_refused(&s->store,
		    "what the daemon before left cannot be followed");
	else if (!ended)
		sup_store_say_refused(&s->store,
		    "whoever goes on where the daemon before was crashes");
}

/* Whether whoever breaks with a process ends it so. */
static bool
was_killed(const siginfo_t *info)
{
	return info->si_code != CLD_EXITED && info->si_status == SIGKILL;
}

/* INFO says how it did; EARLY: it is no zombie yet. */
static void
primary_died(struct supervisor *s, const siginfo_t *info, bool early)
{
	struct sup_child *p = &s->primary;
	uint64_t written;
	char how[96];

	sup_child_ended(p, was_killed(info));
	sup_hear_last(s, p);
	if (plat_written(p->written_fd, &written))
		flight_final(s->store.flight, (uint64_t)p->pid, written);
	describe(info, how, sizeof(how));
	if (s->died == 0)
		s->died = mono_us();
	snprintf(s->death, sizeof(s->death),
	    "the primary (pid %ld) %s (noticed by %s)", (long)p->pid, how,
	    early ? "its futex" : "SIGCHLD");
	CRASH_POINT();
	sup_child_kill(p);
	if (is_crash(info))
		takeover_blame(s->store.flight);
	CRASH_POINT();
	sup_child_forget(p);
	s->image_due = 0;
	if (s->stopping)
		return;
	if (sup_update_primary_died(&s->update, how))
		sup_roles_drop_standby(s);
	if (s->update.phase == SUP_UPDATE_LEAVING) {
		(void)waitpid(info->si_pid, NULL, 0);
		sup_roles_drop_standby(s);
		become_another(s);
		if (s->stopping)
			return;
	}
	s->failures++;
	if (s->failures == FAILURES ||
	    (!s->served && info->si_code == CLD_EXITED)) {
		give_up(s, info);
		return;
	}
	s->store.flight->takeovers++;
	sup_roles_promote(s);
}

/* When the next standby starts: at once, but for those that come to nothing,
 * as each of them costs the primary time. */
static void
plan_standby(struct supervisor *s)
{
	uint64_t now = mono_ms(), lived = now - s->standby.born;

	if (lived > LONG_MS || (s->standby.ready && !s->standby.gave_up))
		s->lost = 0;
	else if (s->lost < RESPAWNS + RESPAWN_TWICE)
		s->lost++;
	if (s->lost > RESPAWNS)
		s->retry = now + (RESPAWN_MS << (s->lost - RESPAWNS));
	else if (lived > RESPAWN_MS)
		s->retry = 0;
}

static void
standby_died(struct supervisor *s, const siginfo_t *info)
{
	char how[96];

	sup_child_ended(&s->standby, was_killed(info));
	sup_hear_last(s, &s->standby);
	describe(info, how, sizeof(how));
	/* a crash in what it began with would go on for ever */
	if (!s->standby.ready && is_crash(info))
		sup_store_distrust(&s->store, false);
	sup_update_standby_died(&s->update, &s->primary, how);
	if (!s->stopping)
		msg_warnx("the standby (pid %ld) %s; another one starts",
		    (long)s->standby.pid, how);
	plan_standby(s);
	sup_child_kill(&s->standby);
	sup_child_forget(&s->standby);
}

/* A process that neither serves nor stands by. */
static void
helper_died(struct supervisor *s, const siginfo_t *info)
{
	int status = info->si_code == CLD_EXITED ? info->si_status : -1;
	bool well = status == 0;
	char how[96];

	describe(info, how, sizeof(how));
	if (sup_update_examined(&s->update, &s->primary, info->si_pid, status,
		s->argv, mono_ms()))
		sup_roles_drop_standby(s);
	sup_store_writer_ended(&s->store, info->si_pid, well);
	sup_exec_ended(s, info->si_pid, well, how);
}

void
sup_roles_reap(struct supervisor *s)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid == 0)
			break;
		/* what it wrote can be asked for while it is a zombie */
		if (info.si_pid == s->primary.pid)
			primary_died(s, &info, false);
		else if (info.si_pid == s->standby.pid)
			standby_died(s, &info);
		else
			helper_died(s, &info);
		if (s->store.flight->leaving_pid == (uint64_t)info.si_pid)
			s->store.flight->leaving_pid = 0;
		(void)waitpid(info.si_pid, NULL, 0);
	}
	sup_roles_start_standby(s);
	sup_roles_tell(s);
}

/*
 * Somebody says that the primary is ending. If that is true it is succeeded
 * while the kernel takes down what it was, and waited for later, like others
 * that nobody knows; one at a time, so that the next supervisor knows whom to
 * wait for. What is missed here SIGCHLD tells.
 */
void
sup_roles_hear_of_end(struct supervisor *s)
{
	uint64_t *leaving = &s->store.flight->leaving_pid;
	siginfo_t info = { .si_pid = s->primary.pid };
	int status;

	end_notice_take(s->ends);
	if (s->primary.pid == 0 || !s->served || s->stopping || *leaving != 0 ||
	    s->rumours >= RUMOURS || sup_update_leaves(&s->update))
		return;
	if (!end_notice_confirm(s->primary.pid, &status)) {
		s->rumours++;
		return;
	}
	/* 0 is also what those are told who may not know; a crash has to be
	 * known as one */
	if (status == 0 && !sup_update_is_new(&s->update))
		return;
	info.si_code = WIFSIGNALED(status) ? CLD_KILLED : CLD_EXITED;
	info.si_status =
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	*leaving = (uint64_t)s->primary.pid;
	CRASH_POINT();
	primary_died(s, &info, true);
	sup_roles_tell(s);
}

/* Once nothing is replaced any more that it would watch. */
void
sup_roles_watch_ends(struct supervisor *s)
{
	if (!s->watches)
		s->ends = end_notice_watch(
		    s->store.flight_fd, offsetof(struct flight, end_notice));
	s->watches = true;
}
