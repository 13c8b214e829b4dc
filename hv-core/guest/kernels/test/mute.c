/*
 * mute: a domain that never says a word to the store. With "spin" on its
 * command line it keeps its processor busy; with "exit=N" it shuts down with
 * reason N after "after=MS" milliseconds.
 */
#include "hv-core/guest/guest.h"

int
guest_main(const struct guest_boot *boot)
{
	uint64_t after = guest_option_num(boot->cmdline, "after", 0);
	uint64_t reason = guest_option_num(boot->cmdline, "exit", 99);
	char buf[8];
	volatile uint64_t turns = 0;

	guest_printf("mute: here\n");
	if (reason != 99) {
		uint64_t end = guest_now() + after * GUEST_NS_PER_MS;

		while (guest_now() < end)
			(void)guest_wait(end);
		(void)guest_shutdown((enum guest_shutdown_reason)reason);
	}
	if (guest_option(boot->cmdline, "spin", buf, sizeof(buf)) != NULL)
		for (;;)
			turns++;
	for (;;)
		(void)guest_wait(GUEST_FOREVER);
}
