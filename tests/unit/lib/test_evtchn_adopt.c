/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A handle's ports outlive the process that used it: another one that holds the
 * descriptor takes them over, however the first one died, and misses nothing.
 */
#include "fixture.h"

#include <sys/random.h>
#include <sys/socket.h>

#include "hv-core/hosted/proto.h"
#include "xenevtchn.h"

enum { CHANNELS = 6, MANY = 400000, KILLS = 300, LOST_MS = 60000 };

/* What the two ends tell each other: written before the event. */
struct shared {
	uint32_t sent[CHANNELS];  /* by the peer */
	uint32_t seen[CHANNELS];  /* by the holder: what it found sent */
	uint32_t echo[CHANNELS];  /* by the holder, for the peer */
	uint32_t deaths;	  /* domains that the test has destroyed */
	uint32_t deaths_seen;	  /* of them, by the holder */
	uint32_t adopted, failed; /* by holders */
	uint32_t after;		  /* events after an adoption */
};

struct ends {
	struct shared *sh;
	xenevtchn_handle *peer; /* ours */
	int ours[CHANNELS];
	int fd; /* of the holders' handle */
	int theirs[CHANNELS];
	int virq;
	uint32_t got[CHANNELS]; /* of echo */
	pid_t holder;
};

static uint32_t
load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void
store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static void
set_nonblocking(int fd)
{
	assert_int_equal(
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Channels between two handles of ours, and the second's descriptor alone. */
static int
ends_open(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));
	xenevtchn_handle *first = xenevtchn_open(NULL, 0);
	int i;

	e->sh = mmap(NULL, sizeof(*e->sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(e->sh != MAP_FAILED);
	e->peer = xenevtchn_open(NULL, 0);
	assert_non_null(e->peer);
	assert_non_null(first);
	for (i = 0; i < CHANNELS; i++) {
		e->ours[i] = xenevtchn_bind_unbound_port(e->peer, 0);
		e->theirs[i] = xenevtchn_bind_interdomain(
		    first, 0, (evtchn_port_t)e->ours[i]);
		assert_true(e->ours[i] > 0 && e->theirs[i] > 0);
	}
	e->virq = xenevtchn_bind_virq(first, VIRQ_DOM_EXC);
	assert_true(e->virq > 0);
	e->fd = fcntl(xenevtchn_device_fd(first), F_DUPFD_CLOEXEC, 0);
	assert_true(e->fd >= 0);
	xenevtchn_close(first); /* unbinds nothing */
	set_nonblocking(xenevtchn_fd(e->peer));
	*state = e;
	return 0;
}

static int
ends_close(void **state)
{
	struct ends *e = *state;

	if (e->fd >= 0)
		close(e->fd);
	xenevtchn_close(e->peer);
	munmap(e->sh, sizeof(*e->sh));
	free(e);
	return 0;
}

/* ---------------------------------------------------------- the holder ---- */

static void
holder_look(struct ends *e, xenevtchn_handle *xce, int i)
{
	store(&e->sh->seen[i], load(&e->sh->sent[i]));
	store(&e->sh->echo[i], load(&e->sh->seen[i]));
	if (xenevtchn_notify(xce, (evtchn_port_t)e->theirs[i]) < 0)
		store(&e->sh->failed, 1);
}

/* As a successor has to: every port may be pending. */
static void
holder_take_over(struct ends *e, xenevtchn_handle *xce)
{
	evtchn_port_t ports[CHANNELS];
	int i;

	for (i = 0; i < CHANNELS; i++) {
		ports[i] = (evtchn_port_t)e->theirs[i];
		xenevtchn_unmask(xce, ports[i]);
		store(&e->sh->seen[i], load(&e->sh->sent[i]));
		store(&e->sh->echo[i], load(&e->sh->seen[i]));
	}
	if (xenevtchn_notify_many(xce, ports, CHANNELS) < 0)
		store(&e->sh->failed, 4);
	xenevtchn_unmask(xce, (evtchn_port_t)e->virq);
	store(&e->sh->deaths_seen, load(&e->sh->deaths));
}

static void
holder_serve(struct ends *e, xenevtchn_handle *xce)
{
	int i, port = xenevtchn_pending(xce);

	if (port < 0)
		store(&e->sh->failed, 2);
	if (port == e->virq)
		store(&e->sh->deaths_seen, load(&e->sh->deaths));
	/* unmasked first: what comes now, comes again */
	xenevtchn_unmask(xce, (evtchn_port_t)port);
	for (i = 0; i < CHANNELS; i++)
		if (port == e->theirs[i])
			holder_look(e, xce, i);
	store(&e->sh->after, load(&e->sh->after) + 1);
}

/* A process that takes the descriptor over and serves until it is killed. */
static pid_t
holder_start(struct ends *e)
{
	pid_t pid = fork();
	xenevtchn_handle *xce;

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	xce = xenevtchn_fdopen(NULL, e->fd, 0);
	if (xce == NULL) {
		store(&e->sh->failed, 3);
		_exit(1);
	}
	store(&e->sh->adopted, load(&e->sh->adopted) + 1);
	holder_take_over(e, xce);
	for (;;)
		holder_serve(e, xce);
}

static void
holder_kill(struct ends *e)
{
	int status;

	kill(e->holder, SIGKILL);
	assert_int_equal(waitpid(e->holder, &status, 0), e->holder);
	assert_true(WIFSIGNALED(status)); /* it had not ended by itself */
}

/* ------------------------------------------------------------ the peer ---- */

static void
peer_receive(struct ends *e)
{
	int i, port;

	while ((port = xenevtchn_pending(e->peer)) >= 0) {
		xenevtchn_unmask(e->peer, (evtchn_port_t)port);
		for (i = 0; i < CHANNELS; i++)
			if (port == e->ours[i])
				e->got[i] = load(&e->sh->echo[i]);
	}
	assert_int_equal(errno, EAGAIN);
}

static void
peer_send(struct ends *e, unsigned n)
{
	while (n-- > 0) {
		int i = rand() % CHANNELS;

		store(&e->sh->sent[i], e->sh->sent[i] + 1);
		assert_int_equal(
		    xenevtchn_notify(e->peer, (evtchn_port_t)e->ours[i]), 0);
		if (n % 8 == 0)
			peer_receive(e);
	}
}

/* Each end has seen what the other one said last. */
static int
all_seen(const struct ends *e)
{
	int i;

	for (i = 0; i < CHANNELS; i++)
		if (load(&e->sh->seen[i]) != e->sh->sent[i] ||
		    e->got[i] != e->sh->sent[i])
			return 0;
	return load(&e->sh->deaths_seen) == e->sh->deaths;
}

/* Without another event from us. */
static void
expect_all_seen(struct ends *e)
{
	struct pollfd p = { xenevtchn_fd(e->peer), POLLIN, 0 };
	int ms;

	for (ms = 0; !all_seen(e) && ms < LOST_MS; ms++) {
		poll(&p, 1, 1);
		peer_receive(e);
		assert_int_equal(load(&e->sh->failed), 0);
	}
	assert_true(all_seen(e));
}

/* A domain comes and goes: VIRQ_DOM_EXC. */
static void
domain_dies(struct ends *e, xencall_handle *xcall)
{
	struct xen_domctl d = { 0 };

	d.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	d.u.createdomain.max_vcpus = 1;
	d.u.createdomain.max_evtchn_port = 1023;
	d.u.createdomain.max_grant_frames = 1;
	d.u.createdomain.grant_opts = 1;
	assert_int_equal(guest_domctl(xcall, XEN_DOMCTL_createdomain, &d), 0);
	store(&e->sh->deaths, e->sh->deaths + 1);
	assert_int_equal(guest_domctl(xcall, XEN_DOMCTL_destroydomain, &d), 0);
}

static void
a_holder_killed_at_any_moment_is_succeeded_and_no_event_is_lost(void **state)
{
	struct ends *e = *state;
	xencall_handle *xcall = xencall_open(NULL, 0);
	int i;

	assert_non_null(xcall);
	for (i = 0; i < KILLS; i++) {
		e->holder = holder_start(e);
		/* some die before, some while, most after they attach */
		peer_send(e, (unsigned)rand() % 400);
		if (i % 8 == 0)
			domain_dies(e, xcall);
		if (i % 4 == 0)
			usleep((unsigned)rand() % 2000);
		if (i % 3 == 0)
			expect_all_seen(e);
		holder_kill(e);
	}
	e->holder = holder_start(e);
	peer_send(e, 200);
	domain_dies(e, xcall);
	expect_all_seen(e);
	holder_kill(e);
	assert_true(load(&e->sh->adopted) > KILLS / 3);
	assert_true(load(&e->sh->after) > KILLS);
	xencall_close(xcall);
}

/* --------------------------------------------------------- descriptors ---- */

static void
the_ports_have_the_same_numbers_and_are_the_successors(void **state)
{
	struct ends *e = *state;
	xenevtchn_handle *xce = xenevtchn_fdopen(NULL, e->fd, 0);

	assert_non_null(xce);
	assert_int_equal(xenevtchn_device_fd(xce), e->fd);
	e->fd = -1; /* owned by the handle */
	assert_int_equal(xenevtchn_bind_virq(xce, VIRQ_DOM_EXC), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(xenevtchn_unbind(xce, (evtchn_port_t)e->virq), 0);
	e->virq = xenevtchn_bind_virq(xce, VIRQ_DOM_EXC);
	assert_true(e->virq > 0);
	assert_int_equal(xenevtchn_notify(xce, (evtchn_port_t)e->theirs[0]), 0);
	/* what is not its own stays out of reach */
	assert_int_equal(xenevtchn_notify(xce, (evtchn_port_t)e->ours[0]), -1);
	assert_int_equal(errno, ENOTCONN);
	xenevtchn_close(xce);
}

static void
the_last_holder_takes_the_ports_with_it(void **state)
{
	struct ends *e = *state;
	int port = -1, tries;

	close(e->fd);
	e->fd = -1;
	/* once hvd has seen it, the port is open to us again */
	for (tries = 0; tries < LOST_MS / 10; tries++) {
		port = xenevtchn_bind_interdomain(
		    e->peer, 0, (evtchn_port_t)e->ours[0]);
		if (port > 0)
			break;
		fixture_sleep_ms(10);
	}
	assert_true(port > 0);
	assert_true(xenevtchn_bind_virq(e->peer, VIRQ_DOM_EXC) > 0);
}

/* What a holder has asked and not read, and an ATTACH of a dead successor. */
static void
what_the_dead_left_in_the_socket_does_not_confuse_the_successor(void **state)
{
	struct ends *e = *state;
	struct hv_msg m = { .type = HV_MSG_ATTACH };
	xenevtchn_handle *xce;
	int i;

	for (i = 0; i < 20; i++) {
		m.type = HV_MSG_ATTACH;
		m.u.attach = (struct hv_msg_attach){ HV_PROTO_VERSION,
			HV_CHAN_EVTCHN, 1 << 20, (uint64_t)i };
		assert_int_equal(send(e->fd, &m, sizeof(m), 0), sizeof(m));
		m.type = HV_MSG_PAIR_READY;
		m.u.slot = (struct hv_msg_slot){ (uint32_t)i, 77 };
		assert_int_equal(send(e->fd, &m, sizeof(m), 0), sizeof(m));
		m.type = HV_MSG_SEND;
		m.u.send.port = (uint32_t)e->theirs[0];
		assert_int_equal(send(e->fd, &m, sizeof(m), 0), sizeof(m));
	}
	xce = xenevtchn_fdopen(NULL, e->fd, 0);
	assert_non_null(xce);
	e->fd = -1;
	set_nonblocking(xenevtchn_fd(xce));
	holder_take_over(e, xce);
	while (xenevtchn_pending(xce) >= 0)
		;
	holder_take_over(e, xce);
	for (i = 0; i < CHANNELS; i++) {
		struct pollfd p = { xenevtchn_fd(xce), POLLIN, 0 };

		xenevtchn_notify(e->peer, (evtchn_port_t)e->ours[i]);
		assert_int_equal(poll(&p, 1, LOST_MS), 1);
		assert_int_equal(xenevtchn_pending(xce), e->theirs[i]);
	}
	xenevtchn_close(xce);
}

static void
what_is_no_event_channel_device_is_refused_and_stays_the_callers(void **state)
{
	xencall_handle *xcall;
	int sv[2], next = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_null(xenevtchn_fdopen(NULL, sv[0], 0));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(fcntl(sv[0], F_GETFD), 0);
	assert_null(xenevtchn_fdopen(NULL, sv[0], 1));
	assert_int_equal(errno, EINVAL);
	close(sv[0]);
	close(sv[1]);
	assert_null(xenevtchn_fdopen(NULL, sv[0], 0));
	assert_int_equal(errno, EBADF);
	/* nor is a channel to hvd that is for something else */
	close(next);
	xcall = xencall_open(NULL, 0);
	assert_non_null(xcall);
	assert_null(xenevtchn_fdopen(NULL, next, 0));
	assert_int_equal(errno, EINVAL);
	xencall_close(xcall);
}

static void
a_device_of_a_kernels_is_known_without_a_look_at_its_node(void **state)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	xenevtchn_handle *xce = xenevtchn_fdopen(NULL, fd, 0);

	(void)state;
	assert_non_null(xce);
	assert_int_equal(xenevtchn_device_fd(xce), fd);
	assert_int_equal(xenevtchn_pending(xce), 0); /* what it reads */
	xenevtchn_close(xce);
}

static void
many_ports_are_notified_at_once_and_a_bad_one_does_not_stop_the_rest(
    void **state)
{
	struct ends *e = *state;
	evtchn_port_t ports[CHANNELS + 2] = { 0 };
	int i;

	for (i = 0; i < CHANNELS; i++)
		ports[i + 1] = (evtchn_port_t)e->ours[i];
	ports[CHANNELS + 1] = (evtchn_port_t)e->theirs[0];
	e->holder = holder_start(e);
	for (i = 0; i < CHANNELS; i++)
		store(&e->sh->sent[i], 1);
	assert_int_equal(
	    xenevtchn_notify_many(e->peer, ports, CHANNELS + 2), -1);
	assert_int_equal(errno, ENOTCONN);
	expect_all_seen(e);
	for (i = 0; i < CHANNELS; i++)
		store(&e->sh->sent[i], 2);
	assert_int_equal(
	    xenevtchn_notify_many(e->peer, ports + 1, CHANNELS), 0);
	expect_all_seen(e);
	assert_int_equal(xenevtchn_notify_many(e->peer, NULL, 0), 0);
	holder_kill(e);
}

static void
however_many_ports_are_notified_there_is_memory_for_it(void **state)
{
	struct ends *e = *state;
	evtchn_port_t *ports = calloc(MANY, sizeof(*ports));
	int i;

	assert_non_null(ports);
	for (i = 0; i < MANY; i++)
		ports[i] = (evtchn_port_t)e->ours[i % CHANNELS];
	e->holder = holder_start(e);
	for (i = 0; i < CHANNELS; i++)
		store(&e->sh->sent[i], 1);
	assert_int_equal(xenevtchn_notify_many(e->peer, ports, MANY), 0);
	expect_all_seen(e);
	holder_kill(e);
	free(ports);
}

static void
no_cloexec_leaves_the_device_open_across_exec(void **state)
{
	xenevtchn_handle *a = xenevtchn_open(NULL, 0);
	xenevtchn_handle *b = xenevtchn_open(NULL, XENEVTCHN_NO_CLOEXEC);

	(void)state;
	assert_true(fcntl(xenevtchn_device_fd(a), F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(xenevtchn_device_fd(b), F_GETFD) & FD_CLOEXEC);
	xenevtchn_close(a);
	xenevtchn_close(b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, ends_open, ends_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_holder_killed_at_any_moment_is_succeeded_and_no_event_is_lost),
		T(the_ports_have_the_same_numbers_and_are_the_successors),
		T(the_last_holder_takes_the_ports_with_it),
		T(what_the_dead_left_in_the_socket_does_not_confuse_the_successor),
		cmocka_unit_test(
		    what_is_no_event_channel_device_is_refused_and_stays_the_callers),
		cmocka_unit_test(
		    a_device_of_a_kernels_is_known_without_a_look_at_its_node),
		T(many_ports_are_notified_at_once_and_a_bad_one_does_not_stop_the_rest),
		T(however_many_ports_are_notified_there_is_memory_for_it),
		cmocka_unit_test(no_cloexec_leaves_the_device_open_across_exec),
	};
	static const char *const modes[] = { "direct", "strict" };
	unsigned i, seed = 0;
	int ret = 0;

	(void)!getrandom(&seed, sizeof(seed), 0);
	if (getenv("SEED") != NULL)
		seed = (unsigned)strtoul(getenv("SEED"), NULL, 10);
	fprintf(stderr, "SEED=%u\n", seed);
	srand(seed);
	for (i = 0; i < 2; i++) {
		setenv("HV_EVTCHN", modes[i], 1);
		if (!fixture_start())
			return 0;
		ret |= cmocka_run_group_tests_name(modes[i], tests, NULL, NULL);
		fixture_stop();
	}
	return ret;
}
