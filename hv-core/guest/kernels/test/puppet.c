/*
 * puppet: a domain whose store ring somebody in domain 0 works for it, through
 * a mapping of its memory. What that one cannot do is to send the guest's
 * events: puppet passes each event of the port "port=N" on its command line to
 * the store's port, and the other way round. It never looks at the ring.
 */
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"

static void
pass_on(void *arg, uint32_t port)
{
	(void)port;
	(void)guest_evtchn_notify(*(const uint32_t *)arg);
}

int
guest_main(const struct guest_boot *boot)
{
	static uint32_t strings, store;

	strings = (uint32_t)guest_option_num(boot->cmdline, "port", 0);
	store = boot->store_port;
	if (guest_evtchn_handle(strings, pass_on, &store) != 0 ||
	    guest_evtchn_handle(store, pass_on, &strings) != 0)
		guest_panic("puppet: no port %u\n", (unsigned)strings);
	for (;;)
		(void)guest_wait(GUEST_FOREVER);
}
