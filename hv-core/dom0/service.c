#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "xenevtchn.h"
#include "xengnttab.h"

#include "hv-core/dom0/blkio.h"
#include "hv-core/dom0/log.h"
#include "hv-core/dom0/netio.h"
#include "hv-core/dom0/service.h"

/* A dead predecessor's channel may need this long to come undone. */
#define REBIND_TRIES 200
#define REBIND_PAUSE_NS 10000000

/* Rounds between two looks at the parent's socket while there is work. */
#define ROUNDS_PER_LOOK 64

struct service {
	const struct service_spec *spec;
	int control;
	int stop; /* we were told to */
	xenevtchn_handle *xce;
	xengnttab_handle *xgt;
	evtchn_port_t port;
	struct pages_grants grants;
	void *page[2];
	unsigned rounds;
};

static void
report(const struct service *s, enum service_report what, int err,
    const char *fmt, ...)
{
	struct service_msg msg = { .report = what, .err = err };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg.text, sizeof(msg.text), fmt, ap);
	va_end(ap);
	(void)send(s->control, &msg, sizeof(msg), MSG_NOSIGNAL);
}

/* Binds the frontend's port. 0, or -1 with errno. */
static int
bind_port(struct service *s)
{
	const struct timespec pause = { .tv_nsec = REBIND_PAUSE_NS };
	int tries = s->spec->resume ? REBIND_TRIES : 1;
	int port;

	do {
		port = xenevtchn_bind_interdomain(
		    s->xce, s->spec->domid, s->spec->port);
		if (port >= 0) {
			s->port = (evtchn_port_t)port;
			return 0;
		}
	} while (
	    errno == EINVAL && --tries > 0 && nanosleep(&pause, NULL) == 0);
	return -1;
}

static int
map_rings(struct service *s)
{
	int count = s->spec->kind == SERVICE_VIF ? 2 : 1;

	for (int i = 0; i < count; i++) {
		s->page[i] = xengnttab_map_grant_ref(s->xgt, s->spec->domid,
		    s->spec->ref[i], PROT_READ | PROT_WRITE);
		if (s->page[i] == NULL)
			return -1;
	}
	return 0;
}

/* Opens handles of this process's own and connects. 0, or -1, reported. */
static int
connect_frontend(struct service *s)
{
	int fd;

	s->xce = xenevtchn_open(NULL, 0);
	s->xgt = xengnttab_open(NULL, 0);
	if (s->xce == NULL || s->xgt == NULL) {
		report(s, SERVICE_FAILED, errno, "opening the hypervisor");
		return -1;
	}
	fd = xenevtchn_fd(s->xce);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (map_rings(s) != 0) {
		report(s, SERVICE_FAILED, errno, "mapping the ring");
		return -1;
	}
	if (bind_port(s) != 0) {
		report(s, SERVICE_FAILED, errno, "binding event channel %u",
		    s->spec->port);
		return -1;
	}
	s->grants.xgt = s->xgt;
	s->grants.domid = s->spec->domid;
	report(s, SERVICE_READY, 0, "%s", "");
	return 0;
}

/* Has the parent said something (or died)? */
static void
look_at_parent(struct service *s)
{
	char byte;
	ssize_t n = recv(s->control, &byte, 1, MSG_DONTWAIT);

	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		s->stop = 1;
}

/* To be called each round: looks at the parent now and then. */
static void
count_round(struct service *s)
{
	if (++s->rounds % ROUNDS_PER_LOOK == 0)
		look_at_parent(s);
}

/* Sleeps until there is an event, the parent speaks or TAP (-1: none) is
 * readable. The caller looks at its rings afterwards in any case. */
static void
sleep_until_work(struct service *s, int tap)
{
	struct pollfd pfd[] = {
		{ .fd = xenevtchn_fd(s->xce), .events = POLLIN },
		{ .fd = s->control, .events = POLLIN },
		{ .fd = tap, .events = POLLIN },
	};
	int port;

	if (poll(pfd, 3, -1) < 0)
		return;
	if (pfd[0].revents != 0)
		while ((port = xenevtchn_pending(s->xce)) >= 0)
			(void)xenevtchn_unmask(s->xce, (evtchn_port_t)port);
	if (pfd[1].revents != 0)
		look_at_parent(s);
}

static void
notify_if(struct service *s, int *notify)
{
	if (*notify)
		(void)xenevtchn_notify(s->xce, s->port);
	*notify = 0;
}

static void
log_vbd(const struct service *s, const struct blkio_stats *st)
{
	dom0_log(s->spec->name,
	    "%" PRIu64 " requests: %" PRIu64 " bytes read, %" PRIu64
	    " written; %" PRIu64 " refused, %" PRIu64 " failed",
	    st->requests, st->bytes_read, st->bytes_written, st->refused,
	    st->failed);
}

static void
log_vif(const struct service *s, const struct netio_stats *st)
{
	dom0_log(s->spec->name,
	    "from the guest %" PRIu64 " frames, %" PRIu64 " bytes (%" PRIu64
	    " bad, %" PRIu64 " dropped); to it %" PRIu64 " frames, %" PRIu64
	    " bytes (%" PRIu64 " bad, %" PRIu64 " dropped)",
	    st->tx_frames, st->tx_bytes, st->tx_bad, st->tx_dropped,
	    st->rx_frames, st->rx_bytes, st->rx_bad, st->rx_dropped);
}

static int
serve_vbd(struct service *s)
{
	static struct blkio io;
	/* Our predecessor may have answered and died before it said so. */
	int notify = s->spec->resume;
	int n;

	io.disk.fd = s->spec->fd;
	io.disk.sectors = s->spec->sectors;
	io.disk.readonly = s->spec->readonly;
	io.pages = pages_from_grants(&s->grants);
	backring_init(&io.ring, s->page[0], sizeof(union blkif_slot),
	    s->spec->journal[0]);
	for (;;) {
		int stopping = s->stop;

		n = blkio_run(&io, &notify);
		notify_if(s, &notify);
		if (n < 0) {
			report(s, SERVICE_FAILED, EINVAL,
			    "the frontend's ring index makes no sense");
			return 1;
		}
		if (stopping)
			break;
		if (n > 0)
			count_round(s);
		else if (!backring_final_check(&io.ring))
			sleep_until_work(s, -1);
	}
	log_vbd(s, &io.stats);
	return 0;
}

/* Sleeps unless one of the rings has work. */
static void
vif_sleep(struct service *s, struct netio *io)
{
	int room;

	if (backring_final_check(&io->tx))
		return;
	room = backring_pending(&io->rx);
	/* Without buffers frames wait in the tap, and new buffers wake us. */
	if (room == 0 && backring_final_check(&io->rx))
		return;
	if (room < 0)
		return;
	sleep_until_work(s, room > 0 ? io->tap : -1);
}

static int
serve_vif(struct service *s)
{
	static struct netio io;
	static struct pages_kept kept;
	int notify = s->spec->resume;
	int sent, got;

	io.tap = s->spec->fd;
	io.pages = pages_from_grants(&s->grants);
	if (s->spec->keep) {
		kept.from = io.pages;
		io.pages = pages_keep(&kept);
	}
	backring_init(&io.tx, s->page[0], sizeof(union netif_tx_slot),
	    s->spec->journal[0]);
	backring_init(&io.rx, s->page[1], sizeof(union netif_rx_slot),
	    s->spec->journal[1]);
	if (!s->spec->resume)
		netio_drain(&io); /* frames from before the connection */
	for (;;) {
		int stopping = s->stop;

		sent = netio_tx(&io, &notify);
		got = netio_rx(&io, &notify);
		notify_if(s, &notify);
		if (sent < 0 || got < 0) {
			report(s, SERVICE_FAILED, EINVAL,
			    "the frontend's %s ring makes no sense",
			    sent < 0 ? "tx" : "rx");
			return 1;
		}
		if (stopping)
			break;
		if (sent > 0 || got > 0)
			count_round(s);
		else
			vif_sleep(s, &io);
	}
	log_vif(s, &io.stats);
	return 0;
}

int
service_run(const struct service_spec *spec, int control)
{
	struct service s = { .spec = spec, .control = control };
	int status = 1;

	if (connect_frontend(&s) == 0)
		status =
		    spec->kind == SERVICE_VBD ? serve_vbd(&s) : serve_vif(&s);
	/* Unmaps and unbinds everything. */
	xengnttab_close(s.xgt);
	xenevtchn_close(s.xce);
	return status;
}
