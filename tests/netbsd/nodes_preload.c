/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of NetBSD's nodes that only a kernel can play: /kern/xen/privcmd,
 * whose ioctls put frames into the caller's address space, and what is odd
 * about descriptors of /dev/xenevt. Preloaded into a program that runs with
 * HV_PROVIDER=netbsd on $HV_ROOT's nodes; below it is hvd. (/dev/xenevt itself
 * is hv-kernfs's.)
 *
 * With $NETBSD_LOG each notable thing is a line of that file. If the file
 * $NETBSD_LOSE is not empty, the next read() of xenevt empties it, loses what
 * the kernel's ring holds and says so by EFBIG, as after an overflow.
 *
 * A program may close itself into a sandbox that knows nothing of this object:
 * all that has to be opened is opened when it is loaded, if hvd runs by then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "hv-core/hosted/proto.h"
#include "hv-core/lib/common/netbsd_xenevt.h"
#include "hv-core/lib/foreignmemory/provider.h"
#include "hv-core/lib/gnttab/provider.h"

#define EXPORT __attribute__((visibility("default")))
#define PAGE ((size_t)4096)

/* NetBSD's numbers and what they carry, on a 64-bit machine. */
#define HYPERCALL 0xc0385000ul
#define MMAPBATCH_V2 0x80205006ul
#define MMAP_RESOURCE 0x80205007ul
#define MMAP_GRANT_REF 0x80285008ul

struct hypercall_arg {
	uint64_t op, arg[5];
	int64_t retval;
};

struct batch_arg {
	int num;
	uint16_t dom;
	uint64_t addr;
	const uint64_t *arr;
	int *err;
};

struct resource_arg {
	uint16_t dom;
	uint32_t type, id, idx;
	uint64_t num, addr;
};

struct grant_arg {
	uint32_t count, pad;
	uint8_t *va;
	int64_t offset;
	uint32_t action, port;
	const struct {
		uint32_t domid, ref;
	} * refs;
};

/* Granted frames at VA; the library below knows them by ADDR. */
struct granted {
	struct granted *next;
	uint8_t *va;
	void *addr;
	uint32_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t owner; /* whose the three are */
static int calls = -1;
static struct xengntdev_handle grants;
static struct xenforeignmemory_handle foreign;
static struct granted *granted;

static int log_fd = -1, lose_fd = -1, maps_fd = -1;

static int
sys_open(const char *path, int flags)
{
	return path == NULL ? -1
			    : (int)syscall(SYS_openat, AT_FDCWD, path,
				  flags | O_CLOEXEC, 0644);
}

static void
note(const char *text)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "%s\n", text);

	(void)!write(log_fd, line, (size_t)n);
}

static int
fail(int err)
{
	errno = err;
	return -1;
}

/* A file of $HV_ROOT, once it is there. */
struct node {
	const char *name;
	bool known;
	struct stat st;
};

static struct node privcmd_node = { .name = "/kern/xen/privcmd" };
static struct node xenevt_node = { .name = "/dev/xenevt" };
static struct node kva_node = { .name = "/dev/xsd_kva" };

static bool
find_node(struct node *node)
{
	const char *root = getenv("HV_ROOT");
	char path[256];

	snprintf(
	    path, sizeof(path), "%s%s", root != NULL ? root : "", node->name);
	if (!node->known)
		node->known =
		    syscall(SYS_newfstatat, AT_FDCWD, path, &node->st, 0) == 0;
	return node->known;
}

/* FD is NODE. */
static bool
is_node(int fd, struct node *node)
{
	struct stat st;
	int saved = errno;
	bool is = find_node(node) && syscall(SYS_fstat, fd, &st) == 0 &&
		  st.st_dev == node->st.st_dev && st.st_ino == node->st.st_ino;

	errno = saved;
	return is;
}

/* ------------------------------------------------------------ hypercalls -- */

static int
exchange(struct hv_msg *m)
{
	if (send(calls, m, sizeof(*m), MSG_NOSIGNAL) != (ssize_t)sizeof(*m) ||
	    recv(calls, m, sizeof(*m), 0) != (ssize_t)sizeof(*m))
		return fail(EIO);
	return 0;
}

/* A channel to hvd whose arguments lie in our memory. */
static int
open_calls(void)
{
	struct hv_msg m = { .type = HV_MSG_ATTACH,
		.u.attach = {
		    HV_PROTO_VERSION, HV_CHAN_CALL, HV_ARENA_NONE, 0 } };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", getenv("HV_ROOT"),
	    HV_SOCKET_NAME);
	calls = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (calls < 0 ||
	    connect(calls, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    exchange(&m) < 0)
		return -1;
	return m.u.attached.err == 0 ? 0 : fail(-m.u.attached.err);
}

/* What this process needs of hvd; again after a fork(). */
static int
ready(void)
{
	if (owner == getpid())
		return 0;
	memset(&grants, 0, sizeof(grants));
	memset(&foreign, 0, sizeof(foreign));
	granted = NULL;
	maps_fd = sys_open("/proc/self/maps", O_RDONLY);
	grants.ops = gnttab_hosted_ops();
	foreign.ops = foreign_hosted_ops();
	if (open_calls() < 0 || grants.ops->open_tab(&grants) < 0 ||
	    foreign.ops->open(&foreign) < 0)
		return -1;
	owner = getpid();
	return 0;
}

/* A kernel would be there for a child that gives up opening anything. */
static void
forked(void)
{
	(void)ready();
}

__attribute__((constructor)) static void
loaded(void)
{
	char path[256];

	log_fd = sys_open(getenv("NETBSD_LOG"), O_WRONLY | O_APPEND | O_CREAT);
	lose_fd = sys_open(getenv("NETBSD_LOSE"), O_RDWR | O_CREAT);
	find_node(&privcmd_node);
	find_node(&xenevt_node);
	find_node(&kva_node);
	snprintf(path, sizeof(path), "%s/%s",
	    getenv("HV_ROOT") != NULL ? getenv("HV_ROOT") : "", HV_SOCKET_NAME);
	if (access(path, F_OK) == 0)
		ready();
	pthread_atfork(NULL, NULL, forked);
}

static int
do_hypercall(struct hypercall_arg *a)
{
	struct hv_msg m = { .type = HV_MSG_HYPERCALL };

	m.u.call.nr = a->op;
	memcpy(m.u.call.arg, a->arg, sizeof(m.u.call.arg));
	if (exchange(&m) < 0)
		return -1;
	if (m.u.ret.ret < 0)
		return fail((int)-m.u.ret.ret);
	a->retval = m.u.ret.ret;
	return 0;
}

/* --------------------------------------------------------------- mapping -- */

/*
 * The protection of the one shared mapping that [VA, VA + LEN) lies in, which
 * the caller has reserved; -1 and errno EINVAL: there is none.
 */
static int
reserved(const void *va, size_t len)
{
	unsigned long from, to, at = (uintptr_t)va;
	char line[512], r, w, x, s;
	int prot = -1, fd = fcntl(maps_fd, F_DUPFD_CLOEXEC, 0);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (f == NULL)
		return -1;
	rewind(f);
	while (prot < 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%lx-%lx %c%c%c%c", &from, &to, &r, &w, &x,
			&s) == 6 &&
		    at >= from && at + len <= to && s == 's')
			prot = (r == 'r' ? PROT_READ : 0) |
			       (w == 'w' ? PROT_WRITE : 0);
	fclose(f);
	return prot >= 0 ? prot : fail(EINVAL);
}

static int
do_batch(const struct batch_arg *a)
{
	size_t len = (size_t)a->num * PAGE;
	void *va = (void *)(uintptr_t)a->addr;
	int prot = a->num > 0 ? reserved(va, len) : fail(EINVAL);

	if (prot < 0)
		return -1;
	if (foreign.ops->map(
		&foreign, a->dom, va, prot, (size_t)a->num, a->arr, a->err) < 0)
		return -1;
	for (int i = 0; i < a->num; i++)
		a->err[i] = -a->err[i];
	return 0;
}

static int
do_resource(const struct resource_arg *a)
{
	struct xenforeignmemory_resource_handle res = {
		.domid = a->dom,
		.type = a->type,
		.id = a->id,
		.frame = a->idx,
		.nr_frames = a->num,
		.addr = (void *)(uintptr_t)a->addr,
		.flags = MAP_FIXED,
	};

	res.prot = reserved(res.addr, a->num * PAGE);
	if (res.prot < 0)
		return -1;
	return foreign.ops->map_resource(&foreign, &res);
}

/* The frames that R names, mapped somewhere; then at VA as well. */
static int
place(struct granted *g, const struct gnttab_request *r)
{
	size_t len = g->count * PAGE;

	g->addr = grants.ops->map(&grants, r);
	if (g->addr == NULL)
		return -1;
	for (size_t at = 0; at < len; at += PAGE) {
		uint8_t *from = (uint8_t *)g->addr + at;

		/* 0 bytes of a shared mapping: once more, elsewhere */
		if (mremap(from, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			g->va + at) == MAP_FAILED) {
			grants.ops->unmap(&grants, g->addr, g->count);
			return fail(EFAULT);
		}
	}
	g->next = granted;
	granted = g;
	return 0;
}

static int
do_grants(const struct grant_arg *a)
{
	struct granted *g = calloc(1, sizeof(*g));
	uint32_t *domids = calloc(a->count + 1, sizeof(*domids));
	uint32_t *refs = calloc(a->count + 1, sizeof(*refs));
	struct gnttab_request r = {
		.count = a->count,
		.domids = domids,
		.domid_step = 1,
		.refs = refs,
		.prot = a->count > 0 ? reserved(a->va, a->count * PAGE)
				     : fail(EINVAL),
		.notify_offset =
		    a->action & 1 ? (uint32_t)a->offset : GNTTAB_NO_NOTIFY,
		.notify_port = a->action & 2 ? a->port : GNTTAB_NO_NOTIFY,
	};
	int ret = -1;

	if (g != NULL && domids != NULL && refs != NULL && r.prot >= 0) {
		for (uint32_t i = 0; i < a->count; i++) {
			domids[i] = a->refs[i].domid;
			refs[i] = a->refs[i].ref;
		}
		*g = (struct granted){ .va = a->va, .count = a->count };
		ret = place(g, &r);
	}
	if (ret < 0)
		free(g);
	free(domids);
	free(refs);
	return ret;
}

/* ----------------------------------------------------- in front of libc's --
 */

static int
privcmd(unsigned long request, void *arg)
{
	if (ready() < 0)
		return -1;
	switch (request) {
	case HYPERCALL:
		return do_hypercall(arg);
	case MMAPBATCH_V2:
		return do_batch(arg);
	case MMAP_RESOURCE:
		return do_resource(arg);
	case MMAP_GRANT_REF:
		return do_grants(arg);
	default: /* nor can a domain 0 of hvd's grant its own memory */
		return fail(EINVAL);
	}
}

EXPORT int ioctl(int fd, unsigned long request, ...);
EXPORT int
ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!is_node(fd, &privcmd_node))
		return (int)syscall(SYS_ioctl, fd, request, arg);
	pthread_mutex_lock(&lock);
	ret = privcmd(request, arg);
	pthread_mutex_unlock(&lock);
	return ret;
}

/* Frames that are unmapped are released. */
EXPORT int
munmap(void *addr, size_t len)
{
	struct granted **link, *g = NULL;
	int ret = (int)syscall(SYS_munmap, addr, len);

	if (owner != getpid() || pthread_mutex_trylock(&lock) != 0)
		return ret; /* it is ours, called from below */
	for (link = &granted; *link != NULL; link = &(*link)->next) {
		g = *link;
		if (g->va == addr && g->count * PAGE == len)
			break;
		g = NULL;
	}
	if (g != NULL) {
		*link = g->next;
		grants.ops->unmap(&grants, g->addr, g->count);
		free(g);
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

EXPORT ssize_t
read(int fd, void *buf, size_t size)
{
	char c;

	if (lose_fd >= 0 && pread(lose_fd, &c, 1, 0) == 1 &&
	    is_node(fd, &xenevt_node)) {
		(void)!ftruncate(lose_fd, 0);
		syscall(SYS_ioctl, fd, XENEVT_RESET, NULL);
		note("events lost");
		return fail(EFBIG);
	}
	return syscall(SYS_read, fd, buf, size);
}

EXPORT int
fstat(int fd, struct stat *st)
{
	if (is_node(fd, &xenevt_node)) {
		note("fstat of xenevt");
		return fail(EOPNOTSUPP);
	}
	if (is_node(fd, &kva_node))
		return fail(EOPNOTSUPP);
	return (int)syscall(SYS_fstat, fd, st);
}

/* Stands for kqueue, whose filters xenevt does not serve. */
EXPORT int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && is_node(fd, &xenevt_node)) {
		note("xenevt put into a kqueue");
		return fail(EOPNOTSUPP);
	}
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

struct event_config;
EXPORT int event_config_avoid_method(
    struct event_config *config, const char *method);

/* Who avoids kqueue on NetBSD has to avoid what stands for it here. */
EXPORT int
event_config_avoid_method(struct event_config *config, const char *method)
{
	int (*next)(struct event_config * config, const char *method);
	void *found = dlsym(RTLD_NEXT, "event_config_avoid_method");

	memcpy(&next, &found, sizeof(next));
	if (strcmp(method, "kqueue") == 0)
		note("kqueue is avoided");
	return next(config, strcmp(method, "kqueue") == 0 ? "epoll" : method);
}
