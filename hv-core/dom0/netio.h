/*
 * The vif data path: moves Ethernet frames between a guest's two rings and a
 * tap interface's descriptor.
 *
 * Knows the rings' formats. Knows neither the store nor event channels, and
 * does not sleep: the caller notifies when it is told to and decides when to
 * call. Trusts nothing in a request. A frame that cannot be delivered is
 * dropped, as on any wire.
 */
#ifndef HV_DOM0_NETIO_H
#define HV_DOM0_NETIO_H

#include <stdint.h>

#include "abi/io/netif.h"
#include "hv-core/dom0/backring.h"
#include "hv-core/dom0/pages.h"

#define NETIO_FRAME_MIN 14u
#define NETIO_FRAME_MAX 1518u /* with a VLAN tag */
#define NETIO_SLOTS 256

struct netio_stats {
	uint64_t tx_frames, tx_bytes, tx_bad, tx_dropped;
	uint64_t rx_frames, rx_bytes, rx_bad, rx_dropped;
};

struct netio {
	int tap; /* non-blocking; one frame a read or write */
	struct pages pages;
	struct backring tx, rx;
	/* Slots of a packet whose end is not on the ring yet. */
	union netif_tx_slot held[NETIO_SLOTS];
	uint32_t held_count;
	struct netio_stats stats;
};

/*
 * Sends what is on the tx ring. The number of slots answered, 0 if there was
 * nothing to do, or -1: the ring makes no sense. *NOTIFY_OUT is set to 1 if the
 * frontend wants an event, else left.
 */
int netio_tx(struct netio *io, int *notify_out);

/*
 * Delivers frames from the tap into the buffers of the rx ring, as many as one
 * round takes. The number of requests answered, 0 if there is no frame or no
 * buffer, or -1 as above.
 */
int netio_rx(struct netio *io, int *notify_out);

/* Drops all frames that wait in the tap. */
void netio_drain(const struct netio *io);

#endif
