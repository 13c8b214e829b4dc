/*
 * control: what the toolstack asks of the running domain.
 *
 * It knows the node control/shutdown of the domain's home. A memory target
 * (memory/target) is left alone: the domain's memory is fixed.
 */
#ifndef HV_GUEST_CONTROL_H
#define HV_GUEST_CONTROL_H

#include "hv-core/guest/xenbus.h"

enum control_request {
	CONTROL_POWEROFF,
	CONTROL_HALT,
	CONTROL_REBOOT,
	CONTROL_SUSPEND,
	CONTROL_CRASH,
};

typedef void control_fn(void *arg, enum control_request request);

/*
 * Calls FN (from xenbus_poll()) for each request. The node has been read and
 * removed in one transaction before that. Unknown words are logged, removed and
 * otherwise ignored. The errors of xenbus_watch().
 */
int control_start(struct xenbus *xb, control_fn *fn, void *arg);

/*
 * A control_fn that closes all devices and ends the domain the way it was asked
 * to: poweroff and halt power off, reboot reboots, suspend suspends, crash
 * crashes.
 */
void control_obey(void *arg, enum control_request request);

#endif
