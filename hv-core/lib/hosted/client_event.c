/*
 * The event endpoint: doorbell pairs in one epoll set.
 *
 * Every pair is armed whenever no call is inside hv_client_harvest(), so a bit
 * in a page always comes with a ring of its doorbell, and only pairs that rang
 * are looked at. The doorbells are edge-triggered in the epoll set: nobody
 * reads them, their count only grows (a write that would overflow it fails, and
 * can only come from the peer itself).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "hv-core/lib/hosted/client_priv.h"

/* epoll data: a slot's number, or one of these. */
#define EV_SOCKET UINT32_MAX
#define EV_NUDGE (UINT32_MAX - 1)

#define HARVEST_BATCH 64
/* A successor gets a PAIR for each peer; events do not wait for all of them. */
#define HARVEST_MESSAGES 16
/* A peer that posts faster than we take does not get all of our time. */
#define HARVEST_ROUNDS 8

static int
watch_fd(struct events *ev, int fd, uint32_t events, uint32_t data)
{
	struct epoll_event e = { .events = events, .data.u32 = data };

	return epoll_ctl(ev->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

/* Make slot number N exist. */
static int
slots_grow(struct events *ev, uint32_t n)
{
	uint32_t nr = ev->nr_slots == 0 ? 8 : ev->nr_slots;
	struct slot *s;

	if (n < ev->nr_slots)
		return 0;
	while (nr <= n)
		nr *= 2;
	s = realloc(ev->slots, nr * sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	for (uint32_t i = ev->nr_slots; i < nr; i++)
		s[i] = (struct slot){ .rx_fd = -1, .tx_fd = -1 };
	ev->slots = s;
	ev->nr_slots = nr;
	return 0;
}

/* A bit may have been posted before we armed for the first time. */
static void
slot_start(struct slot *s)
{
	if (pair_arm(s->rx))
		(void)eventfd_write(s->rx_fd, 1);
}

int
events_init(struct hv_client *c, int table_fd, int pair_fd, int bell_fd)
{
	struct events *ev = &c->ev;
	void *table, *page;
	struct slot *s;
	int err;

	ev->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ev->nudge_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ev->epoll_fd < 0 || ev->nudge_fd < 0)
		return -errno;
	table = mmap(NULL, c->info.ports * sizeof(struct port_table_entry),
	    PROT_READ, MAP_SHARED, table_fd, 0);
	if (table == MAP_FAILED)
		return -errno;
	ev->table = table;
	err = slots_grow(ev, 0);
	if (err != 0)
		return err;
	page = mmap(
	    NULL, HV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, pair_fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	s = &ev->slots[0];
	s->map = s->rx = page;
	s->map_size = HV_PAGE_SIZE;
	err = watch_fd(ev, c->fd, EPOLLIN, EV_SOCKET);
	if (err == 0)
		err = watch_fd(ev, ev->nudge_fd, EPOLLIN, EV_NUDGE);
	if (err == 0)
		err = watch_fd(ev, bell_fd, EPOLLIN | EPOLLET, 0);
	if (err != 0)
		return err;
	s->rx_fd = bell_fd;
	slot_start(s);
	return 0;
}

int
events_pair_up(struct hv_client *c, const struct hv_msg_pair *m, int pages_fd,
    int rx_fd, int tx_fd)
{
	struct events *ev = &c->ev;
	uint8_t *map;
	struct slot *s;
	int err;

	if (ev->epoll_fd < 0 || pages_fd < 0 || rx_fd < 0 || tx_fd < 0 ||
	    m->slot == 0 || m->slot >= HV_SLOTS || m->rx_page > 1 ||
	    m->tx_page > 1)
		return -EINVAL;
	err = slots_grow(ev, m->slot);
	if (err != 0)
		return err;
	map = mmap(NULL, 2 * HV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
	    pages_fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	err = watch_fd(ev, rx_fd, EPOLLIN | EPOLLET, m->slot);
	if (err != 0) {
		munmap(map, 2 * HV_PAGE_SIZE);
		return err;
	}
	events_pair_down(c, m->slot);
	s = &ev->slots[m->slot];
	s->map = map;
	s->map_size = 2 * HV_PAGE_SIZE;
	s->rx = (struct pair_page *)(void *)(map + m->rx_page * HV_PAGE_SIZE);
	s->tx = (struct pair_page *)(void *)(map + m->tx_page * HV_PAGE_SIZE);
	s->rx_fd = rx_fd;
	s->tx_fd = tx_fd;
	s->gen = m->gen;
	slot_start(s);
	return 0;
}

void
events_pair_down(struct hv_client *c, uint32_t slot)
{
	struct events *ev = &c->ev;
	struct slot *s;

	if (slot >= ev->nr_slots)
		return;
	s = &ev->slots[slot];
	/* Others hold the doorbell too, so closing it does not unwatch it. */
	if (s->rx_fd >= 0) {
		epoll_ctl(ev->epoll_fd, EPOLL_CTL_DEL, s->rx_fd, NULL);
		close(s->rx_fd);
	}
	if (s->tx_fd >= 0)
		close(s->tx_fd);
	if (s->map != NULL)
		munmap(s->map, s->map_size);
	*s = (struct slot){ .rx_fd = -1, .tx_fd = -1 };
}

void
events_fini(struct hv_client *c)
{
	struct events *ev = &c->ev;

	for (uint32_t i = 0; i < ev->nr_slots; i++)
		events_pair_down(c, i);
	free(ev->slots);
	if (ev->table != NULL)
		munmap((void *)(uintptr_t)ev->table,
		    c->info.ports * sizeof(struct port_table_entry));
	if (ev->epoll_fd >= 0)
		close(ev->epoll_fd);
	if (ev->nudge_fd >= 0)
		close(ev->nudge_fd);
}

int
hv_client_event_fd(const struct hv_client *c)
{
	return c->ev.epoll_fd;
}

/* --------------------------------------------------------------- sending -- */

int
events_send_direct(struct events *ev, uint32_t port)
{
	uint64_t tx = hv_port_tx(&ev->table[port]);
	struct slot *s;

	if (tx == 0 || HV_TX_SLOT(tx) >= ev->nr_slots ||
	    HV_TX_PORT(tx) >= HV_PORTS)
		return 0;
	s = &ev->slots[HV_TX_SLOT(tx)];
	/* Its PAIR is still on the way; the slot may be an older pair's. */
	if (s->tx == NULL || s->gen != HV_TX_GEN(tx))
		return 0;
	if (pair_post(s->tx, HV_TX_PORT(tx)))
		(void)eventfd_write(s->tx_fd, 1);
	return 1;
}

int
hv_client_send(struct hv_client *c, uint32_t port)
{
	struct hv_msg m = { .type = HV_MSG_SEND, .u.send = { port } };
	struct parcel p;
	int err = 0;

	if (c->ev.epoll_fd < 0 || port >= c->info.ports)
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	if (!events_send_direct(&c->ev, port)) {
		err = client_request(c, &m, &p);
		parcel_close(&p);
		if (err == 0)
			err = (int)p.msg.u.ret.ret;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

/* ------------------------------------------------------------- receiving -- */

struct taker {
	const struct events *ev;
	uint32_t slot;
	void (*deliver)(void *arg, uint32_t port);
	void *arg;
};

static void
take_word(void *arg, uint32_t word, uint64_t bits)
{
	const struct taker *t = arg;

	while (bits != 0) {
		uint32_t port = word * 64 + (uint32_t)__builtin_ctzll(bits);

		bits &= bits - 1;
		if (t->slot == 0 || hv_port_rx(&t->ev->table[port]) == t->slot)
			t->deliver(t->arg, port);
	}
}

/* Empty one pair and arm it. */
static void
slot_harvest(struct hv_client *c, struct taker *t)
{
	struct slot *s = &c->ev.slots[t->slot];

	for (int i = 0; i < HARVEST_ROUNDS; i++) {
		pair_take(s->rx, take_word, t);
		if (!pair_arm(s->rx))
			return;
	}
	/* Come back for the rest: the bell rings in our own name. */
	(void)eventfd_write(s->rx_fd, 1);
}

int
hv_client_harvest(
    struct hv_client *c, void (*deliver)(void *arg, uint32_t port), void *arg)
{
	struct events *ev = &c->ev;
	struct taker t = { ev, 0, deliver, arg };
	struct epoll_event e[HARVEST_BATCH];
	int n, messages = 0;

	pthread_mutex_lock(&c->lock);
	n = epoll_wait(ev->epoll_fd, e, HARVEST_BATCH, 0);
	for (int i = 0; i < n; i++) {
		t.slot = e[i].data.u32;
		if (t.slot == EV_SOCKET)
			messages = 1;
		else if (t.slot < ev->nr_slots && ev->slots[t.slot].rx != NULL)
			slot_harvest(c, &t);
	}
	if (messages)
		client_read_async(c, HARVEST_MESSAGES);
	n = c->gone ? -ENOTCONN : n > 0;
	pthread_mutex_unlock(&c->lock);
	return n;
}

void
hv_client_peek(
    struct hv_client *c, void (*deliver)(void *arg, uint32_t port), void *arg)
{
	struct taker t = { &c->ev, 0, deliver, arg };

	pthread_mutex_lock(&c->lock);
	for (; t.slot < c->ev.nr_slots; t.slot++)
		if (c->ev.slots[t.slot].rx != NULL)
			pair_take(c->ev.slots[t.slot].rx, take_word, &t);
	pthread_mutex_unlock(&c->lock);
}

void
hv_client_nudge(struct hv_client *c)
{
	if (!__atomic_exchange_n(&c->ev.nudged, 1, __ATOMIC_SEQ_CST))
		(void)eventfd_write(c->ev.nudge_fd, 1);
}

void
hv_client_calm(struct hv_client *c)
{
	eventfd_t n;

	if (__atomic_exchange_n(&c->ev.nudged, 0, __ATOMIC_SEQ_CST))
		(void)eventfd_read(c->ev.nudge_fd, &n);
}

int
hv_client_wait(struct hv_client *c, int64_t timeout_ns)
{
	struct pollfd pfd = { .fd = c->ev.epoll_fd, .events = POLLIN };
	struct timespec ts;
	int n;

	if (timeout_ns >= 0) {
		ts.tv_sec = timeout_ns / 1000000000;
		ts.tv_nsec = timeout_ns % 1000000000;
	}
	n = ppoll(&pfd, 1, timeout_ns >= 0 ? &ts : NULL, NULL);
	return n < 0 ? -errno : n;
}

unsigned
hv_client_port_state(const struct hv_client *c, uint32_t port)
{
	if (c->ev.table == NULL || port >= c->info.ports)
		return HV_PORT_CLOSED;
	return __atomic_load_n(&c->ev.table[port].state, __ATOMIC_RELAXED);
}
