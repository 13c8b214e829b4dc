/*
 * Waiting, hypercalls with arguments, printing, ending: what is the same in all
 * worlds.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/console.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/port.h"
#include "hv-core/guest/runtime.h"
#include "hv-core/guest/xenbus.h"

#include "abi/hvm.h"
#include "abi/sched.h"
#include "abi/xen.h"

/* A doorbell that rang while we were busy is heard at the latest after these.
 */
#define HARVEST_EVERY 32
/* How often busy grants are tried again. */
#define RETRY_GRANTS_NS (100 * GUEST_NS_PER_MS)

/* --- hypercalls --------------------------------------------------------- */

long
guest_hypercall(unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
    uint64_t a3, uint64_t a4)
{
	const uint64_t arg[5] = { a0, a1, a2, a3, a4 };

	return port_hypercall(nr, arg);
}

long
guest_hypercall_arg(unsigned int nr, unsigned int cmd, void *arg, size_t len)
{
	static void *page;
	long rc;

	if (len > GUEST_PAGE_SIZE)
		return -EINVAL;
	if (page == NULL)
		page = guest_alloc_pages(1);
	if (page == NULL)
		return -ENOMEM;
	memcpy(page, arg, len);
	rc = guest_hypercall(
	    nr, cmd, guest_gfn(page) << GUEST_PAGE_SHIFT, 1, 0, 0);
	memcpy(arg, page, len);
	return rc;
}

int
guest_hvm_param(uint32_t index, uint64_t *value_out)
{
	struct xen_hvm_param op = { .domid = DOMID_SELF, .index = index };
	long rc = guest_hypercall_arg(
	    __HYPERVISOR_hvm_op, HVMOP_get_param, &op, sizeof(op));

	if (rc != 0)
		return (int)rc;
	*value_out = op.value;
	return 0;
}

int
guest_shutdown(enum guest_shutdown_reason reason)
{
	struct sched_shutdown op = { .reason = (uint32_t)reason };
	long rc;

	console_poll();
	rc = guest_hypercall_arg(
	    __HYPERVISOR_sched_op, SCHEDOP_shutdown, &op, sizeof(op));
	if (reason == GUEST_SUSPEND)
		return (int)rc;
	port_stop();
}

void
guest_panic(const char *fmt, ...)
{
	char text[256] = "panic: ";
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	n = strlen(text);
	text[n++] = '\n';
	guest_early_write(text, n);
	console_write(text, n);
	(void)guest_shutdown(GUEST_CRASH);
	port_stop();
}

/* --- time and sleep ----------------------------------------------------- */

uint64_t
guest_now(void)
{
	return port_now();
}

uint64_t
guest_wallclock(void)
{
	return port_wallclock();
}

int
guest_wait(uint64_t deadline)
{
	static unsigned int turns;
	int count;

	if (++turns % HARVEST_EVERY != 0) {
		port_peek();
		count = guest_evtchn_dispatch();
		if (count > 0)
			return count;
	}
	for (;;) {
		port_harvest();
		count = guest_evtchn_dispatch();
		if (count > 0 || deadline == 0)
			return count;
		if (guest_evtchn_ready())
			continue;
		if (deadline != GUEST_FOREVER && port_now() >= deadline)
			return 0;
		port_sleep(deadline);
	}
}

/* Tries busy grants again now and then; until when to sleep at most. */
static uint64_t
grant_chores(uint64_t deadline)
{
	static uint64_t next;
	uint64_t now;

	if (gnttab_deferred() == 0)
		return deadline;
	now = port_now();
	if (now >= next) {
		next = now + RETRY_GRANTS_NS;
		if (gnttab_retry() == 0)
			return deadline;
	}
	return next < deadline ? next : deadline;
}

static int kicked;

void
runtime_kick(void)
{
	kicked = 1;
}

/* Runs what does not belong into handlers; the number of watches and kicks. */
static int
housekeeping(struct xenbus *xb)
{
	int n = xb != NULL ? xenbus_poll(xb) : 0;

	console_poll();
	if (n < 0)
		n = 0;
	n += kicked;
	kicked = 0;
	return n;
}

int
guest_step(uint64_t deadline)
{
	struct xenbus *xb = runtime_store();
	int count = guest_wait(0) + housekeeping(xb);

	while (count == 0 && deadline != 0) {
		uint64_t until = grant_chores(deadline);

		count = guest_wait(until) + housekeeping(xb);
		if (count == 0 && until == deadline && port_now() >= deadline)
			break;
	}
	return count;
}

/* --- odds and ends ------------------------------------------------------ */

const char *
guest_option(const char *cmdline, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	while (*cmdline != '\0') {
		const char *value;
		size_t len;

		cmdline += strspn(cmdline, " \t");
		len = strcspn(cmdline, " \t");
		value = cmdline + n;
		if (len >= n && strncmp(cmdline, name, n) == 0 &&
		    (len == n || *value == '=')) {
			len = len == n ? 0 : len - n - 1;
			if (len >= size)
				return NULL;
			memcpy(buf, value + (len > 0), len);
			buf[len] = '\0';
			return buf;
		}
		cmdline += len;
	}
	return NULL;
}

uint64_t
guest_option_num(const char *cmdline, const char *name, uint64_t fallback)
{
	char text[24];
	size_t len;

	if (guest_option(cmdline, name, text, sizeof(text)) == NULL)
		return fallback;
	len = strlen(text);
	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return fallback;
	return strtoull(text, NULL, 10);
}

void
guest_early_write(const char *text, size_t len)
{
	static char *page;

	if (page == NULL)
		page = guest_alloc_pages(1);
	while (page != NULL && len > 0) {
		size_t n = len < GUEST_PAGE_SIZE ? len : GUEST_PAGE_SIZE;

		memcpy(page, text, n);
		(void)guest_hypercall(__HYPERVISOR_console_io, CONSOLEIO_write,
		    n, guest_gfn(page) << GUEST_PAGE_SHIFT, 0, 0);
		text += n;
		len -= n;
	}
}

void
guest_printf(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	if (console_ready())
		console_write(text, (size_t)n);
	else
		guest_early_write(text, (size_t)n);
}

void
guest_random(void *buf, size_t len)
{
	port_random(buf, len);
}
