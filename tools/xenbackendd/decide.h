/*
 * What has to be done about a device: pure functions on what the store says of
 * it and on what was done so far. Knows no store, no process and no clock.
 */
#ifndef TOOLS_XENBACKENDD_DECIDE_H
#define TOOLS_XENBACKENDD_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#define DECIDE_ROOT "/local/domain/0/backend"

/* What we know to have been done for a device. */
enum decide_phase {
	PHASE_IDLE,	/* nothing yet */
	PHASE_ATTACHED, /* its script has run, perhaps by somebody else's hand
			 */
	PHASE_FAILED,	/* its script failed: there may be something to undo */
	PHASE_DETACHED,
};

enum decide_action {
	ACTION_NONE,
	ACTION_ATTACH, /* run the script with 2 */
	ACTION_DETACH, /* run the script with 6 */
	ACTION_FORGET, /* drop the record of the device */
};

/* A device as it is in the store. */
struct decide_view {
	bool exists;
	unsigned state;		    /* as in the node; 0 when unreadable */
	const char *hotplug_status; /* "" when there is none */
};

/* The next step for a device that no script runs for. *PHASE may move to what
 * VIEW proves to have been done. */
enum decide_action decide(
    const struct decide_view *view, enum decide_phase *phase);

/* Where PATH, a watch event below DECIDE_ROOT, points. */
enum decide_scope {
	SCOPE_ABOVE,  /* at a folder of devices: all below may have changed */
	SCOPE_DEVICE, /* at a device's folder or its state node */
	SCOPE_OTHER,  /* anything that does not matter */
};

/* For SCOPE_DEVICE the device's folder is the first *LEN_OUT bytes of PATH. */
enum decide_scope decide_scope(const char *path, size_t *len_out);

#endif
