/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_update.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/clock.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/stream_copy.h"
#include "xenstored/update_program.h"
#include "xenstored/update_rules.h"

enum {
	STREAM_MS = 50, /* between two requests for a stream */
	VERSION_OF_STOCK = 1,
	LOOK_MS = 5000, /* for a program to be looked at */
	END_MS = 2000,	/* for the primary that was told to end, or says so */
};

/* How who looks at a program ends. */
enum { EXAM_OURS, EXAM_STOCK, EXAM_REFUSED };

void
sup_update_init(struct sup_update *u)
{
	memset(u, 0, sizeof(*u));
	u->stream_fd = u->verdict = -1;
}

/* Back to where it was; PRIMARY (or, if it does not serve, the next) learns
 * WHY. */
static void
fail(struct sup_update *u, const struct sup_child *primary, const char *why)
{
	msg_warnx("live update to %s: %s", u->request.binary, why);
	free(u->words);
	u->words = NULL;
	if (u->stream_fd >= 0)
		close(u->stream_fd);
	u->stream_fd = -1;
	if (u->verdict >= 0)
		close(u->verdict);
	u->verdict = -1;
	u->phase = SUP_UPDATE_NONE;
	snprintf(u->failure, sizeof(u->failure), "%s", why);
	if (primary != NULL && primary->serving &&
	    supmsg_say_text(primary->fd, SUPMSG_UPDATE_FAILED, 0, why))
		u->failure[0] = '\0';
}

/* --- looking at a program --- */

/* The daemon's present words. */
static char **
present(const struct sup_update *u, char *argv[])
{
	return u->argv != NULL ? u->argv : argv;
}

/* Says what it thinks of the program of REQUEST, or of the request in
 * REQUEST_FD, to ANSWER, which may be anything. */
static _Noreturn void
examine(const struct live_update_request *request, int request_fd,
    char *const argv[], int answer)
{
	struct live_update_request own;
	char why[LIVE_UPDATE_TEXT] = "The request is damaged.";
	bool good;

	if (request == NULL && update_unpack(request_fd, &own))
		request = &own;
	good = request != NULL && update_rules_path(request->binary, why) &&
	       update_can_execute(request->binary, why) &&
	       update_rules_words(request, argv, why);
	if (good)
		snprintf(why, sizeof(why), "OK");
	if (write(answer, why, strlen(why)) < 0)
		msg_warn("cannot answer the primary");
	if (!good)
		_exit(EXAM_REFUSED);
	_exit(update_is_ours(request->binary) ? EXAM_OURS : EXAM_STOCK);
}

/* Starts the process *PID that does, in place of one for which nobody waits any
 * more. False with errno. */
static bool
start_examiner(struct sup_update *u, pid_t *pid,
    const struct live_update_request *request, int request_fd, char *argv[],
    int answer, uint64_t now)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	pid_t self = getpid();
	size_t i;

	if (*pid != 0)
		kill(*pid, SIGKILL);
	*pid = fork();
	if (*pid == 0) {
		for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			signal(numbers[i], SIG_DFL);
		plat_die_with(self);
		examine(request, request_fd, present(u, argv), answer);
	}
	u->patience = now + LOOK_MS;
	if (*pid > 0)
		return true;
	*pid = 0;
	return false;
}

/* --- what the primary says --- */

/* A program was chosen that is looked at before it is asked for. */
static void
check(struct sup_update *u, int request_fd, int answer_fd, char *argv[],
    uint64_t now)
{
	if (!start_examiner(
		u, &u->checker, NULL, request_fd, argv, answer_fd, now))
		msg_warn("cannot look at a program for the primary");
}

static void
begin(struct sup_update *u, const struct sup_child *primary, int request_fd,
    char *argv[], uint64_t now)
{
	int verdict[2];

	if (u->phase != SUP_UPDATE_NONE)
		return;
	u->request.binary[0] = '\0';
	if (!update_unpack(request_fd, &u->request)) {
		u->request.binary[0] = '\0';
		fail(u, primary, "The request is damaged.");
		return;
	}
	if (pipe2(verdict, O_CLOEXEC | O_NONBLOCK) != 0) {
		fail(u, primary, "The supervisor has no descriptors left.");
		return;
	}
	u->verdict = verdict[0];
	if (start_examiner(
		u, &u->examiner, &u->request, -1, argv, verdict[1], now))
		u->phase = SUP_UPDATE_LOOKING;
	else
		fail(u, primary, "The supervisor cannot look at the program.");
	close(verdict[1]);
}

/* The program is as it should be, and one of OURS or not. */
static void
prepare(struct sup_update *u, const struct sup_child *primary, bool ours,
    char *argv[], uint64_t now)
{
	close(u->verdict);
	u->verdict = -1;
	u->words =
	    update_argv(&u->request, present(u, argv), ours ? NULL : "-U");
	if (u->words == NULL) {
		fail(u, primary, "no memory");
		return;
	}
	u->failure[0] = u->last[0] = '\0';
	u->deadline = now + (uint64_t)u->request.timeout * 1000;
	u->again = now;
	u->phase = ours ? SUP_UPDATE_WANTED : SUP_UPDATE_STREAM;
	msg_info("live update to %s begins", u->request.binary);
}

bool
sup_update_examined(struct sup_update *u, const struct sup_child *primary,
    pid_t pid, int status, char *argv[], uint64_t now)
{
	char why[LIVE_UPDATE_TEXT];
	ssize_t n;

	if (pid == u->checker)
		u->checker = 0;
	if (pid != u->examiner)
		return false;
	u->examiner = 0;
	if (u->phase != SUP_UPDATE_LOOKING || u->verdict < 0)
		return false;
	if (status == EXAM_OURS || status == EXAM_STOCK) {
		prepare(u, primary, status == EXAM_OURS, argv, now);
		return u->phase == SUP_UPDATE_WANTED;
	}
	n = read(u->verdict, why, sizeof(why) - 1);
	why[n > 0 ? n : 0] = '\0';
	fail(u, primary, n > 0 ? why : "The program could not be looked at.");
	return false;
}

/* Whether FD is one, which can be read from without waiting. */
static bool
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static void
got_stream(struct sup_update *u, const struct sup_child *primary,
    struct supmsg *msg, int fd)
{
	if (u->phase != SUP_UPDATE_STREAM)
		return;
	if (msg->a == 1) {
		u->stream_fd = is_file(fd) ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
		u->phase = SUP_UPDATE_LEAVING;
		u->end_by = mono_ms() + END_MS;
	} else if (msg->a == 2) {
		fail(u, primary, supmsg_text(msg));
	} else {
		snprintf(u->last, sizeof(u->last), "%s", supmsg_text(msg));
	}
}

bool
sup_update_hear(struct sup_update *u, const struct sup_child *primary,
    struct supmsg *msg, int *fds, unsigned n_fds, char *argv[], uint64_t now)
{
	switch (msg->type) {
	case SUPMSG_UPDATE_CHECK:
		if (n_fds == 2)
			check(u, fds[0], fds[1], argv, now);
		return true;
	case SUPMSG_UPDATE:
		if (n_fds == 1)
			begin(u, primary, fds[0], argv, now);
		return true;
	case SUPMSG_STREAM_IS:
		got_stream(u, primary, msg, n_fds > 0 ? fds[0] : -1);
		return true;
	default:
		return false;
	}
}

/* --- the standby's way --- */

static bool
is_new(const struct sup_update *u)
{
	return u->phase == SUP_UPDATE_WANTED || u->phase == SUP_UPDATE_STEP;
}

const char *
sup_update_program(const struct sup_update *u)
{
	return is_new(u) ? u->request.binary : u->program;
}

char **
sup_update_words(const struct sup_update *u, char *argv[])
{
	if (is_new(u))
		return u->words;
	return u->argv != NULL ? u->argv : argv;
}

void
sup_update_started(struct sup_update *u)
{
	if (u->phase == SUP_UPDATE_WANTED)
		u->phase = SUP_UPDATE_LOADING;
}

void
sup_update_ready(struct sup_update *u, const struct sup_child *standby)
{
	if (u->phase == SUP_UPDATE_LOADING &&
	    supmsg_say(standby->fd, SUPMSG_AUDIT, 0))
		u->phase = SUP_UPDATE_AUDIT;
}

void
sup_update_audited(
    struct sup_update *u, const struct sup_child *primary, struct supmsg *msg)
{
	if (u->phase != SUP_UPDATE_AUDIT)
		return;
	if (msg->a != 1)
		fail(u, primary, supmsg_text(msg));
	else if (supmsg_say(primary->fd, SUPMSG_STEP_DOWN, 0)) {
		u->phase = SUP_UPDATE_STEP;
		u->stepped = false;
		u->end_by = mono_ms() + END_MS;
	} else
		fail(u, primary, "the primary does not listen");
}

void
sup_update_lost(struct sup_update *u, const char *why)
{
	if (u->phase == SUP_UPDATE_LOADING || u->phase == SUP_UPDATE_AUDIT)
		snprintf(u->last, sizeof(u->last),
		    "The new program cannot follow: %s.", why);
}

void
sup_update_standby_died(
    struct sup_update *u, const struct sup_child *primary, const char *how)
{
	char why[LIVE_UPDATE_TEXT];

	if (u->phase != SUP_UPDATE_LOADING && u->phase != SUP_UPDATE_AUDIT)
		return;
	snprintf(why, sizeof(why), "The new program %s.", how);
	fail(u, primary, u->last[0] != '\0' ? u->last : why);
}

bool
sup_update_primary_died(struct sup_update *u, const char *how)
{
	char why[LIVE_UPDATE_TEXT];

	switch (u->phase) {
	case SUP_UPDATE_LOOKING:
	case SUP_UPDATE_LOADING:
	case SUP_UPDATE_AUDIT:
	case SUP_UPDATE_WANTED:
	case SUP_UPDATE_STREAM:
		snprintf(why, sizeof(why), "The old program %s.", how);
		fail(u, NULL, why);
		return true;
	case SUP_UPDATE_STEP:
		if (u->stepped) {
			snprintf(why, sizeof(why),
			    "The new program %s before it served.", how);
			fail(u, NULL, why);
		}
		u->stepped = true;
		return false;
	default:
		return false;
	}
}

bool
sup_update_serving(struct sup_update *u, const struct sup_child *primary)
{
	if (u->phase == SUP_UPDATE_STEP) {
		msg_info("live update to %s is done", u->request.binary);
		free(u->program);
		free(u->argv);
		u->program = strdup(u->request.binary);
		u->argv = u->words;
		u->words = NULL;
		u->phase = SUP_UPDATE_NONE;
		return true;
	} else if (u->failure[0] != '\0' &&
		   supmsg_say_text(
		       primary->fd, SUPMSG_UPDATE_FAILED, 0, u->failure)) {
		u->failure[0] = '\0';
	}
	return false;
}

/* --- the other way --- */

/* The numbers of all descriptors in a file without name; -1: no memory. */
static int
make_table(const struct sup_socks *socks, int listener, int evtchn)
{
	size_t size =
	    sizeof(struct update_fds) + socks->n * sizeof(struct update_sock);
	struct update_fds *fds = calloc(1, size);
	int fd = -1;
	size_t i;

	if (fds == NULL)
		return -1;
	fds->listener = listener;
	fds->evtchn = evtchn;
	fds->n = socks->n;
	for (i = 0; i < socks->n; i++)
		fds->sock[i] = (struct update_sock){ socks->sock[i].id,
			socks->sock[i].fd };
	fd = plat_memory_file("xenstored-fds");
	if (fd >= 0 && write(fd, fds, size) != (ssize_t)size) {
		close(fd);
		fd = -1;
	}
	free(fds);
	return fd;
}

/* Asks PRIMARY for a stream, again. */
static void
ask_for_stream(struct sup_update *u, const struct sup_child *primary,
    const struct sup_socks *socks, int listener, int evtchn, bool force)
{
	const struct supmsg msg = {
		.type = SUPMSG_STREAM,
		.a = u->request.version != 0 ? u->request.version
					     : VERSION_OF_STOCK,
		.b = force,
	};
	int fd = make_table(socks, listener, evtchn);

	if (fd < 0)
		return;
	(void)supmsg_send(primary->fd, &msg, &fd, 1);
	close(fd);
}

/* Whoever looks at programs is waited for no longer, and no longer the primary
 * that has to end, whatever it asks for meanwhile. */
static void
end_patience(
    struct sup_update *u, const struct sup_child *primary, uint64_t now)
{
	bool leaves = (u->phase == SUP_UPDATE_STEP && !u->stepped) ||
		      u->phase == SUP_UPDATE_LEAVING;

	if (leaves && primary->pid != 0 && now >= u->end_by) {
		kill(primary->pid, SIGKILL);
		u->end_by = now + END_MS;
	}
	if (now < u->patience)
		return;
	if (u->checker != 0)
		kill(u->checker, SIGKILL);
	if (u->examiner != 0)
		kill(u->examiner, SIGKILL);
	u->patience = now + END_MS;
}

bool
sup_update_tick(struct sup_update *u, const struct sup_child *primary,
    const struct sup_socks *socks, int listener, int evtchn, uint64_t now)
{
	bool late = now >= u->deadline, kill_it;

	end_patience(u, primary, now);
	if (u->phase == SUP_UPDATE_STREAM && now >= u->again &&
	    (!late || u->request.force)) {
		u->again = now + STREAM_MS;
		if (late) /* once more, whatever is open */
			u->request.force = false;
		ask_for_stream(u, primary, socks, listener, evtchn, late);
		if (late)
			u->deadline = now + 1000;
		return false;
	}
	if (!late || u->phase == SUP_UPDATE_NONE ||
	    u->phase == SUP_UPDATE_LOOKING || u->phase == SUP_UPDATE_STEP ||
	    u->phase == SUP_UPDATE_LEAVING)
		return false;
	kill_it =
	    u->phase == SUP_UPDATE_LOADING || u->phase == SUP_UPDATE_AUDIT;
	fail(u, primary,
	    u->last[0] != '\0' ? u->last : "It was not ready in time.");
	return kill_it;
}

int
sup_update_wait(const struct sup_update *u, int ms)
{
	bool waits =
	    u->phase != SUP_UPDATE_NONE || u->checker != 0 || u->examiner != 0;

	return !waits || ms < STREAM_MS ? ms : STREAM_MS;
}

void
sup_update_leave(struct sup_update *u, struct sup_leave *l, char *argv[])
{
	l->stream = stream_copy(u->stream_fd);
	l->binary = u->request.binary;
	l->words = u->words;
	l->argv = present(u, argv);
	l->ms = u->request.timeout < INT_MAX / 1000
		    ? (int)u->request.timeout * 1000
		    : INT_MAX;
	fail(u, NULL, l->stream >= 0 ? sup_leave(l) : "It got no stream.");
	if (l->stream >= 0)
		close(l->stream);
}
