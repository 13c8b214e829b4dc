/*
 * Device states and other ends.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/xenbus_int.h"

const char *
xenbus_state_name(enum xenbus_state state)
{
	static const char *const names[] = {
		[XenbusStateUnknown] = "Unknown",
		[XenbusStateInitialising] = "Initialising",
		[XenbusStateInitWait] = "InitWait",
		[XenbusStateInitialised] = "Initialised",
		[XenbusStateConnected] = "Connected",
		[XenbusStateClosing] = "Closing",
		[XenbusStateClosed] = "Closed",
		[XenbusStateReconfiguring] = "Reconfiguring",
		[XenbusStateReconfigured] = "Reconfigured",
	};

	if ((unsigned int)state >= sizeof(names) / sizeof(names[0]))
		return "?";
	return names[state];
}

enum xenbus_state
xenbus_read_state(struct xenbus *xb, uint32_t tx, const char *dir)
{
	uint64_t n;

	if (xenbus_read_num(
		xb, tx, dir, "state", XenbusStateReconfigured, &n) != 0)
		return XenbusStateUnknown;
	return (enum xenbus_state)n;
}

struct state_change {
	const char *dir;
	enum xenbus_state state;
};

static int
change_state(struct xenbus *xb, uint32_t tx, void *arg)
{
	const struct state_change *c = arg;
	uint64_t now;
	int rc;

	rc = xenbus_read_num(xb, tx, c->dir, "state", UINT64_MAX, &now);
	if (rc == -ENOENT || (rc == 0 && now == (uint64_t)c->state))
		return 0;
	if (rc != 0 && rc != -EINVAL && rc != -ERANGE)
		return rc;
	return xenbus_printf(xb, tx, c->dir, "state", "%d", (int)c->state);
}

int
xenbus_switch_state(
    struct xenbus *xb, uint32_t tx, const char *dir, enum xenbus_state state)
{
	struct state_change c = { .dir = dir, .state = state };

	if (tx != XENBUS_NO_TX)
		return change_state(xb, tx, &c);
	return xenbus_transaction(xb, change_state, &c);
}

void
xenbus_report(struct xenbus *xb, const char *dir, int err, const char *fmt, ...)
{
	char path[WIRE_ABS_PATH_MAX + 1], text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (xenbus_join("error", dir, path) == 0)
		(void)xenbus_printf(
		    xb, XENBUS_NO_TX, path, "error", "%d %s", err, text);
}

int
xenbus_find_otherend(struct xenbus *xb, const char *dir, const char *path_node,
    const char *id_node, struct xenbus_otherend *other)
{
	uint64_t id;
	int rc;

	rc = xenbus_read_num(xb, XENBUS_NO_TX, dir, id_node, 0x7fef, &id);
	if (rc == 0)
		rc = xenbus_read_str(xb, XENBUS_NO_TX, dir, path_node,
		    other->path, sizeof(other->path));
	if (rc == 0 && other->path[0] == '\0')
		rc = -EINVAL;
	if (rc != 0)
		return rc;
	other->domid = (uint16_t)id;
	other->watch = NULL;
	return 0;
}

int
xenbus_watch_otherend(struct xenbus *xb, struct xenbus_otherend *other,
    xenbus_watch_fn *fn, void *arg)
{
	return xenbus_watch(xb, other->path, "state", fn, arg, &other->watch);
}

void
xenbus_forget_otherend(struct xenbus *xb, struct xenbus_otherend *other)
{
	if (other->watch == NULL)
		return;
	(void)xenbus_unwatch(xb, other->watch);
	other->watch = NULL;
}

static void
ignore(void *arg, const char *path)
{
	(void)arg;
	(void)path;
}

int
xenbus_wait_state(
    struct xenbus *xb, const char *dir, unsigned int states, uint64_t deadline)
{
	struct xenbus_watch *w;
	int rc = xenbus_watch(xb, dir, "state", ignore, NULL, &w);

	if (rc != 0)
		return rc;
	for (;;) {
		enum xenbus_state now =
		    xenbus_read_state(xb, XENBUS_NO_TX, dir);

		rc = xenbus_error(xb);
		if (rc != 0)
			break;
		if (states & (1u << now)) {
			rc = (int)now;
			break;
		}
		while (rc == 0 && !xenbus_pending(xb)) {
			if (xb->t.now(xb->t.arg) >= deadline)
				rc = -ETIMEDOUT;
			else
				rc = xb->t.wait(xb->t.arg, deadline);
		}
		if (rc != 0)
			break;
		rc = xenbus_poll(xb);
		if (rc < 0)
			break;
	}
	(void)xenbus_unwatch(xb, w);
	return rc;
}
