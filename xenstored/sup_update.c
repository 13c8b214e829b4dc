/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_update.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/update_program.h"

enum {
	STREAM_MS = 50, /* between two requests for a stream */
	VERSION_OF_STOCK = 1,
};

void
sup_update_init(struct sup_update *u)
{
	memset(u, 0, sizeof(*u));
	u->stream_fd = -1;
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
	u->phase = SUP_UPDATE_NONE;
	snprintf(u->failure, sizeof(u->failure), "%s", why);
	if (primary != NULL && primary->serving &&
	    supmsg_say_text(primary->fd, SUPMSG_UPDATE_FAILED, 0, why))
		u->failure[0] = '\0';
}

/* --- what the primary says --- */

static void
check(int request_fd, int answer_fd)
{
	char why[LIVE_UPDATE_TEXT] = "OK";
	struct live_update_request request;

	if (!update_unpack(request_fd, &request))
		snprintf(why, sizeof(why), "The request is damaged.");
	else if (update_can_execute(request.binary, why))
		snprintf(why, sizeof(why), "OK");
	if (write(answer_fd, why, strlen(why)) < 0)
		msg_warn("cannot answer the primary");
}

static void
begin(struct sup_update *u, const struct sup_child *primary, int request_fd,
    char *argv[], uint64_t now)
{
	struct live_update_request request;
	char why[LIVE_UPDATE_TEXT];
	bool ours;

	if (u->phase != SUP_UPDATE_NONE)
		return;
	u->request.binary[0] = '\0';
	if (!update_unpack(request_fd, &request)) {
		fail(u, primary, "The request is damaged.");
		return;
	}
	u->request = request;
	if (!update_can_execute(request.binary, why)) {
		fail(u, primary, why);
		return;
	}
	ours = update_is_ours(request.binary);
	u->words = update_argv(
	    &u->request, u->argv != NULL ? u->argv : argv, ours ? NULL : "-U");
	if (u->words == NULL) {
		fail(u, primary, "no memory");
		return;
	}
	u->failure[0] = u->last[0] = '\0';
	u->deadline = now + (uint64_t)request.timeout * 1000;
	u->again = now;
	u->phase = ours ? SUP_UPDATE_WANTED : SUP_UPDATE_STREAM;
	msg_info("live update to %s begins", request.binary);
}

static void
got_stream(struct sup_update *u, const struct sup_child *primary,
    struct supmsg *msg, int fd)
{
	if (u->phase != SUP_UPDATE_STREAM)
		return;
	if (msg->a == 1 && fd >= 0) {
		u->stream_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		u->phase = SUP_UPDATE_LEAVING;
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
			check(fds[0], fds[1]);
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

bool
sup_update_tick(struct sup_update *u, const struct sup_child *primary,
    const struct sup_socks *socks, int listener, int evtchn, uint64_t now)
{
	bool late = now >= u->deadline, kill_it;

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
	    u->phase == SUP_UPDATE_STEP || u->phase == SUP_UPDATE_LEAVING)
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
	return u->phase == SUP_UPDATE_NONE || ms < STREAM_MS ? ms : STREAM_MS;
}

void
sup_update_leave(struct sup_update *u, struct sup_leave *l, char *argv[])
{
	l->stream = u->stream_fd;
	l->binary = u->request.binary;
	l->words = u->words;
	l->argv = u->argv != NULL ? u->argv : argv;
	l->ms = u->request.timeout < INT_MAX / 1000
		    ? (int)u->request.timeout * 1000
		    : INT_MAX;
	fail(u, NULL, sup_leave(l));
}
