/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/hvinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/domctl.h"
#include "abi/sched.h"
#include "abi/sysctl.h"
#include "abi/version.h"
#include "abi/xen.h"
#include "xencall.h"

enum { PAGE_KIB = 4, BATCH = 64, CONSOLE_CHUNK = 16384 };

struct hvinfo {
	xencall_handle *call;
};

struct hvinfo *
hvinfo_open(void)
{
	struct hvinfo *hv = malloc(sizeof(*hv));

	if (hv == NULL)
		return NULL;
	hv->call = xencall_open(NULL, 0);
	if (hv->call == NULL) {
		int err = errno;

		free(hv);
		errno = err;
		return NULL;
	}
	return hv;
}

void
hvinfo_close(struct hvinfo *hv)
{
	if (hv == NULL)
		return;
	xencall_close(hv->call);
	free(hv);
}

/* Runs hypercall NR on a copy of the LEN bytes at ARG, then copies it back. */
static int
call_struct(struct hvinfo *hv, unsigned nr, void *arg, size_t len)
{
	void *buf = xencall_alloc_buffer(hv->call, len);
	int ret, err;

	if (buf == NULL)
		return -1;
	memcpy(buf, arg, len);
	ret = xencall1(hv->call, nr, (uintptr_t)buf);
	err = errno;
	memcpy(arg, buf, len);
	xencall_free_buffer(hv->call, buf);
	errno = err;
	return ret < 0 ? -1 : 0;
}

static int
sysctl(struct hvinfo *hv, struct xen_sysctl *op)
{
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return call_struct(hv, __HYPERVISOR_sysctl, op, sizeof(*op));
}

static void
convert(const struct xen_domctl_getdomaininfo *in, struct hvinfo_domain *out)
{
	*out = (struct hvinfo_domain){
		.domid = in->domain,
		.dying = in->flags & XEN_DOMINF_dying,
		.shutdown = in->flags & XEN_DOMINF_shutdown,
		.paused = in->flags & XEN_DOMINF_paused,
		.blocked = in->flags & XEN_DOMINF_blocked,
		.running = in->flags & XEN_DOMINF_running,
		.hvm = in->flags & XEN_DOMINF_hvm_guest,
		.memory_kib = in->tot_pages * PAGE_KIB,
		.max_memory_kib = in->max_pages * PAGE_KIB,
		.cpu_time_ns = in->cpu_time,
		.vcpus = in->nr_online_vcpus,
		.max_vcpu_id = in->max_vcpu_id,
		.ssidref = in->ssidref,
		.shared_info_frame = in->shared_info_frame,
	};
	if (out->shutdown)
		out->shutdown_code = in->flags >> XEN_DOMINF_shutdownshift &
				     XEN_DOMINF_shutdownmask;
	out->crashed = out->shutdown && out->shutdown_code == SHUTDOWN_crash;
	memcpy(out->uuid, in->handle, sizeof(out->uuid));
}

/* Describes up to BATCH domains from FIRST on. Their number, or -1. */
static int
list_batch(
    struct hvinfo *hv, domid_t first, struct xen_domctl_getdomaininfo *buf)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_getdomaininfolist };

	op.u.getdomaininfolist.first_domain = first;
	op.u.getdomaininfolist.max_domains = BATCH;
	op.u.getdomaininfolist.buffer = (uintptr_t)buf;
	if (sysctl(hv, &op) != 0)
		return -1;
	if (op.u.getdomaininfolist.num_domains > BATCH) {
		errno = EIO;
		return -1;
	}
	return (int)op.u.getdomaininfolist.num_domains;
}

int
hvinfo_list(
    struct hvinfo *hv, struct hvinfo_domain **domains_out, size_t *count_out)
{
	struct xen_domctl_getdomaininfo *buf =
	    xencall_alloc_buffer(hv->call, BATCH * sizeof(*buf));
	struct hvinfo_domain *list = NULL;
	size_t count = 0;
	domid_t first = 0;
	int n, err = 0;

	if (buf == NULL)
		return -1;
	do {
		struct hvinfo_domain *p;

		n = list_batch(hv, first, buf);
		if (n < 0) {
			err = errno;
			break;
		}
		p = realloc(list, (count + BATCH) * sizeof(*list));
		if (p == NULL) {
			err = ENOMEM;
			break;
		}
		list = p;
		for (int i = 0; i < n; i++)
			convert(&buf[i], &list[count++]);
		if (n > 0)
			first = (domid_t)(buf[n - 1].domain + 1);
	} while (n == BATCH);

	xencall_free_buffer(hv->call, buf);
	if (err != 0) {
		free(list);
		errno = err;
		return -1;
	}
	*domains_out = list;
	*count_out = count;
	return 0;
}

int
hvinfo_domain(struct hvinfo *hv, uint32_t domid, struct hvinfo_domain *out)
{
	struct xen_domctl op = {
		.cmd = XEN_DOMCTL_getdomaininfo,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = (domid_t)domid,
	};

	if (domid >= DOMID_FIRST_RESERVED) {
		errno = ESRCH;
		return -1;
	}
	if (call_struct(hv, __HYPERVISOR_domctl, &op, sizeof(op)) != 0)
		return -1;
	if (op.u.getdomaininfo.domain != domid) { /* the next higher one */
		errno = ESRCH;
		return -1;
	}
	convert(&op.u.getdomaininfo, out);
	return 0;
}

int
hvinfo_physinfo(struct hvinfo *hv, struct hvinfo_machine *out)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };
	const struct xen_sysctl_physinfo *pi = &op.u.physinfo;

	if (sysctl(hv, &op) != 0)
		return -1;
	*out = (struct hvinfo_machine){
		.cpus = pi->nr_cpus,
		.max_cpu_id = pi->max_cpu_id,
		.nodes = pi->nr_nodes,
		.threads_per_core = pi->threads_per_core,
		.cores_per_socket = pi->cores_per_socket,
		.cpu_khz = pi->cpu_khz,
		.total_kib = pi->total_pages * PAGE_KIB,
		.free_kib = pi->free_pages * PAGE_KIB,
		.scrub_kib = pi->scrub_pages * PAGE_KIB,
		.capabilities = pi->capabilities,
	};
	memcpy(out->hw_cap, pi->hw_cap, sizeof(out->hw_cap));
	return 0;
}

/* One xen_version string into OUT, which has room for it and a NUL. */
static int
version_string(struct hvinfo *hv, unsigned what, char *out, size_t len)
{
	char *buf = xencall_alloc_buffer(hv->call, len);
	int ret, err;

	if (buf == NULL)
		return -1;
	memset(buf, 0, len);
	ret =
	    xencall2(hv->call, __HYPERVISOR_xen_version, what, (uintptr_t)buf);
	err = errno;
	memcpy(out, buf, len);
	out[len] = '\0';
	xencall_free_buffer(hv->call, buf);
	errno = err;
	return ret < 0 ? -1 : 0;
}

static int
compile_info(struct hvinfo *hv, struct hvinfo_version *out)
{
	char raw[sizeof(struct xen_compile_info) + 1];
	struct xen_compile_info info;

	if (version_string(hv, XENVER_compile_info, raw, sizeof(info)) != 0)
		return -1;
	memcpy(&info, raw, sizeof(info));
	memcpy(out->compiler, info.compiler, sizeof(info.compiler) - 1);
	memcpy(out->compile_by, info.compile_by, sizeof(info.compile_by) - 1);
	memcpy(out->compile_domain, info.compile_domain,
	    sizeof(info.compile_domain) - 1);
	memcpy(out->compile_date, info.compile_date,
	    sizeof(info.compile_date) - 1);
	return 0;
}

int
hvinfo_version(struct hvinfo *hv, struct hvinfo_version *out)
{
	char raw[sizeof(struct xen_platform_parameters) + 1];
	struct xen_platform_parameters params;
	int version, page;

	memset(out, 0, sizeof(*out));
	version =
	    xencall2(hv->call, __HYPERVISOR_xen_version, XENVER_version, 0);
	page = xencall2(hv->call, __HYPERVISOR_xen_version, XENVER_pagesize, 0);
	if (version < 0 || page < 0 ||
	    version_string(hv, XENVER_extraversion, out->extra,
		sizeof(xen_extraversion_t)) != 0 ||
	    compile_info(hv, out) != 0 ||
	    version_string(hv, XENVER_capabilities, out->capabilities,
		sizeof(xen_capabilities_info_t)) != 0 ||
	    version_string(hv, XENVER_changeset, out->changeset,
		sizeof(xen_changeset_info_t)) != 0 ||
	    version_string(hv, XENVER_commandline, out->commandline,
		sizeof(xen_commandline_t)) != 0 ||
	    version_string(
		hv, XENVER_platform_parameters, raw, sizeof(params)) != 0)
		return -1;
	memcpy(&params, raw, sizeof(params));
	out->major = (unsigned)version >> 16;
	out->minor = (unsigned)version & 0xffff;
	out->page_size = (unsigned)page;
	out->virt_start = params.virt_start;
	return 0;
}

/* One readconsole of at most ROOM bytes from *INDEX on (0: the oldest) into
 * BUF (NULL: nowhere), forgetting them if CLEAR. Their number, or -1. */
static long
readconsole(
    struct hvinfo *hv, uint32_t *index, char *buf, uint32_t room, uint8_t clear)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_readconsole };
	struct xen_sysctl_readconsole *rc = &op.u.readconsole;
	char *text = xencall_alloc_buffer(hv->call, room);
	long n = -1;
	int err;

	if (text == NULL)
		return -1;
	rc->clear = clear;
	rc->incremental = *index != 0;
	rc->index = *index;
	rc->buffer = (uintptr_t)text;
	rc->count = room;
	if (sysctl(hv, &op) == 0) {
		n = rc->count <= room ? (long)rc->count : (long)room;
		if (buf != NULL)
			memcpy(buf, text, (size_t)n);
		*index = rc->index;
	}
	err = errno;
	xencall_free_buffer(hv->call, text);
	errno = err;
	return n;
}

long
hvinfo_console_read(struct hvinfo *hv, uint32_t *index, char *buf, size_t size)
{
	uint32_t room = size > CONSOLE_CHUNK ? CONSOLE_CHUNK : (uint32_t)size;

	return readconsole(hv, index, buf, room, 0);
}

int
hvinfo_console_clear(struct hvinfo *hv)
{
	uint32_t index = 0;
	long n;

	/* what is read is what is forgotten */
	do {
		n = readconsole(hv, &index, NULL, CONSOLE_CHUNK, 1);
	} while (n > 0);
	return n < 0 ? -1 : 0;
}
