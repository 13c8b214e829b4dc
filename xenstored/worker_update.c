/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/worker_update.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "xenstored/clock.h"
#include "xenstored/core.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/stream.h"
#include "xenstored/transport_ring.h"
#include "xenstored/txn.h"

enum {
	CHECK_MS = 2000, /* for the supervisor to look at a file */
	RETRY_US = 1000, /* between two attempts to leave ... */
	TRIES = 5000,	 /* so many in all */
};

/* --- asking --- */

static bool
no_supervisor(char why[LIVE_UPDATE_TEXT])
{
	snprintf(why, LIVE_UPDATE_TEXT, "The supervisor cannot be asked: %s.",
	    strerror(errno));
	return false;
}

/* Waits for the supervisor's text; empty: all is well. */
static bool
read_answer(int fd, char why[LIVE_UPDATE_TEXT])
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	errno = ETIMEDOUT;
	if (poll(&pfd, 1, CHECK_MS) != 1)
		return no_supervisor(why);
	n = read(fd, why, LIVE_UPDATE_TEXT - 1);
	if (n == 0)
		errno = EBUSY; /* with another program */
	if (n <= 0)
		return no_supervisor(why);
	why[n] = '\0';
	return strcmp(why, "OK") == 0;
}

static bool
check(void *ctx, const struct live_update_request *request,
    char why[LIVE_UPDATE_TEXT])
{
	const struct supmsg msg = { .type = SUPMSG_UPDATE_CHECK };
	struct worker_update *u = ctx;
	int fds[2] = { -1, -1 }, answer[2];
	bool ok;

	if (pipe2(answer, O_CLOEXEC) != 0)
		return no_supervisor(why);
	fds[0] = update_pack(request);
	fds[1] = answer[1];
	ok = fds[0] >= 0 && supmsg_send(u->sup, &msg, fds, 2);
	close(answer[1]);
	ok = ok ? read_answer(answer[0], why) : no_supervisor(why);
	close(answer[0]);
	if (fds[0] >= 0)
		close(fds[0]);
	return ok;
}

static bool
start(void *ctx, const struct live_update_request *request,
    char why[LIVE_UPDATE_TEXT])
{
	const struct supmsg msg = { .type = SUPMSG_UPDATE };
	struct worker_update *u = ctx;
	int fd = update_pack(request);
	bool ok;

	u->since = (long)(mono_ms() / 1000);
	ok = fd >= 0 && supmsg_send(u->sup, &msg, &fd, 1);
	if (!ok)
		no_supervisor(why);
	if (fd >= 0)
		close(fd);
	return ok;
}

static enum xs_err
control(void *ctx, int argc, const char *const argv[], char *buf, size_t size,
    size_t *len_out)
{
	struct worker_update *u = ctx;
	bool done = u->lu.state == LIVE_UPDATE_DONE;
	const struct timeval at_once = { 0, 0 };
	enum xs_err err;

	if (strcmp(argv[0], "live-update") != 0)
		return XS_ENOSYS;
	err = live_update_control(&u->lu, argc, argv, buf, size, len_out);
	server_wrote_elsewhere(u->server); /* the request, if it was sent on */
	/* who asked knows; the rest is the other daemon's */
	if (u->fds != NULL && done && u->lu.state == LIVE_UPDATE_NONE)
		event_add(u->event, &at_once);
	return err;
}

/* --- leaving --- */

static int
fd_of(void *ctx, uint64_t sock)
{
	return update_fd_of(ctx, sock);
}

/* The stream in a file without name, or -1 and WHY. */
static int
make_stream(struct worker_update *u, char why[IMAGE_WHY_SIZE])
{
	const struct stream_options options = {
		.process = { u->version, (int)u->fds->listener,
		    (int)u->fds->evtchn },
		.fd_of = fd_of,
		.ctx = u->fds,
	};
	struct image img;
	int fd;

	if (!stream_export(server_state(u->server), &options, &img, why))
		return -1;
	fd = plat_memory_file("xenstored-stream");
	if (fd >= 0 && write(fd, img.data, img.len) != (ssize_t)img.len) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		snprintf(why, IMAGE_WHY_SIZE, "no memory for the stream");
	image_free(&img);
	return fd;
}

/* Between two turns: goes, if nobody is in the middle of something. */
static void
leave(evutil_socket_t unused, short what, void *arg)
{
	const struct supmsg msg = { .type = SUPMSG_STREAM_IS, .a = 1 };
	const struct timeval later = { 0, RETRY_US };
	struct worker_update *u = arg;
	char why[IMAGE_WHY_SIZE];
	int fd;

	(void)unused;
	(void)what;
	fd = make_stream(u, why);
	if (fd < 0) {
		if (u->tries++ < TRIES) {
			event_add(u->event, &later);
			return;
		}
		msg_warnx("live update: given up: %s", why);
		free(u->fds);
		u->fds = NULL;
		(void)supmsg_say_text(u->sup, SUPMSG_STREAM_IS, 2, why);
		return;
	}
	if (u->rings != NULL)
		rings_leave(u->rings);
	(void)supmsg_send(u->sup, &msg, &fd, 1);
	_exit(0);
}

/* Domains with open transactions, as text, and for how long (as far as is known
 * here: SECONDS) they were waited for; false: there are none. */
static bool
has_transactions(struct state *st, long seconds, char text[LIVE_UPDATE_TEXT])
{
	struct conn *conn = NULL;
	size_t len = 0;
	bool some = false;

	while ((conn = state_next_conn(st, conn)) != NULL) {
		if (list_empty(&conn->txns))
			continue;
		if (!some)
			len = (size_t)snprintf(text, LIVE_UPDATE_TEXT,
			    "Domains with long running transactions:");
		some = true;
		if (len < LIVE_UPDATE_TEXT)
			len += (size_t)snprintf(text + len,
			    LIVE_UPDATE_TEXT - len, "\nDomain %u: %ld s",
			    (unsigned)conn_domid(conn), seconds);
	}
	return some;
}

static struct update_fds *
read_table(int fd)
{
	struct update_fds *fds = NULL;
	struct stat st;

	if (fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(*fds))
		return NULL;
	fds = malloc((size_t)st.st_size);
	if (fds == NULL)
		return NULL;
	if (pread(fd, fds, (size_t)st.st_size, 0) == st.st_size &&
	    (size_t)st.st_size == sizeof(*fds) + fds->n * sizeof(fds->sock[0]))
		return fds;
	free(fds);
	return NULL;
}

/* Who asked is told "OK" when it asks again, and then we go. */
static void
prepare_to_leave(struct worker_update *u, const struct supmsg *msg, int fd)
{
	char why[LIVE_UPDATE_TEXT] = "no memory";

	if (u->fds != NULL || u->lu.state != LIVE_UPDATE_RUNNING)
		return;
	if (msg->b == 0 && has_transactions(server_state(u->server),
			       (long)(mono_ms() / 1000) - u->since, why)) {
		(void)supmsg_say_text(u->sup, SUPMSG_STREAM_IS, 0, why);
		return;
	}
	u->version = (unsigned)msg->a;
	u->tries = 0;
	u->fds = read_table(fd);
	if (u->event == NULL)
		u->event = event_new(server_base(u->server), -1, 0, leave, u);
	if (u->fds == NULL || u->event == NULL) {
		free(u->fds);
		u->fds = NULL;
		(void)supmsg_say_text(u->sup, SUPMSG_STREAM_IS, 0, why);
		return;
	}
	live_update_done(&u->lu);
}

/* --- set-up and messages --- */

void
worker_update_init(struct worker_update *u, int sup)
{
	const struct live_update_env env = { u, check, start };

	memset(u, 0, sizeof(*u));
	u->sup = sup;
	live_update_init(&u->lu, &env);
}

void
worker_update_serve(struct worker_update *u, struct server *server,
    struct rings *rings, bool done)
{
	u->server = server;
	u->rings = rings;
	server_set_control(server, control, u);
	if (done)
		live_update_done(&u->lu);
}

void
worker_update_audit(const struct worker_update *u, struct state *st)
{
	const char *wrong = "it has no state";

	if (st != NULL)
		wrong = state_check(st);
	(void)supmsg_say_text(
	    u->sup, SUPMSG_AUDITED, wrong == NULL, wrong != NULL ? wrong : "");
}

bool
worker_update_obey(
    struct worker_update *u, struct supmsg *msg, const int *fds, unsigned n_fds)
{
	switch (msg->type) {
	case SUPMSG_STEP_DOWN:
		/* nothing is in the middle of anything, or as if it were killed
		 * here: the log, the flight and the kernel have it all */
		_exit(0);
	case SUPMSG_UPDATE_FAILED:
		free(u->fds);
		u->fds = NULL;
		live_update_failed(&u->lu, supmsg_text(msg));
		return true;
	case SUPMSG_STREAM:
		if (n_fds > 0) {
			prepare_to_leave(u, msg, fds[0]);
			close(fds[0]);
		}
		return true;
	default:
		return false;
	}
}
