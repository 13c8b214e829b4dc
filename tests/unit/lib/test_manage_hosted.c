/* SPDX-License-Identifier: BSD-2-Clause */
/* libxencall, libxenforeignmemory and libxenmanage on a running hvd. */
#include "fixture.h"

#include "abi/version.h"
#include "xenevtchn.h"
#include "xenmanage.h"

#define RW (PROT_READ | PROT_WRITE)

/* -- xencall -- */

static void
a_hypercall_answers_and_writes_its_buffer(void **state)
{
	xencall_handle *x = xencall_open(NULL, 0);
	char *text = xencall_alloc_buffer(x, sizeof(xen_capabilities_info_t));
	int version;

	(void)state;
	assert_non_null(text);
	version = xencall2(x, __HYPERVISOR_xen_version, XENVER_version, 0);
	assert_int_equal(version >> 16, 4);
	assert_int_equal(xencall2(x, __HYPERVISOR_xen_version,
			     XENVER_capabilities, (uintptr_t)text),
	    0);
	assert_non_null(strstr(text, "x86_64"));
	assert_int_equal(
	    xencall2L(x, __HYPERVISOR_xen_version, XENVER_pagesize, 0), 4096);
	xencall_free_buffer(x, text);
	xencall_close(x);
}

static void
errors_of_the_hypervisor_are_errno(void **state)
{
	xencall_handle *x = xencall_open(NULL, 0);
	char outside[1024] = "";

	(void)state;
	assert_int_equal(xencall0(x, 63), -1);
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(xencall2(x, __HYPERVISOR_xen_version,
			     XENVER_capabilities, (uintptr_t)outside),
	    -1);
	assert_int_equal(errno, EFAULT);
	assert_string_equal(outside, "");
	xencall_close(x);
	assert_null(xencall_open(NULL, 8));
	assert_int_equal(errno, EINVAL);
}

static void
buffers_are_apart_and_pages_are_aligned_and_zero(void **state)
{
	xencall_handle *x = xencall_open(NULL, 0);
	uint8_t *a, *b, *p;
	unsigned i;

	(void)state;
	a = xencall_alloc_buffer(x, 100);
	b = xencall_alloc_buffer(x, 100);
	p = xencall_alloc_buffer_pages(x, 3);
	assert_true(a != NULL && b != NULL && p != NULL);
	assert_int_equal((uintptr_t)p % PAGE, 0);
	for (i = 0; i < 3 * PAGE; i++)
		assert_int_equal(p[i], 0);
	memset(a, 1, 100);
	memset(b, 2, 100);
	memset(p, 3, 3 * PAGE);
	assert_int_equal(a[99], 1);
	assert_int_equal(b[0], 2);
	xencall_free_buffer_pages(x, p, 3);
	p = xencall_alloc_buffer_pages(x, 3);
	for (i = 0; i < 3 * PAGE; i++)
		assert_int_equal(p[i], 0);
	assert_null(xencall_alloc_buffer_pages(x, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(xencall_alloc_buffer_pages(x, 1u << 20));
	assert_int_equal(errno, ENOMEM);
	xencall_free_buffer(x, NULL);
	xencall_free_buffer(x, a);
	xencall_free_buffer(x, b);
	assert_int_equal(xencall_buffers_never_fault(x), 1);
	xencall_close(x);
}

/* -- xenforeignmemory -- */

static void
foreign_frames_map_in_the_order_asked_for(void **state)
{
	const xen_pfn_t pfns[] = { 9, 3, 4, 5, 1 };
	struct guest g;
	uint8_t *p;
	unsigned i;

	(void)state;
	guest_create(&g);
	for (i = 0; i < GUEST_PAGES; i++)
		g.ram[i * PAGE] = (uint8_t)i;
	p = xenforeignmemory_map(g.fmem, g.domid, RW, 5, pfns, NULL);
	assert_non_null(p);
	for (i = 0; i < 5; i++)
		assert_int_equal(p[i * PAGE], pfns[i]);
	p[PAGE] = 99;
	assert_int_equal(g.ram[3 * PAGE], 99);
	assert_int_equal(xenforeignmemory_unmap(g.fmem, p, 5), 0);
	guest_destroy(&g);
}

static void
a_frame_that_is_not_there_fails_alone_or_all(void **state)
{
	const xen_pfn_t pfns[] = { 2, UINT64_C(1) << 40, 3 };
	int err[3] = { 7, 7, 7 };
	struct guest g;
	uint8_t *p;

	(void)state;
	guest_create(&g);
	g.ram[3 * PAGE] = 33;
	assert_null(xenforeignmemory_map(g.fmem, g.domid, RW, 3, pfns, NULL));
	assert_int_equal(errno, EINVAL);
	p = xenforeignmemory_map(g.fmem, g.domid, RW, 3, pfns, err);
	assert_non_null(p);
	assert_int_equal(err[0], 0);
	assert_int_equal(err[1], EINVAL);
	assert_int_equal(err[2], 0);
	assert_int_equal(p[2 * PAGE], 33);
	assert_int_equal(xenforeignmemory_unmap(g.fmem, p, 3), 0);
	assert_null(xenforeignmemory_map(g.fmem, 999, RW, 3, pfns, err));
	assert_int_equal(errno, ESRCH);
	assert_null(xenforeignmemory_map(g.fmem, g.domid, RW, 0, pfns, err));
	assert_int_equal(errno, EINVAL);
	guest_destroy(&g);
}

static void
map2_maps_where_it_is_told(void **state)
{
	const xen_pfn_t pfn = 6;
	struct guest g;
	uint8_t *area, *p;

	(void)state;
	guest_create(&g);
	g.ram[6 * PAGE] = 66;
	area = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
	assert_true(area != MAP_FAILED);
	p = xenforeignmemory_map2(
	    g.fmem, g.domid, area + PAGE, PROT_READ, MAP_FIXED, 1, &pfn, NULL);
	assert_ptr_equal(p, area + PAGE);
	assert_int_equal(*p, 66);
	munmap(area, 3 * PAGE);
	guest_destroy(&g);
}

static void
the_grant_table_is_a_resource_of_known_size(void **state)
{
	struct guest g;
	size_t size = 0;
	void *p = NULL;

	(void)state;
	guest_create(&g);
	assert_int_equal(xenforeignmemory_resource_size(g.fmem, g.domid,
			     XENMEM_resource_grant_table,
			     XENMEM_resource_grant_table_id_shared, &size),
	    0);
	assert_int_equal(size, 4 * PAGE);
	assert_null(xenforeignmemory_map_resource(g.fmem, g.domid,
	    XENMEM_resource_grant_table, XENMEM_resource_grant_table_id_shared,
	    2, 5, &p, RW, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(xenforeignmemory_map_resource(
	    g.fmem, g.domid, 77, 0, 0, 1, &p, RW, 0));
	assert_int_equal(errno, EOPNOTSUPP);
	guest_destroy(&g);
}

/* -- xenmanage -- */

static void
domain_info_tells_state_caps_and_identity(void **state)
{
	xenmanage_handle *m = xenmanage_open(NULL, 0);
	unsigned st = 99, caps = 99;
	uint64_t id0 = 0, id1 = 0;
	struct guest g;

	(void)state;
	assert_non_null(m);
	assert_int_equal(xenmanage_get_domain_info(m, 0, &st, &caps, &id0), 0);
	assert_int_equal(st, XENMANAGE_GETDOMSTATE_STATE_EXIST);
	assert_true(caps & XENMANAGE_GETDOMSTATE_CAP_CONTROL);
	guest_create(&g);
	assert_int_equal(
	    xenmanage_get_domain_info(m, g.domid, &st, &caps, &id1), 0);
	assert_int_equal(st, XENMANAGE_GETDOMSTATE_STATE_EXIST);
	assert_int_equal(caps, 0);
	assert_true(id0 != id1);
	assert_int_equal(
	    xenmanage_get_domain_info(m, g.domid, NULL, NULL, NULL), 0);
	assert_int_equal(
	    xenmanage_get_domain_info(m, 999, &st, NULL, NULL), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(
	    xenmanage_get_domain_info(m, 0x7ff0, &st, NULL, NULL), -1);
	assert_int_equal(errno, EINVAL);
	guest_destroy(&g);
	xenmanage_close(m);
}

/* Wait until a change of DOMID is reported; its state. */
static unsigned
next_change(xenmanage_handle *m, unsigned domid)
{
	int tries;

	for (tries = 0; tries < 6000; tries++) {
		unsigned d = 0, st = 0;

		while (
		    xenmanage_poll_changed_domain(m, &d, &st, NULL, NULL) == 0)
			if (d == domid)
				return st;
		assert_int_equal(errno, ENOENT);
		fixture_sleep_ms(10);
	}
	fail_msg("no change of domain %u", domid);
	return 0;
}

static void
each_change_is_told_once_to_who_has_dom_exc(void **state)
{
	xenmanage_handle *m = xenmanage_open(NULL, 0);
	xenevtchn_handle *xce = xenevtchn_open(NULL, 0);
	unsigned d, st, told = 0;
	struct guest g;

	(void)state;
	assert_int_equal(
	    xenmanage_poll_changed_domain(m, &d, &st, NULL, NULL), -1);
	assert_int_equal(errno, EACCES);
	assert_true(xenevtchn_bind_virq(xce, VIRQ_DOM_EXC) > 0);
	while (xenmanage_poll_changed_domain(m, &d, &st, NULL, NULL) == 0)
		if (d == 0)
			told++;
	assert_int_equal(errno, ENOENT);
	assert_int_equal(told, 1); /* the first round tells of all */
	guest_create(&g);
	assert_true(
	    next_change(m, g.domid) & XENMANAGE_GETDOMSTATE_STATE_EXIST);
	d = g.domid;
	guest_destroy(&g);
	st = next_change(m, d);
	if (st != 0) /* on its way */
		st = next_change(m, d);
	assert_int_equal(st, 0);
	assert_int_equal(
	    xenmanage_get_changed_domain(m, &d, &st, NULL, NULL), -1);
	assert_int_equal(errno, ENOENT);
	xenevtchn_close(xce);
	xenmanage_close(m);
}

static void
write_node(const char *name, const char *text, off_t size)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", fixture_root, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (size > 0)
		assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void
the_store_ring_is_found_or_the_missing_node_is_named(void **state)
{
	xenmanage_handle *m = xenmanage_open(NULL, 0);
	struct xenmanage_node_error e;
	struct xenmanage_store_ring ring;

	(void)state;
	assert_int_equal(xenmanage_store_ring(m, &ring, &e), -1);
	assert_int_equal(e.fault, XENMANAGE_NODE_PORT_MISSING);
	assert_int_equal(e.errnum, ENOENT);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(e.node, "/kern/xen/xsd_port"));
	assert_non_null(e.remedy);
	assert_null(ring.page);
	write_node("kern/xen/xsd_port", "12x\n", 0);
	assert_int_equal(xenmanage_store_ring(m, &ring, &e), -1);
	assert_int_equal(e.fault, XENMANAGE_NODE_PORT_INVALID);
	write_node("kern/xen/xsd_port", "-1\n", 0);
	assert_int_equal(xenmanage_store_ring(m, &ring, &e), -1);
	assert_int_equal(e.fault, XENMANAGE_NODE_PORT_INVALID);
	write_node("kern/xen/xsd_port", "12\n", 0);
	assert_int_equal(xenmanage_store_ring(m, &ring, NULL), -1);
	assert_int_equal(xenmanage_store_ring(m, &ring, &e), -1);
	assert_int_equal(e.fault, XENMANAGE_NODE_PAGE_MISSING);
	assert_non_null(strstr(e.node, "/dev/xsd_kva"));
	write_node("dev/xsd_kva", "short", 0);
	assert_int_equal(xenmanage_store_ring(m, &ring, &e), -1);
	assert_int_equal(e.fault, XENMANAGE_NODE_PAGE_INVALID);
	write_node("dev/xsd_kva", "ring", 4096);
	assert_int_equal(xenmanage_store_ring(m, &ring, &e), 0);
	assert_int_equal(e.fault, XENMANAGE_NODE_OK);
	assert_int_equal(ring.port, 12);
	assert_string_equal(ring.page, "ring");
	write_node("kern/xen/xsd_port", "13", 0); /* no newline is fine */
	xenmanage_close(m);
	assert_string_equal(ring.page, "ring");
	xenmanage_store_ring_release(&ring);
	assert_null(ring.page);
	xenmanage_store_ring_release(&ring);
}

/* -- the run of the hypervisor -- */

static void
boot_id(uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	xenmanage_handle *m = xenmanage_open(NULL, 0);

	assert_non_null(m);
	assert_int_equal(xenmanage_boot_id(m, id), 0);
	xenmanage_close(m);
}

static void
write_boot_id(const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/kern/xen/boot_id", fixture_root);
	unlink(path);
	if (text == NULL)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
a_boot_id_that_is_missing_or_spoilt_is_none(void **state)
{
	static const char *const bad[] = { "", "\n", "123\n",
		"00112233445566778899aabbccddeeff0\n",
		"00112233445566778899aabbccddeefg\n" };
	xenmanage_handle *m = xenmanage_open(NULL, 0);
	uint8_t id[XENMANAGE_BOOT_ID_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_boot_id(bad[i]);
		assert_int_equal(xenmanage_boot_id(m, id), -1);
		assert_int_equal(errno, EINVAL);
	}
	write_boot_id(NULL);
	assert_int_equal(xenmanage_boot_id(m, id), -1);
	assert_int_equal(errno, ENOENT);
	write_boot_id("00112233-4455-6677-8899-aabbccddeeff\n");
	assert_int_equal(xenmanage_boot_id(m, id), 0);
	assert_int_equal(id[0], 0x00);
	assert_int_equal(id[1], 0x11);
	assert_int_equal(id[15], 0xff);
	xenmanage_close(m);
}

/* The last test: it takes the machine down and starts another one. */
static void
the_boot_id_is_the_same_until_the_machine_starts_again(void **state)
{
	uint8_t first[XENMANAGE_BOOT_ID_SIZE], id[XENMANAGE_BOOT_ID_SIZE];

	(void)state;
	fixture_stop();
	assert_true(fixture_start());
	boot_id(first);
	boot_id(id);
	assert_memory_equal(id, first, sizeof(id));
	fixture_stop();
	assert_true(fixture_start());
	boot_id(id);
	assert_memory_not_equal(id, first, sizeof(id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hypercall_answers_and_writes_its_buffer),
		cmocka_unit_test(errors_of_the_hypervisor_are_errno),
		cmocka_unit_test(
		    buffers_are_apart_and_pages_are_aligned_and_zero),
		cmocka_unit_test(foreign_frames_map_in_the_order_asked_for),
		cmocka_unit_test(a_frame_that_is_not_there_fails_alone_or_all),
		cmocka_unit_test(map2_maps_where_it_is_told),
		cmocka_unit_test(the_grant_table_is_a_resource_of_known_size),
		cmocka_unit_test(domain_info_tells_state_caps_and_identity),
		cmocka_unit_test(each_change_is_told_once_to_who_has_dom_exc),
		cmocka_unit_test(
		    the_store_ring_is_found_or_the_missing_node_is_named),
		cmocka_unit_test(a_boot_id_that_is_missing_or_spoilt_is_none),
		cmocka_unit_test(
		    the_boot_id_is_the_same_until_the_machine_starts_again),
	};
	int ret;

	if (!fixture_start())
		return 0;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_stop();
	return ret;
}
