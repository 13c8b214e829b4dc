/* SPDX-License-Identifier: BSD-2-Clause */
/* The linux providers against a kernel of paper: numbers and structures. */
#define FAKE_PREFIX "/dev/xen/"
#include "fakekernel.h"

#include "abi/grant_table.h"
#include "kbgnttab.h"
#include "xencall.h"
#include "xenevtchn.h"
#include "xenforeignmemory.h"
#include "xengnttab.h"

/* The kernel's own headers (linux-libc-dev). */
#include <linux/ioctl.h>
#include <xen/evtchn.h>
#include <xen/gntalloc.h>
#include <xen/gntdev.h>

/* <xen/privcmd.h> includes a header that nobody ships: its numbers by hand. */
#define IOCTL_PRIVCMD_HYPERCALL 0x00305000ul
#define IOCTL_PRIVCMD_MMAPBATCH_V2 0x00205004ul
#define IOCTL_PRIVCMD_RESTRICT 0x00025006ul
#define IOCTL_PRIVCMD_MMAP_RESOURCE 0x00205007ul

struct privcmd_mmapbatch_v2 {
	unsigned int num;
	domid_t dom;
	uint64_t addr;
	const xen_pfn_t *arr;
	int *err;
};

struct privcmd_mmap_resource {
	domid_t dom;
	uint32_t type;
	uint32_t id;
	uint32_t idx;
	uint64_t num;
	uint64_t addr;
};

#define RW (PROT_READ | PROT_WRITE)

/* What the fake kernel was told last, and what it shall answer. */
static struct {
	unsigned long request;
	uint64_t words[16];
	int answer; /* 0 or more, or minus an errno number */
	int calls;
} fake;

static int bad_page = -1; /* of MMAPBATCH */
static uint64_t unmapped_index;
static uint32_t notify_action;
static uint64_t notify_index;

static void
map_refs(struct ioctl_gntdev_map_grant_ref *m)
{
	uint32_t i;

	for (i = 0; i < m->count; i++) {
		assert_int_equal(m->refs[i].domid, 7);
		assert_int_equal(m->refs[i].ref, 40 + i);
	}
	m->index = 8 * 4096;
}

static void
batch(struct privcmd_mmapbatch_v2 *b)
{
	unsigned i;

	assert_int_equal(b->dom, 7);
	for (i = 0; i < b->num; i++)
		b->err[i] = (int)b->arr[i] == bad_page ? -EINVAL : 0;
}

int
fake_ioctl(unsigned long request, void *arg)
{
	fake.request = request;
	fake.calls++;
	memset(fake.words, 0, sizeof(fake.words));
	memcpy(fake.words, arg, _IOC_SIZE(request));
	switch (request) {
	case IOCTL_GNTDEV_MAP_GRANT_REF:
		map_refs(arg);
		break;
	case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR: {
		struct ioctl_gntdev_get_offset_for_vaddr *o = arg;

		o->offset = 8 * 4096;
		o->count = 2;
		break;
	}
	case IOCTL_GNTDEV_UNMAP_GRANT_REF:
		unmapped_index =
		    ((struct ioctl_gntdev_unmap_grant_ref *)arg)->index;
		break;
	case IOCTL_GNTDEV_SET_UNMAP_NOTIFY:
		notify_index = ((struct ioctl_gntdev_unmap_notify *)arg)->index;
		notify_action =
		    ((struct ioctl_gntdev_unmap_notify *)arg)->action;
		break;
	case IOCTL_GNTALLOC_ALLOC_GREF: {
		struct ioctl_gntalloc_alloc_gref *a = arg;

		assert_int_equal(a->flags, GNTALLOC_FLAG_WRITABLE);
		a->index = 4096;
		a->gref_ids[0] = 100;
		a->gref_ids[1] = 101;
		break;
	}
	case IOCTL_PRIVCMD_MMAPBATCH_V2:
		batch(arg);
		break;
	case IOCTL_PRIVCMD_MMAP_RESOURCE: {
		struct privcmd_mmap_resource *r = arg;

		if (r->addr == 0)
			r->num = 4;
		break;
	}
	}
	if (fake.answer >= 0)
		return fake.answer;
	errno = -fake.answer;
	return -1;
}

static int
setup(void **state)
{
	(void)state;
	setenv("HV_PROVIDER", "linux", 1);
	memset(&fake, 0, sizeof(fake));
	bad_page = -1;
	unmapped_index = 0;
	notify_action = 0;
	return 0;
}

static void
event_channels_use_the_kernels_numbers(void **state)
{
	xenevtchn_handle *x = xenevtchn_open(NULL, 0);
	const uint32_t *w = (const uint32_t *)fake.words;

	(void)state;
	assert_non_null(x);
	assert_string_equal(fake_opened, "/dev/xen/evtchn");
	fake.answer = 9;
	assert_int_equal(xenevtchn_bind_virq(x, 3), 9);
	assert_int_equal(fake.request, IOCTL_EVTCHN_BIND_VIRQ);
	assert_int_equal(w[0], 3);
	assert_int_equal(xenevtchn_bind_interdomain(x, 7, 11), 9);
	assert_int_equal(fake.request, IOCTL_EVTCHN_BIND_INTERDOMAIN);
	assert_int_equal(w[0], 7);
	assert_int_equal(w[1], 11);
	assert_int_equal(xenevtchn_bind_unbound_port(x, 7), 9);
	assert_int_equal(fake.request, IOCTL_EVTCHN_BIND_UNBOUND_PORT);
	fake.answer = 0;
	assert_int_equal(xenevtchn_notify(x, 9), 0);
	assert_int_equal(fake.request, IOCTL_EVTCHN_NOTIFY);
	assert_int_equal(w[0], 9);
	assert_int_equal(xenevtchn_unbind(x, 9), 0);
	assert_int_equal(fake.request, IOCTL_EVTCHN_UNBIND);
	assert_int_equal(xenevtchn_restrict(x, 7), 0);
	assert_int_equal(fake.request, IOCTL_EVTCHN_RESTRICT_DOMID);
	fake.answer = -EEXIST;
	assert_int_equal(xenevtchn_bind_virq(x, 3), -1);
	assert_int_equal(errno, EEXIST);
	xenevtchn_close(x);
}

static void
ports_are_read_and_written_as_32_bits(void **state)
{
	uint32_t port = 77, got[2] = { 0, 0 };
	xenevtchn_handle *x;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	x = xenevtchn_fdopen(NULL, sv[0], 0);
	assert_non_null(x);
	assert_int_equal(xenevtchn_fd(x), sv[0]);
	assert_int_equal(write(sv[1], &port, 4), 4);
	assert_int_equal(xenevtchn_pending(x), 77);
	assert_int_equal(xenevtchn_unmask(x, 70000), 0);
	assert_int_equal(read(sv[1], got, sizeof(got)), 4);
	assert_int_equal(got[0], 70000);
	assert_int_equal(write(sv[1], &port, 2), 2);
	assert_int_equal(xenevtchn_pending(x), -1);
	assert_int_equal(errno, EIO);
	assert_null(xenevtchn_fdopen(NULL, sv[1], 1));
	assert_int_equal(errno, EINVAL);
	assert_null(xenevtchn_fdopen(NULL, -1, 0));
	assert_int_equal(errno, EBADF);
	xenevtchn_close(x);
	close(sv[1]);
}

static void
grants_are_mapped_at_the_offset_that_the_kernel_names(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);
	uint32_t refs[] = { 40, 41 };
	uint8_t *p;

	(void)state;
	assert_string_equal(fake_opened, "/dev/xen/gntdev");
	p = xengnttab_map_domain_grant_refs(x, 2, 7, refs, RW);
	assert_non_null(p);
	assert_int_equal(fake.request, IOCTL_GNTDEV_MAP_GRANT_REF);
	p[4096] = 5; /* page 9 of the fake node */
	assert_int_equal(pwrite(xengnttab_fd(x), "x", 1, 9 * 4096 + 1), 1);
	assert_int_equal(p[4097], 'x');
	assert_int_equal(xengnttab_unmap(x, p, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(p[4096], 5); /* still there */
	assert_int_equal(xengnttab_unmap(x, p, 2), 0);
	assert_int_equal(fake.request, IOCTL_GNTDEV_UNMAP_GRANT_REF);
	assert_int_equal(unmapped_index, 8 * 4096);
	assert_int_equal(xengnttab_set_max_grants(x, 10), 0);
	assert_int_equal(fake.request, IOCTL_GNTDEV_SET_MAX_GRANTS);
	xengnttab_close(x);
}

static void
an_unmap_notification_is_asked_for_after_mapping(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);

	(void)state;
	assert_non_null(xengnttab_map_grant_ref_notify(x, 7, 40, RW, 100, 5));
	assert_int_equal(fake.request, IOCTL_GNTDEV_SET_UNMAP_NOTIFY);
	assert_int_equal(notify_index, 8 * 4096 + 100);
	assert_int_equal(
	    notify_action, UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT);
	assert_int_equal(((uint32_t *)fake.words)[3], 5);
	xengnttab_close(x);
}

static void
a_grant_that_cannot_be_mapped_is_given_back(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);

	(void)state;
	fake.answer = -EINVAL;
	assert_null(xengnttab_map_grant_ref(x, 7, 40, RW));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(fake.calls, 1);
	xengnttab_close(x);
}

static void
copies_go_to_the_kernel_as_they_are(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);
	xengnttab_grant_copy_segment_t s = { .flags = GNTCOPY_source_gref };

	(void)state;
	assert_int_equal(sizeof(s), sizeof(struct gntdev_grant_copy_segment));
	assert_int_equal(offsetof(xengnttab_grant_copy_segment_t, status),
	    offsetof(struct gntdev_grant_copy_segment, status));
	assert_int_equal(xengnttab_grant_copy(x, 1, &s), 0);
	assert_int_equal(fake.request, IOCTL_GNTDEV_GRANT_COPY);
	fake.answer = -ENOTTY;
	assert_int_equal(xengnttab_grant_copy(x, 1, &s), -1);
	assert_int_equal(errno, ENOSYS);
	xengnttab_close(x);
}

static void
kbgnttab_maps_page_by_page(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);
	const uint32_t refs[] = { 40, 40, 40 };
	uint32_t handles[3], none[2] = { KBGNTTAB_NO_HANDLE, 999 };
	void *pages[3];

	(void)state;
	assert_int_equal(
	    kbgnttab_map_pages(x, 7, 3, refs, RW, pages, handles), 0);
	assert_true(pages[0] != NULL && pages[1] != NULL);
	assert_ptr_not_equal(pages[0], pages[1]);
	assert_int_equal(kbgnttab_unmap_pages(x, 1, none), 0);
	assert_int_equal(kbgnttab_unmap_pages(x, 2, none), -1);
	assert_int_equal(errno, EINVAL);
	fake.answer = -EACCES;
	assert_int_equal(
	    kbgnttab_map_pages(x, 7, 2, refs, RW, pages, handles), 2);
	assert_null(pages[0]);
	assert_int_equal(handles[1], KBGNTTAB_NO_HANDLE);
	xengnttab_close(x);
}

static void
shared_pages_come_from_gntalloc(void **state)
{
	xengntshr_handle *x = xengntshr_open(NULL, 0);
	uint32_t refs[2] = { 0, 0 };
	uint8_t *p;

	(void)state;
	assert_string_equal(fake_opened, "/dev/xen/gntalloc");
	p = xengntshr_share_pages(x, 7, 2, refs, 1);
	assert_non_null(p);
	assert_int_equal(refs[0], 100);
	assert_int_equal(refs[1], 101);
	p[4096] = 'y'; /* page 2 of the fake node */
	assert_int_equal(pread(xengntshr_fd(x), refs, 1, 2 * 4096), 1);
	assert_int_equal(*(char *)refs, 'y');
	assert_int_equal(xengntshr_unshare(x, p, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xengntshr_unshare(x, p, 2), 0);
	assert_int_equal(fake.request, IOCTL_GNTALLOC_DEALLOC_GREF);
	assert_int_equal(fake.words[0], 4096);
	assert_null(xengntshr_share_pages(x, 7, 0, refs, 1));
	assert_int_equal(errno, EINVAL);
	xengntshr_close(x);
}

static void
hypercalls_go_through_privcmd(void **state)
{
	xencall_handle *x = xencall_open(NULL, 0);
	uint8_t *p;

	(void)state;
	fake.answer = 5;
	assert_int_equal(xencall5(x, 36, 1, 2, 3, 4, 5), 5);
	assert_int_equal(fake.request, IOCTL_PRIVCMD_HYPERCALL);
	assert_int_equal(fake.words[0], 36);
	assert_int_equal(fake.words[1], 1);
	assert_int_equal(fake.words[5], 5);
	fake.answer = -EPERM;
	assert_int_equal(xencall0(x, 36), -1);
	assert_int_equal(errno, EPERM);
	p = xencall_alloc_buffer(x, 5000);
	assert_non_null(p);
	memset(p, 1, 5000);
	xencall_free_buffer(x, p);
	assert_null(xencall_alloc_buffer(x, SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	p = xencall_alloc_buffer_pages(x, 2);
	assert_int_equal((uintptr_t)p % 4096, 0);
	xencall_free_buffer_pages(x, p, 2);
	assert_int_equal(xencall_buffers_never_fault(x), 0);
	xencall_close(x);
}

static void
foreign_pages_report_their_errors(void **state)
{
	xenforeignmemory_handle *x = xenforeignmemory_open(NULL, 0);
	const xen_pfn_t pfns[] = { 3, 4 };
	int err[2] = { 9, 9 };
	void *p;

	(void)state;
	bad_page = 4;
	p = xenforeignmemory_map(x, 7, RW, 2, pfns, err);
	assert_non_null(p);
	assert_int_equal(fake.request, IOCTL_PRIVCMD_MMAPBATCH_V2);
	assert_int_equal(err[0], 0);
	assert_int_equal(err[1], EINVAL);
	assert_int_equal(xenforeignmemory_unmap(x, p, 2), 0);
	assert_null(xenforeignmemory_map(x, 7, RW, 2, pfns, NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xenforeignmemory_restrict(x, 7), 0);
	assert_int_equal(fake.request, IOCTL_PRIVCMD_RESTRICT);
	xenforeignmemory_close(x);
}

static void
resources_are_mapped_and_measured(void **state)
{
	xenforeignmemory_handle *x = xenforeignmemory_open(NULL, 0);
	xenforeignmemory_resource_handle *r;
	void *p = NULL;
	size_t size = 0;

	(void)state;
	r = xenforeignmemory_map_resource(x, 7, 1, 0, 2, 3, &p, RW, 0);
	assert_non_null(r);
	assert_non_null(p);
	assert_int_equal(fake.request, IOCTL_PRIVCMD_MMAP_RESOURCE);
	assert_int_equal(((struct privcmd_mmap_resource *)fake.words)->idx, 2);
	assert_int_equal(((struct privcmd_mmap_resource *)fake.words)->num, 3);
	assert_int_equal(xenforeignmemory_unmap_resource(x, r), 0);
	assert_int_equal(xenforeignmemory_resource_size(x, 7, 1, 0, &size), 0);
	assert_int_equal(size, 4 * 4096);
	fake.answer = -ENOTTY;
	p = NULL;
	assert_null(xenforeignmemory_map_resource(x, 7, 1, 0, 0, 1, &p, RW, 0));
	assert_int_equal(errno, EOPNOTSUPP);
	xenforeignmemory_close(x);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(event_channels_use_the_kernels_numbers),
		T(ports_are_read_and_written_as_32_bits),
		T(grants_are_mapped_at_the_offset_that_the_kernel_names),
		T(an_unmap_notification_is_asked_for_after_mapping),
		T(a_grant_that_cannot_be_mapped_is_given_back),
		T(copies_go_to_the_kernel_as_they_are),
		T(kbgnttab_maps_page_by_page),
		T(shared_pages_come_from_gntalloc),
		T(hypercalls_go_through_privcmd),
		T(foreign_pages_report_their_errors),
		T(resources_are_mapped_and_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
