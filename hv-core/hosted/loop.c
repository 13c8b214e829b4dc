/*
 * The loop: descriptors, slices of long hypercalls, timers.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "hv-core/hosted/hvd.h"

#define BATCH 64

int
loop_add(struct hvd *h, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	s->events = events;
	return epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, s->fd, &e) == 0 ? 0
								     : -errno;
}

void
loop_change(struct hvd *h, struct source *s, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = s };

	if (s->events == events)
		return;
	s->events = events;
	epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, s->fd, &e);
}

void
loop_remove(struct hvd *h, struct source *s)
{
	epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
}

void
loop_stop(struct hvd *h, int status)
{
	h->stop = true;
	h->exit_status = status;
}

/* Until the core wants to be called, or something is left to go on with. */
static struct timespec *
loop_timeout(struct hvd *h, struct timespec *ts)
{
	uint64_t deadline, now;

	*ts = (struct timespec){ 0, 0 };
	if (h->nr_busy > 0)
		return ts;
	deadline = hv_next_deadline(h->hv);
	if (h->stop_at != 0 && h->stop_at < deadline)
		deadline = h->stop_at;
	if (deadline == HV_NO_DEADLINE)
		return NULL;
	now = world_now(h);
	if (deadline > now) {
		ts->tv_sec = (time_t)((deadline - now) / 1000000000);
		ts->tv_nsec = (long)((deadline - now) % 1000000000);
	}
	return ts;
}

void
loop_run(struct hvd *h)
{
	struct epoll_event e[BATCH];
	struct timespec ts;

	while (!h->stop) {
		int n;

		log_flush_notes(h);
		n = epoll_pwait2(
		    h->epoll_fd, e, BATCH, loop_timeout(h, &ts), NULL);

		for (int i = 0; i < n && !h->stop; i++) {
			struct source *s = e[i].data.ptr;

			s->ready(s, e[i].events);
		}
		if (h->nr_busy > 0)
			channels_continue(h);
		if (hv_next_deadline(h->hv) <= world_now(h))
			hv_run_timers(h->hv);
		if (h->stop_at != 0 && h->stop_at <= world_now(h))
			loop_stop(h, 0);
		channels_reap(h);
	}
}
