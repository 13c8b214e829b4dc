/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenevtchn.h>

#include "xenstored/crash_point.h"
#include "xenstored/daemon.h"
#include "xenstored/end_notice.h"
#include "xenstored/files.h"
#include "xenstored/flight.h"
#include "xenstored/listener.h"
#include "xenstored/msg.h"
#include "xenstored/options.h"
#include "xenstored/peers.h"
#include "xenstored/plat.h"
#include "xenstored/priv.h"
#include "xenstored/sup_adopt.h"
#include "xenstored/sup_core.h"
#include "xenstored/supmsg.h"
#include "xenstored/takeover.h"
#include "xenstored/transport_ring.h"
#include "xenstored/worker.h"

enum {
	ACCEPT_BATCH = 64,
	STOP_MS = 5000,	   /* children have to end */
	RESPAWN_MS = 200,  /* between two standbys that ended at once */
	RESPAWNS = 3,	   /* in vain, behind which it is twice as long ... */
	RESPAWN_TWICE = 5, /* and so on, so often */
	LONG_MS = 10000,   /* who stood by for so long came to something */
	TICK_MS = 1000,
	SETTLE_MS = 20,	       /* before anything else, the first answers */
	IMAGE_MS = 30000,      /* for an image that was asked for */
	IMAGE_AGAIN_MS = 1000, /* after one that could not be made */
	FAILURES = 10,	       /* to serve, in a row */
	SPARE_FILES = 48,      /* descriptors that are not for clients */
	RUMOURS = 8, /* of its end that were not true are heard of a primary */
};

static int signal_fd;

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

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

/* --- children --- */

/* Who serves and who stands by, for people and scripts. */
static void
tell_status(struct supervisor *s)
{
	struct flight *flight = s->store.flight;

	flight->supervisor_pid = (uint64_t)getpid();
	flight->standby_pid = s->standby.ready ? (uint64_t)s->standby.pid : 0;
	sup_store_status(&s->store, s->primary.serving ? s->primary.pid : 0,
	    s->standby.ready ? s->standby.pid : 0);
}

/* CHILD gets what it is to begin with. False: there is nothing yet. */
static bool
feed(struct supervisor *s, struct sup_child *child)
{
	switch (sup_store_source(&s->store, s->primary.serving)) {
	case SUP_SOURCE_START:
		return sup_child_load(child, -1);
	case SUP_SOURCE_IMAGE:
		return sup_child_load(child, sup_store_image(&s->store));
	case SUP_SOURCE_PRIMARY:
		if (now_us() / 1000 >= s->image_due &&
		    supmsg_say(s->primary.fd, SUPMSG_IMAGE, 0))
			s->image_due = now_us() / 1000 + IMAGE_MS;
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
static void
start_standby(struct supervisor *s)
{
	if (s->stopping || s->standby.pid != 0 || now_us() / 1000 < s->retry)
		return;
	if (s->served && s->primary.pid != 0 && !s->primary.serving)
		return;
	s->retry = now_us() / 1000 + RESPAWN_MS;
	if (!start_child(s, &s->standby))
		return;
	sup_update_started(&s->update);
	s->standby.born = now_us() / 1000;
	(void)feed(s, &s->standby);
	(void)sup_child_pump(&s->standby, &s->socks);
}

/* The standby is not wanted, and another one is. */
static void
drop_standby(struct supervisor *s)
{
	s->retry = 0;
	if (s->standby.pid == 0)
		return;
	if (s->standby.ready)
		s->lost = 0;
	kill(s->standby.pid, SIGKILL);
	(void)waitpid(s->standby.pid, NULL, 0);
	sup_child_forget(&s->standby);
}

/* The standby is to serve. */
static void
promote(struct supervisor *s)
{
	if (s->standby.pid == 0) {
		s->retry = 0;
		start_standby(s);
	}
	s->rumours = 0;
	s->primary = s->standby;
	memset(&s->standby, 0, sizeof(s->standby));
	if (s->primary.pid == 0)
		return;
	/* it waited for an image of one that is dead */
	if (!s->primary.loading)
		(void)feed(s, &s->primary);
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

/* Hands all over to a daemon of another kind. Comes back if that fails. */
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

	sup_store_hand_over(&s->store, true);
	sup_update_leave(&s->update, &leave, s->argv);
	sup_store_hand_over(&s->store, false);
}

static void hear_all(struct supervisor *s, struct sup_child *child);

/* INFO says how it did; EARLY: it is no zombie yet. */
static void
primary_died(struct supervisor *s, const siginfo_t *info, bool early)
{
	struct sup_child *p = &s->primary;
	uint64_t written;
	char how[96];

	hear_all(s, p); /* what it said last */
	if (plat_written(p->written_fd, &written))
		flight_final(s->store.flight, (uint64_t)p->pid, written);
	describe(info, how, sizeof(how));
	if (s->died == 0)
		s->died = now_us();
	snprintf(s->death, sizeof(s->death),
	    "the primary (pid %ld) %s (noticed by %s)", (long)p->pid, how,
	    early ? "its futex" : "SIGCHLD");
	CRASH_POINT();
	if (is_crash(info))
		takeover_blame(s->store.flight);
	CRASH_POINT();
	sup_child_forget(p);
	s->image_due = 0;
	if (s->stopping)
		return;
	if (sup_update_primary_died(&s->update, how))
		drop_standby(s);
	if (s->update.phase == SUP_UPDATE_LEAVING) {
		(void)waitpid(info->si_pid, NULL, 0);
		drop_standby(s);
		become_another(s);
	}
	s->failures++;
	if (!s->served && s->store.recovered && info->si_code == CLD_EXITED &&
	    info->si_status == WORKER_NOT_KNOWN) {
		msg_warnx("a later program was here before, and nothing was "
			  "changed in %s: start that, or this one with "
			  "--fresh, which begins with an empty store",
		    s->paths->dir);
		s->stopping = true;
		s->status = 1;
		return;
	}
	/* status 0: it could not follow; another one: it could not start */
	if (!s->served && s->store.recovered &&
	    ((info->si_code == CLD_EXITED && info->si_status == 0) ||
		s->failures == FAILURES)) {
		msg_warnx("cannot go on where the daemon before was: begins "
			  "with an empty store");
		sup_store_begin(&s->store, s->config);
		s->failures = 0;
	} else if ((!s->served && info->si_code == CLD_EXITED) ||
		   s->failures == FAILURES) {
		/* it has said why */
		s->stopping = true;
		s->status = 1;
		return;
	}
	s->store.flight->takeovers++;
	promote(s);
}

/* When the next standby starts: at once, but for those that come to nothing,
 * as each of them costs the primary time. */
static void
plan_standby(struct supervisor *s)
{
	uint64_t now = now_us() / 1000, lived = now - s->standby.born;

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

	hear_all(s, &s->standby);
	describe(info, how, sizeof(how));
	sup_update_standby_died(&s->update, &s->primary, how);
	if (!s->stopping)
		msg_warnx("the standby (pid %ld) %s; another one starts",
		    (long)s->standby.pid, how);
	plan_standby(s);
	sup_child_forget(&s->standby);
}

/* A process that neither serves nor stands by. */
static void
helper_died(struct supervisor *s, const siginfo_t *info)
{
	bool well = info->si_code == CLD_EXITED && info->si_status == 0;
	char how[96];

	describe(info, how, sizeof(how));
	sup_store_writer_ended(&s->store, info->si_pid, well);
	sup_exec_ended(s, info->si_pid, well, how);
}

static void
reap(struct supervisor *s)
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
	start_standby(s);
	tell_status(s);
}

/*
 * Somebody says that the primary is ending. If that is true it is succeeded
 * while the kernel takes down what it was, and waited for later, like others
 * that nobody knows; one at a time, so that the next supervisor knows whom to
 * wait for. What is missed here SIGCHLD tells.
 */
static void
hear_of_end(struct supervisor *s)
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
	tell_status(s);
}

/* Once nothing is replaced any more that it would watch. */
static void
watch_ends(struct supervisor *s)
{
	if (!s->watches)
		s->ends = end_notice_watch(
		    s->store.flight_fd, offsetof(struct flight, end_notice));
	s->watches = true;
}

/* --- what children say --- */

static void
now_serving(struct supervisor *s, const struct supmsg *msg)
{
	s->primary.serving = true;
	s->failures = 0;
	if (!s->served)
		daemon_ready(s->options->ready_fd);
	else
		msg_warnx("%s; the standby (pid %ld) took over in %.1f ms, at "
			  "record %llu",
		    s->death, (long)s->primary.pid,
		    (double)(now_us() - s->died) / 1000,
		    (unsigned long long)msg->a);
	if (sup_update_serving(&s->update, &s->primary))
		s->exec = (struct sup_exec){ .wanted = true };
	s->gifts.syslog = !s->options->foreground;
	s->retry = now_us() / 1000 + SETTLE_MS;
	if (!s->served)
		s->settled = s->retry;
	s->served = true;
	s->died = 0;
	tell_status(s);
}

/* The primary has something for a standby that sleeps. */
static void
wake_standby(const struct supervisor *s)
{
	/* without room there is something else that wakes it */
	if (s->standby.pid != 0)
		(void)supmsg_say(s->standby.fd, SUPMSG_WAKE, 0);
}

/* A standby that is half a log behind will not come up with it; another one can
 * begin with this image. */
static void
replace_if_behind(const struct supervisor *s, const struct supmsg *msg)
{
	uint64_t at =
	    __atomic_load_n(&s->store.flight->follower, __ATOMIC_ACQUIRE);

	if (!s->standby.ready || msg->a <= at || msg->a - at < LOG_SIZE / 2)
		return;
	msg_warnx("the standby (pid %ld) does not follow: it is replaced",
	    (long)s->standby.pid);
	kill(s->standby.pid, SIGKILL);
}

static void
got_image(struct supervisor *s, const struct supmsg *msg, int fd)
{
	if (fd < 0) {
		msg_warnx("an image of the store could not be made");
		s->image_due = now_us() / 1000 + IMAGE_AGAIN_MS;
		return;
	}
	s->image_due = 0;
	sup_store_keep_image(&s->store, msg, fd);
	replace_if_behind(s, msg);
	if (s->standby.pid != 0 && !s->standby.loading)
		(void)feed(s, &s->standby);
}

static void
hear(struct supervisor *s, struct sup_child *child, struct supmsg *msg,
    int *fds, unsigned n_fds)
{
	switch (msg->type) {
	case SUPMSG_READY:
		child->ready = true;
		if (child == &s->standby)
			sup_update_ready(&s->update, child);
		tell_status(s);
		break;
	case SUPMSG_SERVING:
		if (child == &s->primary)
			now_serving(s, msg);
		break;
	case SUPMSG_CLOSED:
		if (child == &s->primary)
			sup_socks_remove(&s->socks, msg->a);
		s->full = 0;
		break;
	case SUPMSG_IMAGE_IS:
		got_image(s, msg, n_fds > 0 ? fds[0] : -1);
		n_fds = 0;
		break;
	case SUPMSG_WAKE:
		if (child == &s->primary)
			wake_standby(s);
		break;
	case SUPMSG_LOST:
		sup_store_distrust(&s->store, true);
		child->gave_up = true;
		if (child == &s->standby)
			sup_update_lost(&s->update, supmsg_text(msg));
		break;
	case SUPMSG_DIFFERS:
		/* who has nobody to be the same as is right */
		if (child != &s->standby || !s->primary.serving)
			break;
		sup_store_distrust(&s->store, false);
		child->gave_up = true;
		kill(child->pid, SIGKILL);
		break;
	case SUPMSG_AUDITED:
		sup_update_audited(&s->update, &s->primary, msg);
		break;
	default:
		if (child == &s->primary &&
		    sup_update_hear(&s->update, child, msg, fds, n_fds, s->argv,
			now_us() / 1000) &&
		    s->update.phase == SUP_UPDATE_WANTED)
			drop_standby(s);
		break;
	}
	while (n_fds > 0)
		close(fds[--n_fds]);
}

static void
hear_all(struct supervisor *s, struct sup_child *child)
{
	int fds[SUPMSG_FDS];
	struct supmsg msg;
	unsigned n_fds;
	pid_t pid = child->pid;

	while (child->pid == pid &&
	       supmsg_receive(child->fd, &msg, fds, &n_fds) == 1)
		hear(s, child, &msg, fds, n_fds);
}

/* --- clients --- */

static void
note_peer(struct supervisor *s, const struct sup_sock *sock)
{
	char name[PEERS_NAME];
	uid_t uid;
	pid_t pid;

	priv_peer(sock->fd, &uid, &pid);
	plat_process_name(pid, name);
	peers_note(s->peers, sock->id, pid, name);
}

/* Whether clients have all descriptors but those that the next standby, which
 * has them as well, needs. */
static bool
is_full(const struct supervisor *s)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       s->socks.n + SPARE_FILES >= limit.rlim_cur;
}

/* Whoever waits is served when others have gone. */
static void
accept_later(struct supervisor *s)
{
	if (!s->told_full)
		msg_warn("cannot accept a client");
	s->told_full = true;
	s->full = now_us() / 1000 + TICK_MS;
}

static void
accept_clients(struct supervisor *s)
{
	size_t n_new = 0;
	int i, fd;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		if (is_full(s)) {
			errno = EMFILE;
			break;
		}
		fd = accept4(
		    s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			break;
		if (!sup_socks_add(&s->socks, fd)) {
			msg_warnx("no memory for a client");
			close(fd);
			continue;
		}
		s->told_full = false;
		n_new++;
	}
	if (i < ACCEPT_BATCH && errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != EINTR)
		accept_later(s);
	s->store.flight->last_sock = s->socks.last_id;
	if (s->primary.pid != 0)
		(void)sup_child_pump(&s->primary, &s->socks);
	if (s->standby.pid != 0)
		(void)sup_child_pump(&s->standby, &s->socks);
	/* after that: their first request need not wait for it */
	for (; n_new > 0 && s->peers != NULL; n_new--)
		note_peer(s, &s->socks.sock[s->socks.n - n_new]);
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
	reap(s);
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

static short
wanted(const struct supervisor *s, const struct sup_child *child)
{
	bool waits = child->sent < s->socks.last_id ||
		     (child->promote && !child->promoted);

	return waits ? POLLIN | POLLOUT : POLLIN;
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
	if (s->primary.pid != 0) {
		p[P_PRIMARY].fd = s->primary.fd;
		p[P_PRIMARY].events = wanted(s, &s->primary);
		p[P_FILES].fd = s->primary.files_fd;
	}
	if (s->standby.pid != 0) {
		p[P_STANDBY].fd = s->standby.fd;
		p[P_STANDBY].events = wanted(s, &s->standby);
		p[P_FILES_TOO].fd = s->standby.files_fd;
	}
}

/* Hears and tells CHILD what P says it can. */
static void
attend(struct supervisor *s, struct sup_child *child, const struct pollfd *p)
{
	if (child->pid == 0 || p->fd != child->fd)
		return;
	if ((p->revents & POLLIN) != 0)
		hear_all(s, child);
	if (child->pid != 0 && (p->revents & POLLOUT) != 0)
		(void)sup_child_pump(child, &s->socks);
}

static void
answer_files(const struct supervisor *s, const struct sup_child *child,
    const struct pollfd *p)
{
	if ((p->revents & POLLIN) != 0 && child->pid != 0 &&
	    p->fd == child->files_fd)
		(void)files_answer(s->rules, child->files_fd);
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
		hear_of_end(s);
	if ((p[P_SIGNALS].revents & POLLIN) != 0)
		read_signals(s);
	if ((p[P_LISTENER].revents & POLLIN) != 0)
		accept_clients(s);
}

/* Children that have ended by themselves are waited for, others killed. */
static void
end_children(struct supervisor *s)
{
	uint64_t limit = now_us() / 1000 + STOP_MS;

	while (s->primary.pid != 0 || s->standby.pid != 0) {
		if (now_us() / 1000 > limit) {
			if (s->primary.pid != 0)
				kill(s->primary.pid, SIGKILL);
			if (s->standby.pid != 0)
				kill(s->standby.pid, SIGKILL);
		}
		turn(s, 100);
		reap(s);
	}
}

/* For how long nothing has to be done unless something happens, ms; -1: ever.
 */
static int
idle_time(const struct supervisor *s)
{
	uint64_t now = now_us() / 1000;

	if (now < s->settled)
		return (int)(s->settled - now);
	if (s->served && !s->reserved)
		return 0;
	if (s->served && s->standby.pid == 0 && now < s->retry)
		return (int)(s->retry - now);
	if (s->primary.pid != 0 && s->standby.pid != 0 && s->standby.loading &&
	    s->full == 0 && s->update.phase == SUP_UPDATE_NONE &&
	    !s->exec.wanted)
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
	promote(s);
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
		promote(s);
	start_standby(s);
	if (s->standby.pid != 0 && !s->standby.loading)
		(void)feed(s, &s->standby);
	if (s->served)
		watch_ends(s);
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
		if (s.full != 0 && now_us() / 1000 >= s.full)
			s.full = 0;
		if (s.served && !s.reserved && now_us() / 1000 >= s.settled)
			s.reserved = !sup_store_reserve(&s.store);
		if (sup_update_tick(&s.update, &s.primary, &s.socks, s.listener,
			s.gifts.evtchn, now_us() / 1000))
			drop_standby(&s);
		catch_up(&s);
		sup_exec_tick(&s, now_us() / 1000);
	}
	end(&s);
	return s.status;
}
