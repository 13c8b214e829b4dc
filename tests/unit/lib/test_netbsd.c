/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netbsd providers against a kernel of paper: numbers as NetBSD's headers
 * give them, and the sizes that are part of the numbers. (libxenevtchn's runs
 * on a real node in the kernfs tests.)
 */
#include "fakekernel.h"

#include "xencall.h"
#include "xenevtchn.h"
#include "xenforeignmemory.h"
#include "xengnttab.h"

#define RW (PROT_READ | PROT_WRITE)
#define SIZE_OF(request) ((request) >> 16 & 0x1fff)

static struct {
	unsigned long request;
	uint8_t bytes[64];
	int errnum;
	int calls;
} fake;

static uint64_t
word(unsigned at)
{
	uint64_t w;

	memcpy(&w, fake.bytes + at, sizeof(w));
	return w;
}

int
fake_ioctl(unsigned long request, void *arg)
{
	fake.request = request;
	fake.calls++;
	memset(fake.bytes, 0, sizeof(fake.bytes));
	memcpy(fake.bytes, arg, SIZE_OF(request));
	if (request == 0xc0385000) { /* HYPERCALL: retval is the last word */
		int64_t ret = 12;

		memcpy((uint8_t *)arg + 48, &ret, sizeof(ret));
	} else if (request == 0x80205006) { /* MMAPBATCH_V2 */
		int *err;

		memcpy(&err, fake.bytes + 24, sizeof(err));
		err[0] = 0;
		err[1] = -EINVAL;
	}
	if (fake.errnum == 0)
		return 0;
	errno = fake.errnum;
	return -1;
}

static int
setup(void **state)
{
	(void)state;
	setenv("HV_PROVIDER", "netbsd", 1);
	setenv("HV_ROOT", "/fake", 1);
	memset(&fake, 0, sizeof(fake));
	return 0;
}

static void
ports_are_read_as_32_and_unmasked_as_16_bits(void **state)
{
	uint32_t port = 77;
	uint16_t got[4] = { 0 };
	xenevtchn_handle *x;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	x = xenevtchn_fdopen(NULL, sv[0], 0);
	assert_non_null(x);
	assert_int_equal(write(sv[1], &port, 4), 4);
	assert_int_equal(xenevtchn_pending(x), 77);
	assert_int_equal(xenevtchn_unmask(x, 4095), 0);
	assert_int_equal(read(sv[1], got, sizeof(got)), 2);
	assert_int_equal(got[0], 4095);
	xenevtchn_close(x);
	close(sv[1]);
}

static void
event_ioctls_have_netbsds_numbers(void **state)
{
	xenevtchn_handle *x = xenevtchn_open(NULL, 0);

	(void)state;
	assert_string_equal(fake_opened, "/fake/dev/xenevt");
	xenevtchn_bind_virq(x, 3);
	assert_int_equal(fake.request, 0xc0084504);
	xenevtchn_bind_interdomain(x, 7, 11);
	assert_int_equal(fake.request, 0xc00c4505);
	assert_int_equal(word(0), 7 | UINT64_C(11) << 32);
	xenevtchn_bind_unbound_port(x, 7);
	assert_int_equal(fake.request, 0xc0084506);
	assert_int_equal(xenevtchn_unbind(x, 9), 0);
	assert_int_equal(fake.request, 0x80044507);
	assert_int_equal(xenevtchn_notify(x, 9), 0);
	assert_int_equal(fake.request, 0x80044508);
	assert_int_equal(word(0), 9);
	assert_int_equal(xenevtchn_restrict(x, 7), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	xenevtchn_close(x);
}

static void
hypercall_results_come_back_in_the_structure(void **state)
{
	xencall_handle *x = xencall_open(NULL, 0);

	(void)state;
	assert_string_equal(fake_opened, "/fake/kern/xen/privcmd");
	assert_int_equal(xencall2(x, 36, 5, 6), 12);
	assert_int_equal(fake.request, 0xc0385000);
	assert_int_equal(word(0), 36);
	assert_int_equal(word(16), 6);
	fake.errnum = EPERM;
	assert_int_equal(xencall0(x, 36), -1);
	assert_int_equal(errno, EPERM);
	xencall_close(x);
}

static void
grants_replace_reserved_addresses(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);
	uint32_t refs[] = { 40, 41 };
	void *p;

	(void)state;
	p = xengnttab_map_domain_grant_refs(x, 2, 7, refs, RW);
	assert_non_null(p);
	assert_int_equal(fake.request, 0x80285008);
	assert_int_equal(word(0), 2); /* count and padding */
	assert_ptr_equal((void *)(uintptr_t)word(8), p);
	assert_int_equal(xengnttab_unmap(x, p, 2), 0);
	fake.errnum = EINVAL;
	assert_null(xengnttab_map_grant_ref(x, 7, 40, RW));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xengnttab_grant_copy(x, 0, NULL), -1);
	assert_int_equal(errno, ENOSYS);
	xengnttab_close(x);
}

static void
an_unmap_notification_travels_with_the_map(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);

	(void)state;
	assert_non_null(xengnttab_map_grant_ref_notify(x, 7, 40, RW, 9, 5));
	assert_int_equal(fake.calls, 1);
	assert_int_equal(word(16), 9);			   /* offset */
	assert_int_equal(word(24), 3 | UINT64_C(5) << 32); /* action, port */
	xengnttab_close(x);
}

static void
pages_are_shared_by_the_ninth_ioctl(void **state)
{
	xengntshr_handle *x = xengntshr_open(NULL, 0);
	uint32_t ref;
	void *p;

	(void)state;
	p = xengntshr_share_pages(x, 7, 1, &ref, 1);
	assert_non_null(p);
	assert_int_equal(fake.request, 0x80285009);
	assert_int_equal(word(0), 7 | 1 << 16 | UINT64_C(1) << 32);
	assert_ptr_equal((void *)(uintptr_t)word(32), &ref);
	assert_int_equal(xengntshr_unshare(x, p, 1), 0);
	xengntshr_close(x);
}

static void
foreign_pages_report_their_errors(void **state)
{
	xenforeignmemory_handle *x = xenforeignmemory_open(NULL, 0);
	const xen_pfn_t pfns[] = { 3, 4 };
	int err[2] = { 9, 9 };
	xenforeignmemory_resource_handle *r;
	size_t size;
	void *p;

	(void)state;
	p = xenforeignmemory_map(x, 7, RW, 2, pfns, err);
	assert_non_null(p);
	assert_int_equal(fake.request, 0x80205006);
	assert_int_equal(word(0), 2 | UINT64_C(7) << 32);
	assert_int_equal(err[0], 0);
	assert_int_equal(err[1], EINVAL);
	assert_null(xenforeignmemory_map(x, 7, RW, 2, pfns, NULL));
	assert_int_equal(errno, EINVAL);
	p = NULL;
	r = xenforeignmemory_map_resource(x, 7, 1, 0, 2, 1, &p, RW, 0);
	assert_non_null(r);
	assert_int_equal(fake.request, 0x80205007);
	assert_int_equal(xenforeignmemory_unmap_resource(x, r), 0);
	assert_int_equal(xenforeignmemory_resource_size(x, 7, 1, 0, &size), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	xenforeignmemory_close(x);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(ports_are_read_as_32_and_unmasked_as_16_bits),
		T(event_ioctls_have_netbsds_numbers),
		T(hypercall_results_come_back_in_the_structure),
		T(grants_replace_reserved_addresses),
		T(an_unmap_notification_travels_with_the_map),
		T(pages_are_shared_by_the_ninth_ioctl),
		T(foreign_pages_report_their_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
