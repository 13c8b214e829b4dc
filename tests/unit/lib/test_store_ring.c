/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever store daemon runs at $HV_ROOT and $KB_STORE_SOCKET serves a guest's
 * ring: the test plays the toolstack and a guest with a request.
 * tests/integration runs it under Debian's xenstored, so that grants and event
 * channels are judged by software of others. Skipped where no daemon is named.
 */
#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "abi/event_channel.h"
#include "abi/io/xs_wire.h"

enum { STORE_FRAME = 3, XENSTORE_REF = 1 };

/* What this test says in the store's language. */
enum {
	XS_INTRODUCE = 8,
	XS_GET_DOMAIN_PATH = 10,
	XS_IS_DOMAIN_INTRODUCED = 17,
};

struct xsd_sockmsg {
	uint32_t type, req_id, tx_id, len;
};

static struct guest guest;
static int sock = -1;

/* A port of the guest's that domain 0 may bind. */
static uint32_t
guest_port(void)
{
	struct evtchn_alloc_unbound *op =
	    xencall_alloc_buffer(guest.xcall, sizeof(*op));
	uint32_t port;

	memset(op, 0, sizeof(*op));
	op->dom = guest.domid;
	assert_int_equal(xencall2(guest.xcall, __HYPERVISOR_event_channel_op,
			     EVTCHNOP_alloc_unbound, (uintptr_t)op),
	    0);
	port = op->port;
	xencall_free_buffer(guest.xcall, op);
	return port;
}

static void
read_all(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = read(sock, p, len);

		assert_true(n > 0);
		p += n;
		len -= (size_t)n;
	}
}

/* A request over the socket; the reply's type, its text in BUF. */
static uint32_t
request(uint32_t type, const char *text, size_t len, char *buf, size_t size)
{
	struct xsd_sockmsg m = { .type = type, .len = (uint32_t)len };

	assert_int_equal(write(sock, &m, sizeof(m)), sizeof(m));
	assert_int_equal(write(sock, text, len), len);
	read_all(&m, sizeof(m));
	assert_true(m.len < size);
	read_all(buf, m.len);
	buf[m.len] = '\0';
	return m.type;
}

/* Put a request into the guest's ring, as the guest would. */
static void
ring_request(struct xenstore_domain_interface *ring, uint32_t type,
    const char *text, size_t len)
{
	struct xsd_sockmsg m = {
		.type = type, .req_id = 77, .len = (uint32_t)len
	};

	memcpy(ring->req, &m, sizeof(m));
	memcpy(ring->req + sizeof(m), text, len);
	__atomic_store_n(
	    &ring->req_prod, (uint32_t)(sizeof(m) + len), __ATOMIC_RELEASE);
}

static int
introduce(uint32_t port)
{
	char text[64], reply[256];
	int n = snprintf(text, sizeof(text), "%u%c%u%c%u", guest.domid, 0,
	    (unsigned)STORE_FRAME, 0, port);

	return request(XS_INTRODUCE, text, (size_t)n + 1, reply,
		   sizeof(reply)) == XS_INTRODUCE
		   ? 0
		   : -1;
}

/* The domain that is_introduced() asks about when the guest is no more. */
static domid_t dead;

/* The daemon's answer, 'T' or 'F'. */
static char
is_introduced(void)
{
	char reply[256], text[32];
	int len = snprintf(
	    text, sizeof(text), "%u", guest.xcall != NULL ? guest.domid : dead);

	assert_int_equal(request(XS_IS_DOMAIN_INTRODUCED, text, (size_t)len + 1,
			     reply, sizeof(reply)),
	    XS_IS_DOMAIN_INTRODUCED);
	return reply[0];
}

static void
a_daemon_serves_the_ring_of_a_guest_over_its_grant(void **state)
{
	struct xenstore_domain_interface *ring =
	    (void *)(guest.ram + STORE_FRAME * PAGE);
	struct xsd_sockmsg m;
	char expected[64], text[64];
	int tries;

	(void)state;
	guest_grant(&guest, XENSTORE_REF, STORE_FRAME, GTF_permit_access);
	snprintf(text, sizeof(text), "%u", guest.domid);
	assert_int_equal(introduce(guest_port()), 0);
	ring_request(ring, XS_GET_DOMAIN_PATH, text, strlen(text) + 1);
	/* This guest cannot send events: a question wakes the daemon. */
	assert_int_equal(is_introduced(), 'T');
	for (tries = 0; tries < 6000; tries++) {
		if (__atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) >
		    sizeof(m))
			break;
		fixture_sleep_ms(10);
	}
	memcpy(&m, ring->rsp, sizeof(m));
	snprintf(expected, sizeof(expected), "/local/domain/%u", guest.domid);
	assert_int_equal(m.type, XS_GET_DOMAIN_PATH);
	assert_int_equal(m.req_id, 77);
	assert_int_equal(m.len, strlen(expected) + 1);
	assert_string_equal(ring->rsp + sizeof(m), expected);
	assert_int_equal(ring->req_cons, ring->req_prod);
	assert_int_equal(
	    guest.grants[XENSTORE_REF].flags & (GTF_reading | GTF_writing),
	    GTF_reading | GTF_writing);
}

static void
the_daemon_lets_go_of_a_domain_that_died(void **state)
{
	int tries;

	(void)state;
	dead = guest.domid;
	guest_destroy(&guest);
	for (tries = 0; tries < 6000; tries++) {
		if (is_introduced() == 'F')
			return;
		fixture_sleep_ms(10);
	}
	fail_msg("domain still introduced: VIRQ_DOM_EXC was not heard");
}

static int
open_all(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)state;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s",
	    getenv("KB_STORE_SOCKET"));
	if (connect(sock, (void *)&sun, sizeof(sun)) < 0)
		return -1;
	guest_create(&guest);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	guest_destroy(&guest);
	return close(sock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_daemon_serves_the_ring_of_a_guest_over_its_grant),
		cmocka_unit_test(the_daemon_lets_go_of_a_domain_that_died),
	};

	if (getenv("KB_STORE_SOCKET") == NULL) {
		fprintf(stderr, "SKIP: KB_STORE_SOCKET names no daemon\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, open_all, close_all);
}
