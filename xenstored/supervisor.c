/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xenevtchn.h>

#include "xenstored/crash_point.h"
#include "xenstored/daemon.h"
#include "xenstored/files.h"
#include "xenstored/flight.h"
#include "xenstored/listener.h"
#include "xenstored/msg.h"
#include "xenstored/options.h"
#include "xenstored/peers.h"
#include "xenstored/plat.h"
#include "xenstored/sup_accept.h"
#include "xenstored/sup_adopt.h"
#include "xenstored/sup_core.h"
#include "xenstored/sup_hear.h"
#include "xenstored/sup_roles.h"
#include "xenstored/supmsg.h"
#include "xenstored/transport_ring.h"

enum {
	STOP_MS = 5000, /* children have to end */
	TICK_MS = 1000,
	STEP_MS = 20, /* while somebody has to be told something later */
};

static int signal_fd;

/* --- signals --- */

static void
on_signal(int number)
{
	unsigned char byte = (unsigned char)number;
	int saved = errno;

	/* full: there is one to be seen already */
	if (write(signal_fd, &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

static void
catch_signals(struct supervisor *s)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (pipe2(s->signals, O_CLOEXEC | O_NONBLOCK) != 0)
		fatal("cannot make a pipe");
	signal_fd = s->signals[1];
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], &action, NULL) != 0)
			fatal("cannot catch signals");
}

/* --- the loop --- */

static void
stop(struct supervisor *s)
{
	s->stopping = true;
	if (s->primary.pid != 0)
		(void)supmsg_say(s->primary.fd, SUPMSG_STOP, 0);
	if (s->standby.pid != 0)
		(void)supmsg_say(s->standby.fd, SUPMSG_STOP, 0);
}

static void
read_signals(struct supervisor *s)
{
	unsigned char byte;

	while (read(s->signals[0], &byte, 1) == 1) {
		if (byte == SIGTERM || byte == SIGINT)
			stop(s);
		else if (byte == SIGHUP && s->primary.pid != 0)
			(void)supmsg_say(s->primary.fd, SUPMSG_REOPEN, 0);
	}
	sup_roles_reap(s);
}

enum {
	P_SIGNALS,
	P_LISTENER,
	P_PRIMARY,
	P_STANDBY,
	P_FILES,
	P_FILES_TOO,
	P_ENDS,
	P_COUNT
};

/* What CHILD may say and can be told. */
static void
set_child(const struct supervisor *s, const struct sup_child *child,
    struct pollfd *talk, struct pollfd *files)
{
	if (child->pid == 0 || child->broken)
		return;
	talk->fd = child->fd;
	if (sup_child_waits(child, &s->socks, mono_ms()))
		talk->events = POLLIN | POLLOUT;
	if (!child->files_over)
		files->fd = child->files_fd;
}

static void
set_polls(const struct supervisor *s, struct pollfd p[P_COUNT])
{
	int i;

	for (i = 0; i < P_COUNT; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	p[P_SIGNALS].fd = s->signals[0];
	p[P_ENDS].fd = s->ends;
	if (s->full == 0 && !s->stopping && !sup_update_leaves(&s->update))
		p[P_LISTENER].fd = s->listener;
	set_child(s, &s->primary, &p[P_PRIMARY], &p[P_FILES]);
	set_child(s, &s->standby, &p[P_STANDBY], &p[P_FILES_TOO]);
}

/* Hears and tells CHILD what P says it can. */
static void
attend(struct supervisor *s, struct sup_child *child, const struct pollfd *p)
{
	if (child->pid == 0 || p->fd != child->fd)
		return;
	if ((p->revents & ~POLLOUT) != 0) /* or an end, which is heard, too */
		sup_hear(s, child);
	if (child->pid != 0 && (p->revents & POLLOUT) != 0)
		(void)sup_child_pump(child, &s->socks);
}

/* Whoever hangs up, or asks without hearing the answers, is not listened to any
 * more. */
static void
answer_files(
    const struct supervisor *s, struct sup_child *child, const struct pollfd *p)
{
	if (p->revents != 0 && child->pid != 0 && p->fd == child->files_fd &&
	    !files_answer(s->rules, child->files_fd))
		child->files_over = true;
}

static void
turn(struct supervisor *s, int ms)
{
	struct pollfd p[P_COUNT];

	set_polls(s, p);
	if (poll(p, P_COUNT, ms) < 0) {
		if (errno != EINTR)
			fatal("cannot wait");
		return;
	}
	/* what children said before they died comes first */
	attend(s, &s->primary, &p[P_PRIMARY]);
	attend(s, &s->standby, &p[P_STANDBY]);
	answer_files(s, &s->primary, &p[P_FILES]);
	answer_files(s, &s->standby, &p[P_FILES_TOO]);
	if ((p[P_ENDS].revents & POLLIN) != 0)
		sup_roles_hear_of_end(s);
	if ((p[P_SIGNALS].revents & POLLIN) != 0)
		read_signals(s);
	if ((p[P_LISTENER].revents & POLLIN) != 0)
		sup_accept(s);
}

/* Children that have ended by themselves are waited for, others killed. */
static void
end_children(struct supervisor *s)
{
	uint64_t limit = mono_ms() + STOP_MS;

	while (s->primary.pid != 0 || s->standby.pid != 0) {
		if (mono_ms() > limit) {
			if (s->primary.pid != 0)
				kill(s->primary.pid, SIGKILL);
			if (s->standby.pid != 0)
				kill(s->standby.pid, SIGKILL);
		}
		turn(s, 100);
		sup_roles_reap(s);
	}
}

/* For how long nothing has to be done unless something happens, ms; -1: ever.
 */
static int
idle_time(const struct supervisor *s)
{
	uint64_t now = mono_ms();

	if (now < s->settled)
		return (int)(s->settled - now);
	if (s->served && !s->reserved)
		return 0;
	if (s->served && s->standby.pid == 0 && now < s->retry)
		return (int)(s->retry - now);
	if (s->primary.later > now || s->standby.later > now)
		return STEP_MS;
	if (s->primary.pid != 0 && s->standby.pid != 0 && s->standby.loading &&
	    s->full == 0 && s->update.phase == SUP_UPDATE_NONE &&
	    s->update.checker == 0 && !s->exec.wanted)
		return -1;
	return sup_update_wait(&s->update, TICK_MS);
}

/* --- life --- */

static void
open_world(struct supervisor *s)
{
	uint8_t boot[LOG_BOOT_SIZE];

	s->gifts.evtchn = -1;
	plat_boot_id(boot);
	if (!s->options->no_domains) {
		if (!s->options->live_update) {
			s->evtchn = rings_open_events();
			s->gifts.evtchn = xenevtchn_device_fd(s->evtchn);
		}
		rings_boot_id(boot);
	}
	memcpy(s->store.boot, boot, sizeof(boot));
}

/* Goes on with what another daemon had. */
static void
adopt(struct supervisor *s)
{
	const bool domains = !s->options->no_domains;
	struct sup_adopted adopted;

	sup_store_open(&s->store, s->paths->dir, s->config, true);
	sup_adopt(
	    &s->store, &s->socks, s->paths->dir, s->config, domains, &adopted);
	s->store.flight->last_sock = s->socks.last_id;
	s->listener = listener_again(s->paths->socket, adopted.listener);
	if (domains) {
		s->evtchn = xenevtchn_fdopen(NULL, adopted.evtchn, 0);
		if (s->evtchn == NULL)
			fatal(
			    "the other daemon's event channels are of no use");
		s->gifts.evtchn = xenevtchn_device_fd(s->evtchn);
		(void)fcntl(s->gifts.evtchn, F_SETFD, FD_CLOEXEC);
		(void)fcntl(xenevtchn_fd(s->evtchn), F_SETFD, FD_CLOEXEC);
	}
	s->adopted = true;
}

/* Without it names are missing in the history, and nothing else. */
static void
make_peers(struct supervisor *s)
{
	char path[512];

	if (snprintf(path, sizeof(path), "%s/peers", s->paths->dir) <
	    (int)sizeof(path))
		s->peers = s->options->resume != RESUME_NONE ? peers_again(path)
							     : peers_make(path);
	if (s->peers == NULL)
		msg_warn("cannot make %s/peers", s->paths->dir);
}

/* A start that cannot be found again is refused. A store that is there goes on:
 * the words can be new ones. */
static void
tell_pid(const struct supervisor *s)
{
	const struct options *o = s->options;

	if (o->pid_file == NULL || daemon_pid_file(o->pid_file))
		return;
	if (o->resume == RESUME_NONE && !o->live_update)
		fatal("cannot write the pid file %s", o->pid_file);
	msg_warn("cannot write the pid file %s", o->pid_file);
}

/* Goes on where this process, as another program, was. */
static void
resume(struct supervisor *s)
{
	catch_signals(s);
	sup_exec_resume(s);
	make_peers(s);
	tell_pid(s);
	on_signal(SIGCHLD); /* that one may have missed it */
}

static void
begin(struct supervisor *s)
{
	catch_signals(s);
	if (!s->options->live_update)
		s->listener = listener_open(s->paths->socket);
	open_world(s);
	if (s->options->live_update)
		adopt(s);
	else
		sup_store_open(
		    &s->store, s->paths->dir, s->config, s->options->fresh);
	crash_role("supervisor", s->store.flight);
	s->socks.last_id = s->store.flight->last_sock;
	tell_pid(s);
	sup_roles_promote(s);
	make_peers(s);
	on_signal(SIGCHLD); /* the first child may have died before */
}

/*
 * Whoever uses a ring cannot begin anew with an empty store: while there is a
 * hypervisor the next daemon goes on.
 */
static enum log_closed
how_it_ends(const struct supervisor *s)
{
	/* what was found and not served yet is for the next one, too */
	if (s->status != 0 || (s->store.recovered && !s->served))
		return LOG_OPEN;
	return s->options->no_domains ? LOG_CLOSED : LOG_RESTS;
}

static void
end(struct supervisor *s)
{
	end_children(s);
	close(s->listener);
	(void)unlink(s->paths->socket);
	if (s->options->pid_file != NULL)
		(void)unlink(s->options->pid_file);
	sup_store_end(&s->store, how_it_ends(s));
	sup_socks_end(&s->socks);
	peers_unmap(s->peers);
	if (s->evtchn != NULL)
		xenevtchn_close(s->evtchn);
	else if (s->gifts.evtchn >= 0)
		close(s->gifts.evtchn);
	close(s->signals[0]);
	close(s->signals[1]);
}

/* What could not be done when it was due: for want of memory, mostly. */
static void
catch_up(struct supervisor *s)
{
	if (s->primary.pid == 0 && !s->stopping)
		sup_roles_promote(s);
	sup_roles_start_standby(s);
	if (s->standby.pid != 0 && !s->standby.loading)
		(void)sup_roles_feed(s, &s->standby);
	if (s->served)
		sup_roles_watch_ends(s);
}

int
supervisor_run(const struct options *options,
    const struct server_config *config, const struct supervisor_paths *paths,
    struct files_rules *rules, char *argv[], struct sup_first *first)
{
	static struct supervisor s;

	s.options = options;
	s.config = config;
	s.paths = paths;
	s.lock = paths->lock;
	s.rules = rules;
	s.argv = argv;
	s.first = first;
	s.ends = -1;
	sup_update_init(&s.update);
	if (options->resume != RESUME_NONE)
		resume(&s);
	else
		begin(&s);
	while (!s.stopping) {
		turn(&s, idle_time(&s));
		if (s.full != 0 && mono_ms() >= s.full)
			s.full = 0;
		if (s.served && !s.reserved && mono_ms() >= s.settled)
			s.reserved = !sup_store_reserve(&s.store);
		if (sup_update_tick(&s.update, &s.primary, &s.socks, s.listener,
			s.gifts.evtchn, mono_ms()))
			sup_roles_drop_standby(&s);
		catch_up(&s);
		sup_exec_tick(&s, mono_ms());
	}
	end(&s);
	return s.status;
}
