/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A server whose guests' rings are pages of this process: a hypervisor of a few
 * lines stands in for the libraries, and the guests' side is here as well.
 */
#ifndef TESTS_XENSTORED_FAKEHV_H
#define TESTS_XENSTORED_FAKEHV_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenmanage.h>

#include "harness.h"
#include "xenstored/domain.h"
#include "xenstored/ring.h"
#include "xenstored/server.h"
#include "xenstored/transport_ring.h"

/*
 * A hypervisor of a few lines stands in for the libraries: domain N's page is
 * page[N], its local port 100 + N.
 */
#ifndef FAKE_DOMS
#define FAKE_DOMS 8
#endif

enum { DOMS = FAKE_DOMS, PORT_BASE = 100, VIRQ_PORT = 50 };

static struct {
	int fd;
	struct wire_ring *page[DOMS];
	bool granted[DOMS];
	int mapped[DOMS];
	bool bound[DOMS];
	unsigned notified[DOMS];
	bool pending[DOMS], virq;
	unsigned state[DOMS];
	uint64_t unique_id[DOMS];
	bool changed[DOMS];
	void (*mapping)(void); /* is called when a page is mapped, if set */
	const char *broken;    /* the call that fails, or NULL */
} fake;

/* Whether CALL fails now. */
static bool
fake_fails(const char *call)
{
	if (fake.broken == NULL || strcmp(fake.broken, call) != 0)
		return false;
	errno = EIO;
	return true;
}

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	return (void *)&fake;
}

int
xenevtchn_close(xenevtchn_handle *xce)
{
	(void)xce;
	return 0;
}

int
xenevtchn_fd(xenevtchn_handle *xce)
{
	(void)xce;
	return fake.fd;
}

int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	if (fake_fails("notify"))
		return -1;
	assert_true(fake.bound[port - PORT_BASE]);
	fake.notified[port - PORT_BASE]++;
	return 0;
}

int
xenevtchn_notify_many(
    xenevtchn_handle *xce, const evtchn_port_t *ports, size_t nr)
{
	while (nr > 0)
		xenevtchn_notify(xce, ports[--nr]);
	return 0;
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(
    xenevtchn_handle *xce, uint32_t domid, evtchn_port_t remote)
{
	(void)xce;
	if (fake_fails("bind"))
		return -1;
	if (remote == 999) {
		errno = EINVAL;
		return -1;
	}
	assert_false(fake.bound[domid]);
	fake.bound[domid] = true;
	return (int)(PORT_BASE + domid);
}

xenevtchn_port_or_error_t
xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
	(void)xce;
	assert_int_equal(virq, 3);
	return VIRQ_PORT;
}

int
xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	if (fake_fails("unbind"))
		return -1;
	fake.bound[port - PORT_BASE] = false;
	return 0;
}

xenevtchn_port_or_error_t
xenevtchn_pending(xenevtchn_handle *xce)
{
	bool *pending;
	uint64_t n;

	(void)xce;
	if (fake.virq) {
		fake.virq = false;
		return VIRQ_PORT;
	}
	pending = memchr(fake.pending, true, sizeof(fake.pending));
	if (pending != NULL) {
		*pending = false;
		return (int)(PORT_BASE + (pending - fake.pending));
	}
	if (read(fake.fd, &n, sizeof(n)) < 0)
		errno = EAGAIN;
	errno = EAGAIN;
	return -1;
}

int
xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	return fake_fails("unmask") ? -1 : 0;
}

xengnttab_handle *
xengnttab_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	(void)logger;
	(void)open_flags;
	return (void *)&fake;
}

int
xengnttab_close(xengnttab_handle *xgt)
{
	(void)xgt;
	return 0;
}

int
xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t nr_grants)
{
	(void)xgt;
	(void)nr_grants;
	return 0;
}

void *
xengnttab_map_grant_ref(
    xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	(void)xgt;
	assert_int_equal(ref, 1);
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	if (fake_fails("map"))
		return NULL;
	if (domid >= DOMS || !fake.granted[domid]) {
		errno = EINVAL;
		return NULL;
	}
	fake.mapped[domid]++;
	if (fake.mapping != NULL)
		fake.mapping();
	return fake.page[domid];
}

int
xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count)
{
	int i;

	(void)xgt;
	assert_int_equal(count, 1);
	for (i = 0; i < DOMS; i++)
		if (fake.page[i] == start)
			fake.mapped[i]--;
	return 0;
}

int
xenmanage_boot_id(xenmanage_handle *hdl, uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	(void)hdl;
	memset(id, 0, XENMANAGE_BOOT_ID_SIZE);
	return 0;
}

xenmanage_handle *
xenmanage_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
	(void)logger;
	(void)open_flags;
	return (void *)&fake;
}

int
xenmanage_close(xenmanage_handle *hdl)
{
	(void)hdl;
	return 0;
}

int
xenmanage_get_domain_info(xenmanage_handle *hdl, unsigned int domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id)
{
	(void)hdl;
	(void)caps;
	if (fake_fails("info"))
		return -1;
	if (domid >= DOMS || fake.state[domid] == 0) {
		errno = ESRCH;
		return -1;
	}
	if (state != NULL)
		*state = fake.state[domid];
	if (unique_id != NULL)
		*unique_id = fake.unique_id[domid];
	return 0;
}

int
xenmanage_poll_changed_domain(xenmanage_handle *hdl, unsigned int *domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id)
{
	unsigned i;

	(void)hdl;
	(void)caps;
	if (fake_fails("poll"))
		return -1;
	for (i = 1; i < DOMS; i++) {
		if (!fake.changed[i])
			continue;
		fake.changed[i] = false;
		*domid = i;
		*state = fake.state[i];
		*unique_id = fake.state[i] != 0 ? fake.unique_id[i] : 0;
		return 0;
	}
	errno = ENOENT;
	return -1;
}

int
xenmanage_store_ring(xenmanage_handle *hdl, struct xenmanage_store_ring *ring,
    struct xenmanage_node_error *error)
{
	(void)hdl;
	(void)error;
	ring->port = 7;
	ring->page = fake.page[0];
	return 0;
}

void
xenmanage_store_ring_release(struct xenmanage_store_ring *ring)
{
	ring->page = NULL;
}

/* --- the daemon and its guests --- */

struct t {
	struct h h; /* only its buffers are used */
	struct log *log;
	struct server *server;
	struct rings *rings;
	struct conn *s;
};

/* A page between two that nobody may touch. */
static struct wire_ring *
guarded_page(void)
{
	char *three =
	    mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(three != MAP_FAILED);
	assert_int_equal(
	    mprotect(three + 4096, 4096, PROT_READ | PROT_WRITE), 0);
	return (struct wire_ring *)(void *)(three + 4096);
}

static void
turns(struct t *t)
{
	int i;

	for (i = 0; i < 3 || server_turn(t->server, false); i++)
		assert_true(i < 100000);
}

/* Domain I sent an event. */
static void
kick(struct t *t, int i)
{
	uint64_t one = 1;

	fake.pending[i] = true;
	assert_int_equal(write(fake.fd, &one, sizeof(one)), sizeof(one));
	turns(t);
}

static void
begin(struct t *t)
{
	struct server_config config;
	int i;

	memset(t, 0, sizeof(*t));
	memset(&fake, 0, sizeof(fake));
	memset(&config, 0, sizeof(config));
	fake.fd = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < DOMS; i++) {
		fake.page[i] = guarded_page();
		fake.granted[i] = true;
		fake.state[i] = XENMANAGE_GETDOMSTATE_STATE_EXIST;
		fake.unique_id[i] = 10 + (uint64_t)i;
	}
	config.state.quotas = quota_defaults();
	t->log = log_private(1 << 20, 1);
	t->server = server_new(&config, t->log);
	t->rings = rings_open(t->server, 0);
	server_set_world(t->server, rings_world(t->rings));
	rings_start(t->rings);
	t->s = state_open_socket(server_state(t->server), 0, 1, NULL);
	turns(t);
}

static void
end(struct t *t)
{
	int i;

	assert_null(state_check(server_state(t->server)));
	rings_stop(t->rings);
	server_free(t->server);
	rings_close(t->rings);
	log_close(t->log);
	close(fake.fd);
	for (i = 0; i < DOMS; i++)
		munmap((char *)fake.page[i] - 4096, 3 * 4096);
}

static enum xs_err
introduce(struct t *t, int domid)
{
	char text[16];
	struct h_message m;

	snprintf(text, sizeof(text), "%d", domid);
	return h_strings(
	    &t->h, t->s, WIRE_INTRODUCE, 0, &m, text, "1", "5", NULL);
}

/* The guest's side: puts LEN bytes into the ring of domain I. */
static void
put(int i, const void *bytes, size_t len)
{
	struct wire_ring *page = fake.page[i];
	const char *b = bytes;
	size_t n;

	for (n = 0; n < len; n++)
		page->req[(page->req_prod + n) % WIRE_RING_SIZE] =
		    (uint8_t)b[n];
	page->req_prod += (uint32_t)len;
}

static size_t
make(char *to, uint32_t type, const char *payload, size_t len)
{
	struct wire_header header = {
		.type = type, .req_id = 9, .len = (uint32_t)len
	};

	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), payload, len);
	return sizeof(header) + len;
}

/* Takes what the daemon sent to domain I. */
static size_t
get(int i, char *to)
{
	struct wire_ring *page = fake.page[i];
	size_t n = 0;

	assert_true(page->rsp_prod - page->rsp_cons <= WIRE_RING_SIZE);
	while (page->rsp_cons != page->rsp_prod)
		to[n++] = (char)page->rsp[page->rsp_cons++ % WIRE_RING_SIZE];
	return n;
}

/* One request of domain I; the reply's type. */
static uint32_t
ask(struct t *t, int i, uint32_t type, const char *payload, size_t len)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct wire_header header;

	put(i, bytes, make(bytes, type, payload, len));
	kick(t, i);
	assert_true(get(i, bytes) >= sizeof(header));
	memcpy(&header, bytes, sizeof(header));
	assert_int_equal(header.req_id, 9);
	return header.type;
}

#endif
