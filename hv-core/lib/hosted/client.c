/*
 * A channel: connecting, attaching, requests and what comes unasked.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hv-core/lib/hosted/client_priv.h"

static void
parcel_init(struct parcel *p)
{
	memset(&p->msg, 0, sizeof(p->msg));
	for (size_t i = 0; i < HV_MSG_FDS; i++)
		p->fd[i] = -1;
}

void
parcel_close(struct parcel *p)
{
	for (size_t i = 0; i < HV_MSG_FDS; i++) {
		if (p->fd[i] >= 0)
			close(p->fd[i]);
		p->fd[i] = -1;
	}
}

static void
parcel_take_fds(struct parcel *p, struct msghdr *mh)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL;
	     c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > HV_MSG_FDS)
			n = HV_MSG_FDS;
		memcpy(p->fd, CMSG_DATA(c), n * sizeof(int));
	}
}

/*
 * One message, if there is one or FLAGS has no MSG_DONTWAIT: 0, -EAGAIN, or
 * -ENOTCONN (also later on).
 */
static int
client_recv(struct hv_client *c, struct parcel *p, int flags)
{
	union {
		char buf[CMSG_SPACE(HV_MSG_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov;
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	ssize_t n;

	parcel_init(p);
	iov.iov_base = &p->msg;
	iov.iov_len = sizeof(p->msg);
	if (c->gone)
		return -ENOTCONN;
	do
		n = recvmsg(c->fd, &mh, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -EAGAIN;
	if (n != (ssize_t)sizeof(p->msg)) {
		c->gone = 1;
		return -ENOTCONN;
	}
	parcel_take_fds(p, &mh);
	return 0;
}

static int
client_send_msg(struct hv_client *c, const struct hv_msg *m)
{
	ssize_t n;

	if (c->gone)
		return -ENOTCONN;
	do
		n = send(c->fd, m, sizeof(*m), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*m))
		return 0;
	c->gone = 1;
	return -ENOTCONN;
}

static void
async_pair(struct hv_client *c, struct parcel *p)
{
	struct hv_msg ready = { .type = HV_MSG_PAIR_READY };

	/* Without descriptors or memory, sends go on by the hypercall. */
	if (events_pair_up(c, &p->msg.u.pair, p->fd[0], p->fd[1], p->fd[2]) !=
	    0) {
		parcel_close(p);
		return;
	}
	close(p->fd[0]);
	ready.u.slot.slot = p->msg.u.pair.slot;
	ready.u.slot.gen = p->msg.u.pair.gen;
	client_send_msg(c, &ready);
}

/* Deal with an asynchronous message; takes its descriptors. */
static void
client_async(struct hv_client *c, struct parcel *p)
{
	switch (p->msg.type) {
	case HV_MSG_PAIR:
		async_pair(c, p);
		return;
	case HV_MSG_PAIR_GONE:
		events_pair_down(c, p->msg.u.slot.slot);
		break;
	case HV_MSG_RAM_GONE:
		windows_drop(c, p->msg.u.ram_gone.serial);
		break;
	default:
		break;
	}
	parcel_close(p);
}

unsigned
client_read_async(struct hv_client *c, unsigned most)
{
	struct parcel p;
	unsigned n;

	for (n = 0; n < most && client_recv(c, &p, MSG_DONTWAIT) == 0; n++)
		client_async(c, &p);
	return n;
}

int
client_request(struct hv_client *c, const struct hv_msg *m, struct parcel *p)
{
	int err = client_send_msg(c, m);

	while (err == 0) {
		err = client_recv(c, p, 0);
		if (err != 0 || p->msg.type == m->type)
			return err;
		client_async(c, p);
	}
	parcel_init(p);
	return err;
}

static int
connect_hvd(int *fd_out)
{
	const char *root = getenv("HV_ROOT");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int n, fd, err;

	if (root == NULL || *root == '\0')
		root = HV_ROOT_DEFAULT;
	n = snprintf(
	    sun.sun_path, sizeof(sun.sun_path), "%s/%s", root, HV_SOCKET_NAME);
	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*fd_out = fd;
	return 0;
}

/* Address space for the arena, so that its address can go into ATTACH. */
static int
reserve_arena(struct hv_client *c)
{
	void *p = mmap(NULL, HV_ARENA_SIZE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	c->arena.base = p;
	c->arena.size = HV_ARENA_SIZE;
	return 0;
}

static int
map_fd(int fd, size_t size, void *at, int flags)
{
	void *p =
	    mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (p == at)
		return 0;
	munmap(p, size); /* a kernel that does not know FIXED_NOREPLACE */
	return -EEXIST;
}

static int
setup_control(struct hv_client *c, enum hv_chan_kind kind, struct parcel *p)
{
	int err;

	if (c->info.arena_size != HV_ARENA_SIZE)
		return -EPROTONOSUPPORT;
	err = map_fd(p->fd[0], c->arena.size, c->arena.base, MAP_FIXED);
	if (err != 0 || kind != HV_CHAN_EVTCHN)
		return err;
	return events_init(c, p->fd[1], p->fd[2], p->fd[3]);
}

static int
setup_guest(struct hv_client *c, struct parcel *p)
{
	void *ram = (void *)(uintptr_t)HV_GUEST_RAM_BASE;
	void *xen = (void *)(uintptr_t)HV_GUEST_XEN_BASE;
	int err;

	err = map_fd(p->fd[0], c->info.ram_size, ram, MAP_FIXED_NOREPLACE);
	if (err != 0)
		return err;
	err = map_fd(p->fd[1], c->info.xen_size, xen, MAP_FIXED_NOREPLACE);
	if (err != 0) {
		munmap(ram, c->info.ram_size);
		return err;
	}
	c->xen_pages = xen;
	return events_init(c, p->fd[2], p->fd[3], p->fd[4]);
}

/*
 * Send M on a channel whose other end may not listen before it is rid of what
 * it has to say, which is thrown away.
 */
static int
send_over(struct hv_client *c, const struct hv_msg *m)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN | POLLOUT };
	struct parcel p;

	for (;;) {
		ssize_t n =
		    send(c->fd, m, sizeof(*m), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(*m))
			return 0;
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			return -ENOTCONN;
		if (poll(&pfd, 1, -1) == 1 && (pfd.revents & POLLIN) &&
		    client_recv(c, &p, MSG_DONTWAIT) == 0)
			parcel_close(&p);
	}
}

/*
 * Send ATTACH and wait for its answer. What comes before it was meant for
 * another client of the channel, which is dead.
 */
static int
attach_request(struct hv_client *c, struct hv_msg *m, struct parcel *p)
{
	int err;

	if (getrandom(&m->u.attach.cookie, sizeof(m->u.attach.cookie), 0) !=
	    (ssize_t)sizeof(m->u.attach.cookie))
		return -EIO;
	err = send_over(c, m);
	while (err == 0) {
		err = client_recv(c, p, 0);
		if (err != 0 ||
		    (p->msg.type == HV_MSG_ATTACH &&
			p->msg.u.attached.cookie == m->u.attach.cookie))
			break;
		parcel_close(p);
	}
	return err;
}

static int
attach(struct hv_client *c, enum hv_chan_kind kind)
{
	struct hv_msg m = { .type = HV_MSG_ATTACH,
		.u.attach = { .version = HV_PROTO_VERSION, .kind = kind } };
	struct parcel p;
	int err = 0;

	if (kind != HV_CHAN_GUEST)
		err = reserve_arena(c);
	m.u.attach.arena_base = (uintptr_t)c->arena.base;
	if (err == 0)
		err = attach_request(c, &m, &p);
	if (err != 0)
		return err;
	c->info = p.msg.u.attached;
	err = c->info.err;
	if (err == 0 && kind == HV_CHAN_GUEST)
		err = setup_guest(c, &p);
	else if (err == 0)
		err = setup_control(c, kind, &p);
	/* The doorbell, the last one, is kept by the event endpoint. */
	if (err == 0 && kind == HV_CHAN_EVTCHN)
		p.fd[3] = -1;
	else if (err == 0 && kind == HV_CHAN_GUEST)
		p.fd[4] = -1;
	parcel_close(&p);
	return err;
}

static int
client_new(int fd, enum hv_chan_kind kind, struct hv_client **out)
{
	struct hv_client *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	c->fd = fd;
	c->ev.epoll_fd = -1;
	c->ev.nudge_fd = -1;
	err = attach(c, kind);
	if (err != 0) {
		c->fd = -1; /* stays the caller's */
		hv_client_close(c);
		return err;
	}
	*out = c;
	return 0;
}

int
hv_client_open(enum hv_chan_kind kind, struct hv_client **out)
{
	int fd = -1, err;

	err = connect_hvd(&fd);
	if (err != 0)
		return err;
	err = client_new(fd, kind, out);
	if (err != 0)
		close(fd);
	return err;
}

int
hv_client_open_fd(int fd, struct hv_client **out)
{
	return client_new(fd, HV_CHAN_GUEST, out);
}

int
hv_client_adopt(int fd, enum hv_chan_kind kind, struct hv_client **out)
{
	int type = 0, err;
	socklen_t len = sizeof(type);

	if (kind != HV_CHAN_EVTCHN ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    type != SOCK_SEQPACKET)
		return -EINVAL;
	err = client_new(fd, kind, out);
	return err == -EBUSY ? -EINVAL : err; /* attached as another kind */
}

int
hv_client_channel_fd(const struct hv_client *c)
{
	return c->fd;
}

static void
unmap_guest(struct hv_client *c)
{
	munmap(c->xen_pages, c->info.xen_size);
	munmap((void *)(uintptr_t)HV_GUEST_RAM_BASE, c->info.ram_size);
}

void
hv_client_close(struct hv_client *c)
{
	if (c == NULL)
		return;
	events_fini(c);
	windows_drop_all(c);
	arena_free_all(&c->arena);
	if (c->xen_pages != NULL)
		unmap_guest(c);
	else if (c->arena.base != NULL)
		munmap(c->arena.base, c->arena.size);
	if (c->fd >= 0)
		close(c->fd);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

const struct hv_msg_attached *
hv_client_info(const struct hv_client *c)
{
	return &c->info;
}

int64_t
hv_client_call(struct hv_client *c, unsigned nr, const uint64_t arg[5])
{
	struct hv_msg m = { .type = HV_MSG_HYPERCALL, .u.call = { .nr = nr } };
	struct parcel p;
	int err;

	memcpy(m.u.call.arg, arg, sizeof(m.u.call.arg));
	pthread_mutex_lock(&c->lock);
	err = client_request(c, &m, &p);
	pthread_mutex_unlock(&c->lock);
	if (err != 0)
		return err;
	parcel_close(&p);
	return p.msg.u.ret.ret;
}
