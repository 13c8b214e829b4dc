/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netbsd providers at work: hypercalls, foreign memory and grants by
 * /kern/xen/privcmd, on hvd. Runs only with tests/netbsd/nodes_preload.so in
 * front of libc (tests/integration/netbsd.sh), which plays the kernel's part.
 */
#include "fixture.h"

#include <sys/ioctl.h>

#include "abi/version.h"
#include "xenevtchn.h"
#include "xengnttab.h"
#include "xenmanage.h"

#define RW (PROT_READ | PROT_WRITE)
#define IN_USE (GTF_reading | GTF_writing)

static struct guest guest;

static int
privcmd(void)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/kern/xen/privcmd", fixture_root);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void
a_hypercall_reads_and_writes_memory_of_the_callers(void **state)
{
	xencall_handle *x = xencall_open(NULL, 0);
	char *text = xencall_alloc_buffer(x, sizeof(xen_capabilities_info_t));

	(void)state;
	assert_int_equal(
	    xencall2(x, __HYPERVISOR_xen_version, XENVER_version, 0) >> 16, 4);
	assert_int_equal(xencall2(x, __HYPERVISOR_xen_version,
			     XENVER_capabilities, (uintptr_t)text),
	    0);
	assert_non_null(strstr(text, "x86_64"));
	assert_int_equal(xencall0(x, 63), -1);
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(
	    xencall2(x, __HYPERVISOR_xen_version, XENVER_capabilities, 16), -1);
	assert_int_equal(errno, EFAULT);
	xencall_free_buffer(x, text);
	xencall_close(x);
}

static void
an_ioctl_the_kernel_does_not_know_is_einval(void **state)
{
	static const unsigned long numbers[] = { 0x20005004, 0x80205004,
		0x8028500a, 0x80205005 };
	uint64_t arg[8] = { 0 };
	int fd = privcmd();

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		assert_int_equal(ioctl(fd, numbers[i], arg), -1);
		assert_int_equal(errno, EINVAL);
	}
	close(fd);
}

static void
a_granted_page_is_mapped_and_munmap_releases_it(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);
	char *p;

	(void)state;
	guest_grant(&guest, 8, 5, GTF_permit_access);
	strcpy((char *)guest.ram + 5 * PAGE, "hello");
	p = xengnttab_map_grant_ref(x, guest.domid, 8, RW);
	assert_non_null(p);
	assert_string_equal(p, "hello");
	strcpy(p, "world");
	assert_string_equal((char *)guest.ram + 5 * PAGE, "world");
	assert_int_equal(guest.grants[8].flags & IN_USE, IN_USE);
	assert_int_equal(xengnttab_unmap(x, p, 1), 0);
	assert_int_equal(guest.grants[8].flags & IN_USE, 0);
	xengnttab_close(x);
}

static void
several_grants_are_mapped_side_by_side_or_not_at_all(void **state)
{
	xengnttab_handle *x = xengnttab_open(NULL, 0);
	uint32_t refs[] = { 9, 10, 11 };
	uint8_t *p;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		guest_grant(&guest, refs[i], 20u - (unsigned)i,
		    GTF_permit_access | GTF_readonly);
		guest.ram[(20 - i) * (int)PAGE] = (uint8_t)(100 + i);
	}
	p = xengnttab_map_domain_grant_refs(x, 3, guest.domid, refs, PROT_READ);
	assert_non_null(p);
	for (i = 0; i < 3; i++)
		assert_int_equal(p[i * (int)PAGE], 100 + i);
	assert_int_equal(xengnttab_unmap(x, p, 3), 0);
	/* read-only grants are not mapped for writing; nothing stays in use */
	assert_null(
	    xengnttab_map_domain_grant_refs(x, 3, guest.domid, refs, RW));
	refs[2] = 200;
	assert_null(xengnttab_map_domain_grant_refs(
	    x, 3, guest.domid, refs, PROT_READ));
	for (i = 0; i < 3; i++)
		assert_int_equal(guest.grants[9 + i].flags & IN_USE, 0);
	assert_int_equal(xengnttab_grant_copy(x, 0, NULL), -1);
	assert_int_equal(errno, ENOSYS);
	/* there is no limit to set, which is no reason to fail */
	assert_int_equal(xengnttab_set_max_grants(x, 4), 0);
	xengnttab_close(x);
}

static void
foreign_frames_that_are_not_there_fail_alone(void **state)
{
	xenforeignmemory_handle *x = xenforeignmemory_open(NULL, 0);
	const xen_pfn_t pfns[] = { 3, UINT64_C(1) << 40, 4 };
	int err[3] = { 9, 9, 9 };
	uint8_t *p;

	(void)state;
	guest.ram[3 * PAGE] = 33;
	guest.ram[4 * PAGE] = 44;
	p = xenforeignmemory_map(x, guest.domid, RW, 3, pfns, err);
	assert_non_null(p);
	assert_int_equal(err[0], 0);
	assert_int_equal(err[1], EINVAL);
	assert_int_equal(err[2], 0);
	assert_int_equal(p[0], 33);
	assert_int_equal(p[2 * PAGE], 44);
	assert_int_equal(xenforeignmemory_unmap(x, p, 3), 0);
	assert_int_equal(xenforeignmemory_restrict(x, 1), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	xenforeignmemory_close(x);
}

/* A range that the caller has not reserved as shared is refused. */
static void
mapping_wants_reserved_addresses(void **state)
{
	struct {
		int num;
		uint16_t dom;
		uint64_t addr;
		const uint64_t *arr;
		int *err;
	} arg = { .num = 1, .dom = guest.domid };
	uint64_t pfn = 3;
	int err = 0, fd = privcmd();
	void *p = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	arg.addr = (uintptr_t)p;
	arg.arr = &pfn;
	arg.err = &err;
	assert_int_equal(ioctl(fd, 0x80205006, &arg), -1);
	assert_int_equal(errno, EINVAL);
	munmap(p, PAGE);
	close(fd);
}

static void
domains_are_told_apart_and_the_boot_has_a_number(void **state)
{
	xenmanage_handle *m = xenmanage_open(NULL, 0);
	uint8_t id[XENMANAGE_BOOT_ID_SIZE];
	unsigned st = 0;

	(void)state;
	assert_non_null(m);
	assert_int_equal(
	    xenmanage_get_domain_info(m, guest.domid, &st, NULL, NULL), 0);
	assert_true(st & XENMANAGE_GETDOMSTATE_STATE_EXIST);
	assert_int_equal(
	    xenmanage_get_domain_info(m, 999, &st, NULL, NULL), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(xenmanage_boot_id(m, id), 0);
	xenmanage_close(m);
}

static void
a_killed_mapper_leaves_nothing_in_use(void **state)
{
	uint8_t *word = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int ms;

	(void)state;
	guest_grant(&guest, 8, 5, GTF_permit_access);
	pid = fork();
	if (pid == 0) {
		xengnttab_handle *x = xengnttab_open(NULL, 0);

		*word = xengnttab_map_grant_ref(x, guest.domid, 8, RW) != NULL;
		for (;;)
			pause();
	}
	for (ms = 0; *(volatile uint8_t *)word == 0 && ms < 60000; ms++)
		fixture_sleep_ms(1);
	assert_int_equal(*word, 1);
	assert_int_equal(guest.grants[8].flags & IN_USE, IN_USE);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (ms = 0; (guest.grants[8].flags & IN_USE) != 0 && ms < 60000; ms++)
		fixture_sleep_ms(1);
	assert_int_equal(guest.grants[8].flags & IN_USE, 0);
	munmap(word, PAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_hypercall_reads_and_writes_memory_of_the_callers),
		cmocka_unit_test(an_ioctl_the_kernel_does_not_know_is_einval),
		cmocka_unit_test(
		    a_granted_page_is_mapped_and_munmap_releases_it),
		cmocka_unit_test(
		    several_grants_are_mapped_side_by_side_or_not_at_all),
		cmocka_unit_test(foreign_frames_that_are_not_there_fail_alone),
		cmocka_unit_test(mapping_wants_reserved_addresses),
		cmocka_unit_test(
		    domains_are_told_apart_and_the_boot_has_a_number),
		cmocka_unit_test(a_killed_mapper_leaves_nothing_in_use),
	};
	const char *preload = getenv("LD_PRELOAD");
	int ret;

	if (preload == NULL || strstr(preload, "nodes_preload") == NULL) {
		fprintf(stderr, "SKIP: tests/integration/netbsd.sh runs it\n");
		return 0;
	}
	if (!fixture_start())
		return 0;
	setenv("HV_PROVIDER", "netbsd", 1);
	guest_create(&guest);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	guest_destroy(&guest);
	fixture_stop();
	return ret;
}
