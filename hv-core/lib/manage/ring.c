/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain 0's store ring: two nodes that its kernel makes. */
#include "manage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, PORTS_MAX = 1 << 17 };

/* Where a platform has its nodes, and what makes them. */
static const struct ring_nodes {
	const char *port;
	const char *page;
	const char *port_remedy;
	const char *page_remedy;
	bool sizeless; /* the page's node is a file of size 0 */
} ring_nodes[] = {
	[PROVIDER_HOSTED] = {
		.port = "/kern/xen/xsd_port",
		.page = "/dev/xsd_kva",
		.port_remedy = "start domain 0's kernel: dom0",
		.page_remedy = "start domain 0's kernel: dom0",
	},
	[PROVIDER_LINUX] = {
		.port = "/proc/xen/xsd_port",
		.page = "/proc/xen/xsd_kva",
		.port_remedy = "mount -t xenfs xenfs /proc/xen",
		.page_remedy = "mount -t xenfs xenfs /proc/xen",
		.sizeless = true,
	},
	[PROVIDER_NETBSD] = {
		.port = "/kern/xen/xsd_port",
		.page = "/dev/xsd_kva",
		.port_remedy = "mount -t kernfs kernfs /kern",
		.page_remedy = "cd /dev && sh MAKEDEV xen",
	},
};

static int
fail(struct xenmanage_node_error *e, enum xenmanage_node_fault fault,
    int errnum, const char *remedy)
{
	e->fault = fault;
	e->errnum = errnum;
	e->remedy = remedy;
	return -1;
}

/* The number in TEXT, which may end with a newline. 0 is no port: invalid. */
static uint32_t
parse_port(const char *text)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return 0;
	value = strtoul(text, &end, 10);
	if (*end == '\n')
		end++;
	return *end == '\0' && value < PORTS_MAX ? (uint32_t)value : 0;
}

static int
read_port(const struct ring_nodes *nodes, struct xenmanage_node_error *e,
    uint32_t *port_out)
{
	char text[32];
	ssize_t n;
	int saved, fd = open(e->node, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(
		    e, XENMANAGE_NODE_PORT_MISSING, errno, nodes->port_remedy);
	n = read(fd, text, sizeof(text) - 1);
	saved = errno;
	close(fd);
	if (n < 0)
		return fail(
		    e, XENMANAGE_NODE_PORT_INVALID, saved, nodes->port_remedy);
	text[n] = '\0';
	*port_out = parse_port(text);
	if (*port_out == 0)
		return fail(
		    e, XENMANAGE_NODE_PORT_INVALID, EINVAL, nodes->port_remedy);
	return 0;
}

/* FD's first page, or NULL with errno; a file must be large enough, unless it
 * is SIZELESS. */
static void *
map_fd(int fd, bool sizeless)
{
	struct stat st;
	void *page;

	/* NetBSD's device answers mmap() but not fstat(). */
	if (!sizeless && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size < PAGE) {
		errno = EINVAL;
		return NULL;
	}
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return page == MAP_FAILED ? NULL : page;
}

static int
map_page(const struct ring_nodes *nodes, struct xenmanage_node_error *e,
    void **page_out)
{
	int saved, fd = open(e->node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fail(
		    e, XENMANAGE_NODE_PAGE_MISSING, errno, nodes->page_remedy);
	*page_out = map_fd(fd, nodes->sizeless);
	saved = errno;
	close(fd);
	if (*page_out == NULL)
		return fail(
		    e, XENMANAGE_NODE_PAGE_INVALID, saved, nodes->page_remedy);
	return 0;
}

int
xenmanage_store_ring(xenmanage_handle *hdl, struct xenmanage_store_ring *ring,
    struct xenmanage_node_error *error)
{
	const struct ring_nodes *nodes = &ring_nodes[hdl->provider];
	struct xenmanage_node_error own, *e = error != NULL ? error : &own;
	int ret;

	memset(ring, 0, sizeof(*ring));
	memset(e, 0, sizeof(*e));
	ret =
	    provider_path(hdl->provider, nodes->port, e->node, sizeof(e->node));
	if (ret < 0)
		fail(e, XENMANAGE_NODE_PORT_MISSING, errno, nodes->port_remedy);
	if (ret == 0)
		ret = read_port(nodes, e, &ring->port);
	if (ret == 0)
		ret = provider_path(
		    hdl->provider, nodes->page, e->node, sizeof(e->node));
	if (ret == 0)
		ret = map_page(nodes, e, &ring->page);
	if (ret == 0) {
		memset(e, 0, sizeof(*e));
		return 0;
	}
	ring->port = 0;
	errno = e->errnum;
	return -1;
}

void
xenmanage_store_ring_release(struct xenmanage_store_ring *ring)
{
	if (ring->page != NULL)
		munmap(ring->page, PAGE);
	memset(ring, 0, sizeof(*ring));
}
