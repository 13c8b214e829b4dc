/*
 * The domain's own connection to the store: xenbus over the runtime's events.
 */
#include <errno.h>

#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/runtime.h"
#include "hv-core/guest/xenbus.h"

static struct {
	struct xenstore_domain_interface *page;
	uint32_t port;
	struct xenbus *xb;
	int answered;
} st;

void
runtime_set_store(const struct guest_boot *boot)
{
	st.page = guest_page(boot->store_gfn);
	st.port = boot->store_port;
}

struct xenbus *
runtime_store(void)
{
	return st.xb;
}

static void
notify(void *arg)
{
	(void)arg;
	(void)guest_evtchn_notify(st.port);
}

static int
wait_event(void *arg, uint64_t deadline)
{
	(void)arg;
	(void)guest_wait(deadline);
	return 0;
}

static uint64_t
now(void *arg)
{
	(void)arg;
	return guest_now();
}

/* The ring has moved: whoever waits looks at it, there is nothing to do. */
static void
woken(void *arg, uint32_t port)
{
	(void)arg;
	(void)port;
}

static int
open_store(void)
{
	const struct xenbus_transport transport = {
		.page = st.page,
		.notify = notify,
		.wait = wait_event,
		.now = now,
	};
	int rc;

	if (st.page == NULL)
		return -ENODEV;
	rc = guest_evtchn_handle(st.port, woken, NULL);
	if (rc != 0)
		return rc;
	st.xb = xenbus_open(&transport);
	return st.xb == NULL ? -ENOMEM : 0;
}

int
guest_store(uint64_t timeout, struct xenbus **out)
{
	int rc;

	if (st.xb == NULL) {
		rc = open_store();
		if (rc != 0)
			return rc;
	}
	if (!st.answered) {
		xenbus_set_timeout(st.xb, timeout);
		rc = xenbus_exists(st.xb, XENBUS_NO_TX, "domid", NULL);
		xenbus_set_timeout(st.xb, XENBUS_FOREVER);
		if (rc == -ETIMEDOUT || rc == -EIO)
			return rc;
		st.answered = 1;
	}
	*out = st.xb;
	return 0;
}
