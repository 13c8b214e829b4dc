/*
 * netfront: virtual network interfaces.
 *
 * It knows the packet rings and the nodes of a vif. Devices are attached by
 * frontend_start() and counted in the order of their attachment. A packet is an
 * Ethernet frame without checksum. Received packets are handed over only in
 * netfront_poll(), never while something else waits: a network stack need not
 * be reentrant. Up to 255 packets wait on the ring meanwhile.
 */
#ifndef HV_GUEST_NETFRONT_H
#define HV_GUEST_NETFRONT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct netfront;
struct frontend_driver;

#define NETFRONT_MTU 1500u
#define NETFRONT_FRAME_MAX 1514u /* Ethernet header and MTU */

extern const struct frontend_driver netfront_driver;

/* Interface INDEX, counted from 0, or NULL. It keeps its index for ever. */
struct netfront *netfront_get(unsigned int index);

/*
 * Waits (running handlers and watches) until interface INDEX is there and
 * connected. -ETIMEDOUT at DEADLINE; -EIO if it failed or was closed.
 */
int netfront_wait(unsigned int index, uint64_t deadline, struct netfront **out);

/* Non-zero while connected. */
int netfront_link(const struct netfront *nf);

/* The six bytes of its address. Valid as long as the interface. */
const uint8_t *netfront_mac(const struct netfront *nf);

/*
 * FN gets every packet from now on; FRAME is valid during the call. Without a
 * function packets are dropped. CSUM_OK is non-zero if the backend vouches for
 * the TCP or UDP checksum (which may then be blank inside the packet).
 */
typedef void netfront_receive_fn(
    void *arg, const uint8_t *frame, size_t len, int csum_ok);
void netfront_set_receive(
    struct netfront *nf, netfront_receive_fn *fn, void *arg);

/*
 * FN is told of changes: of netfront_link(), of an interface that appears
 * (NF is new) and of one that is closed for good. Runs as a watch does.
 */
typedef void netfront_change_fn(void *arg, struct netfront *nf);
void netfront_set_change(netfront_change_fn *fn, void *arg);

/*
 * Sends one packet gathered from COUNT pieces (copied). -EMSGSIZE beyond
 * NETFRONT_FRAME_MAX or below an Ethernet header; -ENOBUFS if the ring is full
 * (wait for an event and try again); -ENETDOWN when not connected. Never waits.
 * The backend is notified at once if it asked for that.
 */
int netfront_send(struct netfront *nf, const struct iovec *iov, int count);

/* Packets that netfront_send() would take now. */
unsigned int netfront_tx_room(const struct netfront *nf);

/*
 * Hands over what has been received, at most MAX packets, and collects finished
 * transmissions. Returns the number of packets handed over. To be called after
 * every guest_wait() or guest_step(), until it returns less than MAX.
 */
unsigned int netfront_poll(struct netfront *nf, unsigned int max);

/* What went wrong so far. */
struct netfront_stats {
	uint64_t rx_packets, rx_bytes,
	    rx_errors; /* error: reported by the backend */
	uint64_t tx_packets, tx_bytes, tx_errors;
	uint64_t
	    nonsense; /* answers of the backend that could not be believed */
};
void netfront_stats(const struct netfront *nf, struct netfront_stats *out);

#endif
