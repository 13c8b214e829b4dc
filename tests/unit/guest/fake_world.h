/*
 * A machine for the runtime, in this process: it defines port_*(). RAM is a
 * piece of heap, the hypervisor knows event channels and no more, and the
 * store is fake_store.h. Others (a backend) are stepped through world.backend.
 * Time passes only when the guest sleeps and nobody has anything to do.
 */
#ifndef TESTS_UNIT_GUEST_FAKE_WORLD_H
#define TESTS_UNIT_GUEST_FAKE_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/sched.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/memory.h"
#include "hv-core/guest/port.h"
#include "hv-core/guest/runtime.h"
#include "hv-core/guest/xenbus.h"
#include "tests/unit/guest/fake_store.h"

#define WORLD_PAGES 2048u
#define WORLD_GRANTS 1024u
#define WORLD_STORE_GFN 1u
#define WORLD_STORE_PORT 1u
#define WORLD_PORTS 64u

static struct {
	uint8_t *ram;
	struct shared_info shared;
	struct grant_entry_v1 grants[WORLD_GRANTS];
	struct fake_store store;
	struct xenbus *xb;
	uint64_t now;
	uint32_t ports;			/* the next one to give out */
	uint8_t open[WORLD_PORTS];	/* by port */
	uint32_t notified[WORLD_PORTS]; /* how often */
	/* Non-zero if it did something. */
	int (*backend)(void *arg);
	void *backend_arg;
	int steps; /* a test that gets nowhere ends */
	jmp_buf end;
	int may_stop;
	uint32_t shutdown_reason;
} world;

static inline int
world_step(void)
{
	int did = 0;

	if (++world.steps > 2000000)
		fail_msg("the guest gets nowhere");
	if (fake_store_step(&world.store)) {
		guest_evtchn_raise(WORLD_STORE_PORT);
		did = 1;
	}
	if (world.backend != NULL)
		did |= world.backend(world.backend_arg);
	return did;
}

static long
world_evtchn_op(unsigned int cmd, void *arg)
{
	struct evtchn_alloc_unbound *alloc = arg;
	struct evtchn_close *close_op = arg;

	switch (cmd) {
	case EVTCHNOP_alloc_unbound:
		if (world.ports >= WORLD_PORTS)
			return -ENOSPC;
		alloc->port = world.ports++;
		world.open[alloc->port] = 1;
		return 0;
	case EVTCHNOP_close:
		if (close_op->port >= WORLD_PORTS ||
		    !world.open[close_op->port])
			return -EINVAL;
		world.open[close_op->port] = 0;
		return 0;
	default:
		return -ENOSYS;
	}
}

long
port_hypercall(unsigned int nr, const uint64_t arg[5])
{
	if (nr == __HYPERVISOR_event_channel_op)
		return world_evtchn_op(
		    (unsigned int)arg[0], world.ram + arg[1]);
	if (nr == __HYPERVISOR_sched_op && arg[0] == SCHEDOP_shutdown)
		memcpy(&world.shutdown_reason, world.ram + arg[1], 4);
	return nr == __HYPERVISOR_sched_op ? 0 : -ENOSYS;
}

int
port_notify(uint32_t port)
{
	if (port >= WORLD_PORTS || !world.open[port])
		return -EINVAL;
	world.notified[port]++;
	return 0;
}

void
port_peek(void)
{
}

void
port_harvest(void)
{
	(void)world_step();
}

void
port_sleep(uint64_t deadline)
{
	if (world_step())
		return;
	if (deadline == UINT64_MAX)
		fail_msg("the guest sleeps for ever");
	if (world.now < deadline)
		world.now = deadline;
}

uint64_t
port_now(void)
{
	return world.now;
}

uint64_t
port_wallclock(void)
{
	return world.now;
}

void
port_random(void *buf, size_t len)
{
	memset(buf, 4, len);
}

_Noreturn void
port_stop(void)
{
	if (!world.may_stop) {
		print_error("the guest stopped\n");
		abort();
	}
	longjmp(world.end, 1);
}

/* Builds it, with the store connected. */
static inline void
world_start(void)
{
	struct guest_boot boot = {
		.store_gfn = WORLD_STORE_GFN,
		.store_port = WORLD_STORE_PORT,
	};

	memset(&world, 0, sizeof(world));
	world.ram = aligned_alloc(
	    GUEST_PAGE_SIZE, (size_t)WORLD_PAGES * GUEST_PAGE_SIZE);
	memset(world.ram, 0, (size_t)WORLD_PAGES * GUEST_PAGE_SIZE);
	world.ports = WORLD_STORE_PORT + 1;
	world.open[WORLD_STORE_PORT] = 1;
	assert_int_equal(
	    memory_init(world.ram, (uint64_t)WORLD_PAGES * GUEST_PAGE_SIZE), 0);
	memory_reserve(0, (WORLD_STORE_GFN + 1) * GUEST_PAGE_SIZE);
	guest_evtchn_init(&world.shared);
	assert_int_equal(gnttab_init(world.grants, WORLD_GRANTS), 0);
	runtime_set_store(&boot);
	fake_store_init(&world.store, guest_page(WORLD_STORE_GFN));
	fake_set(&world.store, "domid", "5");
	assert_int_equal(guest_store(GUEST_NS_PER_S, &world.xb), 0);
}

static inline void
world_end(void)
{
	fake_store_free(&world.store);
	free(world.ram);
}

#endif
