/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_hear.h"

#include <signal.h>
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
};

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

static void
got_image(struct supervisor *s, const struct supmsg *msg, int fd)
{
	if (fd < 0) {
		msg_warnx("an image of the store could not be made");
		s->image_due = mono_ms() + IMAGE_AGAIN_MS;
		return;
	}
	s->image_due = 0;
	sup_store_keep_image(&s->store, msg, fd);
	replace_if_behind(s, msg);
	if (s->standby.pid != 0 && !s->standby.loading)
		(void)sup_roles_feed(s, &s->standby);
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
		sup_roles_tell(s);
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
			mono_ms()) &&
		    s->update.phase == SUP_UPDATE_WANTED)
			sup_roles_drop_standby(s);
		break;
	}
	while (n_fds > 0)
		close(fds[--n_fds]);
}

void
sup_hear(struct supervisor *s, struct sup_child *child)
{
	int fds[SUPMSG_FDS];
	struct supmsg msg;
	unsigned n_fds;
	pid_t pid = child->pid;

	while (child->pid == pid &&
	       supmsg_receive(child->fd, &msg, fds, &n_fds) == 1)
		hear(s, child, &msg, fds, n_fds);
}
