/*
 * The port for hosted domains: the machine is a process in a sandbox, born with
 * one channel to hvd. Everything that goes through the channel is the business
 * of lib/hosted; bits that peers leave in our pair pages are moved to
 * shared_info here, by the core's own rules.
 */
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/port.h"

#include "abi/grant_table.h"
#include "abi/xen.h"
#include "hv-core/lib/hosted/client.h"

static struct hv_client *client;

int
port_start(struct port_machine *out)
{
	const struct hv_msg_attached *info;
	uint8_t *xen = (uint8_t *)HV_GUEST_XEN_BASE;
	int rc = hv_client_open_fd(HV_GUEST_CHANNEL_FD, &client);

	if (rc != 0)
		return rc;
	info = hv_client_info(client);
	out->ram = (uint8_t *)HV_GUEST_RAM_BASE;
	out->ram_size = info->ram_size;
	out->shared = (void *)(xen + info->shared_info_offset);
	out->grants = (void *)(xen + info->grant_offset);
	out->grant_frames_max = info->grant_frames_max;
	out->start_info = info->start_info;
	return 0;
}

long
port_hypercall(unsigned int nr, const uint64_t arg[5])
{
	return (long)hv_client_call(client, nr, arg);
}

int
port_notify(uint32_t port)
{
	return hv_client_send(client, port);
}

static void
deliver(void *arg, uint32_t port)
{
	(void)arg;
	guest_evtchn_raise(port);
}

void
port_peek(void)
{
	hv_client_peek(client, deliver, NULL);
}

void
port_harvest(void)
{
	/* Without a hypervisor there is nothing left to do, not even to say so.
	 */
	if (hv_client_harvest(client, deliver, NULL) < 0)
		port_stop();
}

void
port_sleep(uint64_t deadline)
{
	uint64_t now;

	if (deadline == UINT64_MAX) {
		(void)hv_client_wait(client, -1);
		return;
	}
	now = port_now();
	if (now < deadline) {
		uint64_t ns = deadline - now;

		(void)hv_client_wait(
		    client, ns > INT64_MAX ? INT64_MAX : (int64_t)ns);
	}
}

static uint64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
port_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
port_wallclock(void)
{
	return read_clock(CLOCK_REALTIME);
}

void
port_random(void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len > 0) {
		ssize_t n = getrandom(to, len > 256 ? 256 : len, 0);

		if (n <= 0)
			port_stop();
		to += n;
		len -= (size_t)n;
	}
}

_Noreturn void
port_stop(void)
{
	/* The domain has been shut down, or hvd is gone: nobody misses us. */
	for (;;)
		_exit(0);
}
