/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's /dev/xen/gntdev: an ioctl turns references into an offset, mmap() at
 * that offset maps them; unmapping is munmap() and an ioctl. /dev/xen/gntalloc
 * is the same for pages that we grant. Mapping is tried by tests/xen;
 * gntalloc, copies and unmap notifications are written to the documented
 * interface.
 */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../common/provider.h"
#include "abi/grant_table.h"

#define LINUX_IOC(nr, size) (0x4700ul | (nr) | (unsigned long)(size) << 16)

struct linux_ref {
	uint32_t domid;
	uint32_t ref;
};

struct linux_map {
	uint32_t count;
	uint32_t pad;
	uint64_t index; /* out */
	struct linux_ref refs[1];
};

struct linux_unmap {
	uint64_t index;
	uint32_t count;
	uint32_t pad;
};

struct linux_offset {
	uint64_t vaddr;
	uint64_t offset; /* out */
	uint32_t count;	 /* out */
	uint32_t pad;
};

struct linux_notify {
	uint64_t index;
	uint32_t action;
	uint32_t port;
};

struct linux_copy {
	unsigned count;
	struct xengnttab_grant_copy_segment *segs;
};

struct linux_alloc {
	uint16_t domid;
	uint16_t flags;
	uint32_t count;
	uint64_t index; /* out */
	uint32_t refs[1];
};

#define LINUX_MAP LINUX_IOC(0, sizeof(struct linux_map))
#define LINUX_UNMAP LINUX_IOC(1, sizeof(struct linux_unmap))
#define LINUX_GET_OFFSET LINUX_IOC(2, sizeof(struct linux_offset))
#define LINUX_SET_MAX LINUX_IOC(3, sizeof(uint32_t))
#define LINUX_ALLOC LINUX_IOC(5, sizeof(struct linux_alloc))
#define LINUX_DEALLOC LINUX_IOC(6, sizeof(struct linux_unmap))
#define LINUX_NOTIFY LINUX_IOC(7, sizeof(struct linux_notify))
#define LINUX_COPY LINUX_IOC(8, sizeof(struct linux_copy))

enum { NOTIFY_CLEAR_BYTE = 1, NOTIFY_SEND_EVENT = 2, ALLOC_WRITABLE = 1 };

/* A page of the granter's that was paged out comes back within that. */
enum { EAGAIN_TRIES = 60, EAGAIN_NS = 1000000 };

static int
linux_open_tab(struct xengntdev_handle *h)
{
	h->fd = provider_open(h->logger, "xengnttab", PROVIDER_LINUX,
	    "/dev/xen/gntdev", 0, "modprobe xen-gntdev");
	return h->fd < 0 ? -1 : 0;
}

static int
linux_open_shr(struct xengntdev_handle *h)
{
	h->fd = provider_open(h->logger, "xengntshr", PROVIDER_LINUX,
	    "/dev/xen/gntalloc", 0, "modprobe xen-gntalloc");
	return h->fd < 0 ? -1 : 0;
}

static void
linux_close(struct xengntdev_handle *h)
{
	close(h->fd);
}

static int
linux_set_max_grants(struct xengntdev_handle *h, uint32_t max)
{
	/* Kernels since 4.20 have no limit and no such ioctl. */
	if (ioctl(h->fd, LINUX_SET_MAX, &max) < 0 && errno != ENOTTY)
		return -1;
	return 0;
}

/* Release what an ioctl NR reserved at INDEX, keeping errno. */
static void
give_back(int fd, unsigned long nr, uint64_t index, uint32_t count)
{
	struct linux_unmap arg = { .index = index, .count = count };
	int saved = errno;

	ioctl(fd, nr, &arg);
	errno = saved;
}

/* mmap() of COUNT pages at INDEX, waiting for pages that are on their way. */
static void *
map_index(int fd, uint64_t index, uint32_t count, int prot)
{
	const struct timespec pause = { .tv_nsec = EAGAIN_NS };
	int tries;

	for (tries = 0; tries < EAGAIN_TRIES; tries++) {
		void *p = mmap(NULL, (size_t)count * GNTTAB_PAGE, prot,
		    MAP_SHARED, fd, (off_t)index);

		if (p != MAP_FAILED)
			return p;
		if (errno != EAGAIN)
			break;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Ask for the unmap notification of the page at INDEX. 0 or -1 and errno. */
static int
set_notify(int fd, uint64_t index, uint32_t offset, uint32_t port)
{
	struct linux_notify arg = { .index = index };

	if (offset != GNTTAB_NO_NOTIFY) {
		arg.index += offset;
		arg.action |= NOTIFY_CLEAR_BYTE;
	}
	if (port != GNTTAB_NO_NOTIFY) {
		arg.port = port;
		arg.action |= NOTIFY_SEND_EVENT;
	}
	return arg.action == 0 ? 0 : ioctl(fd, LINUX_NOTIFY, &arg);
}

static void *
linux_map(struct xengntdev_handle *h, const struct gnttab_request *req)
{
	struct linux_map *arg;
	void *addr = NULL;
	uint64_t index;
	uint32_t i;

	arg = calloc(1, sizeof(*arg) + (req->count - 1) * sizeof(arg->refs[0]));
	if (arg == NULL)
		return NULL;
	arg->count = req->count;
	for (i = 0; i < req->count; i++) {
		arg->refs[i].domid = req->domids[i * req->domid_step];
		arg->refs[i].ref = req->refs[i];
	}
	if (ioctl(h->fd, LINUX_MAP, arg) < 0) {
		free(arg);
		return NULL;
	}
	index = arg->index;
	free(arg);
	addr = map_index(h->fd, index, req->count, req->prot);
	if (addr == NULL) {
		give_back(h->fd, LINUX_UNMAP, index, req->count);
		return NULL;
	}
	if (set_notify(h->fd, index, req->notify_offset, req->notify_port) <
	    0) {
		int saved = errno;

		munmap(addr, (size_t)req->count * GNTTAB_PAGE);
		errno = saved;
		give_back(h->fd, LINUX_UNMAP, index, req->count);
		return NULL;
	}
	return addr;
}

static int
linux_unmap(struct xengntdev_handle *h, void *addr, uint32_t count)
{
	struct linux_offset where = { .vaddr = (uintptr_t)addr };
	struct linux_unmap arg = { .count = count };

	if (ioctl(h->fd, LINUX_GET_OFFSET, &where) < 0)
		return -1;
	if (where.count != count) {
		errno = EINVAL;
		return -1;
	}
	if (munmap(addr, (size_t)count * GNTTAB_PAGE) < 0)
		return -1;
	arg.index = where.offset;
	return ioctl(h->fd, LINUX_UNMAP, &arg);
}

static int
linux_copy(struct xengntdev_handle *h, uint32_t count,
    struct xengnttab_grant_copy_segment *segs)
{
	struct linux_copy arg = { .count = count, .segs = segs };

	if (ioctl(h->fd, LINUX_COPY, &arg) == 0)
		return 0;
	if (errno == ENOTTY)
		errno = ENOSYS;
	return -1;
}

/*
 * The offset of a shared area is needed to give it back and cannot be asked
 * for; it stands in front of the area, in a page of its own.
 */
struct share_note {
	uint64_t index;
	uint32_t count;
};

/* Unmap COUNT shared pages at ADDR and their note, keeping errno. */
static void
share_release(uint8_t *addr, uint32_t count)
{
	int saved = errno;

	munmap(addr - GNTTAB_PAGE, ((size_t)count + 1) * GNTTAB_PAGE);
	errno = saved;
}

/* Reserve COUNT pages of addresses behind a note, which is filled in. */
static uint8_t *
share_reserve(uint64_t index, uint32_t count)
{
	uint8_t *p = mmap(NULL, ((size_t)count + 1) * GNTTAB_PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	struct share_note *note = (struct share_note *)(void *)p;

	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p, GNTTAB_PAGE, PROT_READ | PROT_WRITE) < 0) {
		share_release(p + GNTTAB_PAGE, count);
		return NULL;
	}
	note->index = index;
	note->count = count;
	return p + GNTTAB_PAGE;
}

/* Map what the ioctl granted at INDEX. NULL and errno. */
static void *
share_place(int fd, uint64_t index, uint32_t count, uint32_t notify_offset,
    uint32_t notify_port)
{
	uint8_t *addr = share_reserve(index, count);

	if (addr == NULL)
		return NULL;
	if (mmap(addr, (size_t)count * GNTTAB_PAGE, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, fd, (off_t)index) == MAP_FAILED ||
	    set_notify(fd, index, notify_offset, notify_port) < 0) {
		share_release(addr, count);
		return NULL;
	}
	return addr;
}

static void *
linux_share(struct xengntdev_handle *h, uint32_t domid, uint32_t count,
    uint32_t *refs, int writable, uint32_t notify_offset, uint32_t notify_port)
{
	struct linux_alloc *arg;
	void *addr;
	uint32_t i;

	arg = calloc(1, sizeof(*arg) + (count - 1) * sizeof(arg->refs[0]));
	if (arg == NULL)
		return NULL;
	arg->domid = (uint16_t)domid;
	arg->flags = writable ? ALLOC_WRITABLE : 0;
	arg->count = count;
	if (ioctl(h->fd, LINUX_ALLOC, arg) < 0) {
		free(arg);
		return NULL;
	}
	addr =
	    share_place(h->fd, arg->index, count, notify_offset, notify_port);
	for (i = 0; i < count && addr != NULL; i++)
		refs[i] = arg->refs[i];
	if (addr == NULL)
		give_back(h->fd, LINUX_DEALLOC, arg->index, count);
	free(arg);
	return addr;
}

static int
linux_unshare(struct xengntdev_handle *h, void *addr, uint32_t count)
{
	uint8_t *front = (uint8_t *)addr - GNTTAB_PAGE;
	struct share_note note = *(struct share_note *)(void *)front;

	if (note.count != count) {
		errno = EINVAL;
		return -1;
	}
	share_release(addr, count);
	give_back(h->fd, LINUX_DEALLOC, note.index, count);
	return 0;
}

const struct gnttab_ops *
gnttab_linux_ops(void)
{
	static const struct gnttab_ops ops = {
		.open_tab = linux_open_tab,
		.open_shr = linux_open_shr,
		.close = linux_close,
		.set_max_grants = linux_set_max_grants,
		.map = linux_map,
		.unmap = linux_unmap,
		.copy = linux_copy,
		.share = linux_share,
		.unshare = linux_unshare,
	};

	return &ops;
}
