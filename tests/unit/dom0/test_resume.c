/*
 * Real workers, killed with SIGKILL while a frontend in this process keeps its
 * ring full: no request is lost or answered twice, and every byte read is the
 * one last written. The hypervisor's libraries are stand-ins over shared
 * memory; the worker's event channel is a clock that ticks every millisecond.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi/io/blkif.h"
#include "abi/io/netif.h"
#include "hv-core/dom0/worker.h"
#include "kbgnttab.h"
#include "xenevtchn.h"

#define PAGES 300u /* 0 and 1 are rings */
#define BLOCKS 64u
#define PORT 5

static uint8_t (*guest)[4096];
static volatile int *bind_fails; /* so many times */

/* ------------------------------------------------------- stand-ins -------- */

struct xenevtchn_handle {
	int fd;
	int ticked;
};

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	const struct itimerspec every = { { 0, 1000000 }, { 0, 1000000 } };
	xenevtchn_handle *xce = calloc(1, sizeof(*xce));

	(void)logger;
	(void)flags;
	xce->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	timerfd_settime(xce->fd, 0, &every, NULL);
	return xce;
}

int
xenevtchn_close(xenevtchn_handle *xce)
{
	close(xce->fd);
	free(xce);
	return 0;
}

int
xenevtchn_fd(xenevtchn_handle *xce)
{
	return xce->fd;
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(
    xenevtchn_handle *xce, uint32_t domid, evtchn_port_t port)
{
	(void)xce;
	(void)domid;
	(void)port;
	if (*bind_fails > 0) {
		--*bind_fails;
		errno = EINVAL;
		return -1;
	}
	return PORT;
}

int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	return 0;
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *xce)
{
	uint64_t ticks;

	if (read(xce->fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		return PORT;
	errno = EAGAIN;
	return -1;
}

int
xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	return 0;
}

xengnttab_handle *
xengnttab_open(struct xentoollog_logger *logger, unsigned flags)
{
	(void)logger;
	(void)flags;
	return calloc(1, 1);
}

int
xengnttab_close(xengnttab_handle *xgt)
{
	free(xgt);
	return 0;
}

void *
xengnttab_map_grant_ref(
    xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	(void)xgt;
	(void)domid;
	(void)prot;
	if (ref < PAGES)
		return guest[ref];
	errno = EINVAL;
	return NULL;
}

int
kbgnttab_map_pages(xengnttab_handle *xgt, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages, uint32_t *handles)
{
	(void)xgt;
	(void)domid;
	(void)prot;
	for (uint32_t i = 0; i < count; i++) {
		pages[i] = guest[refs[i]];
		handles[i] = refs[i];
	}
	return 0;
}

int
kbgnttab_unmap_pages(
    xengnttab_handle *xgt, uint32_t count, const uint32_t *handles)
{
	(void)xgt;
	(void)count;
	(void)handles;
	return 0;
}

/* ----------------------------------------------------------- world -------- */

struct world {
	struct service_spec spec;
	struct worker *worker;
	int ready, died, failed, stopped;
	int err;
	char text[160];
};

static void
event(void *arg, enum worker_event what, int err, const char *text)
{
	struct world *w = arg;

	if (what == WORKER_READY) {
		w->ready++;
		return;
	}
	w->worker = NULL;
	w->died += what == WORKER_DIED;
	w->failed += what == WORKER_FAILED;
	w->stopped += what == WORKER_STOPPED;
	w->err = err;
	snprintf(w->text, sizeof(w->text), "%s", text);
}

static void
start(struct world *w)
{
	w->worker = worker_start(&w->spec, event, w);
	if (w->worker == NULL)
		abort();
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Handles what the worker says for MS milliseconds, 0: what is there now. */
static void
listen_to(struct world *w, int ms)
{
	while (w->worker != NULL) {
		struct pollfd pfd = { .fd = worker_fd(w->worker),
			.events = POLLIN };

		if (poll(&pfd, 1, ms) != 1)
			return;
		worker_handle(w->worker);
	}
}

/* Handles it until there was one of what it is that COUNT counts. */
static void
listen_until(struct world *w, const int *count)
{
	const double end = seconds() + 60;

	while (*count == 0 && seconds() < end)
		listen_to(w, 10);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *shared = mmap(NULL, (PAGES + 4) * 4096u, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (w == NULL || shared == MAP_FAILED)
		return -1;
	guest = shared;
	bind_fails = (int *)guest[PAGES];
	w->spec.journal[0] = (struct backring_journal *)guest[PAGES + 1];
	w->spec.journal[1] =
	    (struct backring_journal *)(guest[PAGES + 1] + 8 + 4096);
	w->spec.ref[0] = 0;
	w->spec.ref[1] = 1;
	w->spec.fd = -1;
	strcpy(w->spec.name, "test");
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	if (w->worker != NULL) {
		worker_kill(w->worker);
		listen_to(w, -1);
	}
	if (w->spec.fd >= 0)
		close(w->spec.fd);
	munmap(guest, (PAGES + 4) * 4096u);
	free(w);
	return 0;
}

/* ------------------------------------------------------------ disk -------- */

struct disk {
	struct ring_front ring;
	uint32_t written[BLOCKS]; /* what each block holds */
	uint8_t busy[BLOCKS];
	struct {
		int used;
		unsigned block;
		uint32_t value; /* 0: a read */
	} slot[32];
	uint32_t next_value;
	uint64_t asked, answered;
};

static void
open_disk(struct world *w, struct disk *d)
{
	char name[] = "/tmp/test-resume-XXXXXX";

	memset(d, 0, sizeof(*d));
	d->next_value = 1;
	w->spec.kind = SERVICE_VBD;
	w->spec.fd = mkstemp(name);
	unlink(name);
	assert_int_equal(ftruncate(w->spec.fd, BLOCKS * 4096), 0);
	w->spec.sectors = BLOCKS * 8;
	ring_front_init(&d->ring, guest[0], 4096, sizeof(union blkif_slot));
}

static void
fill(void *page, uint32_t value)
{
	uint32_t *p = page;

	for (unsigned i = 0; i < 1024; i++)
		p[i] = value;
}

/* One request on a block that nobody else is using. */
static int
ask(struct disk *d)
{
	unsigned block = (unsigned)rand() % BLOCKS, s = 0;
	struct blkif_request *req;

	while (s < 32 && d->slot[s].used)
		s++;
	if (s == 32 || d->busy[block] || ring_front_room(&d->ring) == 0)
		return 0;
	req = ring_front_next(&d->ring);
	if (req == NULL)
		abort();
	d->busy[block] = 1;
	d->slot[s].used = 1;
	d->slot[s].block = block;
	d->slot[s].value = rand() % 2 ? d->next_value++ : 0;
	fill(guest[2 + s], d->slot[s].value);
	memset(req, 0, sizeof(*req));
	req->operation = d->slot[s].value ? BLKIF_OP_WRITE : BLKIF_OP_READ;
	req->nr_segments = 1;
	req->id = s;
	req->sector_number = block * 8;
	req->seg[0].gref = 2 + s;
	req->seg[0].last_sect = 7;
	d->asked++;
	return 1;
}

static void
take(struct disk *d)
{
	struct blkif_response rsp;
	const uint32_t *page;

	assert_true(ring_front_pending(&d->ring) >= 0);
	while (ring_front_pending(&d->ring) > 0) {
		ring_front_take(&d->ring, &rsp, sizeof(rsp));
		assert_true(rsp.id < 32);
		assert_true(d->slot[rsp.id].used);
		assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
		if (d->slot[rsp.id].value != 0) {
			d->written[d->slot[rsp.id].block] =
			    d->slot[rsp.id].value;
		} else {
			page = (const uint32_t *)guest[2 + rsp.id];
			for (unsigned i = 0; i < 1024; i++)
				assert_int_equal(
				    page[i], d->written[d->slot[rsp.id].block]);
		}
		d->slot[rsp.id].used = 0;
		d->busy[d->slot[rsp.id].block] = 0;
		d->answered++;
	}
}

static void
a_disk_survives_its_workers(void **state)
{
	struct world *w = *state;
	static struct disk d;
	double end = seconds() + 3, next_kill = seconds() + 0.02;
	int kills = 0;

	srand(7);
	open_disk(w, &d);
	start(w);
	/* longer where little gets done in that time */
	while (seconds() < end || (seconds() < end + 57 &&
				      (w->died <= 20 || d.answered <= 1000))) {
		if (ask(&d))
			ring_front_push(&d.ring);
		take(&d);
		listen_to(w, 0);
		if (w->worker == NULL)
			start(w);
		if (w->ready > kills && seconds() > next_kill) {
			worker_kill(w->worker);
			kills = w->ready;
			w->spec.resume = 1;
			next_kill = seconds() + (rand() % 20) / 1000.0;
		}
	}
	for (end = seconds() + 60; d.answered < d.asked && seconds() < end;) {
		take(&d);
		listen_to(w, 1);
		if (w->worker == NULL)
			start(w);
	}
	assert_int_equal(d.answered, d.asked);
	assert_true(w->died > 20);
	assert_int_equal(w->failed, 0);
	assert_true(d.answered > 1000);
}

static void
a_successor_waits_for_the_old_channel_to_come_undone(void **state)
{
	struct world *w = *state;
	static struct disk d;

	open_disk(w, &d);
	w->spec.resume = 1;
	*bind_fails = 5;
	start(w);
	listen_until(w, &w->ready);
	assert_int_equal(w->ready, 1);
}

static void
a_first_worker_does_not(void **state)
{
	struct world *w = *state;
	static struct disk d;

	open_disk(w, &d);
	*bind_fails = 1;
	start(w);
	listen_until(w, &w->failed);
	assert_int_equal(w->failed, 1);
	assert_int_equal(w->err, EINVAL);
	assert_string_equal(w->text, "binding event channel 0");
}

static void
a_stop_lets_it_finish_what_is_on_the_ring(void **state)
{
	struct world *w = *state;
	static struct disk d;

	open_disk(w, &d);
	start(w);
	listen_until(w, &w->ready);
	assert_int_equal(w->ready, 1);
	for (int i = 0; i < 20; i++)
		if (ask(&d))
			ring_front_push(&d.ring);
	worker_stop(w->worker);
	worker_stop(w->worker);
	listen_until(w, &w->stopped);
	assert_int_equal(w->stopped, 1);
	take(&d);
	assert_int_equal(d.answered, d.asked);
}

static void
a_wild_ring_ends_the_worker_with_its_reason(void **state)
{
	struct world *w = *state;
	static struct disk d;

	open_disk(w, &d);
	start(w);
	d.ring.shared->req_prod = 1000;
	listen_until(w, &w->failed);
	assert_int_equal(w->failed, 1);
	assert_string_equal(
	    w->text, "the frontend's ring index makes no sense");
}

static void
a_reference_that_cannot_be_mapped_is_reported(void **state)
{
	struct world *w = *state;
	static struct disk d;

	open_disk(w, &d);
	w->spec.ref[0] = 9999;
	start(w);
	listen_until(w, &w->failed);
	assert_int_equal(w->failed, 1);
	assert_int_equal(w->ready, 0);
	assert_string_equal(w->text, "mapping the ring");
}

/* --------------------------------------------------------- network -------- */

/* Each frame carries its number. Some may be lost or doubled by a kill; the
 * rings themselves must answer every slot once. */
static void
an_interface_survives_its_workers(void **state)
{
	struct world *w = *state;
	struct ring_front tx, rx;
	struct netif_tx_response trsp;
	struct netif_rx_response rrsp;
	uint64_t sent = 0, sent_done = 0, offered = 0, got = 0, wire = 0;
	const double begun = seconds();
	double end = begun + 2, next_kill = seconds() + 0.02;
	uint8_t frame[2048] = { 0 };
	int sv[2], kills = 0;

	srand(8);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	w->spec.kind = SERVICE_VIF;
	w->spec.fd = sv[0];
	ring_front_init(&tx, guest[0], 4096, sizeof(union netif_tx_slot));
	ring_front_init(&rx, guest[1], 4096, sizeof(union netif_rx_slot));
	start(w);
	while (seconds() < end || sent_done < sent) {
		/* longer where little gets done in that time */
		if (seconds() >= end && seconds() < begun + 60 &&
		    (w->died <= 10 || got <= 100 || wire <= 100))
			end = seconds() + 0.1;
		struct netif_tx_request *treq;
		struct netif_rx_request *rreq;

		if (seconds() < end && (treq = ring_front_next(&tx)) != NULL) {
			*treq = (struct netif_tx_request){
				.gref = 2 + (uint32_t)(sent % 64),
				.id = (uint16_t)sent,
				.size = 60,
			};
			sent++;
			ring_front_push(&tx);
		}
		if ((rreq = ring_front_next(&rx)) != NULL) {
			rreq->id = (uint16_t)offered;
			rreq->gref = 100 + (uint32_t)(offered % 100);
			offered++;
			ring_front_push(&rx);
		}
		assert_true(ring_front_pending(&tx) >= 0);
		while (ring_front_pending(&tx) > 0) {
			ring_front_take(&tx, &trsp, sizeof(trsp));
			assert_int_equal(trsp.id, (uint16_t)sent_done);
			/* The pair's queue may be full: a drop. */
			assert_true(trsp.status == NETIF_RSP_OKAY ||
				    trsp.status == NETIF_RSP_DROPPED);
			sent_done++;
		}
		assert_true(ring_front_pending(&rx) >= 0);
		while (ring_front_pending(&rx) > 0) {
			ring_front_take(&rx, &rrsp, sizeof(rrsp));
			assert_int_equal(rrsp.id, (uint16_t)got);
			assert_int_equal(rrsp.status, 100);
			got++;
		}
		while (recv(sv[1], frame, sizeof(frame), 0) > 0)
			wire++;
		(void)send(sv[1], frame, 100, 0);
		listen_to(w, 0);
		if (w->worker == NULL)
			start(w);
		if (seconds() < end && w->ready > kills &&
		    seconds() > next_kill) {
			worker_kill(w->worker);
			kills = w->ready;
			w->spec.resume = 1;
			next_kill = seconds() + (rand() % 20) / 1000.0;
		}
		assert_true(seconds() < begun + 120);
	}
	assert_true(w->died > 10);
	assert_int_equal(w->failed, 0);
	assert_true(got > 100);
	assert_true(wire > 100);
	close(sv[1]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_disk_survives_its_workers),
		T(a_successor_waits_for_the_old_channel_to_come_undone),
		T(a_first_worker_does_not),
		T(a_stop_lets_it_finish_what_is_on_the_ring),
		T(a_wild_ring_ends_the_worker_with_its_reason),
		T(a_reference_that_cannot_be_mapped_is_reported),
		T(an_interface_survives_its_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
