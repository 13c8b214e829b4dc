/*
 * Channels: accepting them, bytes in and out, ending them. What a message asks
 * for is in request.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

/* ---------------------------------------------------------------- output -- */

/* 0, or -errno: -EAGAIN there is no room. */
static int
send_now(int sock, const struct hv_msg *m, const int *fd, int nfds)
{
	union {
		char buf[CMSG_SPACE(HV_MSG_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t len = (size_t)nfds * sizeof(int);
	ssize_t n;

	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(len);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(&control.align), fd, len);
	}
	do
		n = sendmsg(sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void
outgoing_free(struct outgoing *o)
{
	for (int i = 0; i < o->nfds; i++)
		close(o->fd[i]);
	free(o);
}

/* What the loop shall wait for on C. */
static void
channel_interest(struct channel *c)
{
	uint32_t events = 0;

	if (c->out != NULL)
		events = EPOLLOUT; /* who does not read is not listened to */
	else if (!c->busy)
		events = EPOLLIN;
	loop_change(c->hvd, &c->source, events);
}

/* A guest that does not read must not fill us up with messages for it. */
#define GUEST_QUEUE_MAX 256

/* Keep M and copies of its descriptors. 0, -ENOMEM or -ENOBUFS. */
static int
enqueue(struct channel *c, const struct hv_msg *m, const int *fd, int nfds)
{
	struct outgoing *o;

	if (c->domain != NULL && c->nr_out >= GUEST_QUEUE_MAX)
		return -ENOBUFS;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -ENOMEM;
	o->msg = *m;
	for (; o->nfds < nfds; o->nfds++) {
		o->fd[o->nfds] = fcntl(fd[o->nfds], F_DUPFD_CLOEXEC, 0);
		if (o->fd[o->nfds] < 0) {
			outgoing_free(o);
			return -ENOMEM;
		}
	}
	*c->out_end = o;
	c->out_end = &o->next;
	c->nr_out++;
	return 0;
}

void
channel_send(struct channel *c, const struct hv_msg *m, const int *fd, int nfds)
{
	int err = -EAGAIN;

	if (c->closed)
		return;
	if (c->out == NULL)
		err = send_now(c->source.fd, m, fd, nfds);
	if (err == 0)
		return;
	/*
	 * Whatever was to be said here, the client cannot go on without it; a
	 * dead socket is noticed by the loop.
	 */
	if (err == -EAGAIN)
		err = enqueue(c, m, fd, nfds);
	if (err != 0)
		shutdown(c->source.fd, SHUT_RDWR);
	channel_interest(c);
}

static void
flush(struct channel *c)
{
	while (c->out != NULL) {
		struct outgoing *o = c->out;
		int err = send_now(c->source.fd, &o->msg, o->fd, o->nfds);

		if (err == -EAGAIN)
			break;
		c->out = o->next;
		if (c->out == NULL)
			c->out_end = &c->out;
		c->nr_out--;
		outgoing_free(o);
	}
	channel_interest(c);
}

void
channel_discard(struct channel *c)
{
	while (c->out != NULL) {
		struct outgoing *o = c->out;

		c->out = o->next;
		outgoing_free(o);
	}
	c->out_end = &c->out;
	c->nr_out = 0;
}

/* ----------------------------------------------------------------- input -- */

/* C's client has gone, or does not speak our language. */
static void
channel_lost(struct channel *c)
{
	if (c->domain != NULL)
		guest_died(c->domain, "it closed its channel");
	else
		channel_close(c);
}

static void
receive(struct channel *c)
{
	struct hv_msg m;
	ssize_t n;

	/* No room for control data: descriptors that come are dropped. */
	n = recv(c->source.fd, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(m)) {
		channel_lost(c);
		return;
	}
	request_handle(c, &m);
	if (!c->closed)
		channel_interest(c);
}

static void
channel_ready(struct source *s, uint32_t events)
{
	struct channel *c = (struct channel *)s;

	if (c->closed)
		return;
	if (events & EPOLLOUT)
		flush(c);
	if (c->closed)
		return;
	if ((events & EPOLLIN) && !c->busy && c->out == NULL)
		receive(c);
	else if (events & (EPOLLHUP | EPOLLERR))
		channel_lost(c);
}

/* ------------------------------------------------------------------ life -- */

static struct channel *
channel_new(struct hvd *h, int fd)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->hvd = h;
	c->source = (struct source){ .fd = fd, .ready = channel_ready };
	c->out_end = &c->out;
	if (loop_add(h, &c->source, EPOLLIN) != 0) {
		free(c);
		return NULL;
	}
	c->link = &h->channels;
	c->next = h->channels;
	if (c->next != NULL)
		c->next->link = &c->next;
	h->channels = c;
	return c;
}

struct channel *
channel_guest(struct hvd_domain *d, int fd)
{
	struct channel *c = channel_new(d->hvd, fd);

	if (c != NULL)
		c->domain = d;
	return c;
}

/* What C holds besides what the core knows of. */
static void
channel_release(struct channel *c)
{
	channel_discard(c);
	while (c->seen != NULL) {
		struct seen_ram *s = c->seen;

		c->seen = s->next;
		free(s);
	}
	if (c->arena != NULL)
		munmap(c->arena, HV_ARENA_SIZE);
	c->arena = NULL;
}

void
channel_close(struct channel *c)
{
	struct hvd *h = c->hvd;

	if (c->closed)
		return;
	c->closed = true;
	if (c->busy)
		h->nr_busy--;
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	loop_remove(h, &c->source);
	close(c->source.fd);
	endpoint_destroy(c);
	/* A guest's ports are the domain's; they outlive its process. */
	if (c->domain != NULL)
		c->domain->channel = NULL;
	else if (h->hv != NULL)
		hv_channel_closed(h->hv, 0, c);
	channel_release(c);
	/* c->next stays: channels_continue() may stand here. */
	c->next_dead = h->dead;
	h->dead = c;
}

void
channels_reap(struct hvd *h)
{
	while (h->dead != NULL) {
		struct channel *c = h->dead;

		h->dead = c->next_dead;
		free(c);
	}
}

void
channels_close_all(struct hvd *h)
{
	while (h->channels != NULL)
		channel_close(h->channels);
	channels_reap(h);
}

void
channels_continue(struct hvd *h)
{
	/* A slice may close channels; they stay linked from where we are. */
	for (struct channel *c = h->channels; c != NULL; c = c->next) {
		if (c->closed || !c->busy)
			continue;
		request_run_call(c);
		if (!c->closed)
			channel_interest(c);
	}
}

void
channels_ram_gone(struct hvd *h, domid_t domid, uint64_t serial)
{
	struct hv_msg m = { .type = HV_MSG_RAM_GONE,
		.u.ram_gone = { .domid = domid, .serial = serial } };

	for (struct channel *c = h->channels; c != NULL; c = c->next) {
		struct seen_ram **link = &c->seen, *s;

		while ((s = *link) != NULL && s->serial != serial)
			link = &s->next;
		if (s == NULL)
			continue;
		*link = s->next;
		free(s);
		channel_send(c, &m, NULL, 0);
	}
}

/* ------------------------------------------------------------- listening -- */

static void
refuse(struct hvd *h)
{
	int fd;

	/* Out of descriptors: take one, so that the client learns of it. */
	if (h->spare_fd < 0)
		return;
	close(h->spare_fd);
	fd = accept4(h->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	h->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	log_line("a client was turned away: out of descriptors or memory");
}

static void
listener_ready(struct source *s, uint32_t events)
{
	struct hvd *h =
	    (struct hvd *)((char *)s - offsetof(struct hvd, listener));
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);
	struct channel *c;
	int fd;

	(void)events;
	fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			refuse(h);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
	    cred.uid != geteuid()) {
		log_line("process %d of user %u was turned away: domain 0 is "
			 "user %u",
		    (int)cred.pid, cred.uid, geteuid());
		close(fd);
		return;
	}
	c = channel_new(h, fd);
	if (c == NULL)
		close(fd);
	else
		c->pid = cred.pid;
}

int
channels_listen(struct hvd *h, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	old = umask(0177);
	err = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
		      listen(fd, 128) != 0
		  ? -errno
		  : 0;
	umask(old);
	h->listener = (struct source){ .fd = fd, .ready = listener_ready };
	if (err == 0)
		err = loop_add(h, &h->listener, EPOLLIN);
	if (err != 0) {
		close(fd);
		h->listener.fd = -1;
	}
	return err;
}
