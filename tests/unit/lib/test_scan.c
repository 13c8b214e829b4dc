/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxenmanage on a hypervisor without get_domain_state: what two scans of all
 * domains, compared, say. The hypervisor is a table behind xencall's ioctl.
 */
#include "fakekernel.h"

#include "abi/domctl.h"
#include "hv-core/lib/manage/manage.h"

#define EXIST XENMANAGE_GETDOMSTATE_STATE_EXIST
#define SHUTDOWN XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN
#define DEAD XENMANAGE_GETDOMSTATE_STATE_DEAD

static struct fake_domain {
	domid_t domid;
	uint32_t flags;
	uint8_t uuid;
} domains[8];
static size_t nr_domains;
static unsigned domctls;

/* getdomaininfo of 4.17: the first domain from the one asked for on. */
static int
old_domctl(struct xen_domctl *d)
{
	size_t i;

	domctls++;
	if (d->interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return EACCES;
	if (d->cmd != XEN_DOMCTL_getdomaininfo)
		return ENOSYS;
	for (i = 0; i < nr_domains; i++) {
		if (domains[i].domid < d->domain)
			continue;
		d->domain = domains[i].domid;
		d->u.getdomaininfo.domain = domains[i].domid;
		d->u.getdomaininfo.flags = domains[i].flags;
		memset(d->u.getdomaininfo.handle, domains[i].uuid, 16);
		return 0;
	}
	return ESRCH;
}

int
fake_ioctl(unsigned long request, void *arg)
{
	uint64_t *words = arg;

	assert_int_equal(request, 0xc0385000);
	assert_int_equal(words[0], __HYPERVISOR_domctl);
	errno = old_domctl((struct xen_domctl *)(uintptr_t)words[1]);
	words[6] = 0;
	return errno == 0 ? 0 : -1;
}

static void
be(domid_t domid, uint32_t flags, uint8_t uuid)
{
	domains[nr_domains++] = (struct fake_domain){ domid, flags, uuid };
}

static int
setup(void **state)
{
	setenv("HV_PROVIDER", "netbsd", 1);
	setenv("HV_ROOT", "/fake", 1);
	nr_domains = 0;
	*state = xenmanage_open(NULL, 0);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	return xenmanage_close(*state);
}

static void
expect_change(xenmanage_handle *m, unsigned domid, unsigned state)
{
	unsigned d = 99, s = 99, caps = 99;
	uint64_t id = 0;

	assert_int_equal(
	    xenmanage_poll_changed_domain(m, &d, &s, &caps, &id), 0);
	assert_int_equal(d, domid);
	assert_int_equal(s, state);
	assert_true(id != 0);
}

static void
expect_no_change(xenmanage_handle *m)
{
	unsigned d;

	assert_int_equal(
	    xenmanage_poll_changed_domain(m, &d, NULL, NULL, NULL), -1);
	assert_int_equal(errno, ENOENT);
}

static void
domain_info_is_made_of_getdomaininfo(void **state)
{
	unsigned s, caps;
	uint64_t id0, id5, again;

	be(0, 0, 0);
	be(5, XEN_DOMINF_shutdown | XEN_DOMINF_xs_domain, 0);
	assert_int_equal(
	    xenmanage_get_domain_info(*state, 0, &s, &caps, &id0), 0);
	assert_int_equal(s, EXIST);
	assert_true(caps & XENMANAGE_GETDOMSTATE_CAP_CONTROL);
	assert_int_equal(
	    xenmanage_get_domain_info(*state, 5, &s, &caps, &id5), 0);
	assert_int_equal(s, EXIST | SHUTDOWN);
	assert_int_equal(caps, XENMANAGE_GETDOMSTATE_CAP_XENSTORE);
	assert_true(id0 != id5);
	assert_int_equal(
	    xenmanage_get_domain_info(*state, 5, NULL, NULL, &again), 0);
	assert_true(again == id5);
	assert_int_equal(
	    xenmanage_get_domain_info(*state, 4, &s, NULL, NULL), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(
	    xenmanage_get_domain_info(*state, 6, &s, NULL, NULL), -1);
	assert_int_equal(errno, ESRCH);
}

static void
the_first_round_tells_of_all_and_the_next_of_changes(void **state)
{
	be(0, 0, 0);
	be(3, 0, 1);
	expect_change(*state, 0, EXIST);
	expect_change(*state, 3, EXIST);
	expect_no_change(*state);
	expect_no_change(*state);
	domains[1].flags = XEN_DOMINF_shutdown;
	be(7, 0, 2);
	expect_change(*state, 3, EXIST | SHUTDOWN);
	expect_change(*state, 7, EXIST);
	expect_no_change(*state);
	domains[1].flags |= XEN_DOMINF_dying;
	expect_change(*state, 3, EXIST | SHUTDOWN | DEAD);
	expect_no_change(*state);
	domains[1] = domains[2];
	nr_domains = 2;
	expect_change(*state, 3, 0);
	expect_no_change(*state);
}

static void
a_reborn_domid_is_told_by_its_uuid(void **state)
{
	be(0, 0, 0);
	be(3, 0, 1);
	expect_change(*state, 0, EXIST);
	expect_change(*state, 3, EXIST);
	expect_no_change(*state);
	domains[1].uuid = 2;
	expect_change(*state, 3, EXIST);
	expect_no_change(*state);
}

static void
a_scan_is_made_once_a_round(void **state)
{
	unsigned before;

	be(0, 0, 0);
	be(1, 0, 1);
	expect_change(*state, 0, EXIST);
	before = domctls;
	expect_change(*state, 1, EXIST);
	expect_no_change(*state);
	assert_int_equal(domctls, before);
}

static void
comparing_nothing_with_nothing_is_nothing(void **state)
{
	struct domain_state old[] = { { 1, EXIST, 0, 5 } }, out[2];

	(void)state;
	assert_int_equal(scan_compare(NULL, 0, NULL, 0, out), 0);
	assert_int_equal(scan_compare(old, 1, old, 1, out), 0);
	assert_int_equal(scan_compare(old, 1, NULL, 0, out), 1);
	assert_int_equal(out[0].state, 0);
	assert_true(out[0].unique_id == 5);
	assert_int_equal(scan_compare(NULL, 0, old, 1, out), 1);
	assert_int_equal(out[0].state, EXIST);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(domain_info_is_made_of_getdomaininfo),
		T(the_first_round_tells_of_all_and_the_next_of_changes),
		T(a_reborn_domid_is_told_by_its_uuid),
		T(a_scan_is_made_once_a_round),
		T(comparing_nothing_with_nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
