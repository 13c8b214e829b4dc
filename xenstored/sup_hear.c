/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_hear.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/daemon.h"
#include "xenstored/flight.h"
#include "xenstored/log.h"
#include "xenstored/msg.h"
#include "xenstored/options.h"
#include "xenstored/sup_roles.h"
#include "xenstored/supmsg.h"

enum {
	SETTLE_MS = 20,	       /* before anything else, the first answers */
	IMAGE_AGAIN_MS = 1000, /* after an image that could not be made */
	HEAR = 64,	       /* messages at a time, of one that lives ... */
	HEAR_LAST = 4096,      /* ... and of one that died */
};

/*
 * Whoever serves may have been taken over by a client. What he says is taken
 * for what it can do to himself and to the store, which he has anyway; not for
 * what he is not asked, and never for as long as he likes to talk.
 */

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
		    (double)(mono_us() - s->died) / 1000,
		    (unsigned long long)msg->a);
	if (sup_update_serving(&s->update, &s->primary))
		s->exec = (struct sup_exec){ .wanted = true };
	s->gifts.syslog = !s->options->foreground;
	s->retry = mono_ms() + SETTLE_MS;
	if (!s->served)
		s->settled = s->retry;
	s->served = true;
	s->died = 0;
	sup_roles_tell(s);
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

/* Whether FD is a file, in which nobody has to wait for bytes. */
static bool
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static void
got_image(struct supervisor *s, const struct supmsg *msg, int fd)
{
	if (fd < 0 || !is_file(fd)) {
		if (fd >= 0)
			close(fd);
		if (mono_ms() >= s->image_told)
			msg_warnx("an image of the store could not be made");
		s->image_due = s->image_told = mono_ms() + IMAGE_AGAIN_MS;
		return;
	}
	s->image_due = 0;
	sup_store_keep_image(&s->store, msg, fd);
	replace_if_behind(s, msg);
	if (s->standby.pid != 0 && !s->standby.loading)
		(void)sup_roles_feed(s, &s->standby);
}

/* CHILD cannot follow, or says so. */
static void
got_lost(struct supervisor *s, struct sup_child *child, struct supmsg *msg)
{
	if (child->serving) /* it has nobody to follow */
		return;
	sup_store_distrust(&s->store, true);
	child->gave_up = true;
	if (child == &s->standby)
		sup_update_lost(&s->update, supmsg_text(msg));
}

static void
hear_standby(struct supervisor *s, struct sup_child *child, struct supmsg *msg)
{
	switch (msg->type) {
	case SUPMSG_DIFFERS:
		/* who has nobody to be the same as is right */
		if (!s->primary.serving)
			break;
		sup_store_distrust(&s->store, false);
		child->gave_up = true;
		kill(child->pid, SIGKILL);
		break;
	case SUPMSG_AUDITED:
		sup_update_audited(&s->update, &s->primary, msg);
		break;
	default:
		break;
	}
}

static void
hear_primary(struct supervisor *s, struct sup_child *child, struct supmsg *msg,
    int *fds, unsigned n_fds)
{
	switch (msg->type) {
	case SUPMSG_SERVING:
		if (child->promoted && !child->serving)
			now_serving(s, msg);
		break;
	case SUPMSG_CLOSED:
		if (sup_socks_remove(&s->socks, msg->a))
			s->full = 0;
		break;
	case SUPMSG_WAKE:
		wake_standby(s);
		break;
	case SUPMSG_DIFFERS:
		/* it is right from now on: the next standby begins with what it
		 * has, not with what the log would make */
		if (!child->serving)
			sup_store_distrust(&s->store, false);
		break;
	default:
		(void)sup_update_hear(
		    &s->update, child, msg, fds, n_fds, s->argv, mono_ms());
		break;
	}
}

static void
hear(struct supervisor *s, struct sup_child *child, struct supmsg *msg,
    int *fds, unsigned n_fds)
{
	int image;

	switch (msg->type) {
	case SUPMSG_READY:
		if (child->ready || !child->loading)
			break;
		child->ready = true;
		if (child == &s->standby)
			sup_update_ready(&s->update, child);
		sup_roles_tell(s);
		break;
	case SUPMSG_IMAGE_IS:
		image = n_fds > 0 ? fds[--n_fds] : -1;
		got_image(s, msg, image);
		break;
	case SUPMSG_LOST:
		got_lost(s, child, msg);
		break;
	default:
		if (child == &s->primary)
			hear_primary(s, child, msg, fds, n_fds);
		else
			hear_standby(s, child, msg);
		break;
	}
	while (n_fds > 0)
		close(fds[--n_fds]);
}

/* At most N messages. */
static void
hear_some(struct supervisor *s, struct sup_child *child, unsigned n)
{
	int fds[SUPMSG_FDS], got = 1;
	struct supmsg msg;
	unsigned n_fds;
	pid_t pid = child->pid;

	for (; n > 0 && child->pid == pid; n--) {
		got = supmsg_receive(child->fd, &msg, fds, &n_fds);
		if (got != 1)
			break;
		hear(s, child, &msg, fds, n_fds);
	}
	if (got == 0)
		sup_child_break(child, "does not talk any more");
	else if (got < 0 && errno == EPROTO)
		sup_child_break(child, "says what is no message");
}

void
sup_hear(struct supervisor *s, struct sup_child *child)
{
	hear_some(s, child, HEAR);
}

void
sup_hear_last(struct supervisor *s, struct sup_child *child)
{
	hear_some(s, child, HEAR_LAST);
}
