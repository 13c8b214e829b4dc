/*
 * The guest of test_hvd: a static program that speaks the wire itself.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "abi/domctl.h"
#include "abi/grant_table.h"
#include "abi/memory.h"
#include "abi/sched.h"
#include "hv-core/core/evtchn_2l.h"
#include "hv-core/lib/hosted/client.h"

#include "guest.h"

static struct hv_client *hv;
static struct guest_control *ctl;
static struct shared_info *si;

static void
heard(void *arg, uint32_t port)
{
	(void)arg;
	if (port != ctl->port)
		return;
	__atomic_fetch_add(&ctl->heard, 1, __ATOMIC_SEQ_CST);
	hv_client_send(hv, port);
}

static void
by_pair(void *arg, uint32_t port)
{
	(void)arg;
	__atomic_fetch_add(&ctl->direct, 1, __ATOMIC_SEQ_CST);
	evtchn_2l_set_pending(si, &si->vcpu_info[0], port);
}

static int
echo(void)
{
	for (;;) {
		if (hv_client_harvest(hv, by_pair, NULL) < 0)
			return 7;
		if (evtchn_2l_harvest(si, &si->vcpu_info[0], 8, heard, NULL))
			continue;
		hv_client_wait(hv, -1);
	}
}

static long
call(unsigned nr, uint64_t op, const void *arg, size_t size)
{
	void *buf = hv_client_alloc(hv, size);
	uint64_t a[5] = { op, hv_client_addr(hv, buf) };
	long ret;

	memcpy(buf, arg, size);
	if (nr == __HYPERVISOR_domctl)
		a[0] = a[1];
	ret = hv_client_call(hv, nr, a);
	hv_client_free(hv, buf);
	return ret;
}

static _Noreturn void
poweroff(void)
{
	struct sched_shutdown s = { SHUTDOWN_poweroff };

	call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, sizeof(s));
	for (;;)
		nanosleep(&(struct timespec){ 1, 0 }, NULL);
}

/* Every one of these must be refused. */
static int
grasp(void)
{
	struct xen_domctl dc = { .cmd = XEN_DOMCTL_pausedomain,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION };
	struct hv_msg_resource res = {
		.domid = 0, .type = XENMEM_resource_grant_table, .nr_frames = 1
	};
	uint64_t wild[5] = { SCHEDOP_shutdown, UINT64_MAX - 8 };
	void *map;
	int err, got = 0;

	got |= (hv_client_ram(hv, 0, &err) != NULL) << 0;
	got |= (hv_client_ram(hv, hv_client_info(hv)->domid, &err) != NULL)
	       << 1;
	got |= (hv_client_resource(hv, &res, NULL, &map) == 0) << 2;
	got |= (call(__HYPERVISOR_domctl, 0, &dc, sizeof(dc)) == 0) << 3;
	got |= (hv_client_call(hv, __HYPERVISOR_sched_op, wild) != -EFAULT)
	       << 4;
	wild[1] = GUEST_PAGES * 4096ull - 2; /* ends beyond RAM */
	got |= (hv_client_call(hv, __HYPERVISOR_sched_op, wild) != -EFAULT)
	       << 5;
	wild[1] = UINT64_C(1) << 63; /* where HV_MSG_SEND's argument is */
	got |= (hv_client_call(hv, __HYPERVISOR_sched_op, wild) != -EFAULT)
	       << 6;
	ctl->result = got;
	__atomic_store_n(&ctl->heard, 1, __ATOMIC_SEQ_CST);
	return echo();
}

static int
play(void)
{
	char junk[8] = "junk";

	switch (ctl->role) {
	case GUEST_ECHO:
		return echo();
	case GUEST_EXIT:
		return 5;
	case GUEST_CRASH:
		__builtin_trap();
	case GUEST_HANG_UP:
		close(3);
		sleep(1000);
		return 6;
	case GUEST_POWEROFF:
		poweroff();
	case GUEST_LAST_WORD:
		/* until the pair is there, then directly */
		for (int i = 0; i < 100; i++) {
			hv_client_harvest(hv, by_pair, NULL);
			hv_client_wait(hv, 1000000);
		}
		hv_client_send(hv, ctl->port);
		return 5;
	case GUEST_BABBLE:
		send(3, junk, sizeof(junk), 0);
		sleep(1000);
		return 6;
	case GUEST_GRASP:
		return grasp();
	default:
		return 9;
	}
}

int
main(void)
{
	uint8_t *ram = (uint8_t *)(uintptr_t)HV_GUEST_RAM_BASE;

	if (hv_client_open_fd(HV_GUEST_CHANNEL_FD, &hv) != 0)
		return 8;
	ctl = (struct guest_control *)(void *)(ram + GUEST_CONTROL);
	si = (struct shared_info *)(uintptr_t)HV_GUEST_XEN_BASE;
	hv_client_set_arena(hv, ram + GUEST_ARENA, 4096);
	if (hv_client_info(hv)->start_info != GUEST_INFO)
		return 10;
	__atomic_store_n(&ctl->up, 1, __ATOMIC_SEQ_CST);
	return play();
}
