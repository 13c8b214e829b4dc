/*
 * The states through which the two halves of a device walk; the value of
 * their "state" nodes, in decimal.
 */
#ifndef ABI_IO_XENBUS_H
#define ABI_IO_XENBUS_H

enum xenbus_state {
	XenbusStateUnknown = 0,
	XenbusStateInitialising = 1,
	XenbusStateInitWait = 2, /* early initialisation done, peer awaited */
	XenbusStateInitialised = 3, /* details published, connection awaited */
	XenbusStateConnected = 4,
	XenbusStateClosing = 5,
	XenbusStateClosed = 6,
	XenbusStateReconfiguring = 7,
	XenbusStateReconfigured = 8
};

#endif
