/* SPDX-License-Identifier: BSD-2-Clause */
/* Which provider is chosen, and what is said when there is no hypervisor. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv-core/lib/common/provider.h"
#include "xencall.h"
#include "xenevtchn.h"
#include "xenforeignmemory.h"
#include "xengnttab.h"
#include "xenmanage.h"

/* A logger as libxentoollog's callers have: what was said is in said. */
struct fake_logger {
	void (*vmessage)(struct fake_logger *logger, int level, int errnum,
	    const char *context, const char *format, va_list args);
	char said[1024];
	char context[32];
	int level, errnum, lines;
};

static void
remember(struct fake_logger *l, int level, int errnum, const char *context,
    const char *format, va_list args)
{
	vsnprintf(l->said, sizeof(l->said), format, args);
	snprintf(l->context, sizeof(l->context), "%s", context);
	l->level = level;
	l->errnum = errnum;
	l->lines++;
}

static struct fake_logger logger = { .vmessage = remember };

static struct xentoollog_logger *
the_logger(void)
{
	memset(logger.said, 0, sizeof(logger.said));
	logger.lines = 0;
	return (struct xentoollog_logger *)(void *)&logger;
}

static int
setup(void **state)
{
	(void)state;
	unsetenv("HV_PROVIDER");
	setenv("HV_ROOT", "/nonexistent/kernbus", 1);
	return 0;
}

static void
the_environment_chooses_the_provider(void **state)
{
	enum provider p;

	(void)state;
	setenv("HV_PROVIDER", "netbsd", 1);
	assert_int_equal(provider_find(NULL, "t", &p), 0);
	assert_int_equal(p, PROVIDER_NETBSD);
	setenv("HV_PROVIDER", "linux", 1);
	assert_int_equal(provider_find(NULL, "t", &p), 0);
	assert_int_equal(p, PROVIDER_LINUX);
	setenv("HV_PROVIDER", "hosted", 1);
	assert_int_equal(provider_find(NULL, "t", &p), 0);
	assert_int_equal(p, PROVIDER_HOSTED);
}

static void
without_nodes_of_a_kernel_it_is_hosted(void **state)
{
	enum provider p;

	(void)state;
	if (access("/dev/xen/evtchn", F_OK) == 0 ||
	    access("/dev/xenevt", F_OK) == 0)
		skip();
	assert_int_equal(provider_find(NULL, "t", &p), 0);
	assert_int_equal(p, PROVIDER_HOSTED);
	setenv("HV_PROVIDER", "", 1); /* empty is unset */
	assert_int_equal(provider_find(NULL, "t", &p), 0);
	assert_int_equal(p, PROVIDER_HOSTED);
}

static void
an_unknown_provider_is_an_error_of_every_library(void **state)
{
	(void)state;
	setenv("HV_PROVIDER", "vms", 1);
	errno = 0;
	assert_null(xenevtchn_open(the_logger(), 0));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(logger.lines, 1);
	assert_non_null(strstr(logger.said, "HV_PROVIDER=vms"));
	assert_string_equal(logger.context, "xenevtchn");
	errno = 0;
	assert_null(xengnttab_open(the_logger(), 0));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(xencall_open(the_logger(), 0));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(xenforeignmemory_open(the_logger(), 0));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(xenmanage_open(the_logger(), 0));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(logger.lines, 1);
}

/* One line with the node and the remedy was logged, errno is ENOENT. */
static void
expect_complaint(const void *handle, const char *node, const char *remedy)
{
	assert_int_equal(errno, ENOENT);
	assert_null(handle);
	assert_int_equal(logger.lines, 1);
	assert_int_equal(logger.errnum, ENOENT);
	assert_int_equal(logger.level, 8); /* an error */
	assert_non_null(strstr(logger.said, node));
	assert_non_null(strstr(logger.said, remedy));
	assert_null(strchr(logger.said, '\n'));
}

static void
without_hvd_the_socket_and_the_remedy_are_named(void **state)
{
	const char *node = "/nonexistent/kernbus/hvd.sock";

	(void)state;
	setenv("HV_PROVIDER", "hosted", 1);
	expect_complaint(xenevtchn_open(the_logger(), 0), node, "hv-boot");
	expect_complaint(xengnttab_open(the_logger(), 0), node, "hv-boot");
	expect_complaint(xencall_open(the_logger(), 0), node, "hv-boot");
	expect_complaint(
	    xenforeignmemory_open(the_logger(), 0), node, "hv-boot");
	expect_complaint(xenmanage_open(the_logger(), 0), node, "hv-boot");
}

static void
without_linux_modules_modprobe_is_named(void **state)
{
	(void)state;
	if (access("/dev/xen", F_OK) == 0)
		skip();
	setenv("HV_PROVIDER", "linux", 1);
	expect_complaint(xenevtchn_open(the_logger(), 0), "/dev/xen/evtchn",
	    "modprobe xen-evtchn");
	expect_complaint(xengnttab_open(the_logger(), 0), "/dev/xen/gntdev",
	    "modprobe xen-gntdev");
	expect_complaint(xengntshr_open(the_logger(), 0), "/dev/xen/gntalloc",
	    "modprobe xen-gntalloc");
	expect_complaint(xencall_open(the_logger(), 0), "/dev/xen/privcmd",
	    "modprobe xen-privcmd");
	expect_complaint(xenforeignmemory_open(the_logger(), 0),
	    "/dev/xen/privcmd", "modprobe xen-privcmd");
}

static void
without_netbsd_nodes_makedev_is_named(void **state)
{
	(void)state;
	setenv("HV_PROVIDER", "netbsd", 1);
	expect_complaint(xenevtchn_open(the_logger(), 0),
	    "/nonexistent/kernbus/dev/xenevt", "MAKEDEV xen");
	expect_complaint(xengnttab_open(the_logger(), 0),
	    "/nonexistent/kernbus/kern/xen/privcmd", "kernfs");
	expect_complaint(xencall_open(the_logger(), 0),
	    "/nonexistent/kernbus/kern/xen/privcmd", "kernfs");
	expect_complaint(xenforeignmemory_open(the_logger(), 0),
	    "/nonexistent/kernbus/kern/xen/privcmd", "kernfs");
}

static void
only_linux_ignores_hv_root_and_netbsd_can_do_without(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(
	    provider_path(PROVIDER_LINUX, "/dev/x", path, sizeof(path)), 0);
	assert_string_equal(path, "/dev/x");
	assert_int_equal(
	    provider_path(PROVIDER_NETBSD, "/dev/x", path, sizeof(path)), 0);
	assert_string_equal(path, "/nonexistent/kernbus/dev/x");
	unsetenv("HV_ROOT");
	assert_int_equal(
	    provider_path(PROVIDER_NETBSD, "/dev/x", path, sizeof(path)), 0);
	assert_string_equal(path, "/dev/x");
	assert_int_equal(
	    provider_path(PROVIDER_HOSTED, "/dev/x", path, sizeof(path)), 0);
	assert_string_equal(path, "/run/kernbus/dev/x");
	assert_int_equal(provider_path(PROVIDER_HOSTED, "/dev/x", path, 8), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
closing_null_is_harmless(void **state)
{
	(void)state;
	assert_int_equal(xenevtchn_close(NULL), 0);
	assert_int_equal(xengnttab_close(NULL), 0);
	assert_int_equal(xengntshr_close(NULL), 0);
	assert_int_equal(xencall_close(NULL), 0);
	assert_int_equal(xenforeignmemory_close(NULL), 0);
	assert_int_equal(xenmanage_close(NULL), 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_environment_chooses_the_provider),
		T(without_nodes_of_a_kernel_it_is_hosted),
		T(an_unknown_provider_is_an_error_of_every_library),
		T(without_hvd_the_socket_and_the_remedy_are_named),
		T(without_linux_modules_modprobe_is_named),
		T(without_netbsd_nodes_makedev_is_named),
		T(only_linux_ignores_hv_root_and_netbsd_can_do_without),
		T(closing_null_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
