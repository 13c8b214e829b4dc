/*
 * idle: a domain that does nothing but be there. It says data/ready in the
 * store, echoes what is typed on its console, and obeys control/shutdown.
 */
#include "hv-core/guest/console.h"
#include "hv-core/guest/control.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/xenbus.h"

#define STORE_TIMEOUT (30 * GUEST_NS_PER_S)

static void
echo(void *arg, int c)
{
	(void)arg;
	console_putchar(c == '\r' ? '\n' : c);
}

int
guest_main(const struct guest_boot *boot)
{
	struct xenbus *xb;
	int rc;

	guest_printf("idle: %zu pages, command line \"%s\"\n", boot->ram_pages,
	    boot->cmdline);
	rc = guest_store(STORE_TIMEOUT, &xb);
	if (rc != 0)
		guest_panic("no store: %d", rc);
	rc = control_start(xb, control_obey, NULL);
	if (rc == 0)
		rc = xenbus_printf(xb, XENBUS_NO_TX, "data", "ready", "1");
	if (rc != 0)
		guest_panic("cannot say that we are ready: %d", rc);
	console_set_input(echo, NULL);
	guest_printf("idle: ready\n");
	for (;;)
		(void)guest_step(GUEST_FOREVER);
}
