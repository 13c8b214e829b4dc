/*
 * control/shutdown. Absent control/feature-* nodes do not mean that a request
 * is unsupported, so none are written.
 */
#include <errno.h>
#include <string.h>

#include "hv-core/guest/control.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/guest.h"

static struct {
	struct xenbus *xb;
	control_fn *fn;
	void *arg;
} ctl;

static const struct {
	const char *word;
	enum control_request request;
} words[] = {
	{ "poweroff", CONTROL_POWEROFF },
	{ "halt", CONTROL_HALT },
	{ "reboot", CONTROL_REBOOT },
	{ "suspend", CONTROL_SUSPEND },
	{ "crash", CONTROL_CRASH },
};

struct taken {
	char word[32];
};

/* Reads and removes the request. "" if there is none. */
static int
take(struct xenbus *xb, uint32_t tx, void *arg)
{
	struct taken *t = arg;
	int rc = xenbus_read_str(
	    xb, tx, "control", "shutdown", t->word, sizeof(t->word));

	if (rc == -EMSGSIZE || rc == -EINVAL)
		memcpy(t->word, "?", 2); /* nothing that we know */
	else if (rc == -ENOENT)
		return 0;
	else if (rc != 0)
		return rc;
	if (t->word[0] == '\0') /* as a new domain's node is */
		return 0;
	return xenbus_rm(xb, tx, "control", "shutdown");
}

static void
shutdown_changed(void *arg, const char *path)
{
	struct taken t = { "" };
	size_t i;
	int rc;

	(void)arg;
	(void)path;
	rc = xenbus_transaction(ctl.xb, take, &t);
	if (rc != 0) {
		guest_printf("control/shutdown: error %d\n", -rc);
		return;
	}
	if (t.word[0] == '\0')
		return;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(t.word, words[i].word) == 0) {
			ctl.fn(ctl.arg, words[i].request);
			return;
		}
	}
	guest_printf("control/shutdown: unknown request ignored\n");
}

int
control_start(struct xenbus *xb, control_fn *fn, void *arg)
{
	ctl.xb = xb;
	ctl.fn = fn;
	ctl.arg = arg;
	return xenbus_watch(
	    xb, "control", "shutdown", shutdown_changed, NULL, NULL);
}

void
control_obey(void *arg, enum control_request request)
{
	(void)arg;
	if (request == CONTROL_SUSPEND) {
		(void)guest_shutdown(GUEST_SUSPEND);
		return;
	}
	if (request != CONTROL_CRASH)
		frontend_stop();
	guest_printf("domain: going down\n");
	(void)guest_shutdown(request == CONTROL_REBOOT	? GUEST_REBOOT
			     : request == CONTROL_CRASH ? GUEST_CRASH
							: GUEST_POWEROFF);
}
