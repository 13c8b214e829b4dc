/* SPDX-License-Identifier: BSD-2-Clause */
#include "node.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xenevt.h"

/* A read() that waits. */
struct waiter {
	struct waiter *next;
	fuse_req_t req;
	size_t size;
	bool interrupted;
};

struct node_open {
	struct node_open *next;
	struct xenevt *x;
	struct waiter *waiters; /* oldest first */
	struct fuse_pollhandle *poll;
};

struct node {
	int epoll_fd;
	uid_t uid;
	gid_t gid;
	struct node_open *opens;
};

#define IOCTL_ARG_MAX 16 /* bytes; larger than every ioctl's structure */
#define READ_MAX 8192	 /* more than the ring holds */

static struct node *
node_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct node_open *
open_of(const struct fuse_file_info *fi)
{
	return (struct node_open *)(uintptr_t)fi->fh;
}

/* -- the file itself -- */

static void
reply_attr(fuse_req_t req)
{
	const struct node *node = node_of(req);
	struct stat st = {
		.st_ino = FUSE_ROOT_ID,
		.st_mode = S_IFREG | 0600,
		.st_nlink = 1,
		.st_uid = node->uid,
		.st_gid = node->gid,
	};

	fuse_reply_attr(req, &st, 0);
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	reply_attr(req);
}

/* Truncation means nothing on a device and is allowed; all else is not. */
static void
op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
    struct fuse_file_info *fi)
{
	const int owner =
	    FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;

	(void)ino;
	(void)attr;
	(void)fi;
	if ((to_set & owner) != 0)
		fuse_reply_err(req, EPERM);
	else
		reply_attr(req);
}

/*
 * FOPEN_STREAM, which libfuse 3.14 does not offer: without it the kernel would
 * let a write() wait for a read() of another thread to end.
 */
static int
reply_open(fuse_req_t req, const struct node_open *o)
{
	struct fuse_open_out out = {
		.fh = (uintptr_t)o,
		.open_flags =
		    FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE | FOPEN_STREAM,
	};

	return fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static void
open_free(struct node *node, struct node_open *o)
{
	struct node_open **link = &node->opens;

	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	if (o->poll != NULL)
		fuse_pollhandle_destroy(o->poll);
	xenevt_close(o->x); /* which takes it out of the epoll set */
	free(o);
}

static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node *node = node_of(req);
	struct node_open *o = calloc(1, sizeof(*o));
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = o };
	int err = ENOMEM;

	(void)ino;
	(void)fi;
	if (o != NULL)
		o->x = xenevt_open(&err);
	if (o == NULL || o->x == NULL) {
		free(o);
		fuse_reply_err(req, err);
		return;
	}
	o->next = node->opens;
	node->opens = o;
	if (epoll_ctl(node->epoll_fd, EPOLL_CTL_ADD, xenevt_fd(o->x), &e) < 0) {
		err = errno;
		open_free(node, o);
		fuse_reply_err(req, err);
		return;
	}
	if (reply_open(req, o) < 0) /* the opener has been killed */
		open_free(node, o);
}

static void
op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	open_free(node_of(req), open_of(fi));
	fuse_reply_err(req, 0);
}

/* -- reading -- */

/* Answer REQ for SIZE bytes if that can be done now. */
static bool
read_now(struct node_open *o, fuse_req_t req, size_t size)
{
	char buf[READ_MAX];
	ptrdiff_t n =
	    xenevt_read(o->x, buf, size < sizeof(buf) ? size : sizeof(buf));

	if (n == -EAGAIN)
		return false;
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_buf(req, buf, (size_t)n);
	return true;
}

/* Runs inside libfuse with the request locked: answered in sweep(). */
static void
interrupted(fuse_req_t req, void *data)
{
	struct waiter *w = data;

	(void)req;
	w->interrupted = true;
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct node_open *o = open_of(fi);
	struct waiter *w, **link = &o->waiters;

	(void)ino;
	(void)off;
	xenevt_collect(o->x);
	if (read_now(o, req, size))
		return;
	if ((fi->flags & O_NONBLOCK) != 0) {
		fuse_reply_err(req, EAGAIN);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	w->req = req;
	w->size = size;
	while (*link != NULL)
		link = &(*link)->next;
	*link = w;
	fuse_req_interrupt_func(req, interrupted, w);
}

/* Answer the waiting reads of O that can be answered, oldest first. */
static void
sweep(struct node_open *o)
{
	struct waiter **link = &o->waiters;

	while (*link != NULL) {
		struct waiter *w = *link;

		if (w->interrupted)
			fuse_reply_err(w->req, EINTR);
		else if (!read_now(o, w->req, w->size)) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		free(w);
	}
}

/* -- the rest -- */

static void
op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
    off_t off, struct fuse_file_info *fi)
{
	struct node_open *o = open_of(fi);
	ptrdiff_t n = xenevt_write(o->x, buf, size);

	(void)ino;
	(void)off;
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_write(req, (size_t)n);
}

/*
 * Fetch an argument that FUSE has not brought: the numbers of UNBIND and NOTIFY
 * say "in" on NetBSD, but "out" to Linux. 0 or an errno number.
 */
static int
fetch_arg(fuse_req_t req, void *arg, void *to, size_t size)
{
	struct iovec local = { .iov_base = to, .iov_len = size };
	struct iovec remote = { .iov_base = arg, .iov_len = size };
	ssize_t n =
	    process_vm_readv(fuse_req_ctx(req)->pid, &local, 1, &remote, 1, 0);

	if (n == (ssize_t)size)
		return 0;
	return n < 0 ? errno : EFAULT;
}

static void
op_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg,
    struct fuse_file_info *fi, unsigned flags, const void *in_buf,
    size_t in_size, size_t out_size)
{
	struct node_open *o = open_of(fi);
	uint64_t buf[IOCTL_ARG_MAX / 8];
	int size = xenevt_ioctl_size(cmd);
	int err = size < 0 ? -size : 0;

	(void)ino;
	(void)flags;
	if (size > 0 && in_size >= (size_t)size)
		memcpy(buf, in_buf, (size_t)size);
	else if (size > 0)
		err = fetch_arg(req, arg, buf, (size_t)size);
	if (err == 0)
		err = -xenevt_ioctl(o->x, cmd, buf);
	if (err != 0) {
		fuse_reply_err(req, err);
		return;
	}
	/* What was only fetched must not be written back. */
	if (in_size == 0)
		size = 0;
	fuse_reply_ioctl(
	    req, 0, buf, (size_t)size < out_size ? (size_t)size : out_size);
}

static void
op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
    struct fuse_pollhandle *ph)
{
	struct node_open *o = open_of(fi);
	unsigned revents = POLLOUT | POLLWRNORM;

	(void)ino;
	if (ph != NULL) {
		if (o->poll != NULL)
			fuse_pollhandle_destroy(o->poll);
		o->poll = ph;
	}
	if (!xenevt_collect(o->x))
		revents |= POLLERR | POLLHUP;
	if (xenevt_readable(o->x))
		revents |= POLLIN | POLLRDNORM;
	fuse_reply_poll(req, revents);
}

const struct fuse_lowlevel_ops *
node_ops(void)
{
	static const struct fuse_lowlevel_ops ops = {
		.getattr = op_getattr,
		.setattr = op_setattr,
		.open = op_open,
		.release = op_release,
		.read = op_read,
		.write = op_write,
		.ioctl = op_ioctl,
		.poll = op_poll,
	};

	return &ops;
}

/* -- the loop -- */

struct node *
node_new(void)
{
	struct node *node = calloc(1, sizeof(*node));

	if (node == NULL)
		return NULL;
	node->uid = getuid();
	node->gid = getgid();
	node->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (node->epoll_fd < 0) {
		free(node);
		return NULL;
	}
	return node;
}

void
node_free(struct node *node)
{
	if (node == NULL)
		return;
	/* open at an unmount that did not wait for their release */
	while (node->opens != NULL)
		open_free(node, node->opens);
	close(node->epoll_fd);
	free(node);
}

/* Events have come for O: into the ring, to readers, to pollers. */
static void
open_woken(struct node *node, struct node_open *o)
{
	if (!xenevt_collect(o->x)) /* readable for ever: look no more */
		epoll_ctl(node->epoll_fd, EPOLL_CTL_DEL, xenevt_fd(o->x), NULL);
	sweep(o);
	if (o->poll != NULL) {
		fuse_lowlevel_notify_poll(o->poll);
		fuse_pollhandle_destroy(o->poll);
		o->poll = NULL;
	}
}

/* One request. False: the file system has been unmounted. */
static bool
serve_request(struct fuse_session *se, struct fuse_buf *buf)
{
	int n = fuse_session_receive_buf(se, buf);

	if (n == -EINTR || n == -EAGAIN)
		return true;
	if (n <= 0)
		return false;
	fuse_session_process_buf(se, buf);
	return true;
}

static bool
open_exists(const struct node *node, const struct node_open *o)
{
	const struct node_open *p;

	for (p = node->opens; p != NULL; p = p->next)
		if (p == o)
			return true;
	return false;
}

/* False: its other end has been closed. */
static bool
life_goes_on(int life)
{
	char buf[64];
	ssize_t n = read(life, buf, sizeof(buf));

	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static bool
watch(const struct node *node, int fd, void *data)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = data };

	return epoll_ctl(node->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

int
node_serve(struct node *node, struct fuse_session *se, int life)
{
	struct epoll_event e;
	struct fuse_buf buf = { 0 };
	int fd = fuse_session_fd(se);
	bool mounted = true;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (!watch(node, fd, NULL) || (life >= 0 && !watch(node, life, node)))
		return -1;
	while (mounted && !fuse_session_exited(se)) {
		struct node_open *o;
		int n = epoll_wait(node->epoll_fd, &e, 1, -1);

		if (n < 0 && errno != EINTR) {
			free(buf.mem);
			return -1;
		}
		if (n <= 0)
			continue;
		if (e.data.ptr == NULL)
			mounted = serve_request(se, &buf);
		else if (e.data.ptr == node)
			mounted = life_goes_on(life);
		else if (open_exists(node, e.data.ptr))
			open_woken(node, e.data.ptr);
		for (o = node->opens; o != NULL; o = o->next)
			sweep(o);
	}
	free(buf.mem);
	return 0;
}
