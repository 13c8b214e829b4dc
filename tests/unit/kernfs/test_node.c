/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * $HV_ROOT/dev/xenevt as hv-kernfs serves it, used by plain system calls as a
 * program written for NetBSD would; and our library's netbsd provider on it.
 */
#include "../lib/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/time.h>

#include "hv-core/lib/common/netbsd_xenevt.h"
#include "xenevtchn.h"

static char node[128];
static pid_t kernfs;

/* in which the last of several events will have come, too */
enum { ALL_THERE_MS = 500 };

struct opens {
	int a, b;	 /* two opens of the node */
	uint32_t pa, pb; /* joined ports */
};

static int
node_open(void)
{
	int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int
readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void
expect_port(int fd, uint32_t port)
{
	uint32_t got = 0;

	assert_true(readable(fd, 60000));
	assert_int_equal(read(fd, &got, sizeof(got)), sizeof(got));
	assert_int_equal(got, port);
}

static void
expect_silence(int fd)
{
	uint32_t got;

	fixture_sleep_ms(20);
	assert_false(readable(fd, 0));
	assert_int_equal(read(fd, &got, sizeof(got)), -1);
	assert_int_equal(errno, EAGAIN);
}

static int
notify(int fd, uint32_t port)
{
	struct xenevt_notify n = { port };

	return ioctl(fd, XENEVT_NOTIFY, &n);
}

static int
unmask(int fd, uint32_t port)
{
	uint16_t word = (uint16_t)port;

	return (int)write(fd, &word, sizeof(word));
}

/* Join a new port of FROM with a new one of TO, whose first event is taken. */
static void
join(int to, int from, uint32_t *pto, uint32_t *pfrom)
{
	struct xenevt_bind_unbound_port u = { .remote_domain = 0 };
	struct xenevt_bind_interdomain i = { .remote_domain = 0 };

	assert_int_equal(ioctl(to, XENEVT_BIND_UNBOUND_PORT, &u), 0);
	i.remote_port = u.port;
	assert_int_equal(ioctl(from, XENEVT_BIND_INTERDOMAIN, &i), 0);
	assert_true(u.port > 0 && i.port > 0);
	expect_port(from, i.port);
	assert_int_equal(unmask(from, i.port), 2);
	*pto = u.port;
	*pfrom = i.port;
}

static int
setup(void **state)
{
	struct opens *o = calloc(1, sizeof(*o));

	o->a = node_open();
	o->b = node_open();
	join(o->a, o->b, &o->pa, &o->pb);
	*state = o;
	return 0;
}

static int
teardown(void **state)
{
	struct opens *o = *state;

	close(o->a);
	close(o->b);
	free(o);
	return 0;
}

static void
an_event_is_read_as_a_whole_port(void **state)
{
	struct opens *o = *state;

	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
	expect_silence(o->a);
	assert_int_equal(notify(o->a, o->pa), 0);
	expect_port(o->b, o->pb);
}

static void
an_empty_read_says_eagain_or_waits(void **state)
{
	struct opens *o = *state;
	uint32_t port = 0;
	pid_t child;
	int status;

	expect_silence(o->a);
	assert_int_equal(fcntl(o->a, F_SETFL, O_RDWR), 0);
	child = fork();
	if (child == 0) {
		fixture_sleep_ms(100);
		_exit(notify(o->b, o->pb) == 0 ? 0 : 1);
	}
	alarm(60);
	assert_int_equal(read(o->a, &port, sizeof(port)), sizeof(port));
	alarm(0);
	assert_int_equal(port, o->pa);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
a_signal_ends_a_blocking_read(void **state)
{
	struct sigaction sa = { .sa_handler = on_alarm }, old;
	const struct itimerval every = { { 1, 0 }, { 1, 0 } }, none = { 0 };
	struct opens *o = *state;
	uint32_t port;

	assert_int_equal(fcntl(o->a, F_SETFL, O_RDWR), 0);
	sigaction(SIGALRM, &sa, &old);
	/* again and again, if it comes before the read */
	setitimer(ITIMER_REAL, &every, NULL);
	assert_int_equal(read(o->a, &port, sizeof(port)), -1);
	assert_int_equal(errno, EINTR);
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &old, NULL);
	/* nothing was lost by it */
	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
}

struct reader {
	int fd;
	uint32_t port;
};

static void *
read_one(void *arg)
{
	struct reader *r = arg;

	if (read(r->fd, &r->port, sizeof(r->port)) != sizeof(r->port))
		r->port = 0;
	return NULL;
}

static void
a_write_does_not_wait_for_a_blocked_read(void **state)
{
	struct opens *o = *state;
	struct reader r = { .fd = o->a };
	pthread_t thread;

	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa); /* and masked now */
	assert_int_equal(notify(o->b, o->pb), 0);
	assert_int_equal(fcntl(o->a, F_SETFL, O_RDWR), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_one, &r), 0);
	fixture_sleep_ms(50);
	alarm(60);
	assert_int_equal(unmask(o->a, o->pa), 2);
	pthread_join(thread, NULL);
	alarm(0);
	assert_int_equal(r.port, o->pa);
}

static void
less_than_a_port_reads_nothing(void **state)
{
	struct opens *o = *state;
	char buf[3];

	assert_int_equal(read(o->a, buf, 3), 0);
	assert_int_equal(notify(o->b, o->pb), 0);
	assert_true(readable(o->a, 60000));
	assert_int_equal(read(o->a, buf, 3), 0);
	expect_port(o->a, o->pa);
}

static void
one_read_returns_as_many_ports_as_fit(void **state)
{
	enum { N = 5 };
	struct opens *o = *state;
	uint32_t pa[N], pb[N], got[N + 1];
	int i, k;

	for (i = 0; i < N; i++)
		join(o->a, o->b, &pa[i], &pb[i]);
	for (i = 0; i < N; i++)
		assert_int_equal(notify(o->b, pb[i]), 0);
	assert_true(readable(o->a, 60000));
	fixture_sleep_ms(ALL_THERE_MS);
	/* 11 bytes hold two ports; the rest comes at the second read */
	assert_int_equal(read(o->a, got, 11), 8);
	assert_int_equal(read(o->a, got + 2, sizeof(got) - 8), (N - 2) * 4);
	for (i = 0; i < N; i++) {
		for (k = 0; k < N && got[k] != pa[i]; k++)
			;
		assert_true(k < N);
	}
	expect_silence(o->a);
}

static void
events_at_a_masked_port_collapse_until_it_is_written_back(void **state)
{
	struct opens *o = *state;
	int i;

	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
	for (i = 0; i < 5; i++)
		assert_int_equal(notify(o->b, o->pb), 0);
	expect_silence(o->a);
	assert_int_equal(unmask(o->a, o->pa), 2);
	expect_port(o->a, o->pa);
	assert_int_equal(unmask(o->a, o->pa), 2);
	expect_silence(o->a);
}

static void
only_the_open_that_bound_a_port_can_unmask_it(void **state)
{
	struct opens *o = *state;

	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
	assert_int_equal(notify(o->b, o->pb), 0);
	assert_int_equal(unmask(o->b, o->pa), 2); /* ignored, but no error */
	expect_silence(o->a);
	assert_int_equal(unmask(o->a, o->pa), 2);
	expect_port(o->a, o->pa);
}

static void
the_sizes_of_writes_are_checked(void **state)
{
	static uint16_t many[XENEVT_PORTS];
	struct opens *o = *state;

	assert_int_equal(write(o->a, many, 0), 0);
	assert_int_equal(write(o->a, many, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(write(o->a, many, 3), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(write(o->a, many, sizeof(many)), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(write(o->a, many, sizeof(many) - 2), sizeof(many) - 2);
	memset(many, 0xff, sizeof(many)); /* no such ports: ignored */
	assert_int_equal(write(o->a, many, 64), 64);
}

/* The library of old writes {port, 0} as 32 bits, which must do no harm. */
static void
a_32_bit_unmask_works_on_a_little_endian_machine(void **state)
{
	struct opens *o = *state;

	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
	assert_int_equal(write(o->a, &o->pa, 4), 4);
	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
}

static void
overflow_withholds_everything_until_reset(void **state)
{
	struct opens *o = *state;
	uint32_t buf[XENEVT_RING_SLOTS];
	unsigned i;

	/* unmasking before reading lets one port fill the ring */
	for (i = 0; i < XENEVT_RING_SLOTS - 1; i++) {
		assert_int_equal(notify(o->b, o->pb), 0);
		assert_true(readable(o->a, 60000));
		assert_int_equal(unmask(o->a, o->pa), 2);
	}
	assert_int_equal(notify(o->b, o->pb), 0); /* one too many */
	fixture_sleep_ms(ALL_THERE_MS);
	assert_int_equal(read(o->a, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EFBIG);
	assert_true(readable(o->a, 0)); /* the ring has entries */
	assert_int_equal(read(o->a, buf, 4), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(ioctl(o->a, XENEVT_RESET), 0);
	expect_silence(o->a);
	/* the reader's sweep: unmask all, and events flow again */
	assert_int_equal(unmask(o->a, o->pa), 2);
	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
}

static void
a_full_ring_that_has_not_overflowed_is_read_whole(void **state)
{
	struct opens *o = *state;
	uint32_t buf[XENEVT_RING_SLOTS];
	unsigned i;

	for (i = 0; i < XENEVT_RING_SLOTS - 1; i++) {
		assert_int_equal(notify(o->b, o->pb), 0);
		assert_true(readable(o->a, 60000));
		assert_int_equal(unmask(o->a, o->pa), 2);
	}
	assert_int_equal(
	    read(o->a, buf, sizeof(buf)), (XENEVT_RING_SLOTS - 1) * 4);
	for (i = 0; i < XENEVT_RING_SLOTS - 1; i++)
		assert_int_equal(buf[i], o->pa);
	assert_int_equal(ioctl(o->a, XENEVT_RESET_OLD), 0);
}

static void
foreign_ports_are_not_connected(void **state)
{
	struct xenevt_unbind u = { 0 };
	struct opens *o = *state;

	assert_int_equal(notify(o->a, o->pb), -1);
	assert_int_equal(errno, ENOTCONN);
	u.port = o->pb;
	assert_int_equal(ioctl(o->a, XENEVT_UNBIND, &u), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(notify(o->a, XENEVT_PORTS), -1);
	assert_int_equal(errno, EINVAL);
	an_event_is_read_as_a_whole_port(state); /* nothing has changed */
	u.port = o->pa;
	assert_int_equal(ioctl(o->a, XENEVT_UNBIND, &u), 0);
	assert_int_equal(u.port, o->pa); /* an "in" argument is not written */
	assert_int_equal(ioctl(o->a, XENEVT_UNBIND, &u), -1);
	assert_int_equal(errno, ENOTCONN);
}

static void
an_unreadable_argument_is_efault_and_an_unknown_ioctl_einval(void **state)
{
	struct opens *o = *state;

	assert_int_equal(ioctl(o->a, XENEVT_NOTIFY, (void *)16), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(ioctl(o->a, 0x20004502, NULL), -1);
	assert_int_equal(errno, EINVAL);
}

static void
bind_errors_are_the_hypervisors(void **state)
{
	struct xenevt_bind_virq v = { .virq = VIRQ_DOM_EXC };
	struct xenevt_bind_interdomain i = { .remote_domain = 99 };
	struct opens *o = *state;

	assert_int_equal(ioctl(o->a, XENEVT_BIND_VIRQ, &v), 0);
	assert_true(v.port > 0);
	assert_int_equal(ioctl(o->b, XENEVT_BIND_VIRQ, &v), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(ioctl(o->b, XENEVT_BIND_INTERDOMAIN, &i), -1);
	assert_int_equal(errno, ESRCH);
	i.remote_domain = 0;
	i.remote_port = 4000;
	assert_int_equal(ioctl(o->b, XENEVT_BIND_INTERDOMAIN, &i), -1);
	assert_int_equal(errno, EINVAL);
}

static void
close_breaks_the_peers_channel(void **state)
{
	struct xenevt_bind_interdomain i = { .remote_domain = 0 };
	struct opens *o = *state;
	int tries, ret = -1;

	close(o->a);
	o->a = node_open();
	/* the peer's port has become unbound, so it can be bound anew */
	i.remote_port = o->pb;
	for (tries = 0; tries < 6000 && ret < 0; tries++) {
		ret = ioctl(o->a, XENEVT_BIND_INTERDOMAIN, &i);
		fixture_sleep_ms(10); /* release comes after close() */
	}
	assert_int_equal(ret, 0);
	o->pa = i.port;
	expect_port(o->a, o->pa);
	assert_int_equal(notify(o->a, o->pa), 0);
	expect_port(o->b, o->pb);
}

static void
fork_shares_an_open(void **state)
{
	struct opens *o = *state;
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(notify(o->b, o->pb) == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	expect_port(o->a, o->pa);
}

static void
fionbio_makes_an_empty_read_fail(void **state)
{
	struct opens *o = *state;
	uint32_t port;
	int on = 1;

	assert_int_equal(fcntl(o->a, F_SETFL, O_RDWR), 0);
	assert_int_equal(ioctl(o->a, FIONBIO, &on), 0);
	alarm(60);
	assert_int_equal(read(o->a, &port, sizeof(port)), -1);
	assert_int_equal(errno, EAGAIN);
	alarm(0);
}

static void
poll_is_always_writable(void **state)
{
	struct opens *o = *state;
	struct pollfd p = { .fd = o->a, .events = POLLIN | POLLOUT };

	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLOUT);
}

static void
no_event_is_lost_in_a_storm(void **state)
{
	struct opens *o = *state;
	unsigned i, sent = 0, got = 0;
	unsigned seed = 1;

	for (i = 0; i < 20000; i++) {
		uint32_t port;

		seed = seed * 1103515245u + 12345u;
		if (seed >> 16 & 1) {
			assert_int_equal(notify(o->b, o->pb), 0);
			sent++;
		} else if (read(o->a, &port, 4) == 4) {
			assert_int_equal(port, o->pa);
			got++;
			assert_int_equal(unmask(o->a, o->pa), 2);
		}
	}
	assert_true(got > 0 && got <= sent);
	while (readable(o->a, 100)) {
		expect_port(o->a, o->pa);
		assert_int_equal(unmask(o->a, o->pa), 2);
	}
	assert_int_equal(notify(o->b, o->pb), 0);
	expect_port(o->a, o->pa);
}

/* -- the library's netbsd provider -- */

static void
the_netbsd_provider_works_on_the_node(void **state)
{
	xenevtchn_handle *a, *b;
	int pa, pb, i;

	(void)state;
	setenv("HV_PROVIDER", "netbsd", 1);
	a = xenevtchn_open(NULL, 0);
	b = xenevtchn_open(NULL, XENEVTCHN_NO_CLOEXEC);
	setenv("HV_PROVIDER", "hosted", 1);
	assert_true(a != NULL && b != NULL);
	assert_int_equal(fcntl(xenevtchn_fd(a), F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(xenevtchn_fd(b), F_GETFD), 0);
	pa = xenevtchn_bind_unbound_port(a, 0);
	pb = xenevtchn_bind_interdomain(b, 0, (evtchn_port_t)pa);
	assert_true(pa > 0 && pb > 0);
	alarm(60);
	assert_int_equal(xenevtchn_pending(b), pb);
	for (i = 0; i < 3; i++) {
		assert_int_equal(xenevtchn_notify(b, (evtchn_port_t)pb), 0);
		assert_int_equal(xenevtchn_pending(a), pa);
		assert_int_equal(xenevtchn_unmask(a, (evtchn_port_t)pa), 0);
	}
	alarm(0);
	assert_int_equal(xenevtchn_notify(a, (evtchn_port_t)pb), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(xenevtchn_unmask(a, 70000), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xenevtchn_unbind(b, (evtchn_port_t)pb), 0);
	xenevtchn_close(a);
	xenevtchn_close(b);
}

static void
the_netbsd_provider_recovers_from_lost_events(void **state)
{
	xenevtchn_handle *a;
	int pa, b = node_open();
	struct xenevt_bind_interdomain i = { .remote_domain = 0 };
	unsigned n;

	(void)state;
	setenv("HV_PROVIDER", "netbsd", 1);
	a = xenevtchn_open(NULL, 0);
	setenv("HV_PROVIDER", "hosted", 1);
	pa = xenevtchn_bind_unbound_port(a, 0);
	i.remote_port = (uint32_t)pa;
	assert_int_equal(ioctl(b, XENEVT_BIND_INTERDOMAIN, &i), 0);
	for (n = 0; n < XENEVT_RING_SLOTS; n++) {
		assert_int_equal(notify(b, i.port), 0);
		fixture_sleep_ms(n % 64 == 0 ? 5 : 0);
		assert_true(readable(xenevtchn_fd(a), 60000));
		assert_int_equal(xenevtchn_unmask(a, (evtchn_port_t)pa), 0);
	}
	alarm(60);
	assert_int_equal(xenevtchn_pending(a), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(xenevtchn_unmask(a, (evtchn_port_t)pa), 0);
	assert_int_equal(notify(b, i.port), 0);
	assert_int_equal(xenevtchn_pending(a), pa);
	alarm(0);
	xenevtchn_close(a);
	close(b);
}

/* A process that takes the node over and lets its events lie, till killed. */
static pid_t
idle_holder(int fd)
{
	int said[2];
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		xenevtchn_handle *x = xenevtchn_fdopen(NULL, fd, 0);

		if (x == NULL || xenevtchn_pending(x) < 0)
			_exit(1);
		(void)!write(said[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(said[0], &c, 1), 1);
	close(said[0]);
	close(said[1]);
	return pid;
}

static void
a_successor_on_the_node_has_the_ports_of_one_that_was_killed(void **state)
{
	struct opens *o = *state;
	xenevtchn_handle *x;
	pid_t pid;
	int i;

	setenv("HV_PROVIDER", "netbsd", 1);
	assert_int_equal(fcntl(o->a, F_SETFL, O_RDWR), 0);
	for (i = 0; i < 20; i++) {
		assert_int_equal(notify(o->b, o->pb), 0);
		pid = idle_holder(o->a); /* takes that one, leaves it masked */
		assert_int_equal(notify(o->b, o->pb), 0);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		x = xenevtchn_fdopen(NULL, dup(o->a), 0);
		assert_non_null(x);
		assert_int_equal(xenevtchn_device_fd(x), xenevtchn_fd(x));
		alarm(60);
		assert_int_equal(xenevtchn_unmask(x, o->pa), 0);
		assert_int_equal(xenevtchn_pending(x), o->pa);
		assert_int_equal(xenevtchn_unmask(x, o->pa), 0);
		assert_int_equal(
		    xenevtchn_notify_many(x, &(evtchn_port_t){ o->pa }, 1), 0);
		expect_port(o->b, o->pb);
		assert_int_equal(unmask(o->b, o->pb), 2);
		alarm(0);
		xenevtchn_close(x);
	}
	setenv("HV_PROVIDER", "hosted", 1);
}

/* -- setting up -- */

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/*
 * Mounts of our own: a namespace that somebody else makes meanwhile would
 * otherwise hold ours after the umount(). As a user, become root in it.
 */
static void
private_mounts(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0 && unshare(CLONE_NEWNS) < 0)
		return;
	if (uid != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return;
		write_text("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_text("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_text("/proc/self/gid_map", map);
	}
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* 1: the node is mounted; 0: that cannot be done here, and why has been said;
 * -1: it should have worked. */
static int
kernfs_start(void)
{
	char path[PATH_MAX];
	int fd = open("/dev/fuse", O_RDWR), tries;

	if (fd < 0) {
		fprintf(stderr, "SKIP: /dev/fuse: %s\n", strerror(errno));
		return 0;
	}
	close(fd);
	fixture_built("bin/hv-kernfs", path);
	if (access(path, X_OK) != 0) {
		fprintf(stderr, "SKIP: no %s\n", path);
		return 0;
	}
	snprintf(node, sizeof(node), "%s/dev/xenevt", fixture_root);
	close(open(node, O_WRONLY | O_CREAT, 0600));
	kernfs = fixture_spawn(path, "-f", node);
	for (tries = 0; tries < 6000; tries++) {
		int status;

		fd = open(node, O_RDWR);
		if (fd >= 0 && ioctl(fd, XENEVT_RESET) == 0) {
			close(fd);
			return 1;
		}
		if (fd >= 0)
			close(fd);
		if (waitpid(kernfs, &status, WNOHANG) == kernfs) {
			kernfs = 0;
			fprintf(stderr, "SKIP: cannot mount FUSE files here\n");
			return 0;
		}
		fixture_sleep_ms(10);
	}
	fprintf(stderr, "FAIL: hv-kernfs has not come up\n");
	return -1;
}

/* Unmounting ends the server. */
static int
kernfs_stop(void)
{
	int status, tries;

	if (kernfs <= 0)
		return 0;
	if (umount2(node, MNT_DETACH) < 0)
		kill(kernfs, SIGTERM);
	for (tries = 0; tries < 6000; tries++) {
		if (waitpid(kernfs, &status, WNOHANG) == kernfs) {
			kernfs = 0;
			return status;
		}
		fixture_sleep_ms(10);
	}
	kill(kernfs, SIGKILL);
	waitpid(kernfs, &status, 0);
	return -1;
}

static void
unmounting_ends_the_server(void **state)
{
	(void)state;
	assert_int_equal(kernfs_stop(), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_event_is_read_as_a_whole_port),
		T(an_empty_read_says_eagain_or_waits),
		T(a_signal_ends_a_blocking_read),
		T(a_write_does_not_wait_for_a_blocked_read),
		T(less_than_a_port_reads_nothing),
		T(one_read_returns_as_many_ports_as_fit),
		T(events_at_a_masked_port_collapse_until_it_is_written_back),
		T(only_the_open_that_bound_a_port_can_unmask_it),
		T(the_sizes_of_writes_are_checked),
		T(a_32_bit_unmask_works_on_a_little_endian_machine),
		T(overflow_withholds_everything_until_reset),
		T(a_full_ring_that_has_not_overflowed_is_read_whole),
		T(foreign_ports_are_not_connected),
		T(an_unreadable_argument_is_efault_and_an_unknown_ioctl_einval),
		T(bind_errors_are_the_hypervisors),
		T(close_breaks_the_peers_channel),
		T(fork_shares_an_open),
		T(fionbio_makes_an_empty_read_fail),
		T(poll_is_always_writable),
		T(no_event_is_lost_in_a_storm),
		cmocka_unit_test(the_netbsd_provider_works_on_the_node),
		cmocka_unit_test(the_netbsd_provider_recovers_from_lost_events),
		T(a_successor_on_the_node_has_the_ports_of_one_that_was_killed),
		cmocka_unit_test(unmounting_ends_the_server),
	};
	int ret = 0, started;

	private_mounts();
	if (!fixture_start())
		return 0;
	started = kernfs_start();
	if (started < 0)
		ret = 1;
	else if (started > 0)
		ret = cmocka_run_group_tests(tests, NULL, NULL);
	kernfs_stop();
	fixture_stop();
	return ret;
}
