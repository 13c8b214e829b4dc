/*
 * hvd over a real socket: channels, events between clients, rude clients. Every
 * test that sends events runs in both modes.
 */
#include "fixture.h"

/* A port of A joined to one of B, both of domain 0. */
static void
join(struct hv_client *a, struct hv_client *b, uint32_t *pa, uint32_t *pb)
{
	struct evtchn_alloc_unbound au = { .dom = DOMID_SELF };
	struct evtchn_bind_interdomain bi = { 0 };

	assert_int_equal(
	    evtchn_op(a, EVTCHNOP_alloc_unbound, &au, sizeof(au)), 0);
	bi.remote_port = au.port;
	assert_int_equal(
	    evtchn_op(b, EVTCHNOP_bind_interdomain, &bi, sizeof(bi)), 0);
	*pa = au.port;
	*pb = bi.local_port;
}

static void
events_go_both_ways_between_two_handles(void **state)
{
	struct machine *m = *state;
	struct hv_client *other;
	uint32_t pa, pb;

	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &other), 0);
	join(m->ev, other, &pa, &pb);
	/* binding makes up for what was sent before */
	assert_int_equal(hear(other, pb, WAIT_MS), 1);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(hv_client_send(m->ev, pa), 0);
		assert_int_equal(hear(other, pb, WAIT_MS), 1);
		assert_int_equal(hv_client_send(other, pb), 0);
		assert_int_equal(hear(m->ev, pa, WAIT_MS), 1);
	}
	hv_client_close(other);
}

static void
a_handle_can_hear_itself(void **state)
{
	struct machine *m = *state;
	uint32_t pa, pb;

	join(m->ev, m->ev, &pa, &pb);
	assert_int_equal(hear(m->ev, pb, WAIT_MS), 1);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(hv_client_send(m->ev, pa), 0);
		assert_int_equal(hear(m->ev, pb, WAIT_MS), 1);
		assert_int_equal(hv_client_send(m->ev, pb), 0);
		assert_int_equal(hear(m->ev, pa, WAIT_MS), 1);
	}
}

static void
an_event_that_nobody_reads_arrives_once(void **state)
{
	struct machine *m = *state;
	struct hv_client *other;
	uint32_t pa, pb;

	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &other), 0);
	join(m->ev, other, &pa, &pb);
	assert_int_equal(hear(other, pb, WAIT_MS), 1);
	/* let both ends learn of their pair */
	assert_int_equal(hv_client_send(m->ev, pa), 0);
	assert_int_equal(hear(other, pb, WAIT_MS), 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(hv_client_send(m->ev, pa), 0);
	assert_int_equal(hear(other, pb, WAIT_MS), 1);
	assert_int_equal(hear(other, pb, 30), 0);
	hv_client_close(other);
}

static void
closing_a_handle_closes_its_ports_only(void **state)
{
	struct machine *m = *state;
	struct evtchn_status st = { .dom = DOMID_SELF };
	struct hv_client *other, *third;
	uint32_t pa, pb, pc, pd;

	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &other), 0);
	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &third), 0);
	join(m->ev, other, &pa, &pb);
	join(m->ev, third, &pc, &pd);
	assert_int_equal(hear(third, pd, WAIT_MS), 1);
	hv_client_close(other);
	st.port = pb;
	await(evtchn_op(m->call, EVTCHNOP_status, &st, sizeof(st)) == 0 &&
	      st.status == EVTCHNSTAT_closed);
	st.port = pa;
	assert_int_equal(
	    evtchn_op(m->call, EVTCHNOP_status, &st, sizeof(st)), 0);
	assert_int_equal(st.status, EVTCHNSTAT_unbound);
	assert_int_equal(hv_client_port_state(m->ev, pa), HV_PORT_UNBOUND);
	assert_int_equal(hv_client_send(m->ev, pa), 0);
	/* the other pair is as it was */
	assert_int_equal(hv_client_send(m->ev, pc), 0);
	assert_int_equal(hear(third, pd, WAIT_MS), 1);
	hv_client_close(third);
}

static void
an_event_to_a_new_peer_is_not_sent_to_the_old_one(void **state)
{
	struct machine *m = *state;
	struct evtchn_bind_interdomain bi = { 0 };
	struct hv_client *peer;
	uint32_t pa, pb;

	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &peer), 0);
	join(m->ev, peer, &pa, &pb);
	for (int i = 0; i < 3; i++) {
		hv_client_send(m->ev, pa);
		assert_true(hear(peer, pb, WAIT_MS) > 0);
		hv_client_send(peer, pb);
		assert_true(hear(m->ev, pa, WAIT_MS) > 0);
	}
	bi.remote_port = pa;
	for (int i = 0; i < 20; i++) {
		/* a new peer, and m->ev reads nothing of it all */
		hv_client_close(peer);
		assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &peer), 0);
		await(evtchn_op(peer, EVTCHNOP_bind_interdomain, &bi,
			  sizeof(bi)) == 0);
		assert_true(hear(peer, bi.local_port, WAIT_MS) > 0);
		while (hear(peer, bi.local_port, 20) > 0)
			;
		assert_int_equal(hv_client_send(m->ev, pa), 0);
		assert_true(hear(peer, bi.local_port, WAIT_MS) > 0);
	}
	hv_client_close(peer);
}

static void
a_killed_client_leaves_no_port_behind(void **state)
{
	struct machine *m = *state;
	struct evtchn_status st = { .dom = DOMID_SELF };
	int ready[2];
	uint32_t port;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct evtchn_alloc_unbound au = { .dom = DOMID_SELF };
		struct hv_client *c;

		if (hv_client_open(HV_CHAN_EVTCHN, &c) != 0 ||
		    evtchn_op(c, EVTCHNOP_alloc_unbound, &au, sizeof(au)) !=
			0 ||
		    write(ready[1], &au.port, 4) != 4)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &port, 4), 4);
	close(ready[0]);
	close(ready[1]);
	st.port = port;
	assert_int_equal(
	    evtchn_op(m->call, EVTCHNOP_status, &st, sizeof(st)), 0);
	assert_int_equal(st.status, EVTCHNSTAT_unbound);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	await(evtchn_op(m->call, EVTCHNOP_status, &st, sizeof(st)) == 0 &&
	      st.status == EVTCHNSTAT_closed);
}

static void
a_port_is_its_handles_own(void **state)
{
	struct machine *m = *state;
	struct hv_client *other;
	struct evtchn_close cl;
	uint32_t pa, pb;

	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &other), 0);
	join(m->ev, other, &pa, &pb);
	assert_int_equal(hear(other, pb, WAIT_MS), 1);
	cl.port = pa;
	assert_int_equal(evtchn_op(m->ev, EVTCHNOP_close, &cl, sizeof(cl)), 0);
	assert_int_equal(hv_client_port_state(m->ev, pa), HV_PORT_CLOSED);
	/* a reused number is heard by its new owner only */
	join(other, other, &pa, &pb);
	assert_int_equal(hv_client_send(other, pb), 0);
	assert_int_equal(hear(other, pa, WAIT_MS), 1);
	assert_int_equal(hear(m->ev, pa, 30), 0);
	hv_client_close(other);
}

static void
domain_states_change_with_an_event(void **state)
{
	struct machine *m = *state;
	struct evtchn_bind_virq bv = { .virq = VIRQ_DOM_EXC };
	domid_t domid;

	assert_int_equal(
	    evtchn_op(m->ev, EVTCHNOP_bind_virq, &bv, sizeof(bv)), 0);
	domid = domain_build(m);
	hear(m->ev, bv.port, 30);
	assert_int_equal(domctl_plain(m, XEN_DOMCTL_destroydomain, domid), 0);
	assert_true(hear(m->ev, bv.port, WAIT_MS) > 0);
	assert_int_equal(domain_flags(m, domid), 0);
}

/* ---------------------------------------------------------- rude clients -- */

static int
raw_connect(struct machine *m)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/hvd.sock", m->root);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

/* hvd hangs up on FD. */
static void
expect_hangup(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char c;

	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
}

static void
who_babbles_is_hung_up_on_and_the_others_go_on(void **state)
{
	struct machine *m = *state;
	struct hv_msg msg = { .type = HV_MSG_HYPERCALL };
	char big[1000] = "";
	int fd;

	fd = raw_connect(m); /* too short */
	assert_int_equal(send(fd, "x", 1, 0), 1);
	expect_hangup(fd);
	fd = raw_connect(m); /* too long */
	assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
	expect_hangup(fd);
	fd = raw_connect(m); /* a call before ATTACH */
	assert_int_equal(send(fd, &msg, sizeof(msg), 0), sizeof(msg));
	expect_hangup(fd);
	fd = raw_connect(m); /* a message from us only */
	msg.type = HV_MSG_PAIR;
	assert_int_equal(send(fd, &msg, sizeof(msg), 0), sizeof(msg));
	expect_hangup(fd);
	assert_int_equal(domain_flags(m, 0) & XEN_DOMINF_dying, 0);
}

static int
attach_error(struct machine *m, uint32_t version, uint32_t kind, uint64_t base)
{
	struct hv_msg msg = { .type = HV_MSG_ATTACH,
		.u.attach = { version, kind, base, 0 } };
	int fd = raw_connect(m);

	assert_int_equal(send(fd, &msg, sizeof(msg), 0), sizeof(msg));
	assert_int_equal(recv(fd, &msg, sizeof(msg), 0), sizeof(msg));
	assert_int_equal(msg.type, HV_MSG_ATTACH);
	assert_int_equal(msg.u.attached.version, HV_PROTO_VERSION);
	close(fd);
	return msg.u.attached.err;
}

static void
attaching_is_refused_with_a_reason(void **state)
{
	struct machine *m = *state;

	assert_int_equal(
	    attach_error(m, 99, HV_CHAN_CALL, 4096), -EPROTONOSUPPORT);
	assert_int_equal(
	    attach_error(m, HV_PROTO_VERSION, HV_CHAN_GUEST, 0), -EPERM);
	assert_int_equal(attach_error(m, HV_PROTO_VERSION, 0, 4096), -EINVAL);
	assert_int_equal(attach_error(m, HV_PROTO_VERSION, 77, 4096), -EINVAL);
	assert_int_equal(
	    attach_error(m, HV_PROTO_VERSION, HV_CHAN_CALL, 0), -EINVAL);
	assert_int_equal(
	    attach_error(m, HV_PROTO_VERSION, HV_CHAN_CALL, 4097), -EINVAL);
	assert_int_equal(
	    attach_error(m, HV_PROTO_VERSION, HV_CHAN_CALL, UINT64_MAX - 4095),
	    -EINVAL);
}

static void
arguments_outside_of_the_arena_are_a_fault(void **state)
{
	struct machine *m = *state;
	uint64_t arg[5] = { EVTCHNOP_send };
	uint8_t *p = hv_client_alloc(m->call, 1);
	uint64_t base = (uint64_t)(uintptr_t)p & ~(HV_ARENA_SIZE - 1);
	const uint64_t wild[] = { 0, 8, UINT64_MAX, UINT64_MAX - 3,
		UINT64_C(1) << 63, base - HV_ARENA_SIZE,
		(uint64_t)(uintptr_t)&arg };

	for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
		arg[1] = wild[i];
		assert_int_equal(
		    hv_client_call(m->call, __HYPERVISOR_event_channel_op, arg),
		    -EFAULT);
	}
	hv_client_free(m->call, p);
}

static void
an_unknown_hypercall_is_no_hypercall(void **state)
{
	struct machine *m = *state;
	uint64_t arg[5] = { 0 };

	assert_int_equal(hv_client_call(m->call, 63, arg), -ENOSYS);
	assert_int_equal(hv_client_call(m->call, UINT32_MAX, arg), -ENOSYS);
}

static void
descriptors_sent_to_hvd_are_dropped(void **state)
{
	struct machine *m = *state;
	char buf[CMSG_SPACE(sizeof(int))] = { 0 };
	struct hv_msg msg = { .type = HV_MSG_ATTACH,
		.u.attach = { HV_PROTO_VERSION, HV_CHAN_CALL, 1 << 20, 0 } };
	struct iovec iov = { &msg, sizeof(msg) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = buf,
		.msg_controllen = sizeof(buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	int before = machine_fds(m), fd = raw_connect(m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(sendmsg(fd, &mh, 0), sizeof(msg));
		assert_int_equal(recv(fd, &msg, sizeof(msg), 0), sizeof(msg));
		msg.type = HV_MSG_GET_RAM;
		msg.u.ram.domid = 99;
	}
	assert_int_equal(machine_fds(m), before + 1);
	close(fd);
	await(machine_fds(m) == before);
}

static void
clients_come_and_go_without_a_trace(void **state)
{
	struct machine *m = *state;
	int before = machine_fds(m);

	for (int i = 0; i < 50; i++) {
		struct hv_client *a, *b;
		uint32_t pa, pb;

		assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &a), 0);
		assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &b), 0);
		join(a, b, &pa, &pb);
		assert_int_equal(hear(b, pb, WAIT_MS), 1);
		hv_client_send(a, pa);
		hv_client_close(i % 2 ? a : b);
		hv_client_close(i % 2 ? b : a);
	}
	await(machine_fds(m) == before);
}

static void
a_client_that_never_reads_does_not_grow_hvd(void **state)
{
	struct machine *m = *state;
	struct hv_msg msg = { .type = HV_MSG_ATTACH,
		.u.attach = { HV_PROTO_VERSION, HV_CHAN_CALL, 1 << 20, 0 } };
	int fd = raw_connect(m), n = 0;

	assert_int_equal(send(fd, &msg, sizeof(msg), 0), sizeof(msg));
	msg.type = HV_MSG_GET_RAM;
	msg.u.ram.domid = 99;
	/* hvd stops listening, so our side fills up */
	while (n < 100000 &&
	       (send(fd, &msg, sizeof(msg), MSG_DONTWAIT) > 0 || n % 16 != 0)) {
		n++;
		if (n % 16 == 0)
			pause_ms(1);
	}
	assert_true(n < 100000);
	assert_int_equal(domain_flags(m, 0) & XEN_DOMINF_dying, 0);
	close(fd);
}

#define MANY 300000u

/* In a process of its own: give a domain very many frames, one by one. */
static void
populate_many(void)
{
	struct xen_memory_reservation r = { .nr_extents = MANY };
	struct xen_domctl d = { 0 };
	struct machine mine = { 0 };
	uint64_t *pfn;

	if (hv_client_open(HV_CHAN_CALL, &mine.call) != 0)
		_exit(1);
	d.u.createdomain = (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = 4,
		.grant_opts = 1,
	};
	if (domctl(&mine, XEN_DOMCTL_createdomain, 0, &d) != 0)
		_exit(2);
	r.domid = d.domain;
	d.u.max_mem.max_memkb = MANY * 4;
	pfn = hv_client_alloc(mine.call, MANY * sizeof(*pfn));
	if (pfn == NULL || domctl(&mine, XEN_DOMCTL_max_mem, r.domid, &d) != 0)
		_exit(3);
	for (uint64_t i = 0; i < MANY; i++)
		pfn[i] = i;
	r.extent_start = hv_client_addr(mine.call, pfn);
	if (hypercall(mine.call, __HYPERVISOR_memory_op,
		XENMEM_populate_physmap, &r, sizeof(r)) != MANY)
		_exit(4);
	if (domctl_plain(&mine, XEN_DOMCTL_destroydomain, r.domid) != 0)
		_exit(5);
	_exit(0);
}

static void
a_long_operation_does_not_keep_the_others_waiting(void **state)
{
	struct machine *m = *state;
	unsigned answered = 0;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		populate_many();
	while (waitpid(pid, &status, WNOHANG) == 0) {
		domain_flags(m, 0);
		answered++;
	}
	assert_int_equal(status, 0);
	if (answered < 50)
		fail_msg("%u", answered);
}

#define BOTH(t)                                                                \
	cmocka_unit_test_setup_teardown(t, start_direct, stop),                \
	{                                                                      \
#t " (strict)", t, start_strict, stop, NULL,                   \
	}
#define ONE(t) cmocka_unit_test_setup_teardown(t, start_direct, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(events_go_both_ways_between_two_handles),
		BOTH(a_handle_can_hear_itself),
		BOTH(an_event_that_nobody_reads_arrives_once),
		BOTH(closing_a_handle_closes_its_ports_only),
		BOTH(an_event_to_a_new_peer_is_not_sent_to_the_old_one),
		BOTH(a_killed_client_leaves_no_port_behind),
		BOTH(a_port_is_its_handles_own),
		BOTH(domain_states_change_with_an_event),
		ONE(who_babbles_is_hung_up_on_and_the_others_go_on),
		ONE(attaching_is_refused_with_a_reason),
		ONE(arguments_outside_of_the_arena_are_a_fault),
		ONE(an_unknown_hypercall_is_no_hypercall),
		ONE(descriptors_sent_to_hvd_are_dropped),
		BOTH(clients_come_and_go_without_a_trace),
		ONE(a_client_that_never_reads_does_not_grow_hvd),
		ONE(a_long_operation_does_not_keep_the_others_waiting),
	};

	return cmocka_run_group_tests_name("hvd", tests, NULL, NULL);
}
