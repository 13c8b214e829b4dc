/*
 * xenbus_int: what the files of xenbus share. Nobody else includes it.
 */
#ifndef HV_GUEST_XENBUS_INT_H
#define HV_GUEST_XENBUS_INT_H

#include "hv-core/guest/xenbus.h"

#include "abi/io/xs_wire.h"
#include "common/wire.h"

/* A watch event that waits for xenbus_poll(). */
struct xenbus_event {
	struct xenbus_event *next;
	struct xenbus_watch *watch;
	char path[];
};

struct xenbus_watch {
	struct xenbus_watch *next;
	xenbus_watch_fn *fn;
	void *arg;
	uint32_t token; /* its number, in hexadecimal on the wire */
	int collapsed;	/* an event naming just the path is due */
	char path[];
};

struct xenbus {
	struct xenbus_transport t;
	uint64_t timeout;
	const char *reason; /* why it broke, or NULL */
	int talking;	    /* a request waits for its reply */
	int polling;	    /* a callback is running */

	/*
	 * Requests are answered in order, so the numbers of those without a
	 * reply are a range: [oldest, next). Only the newest one may be waited
	 * for, the others were given up.
	 */
	uint32_t oldest, next;

	uint8_t out[WIRE_MESSAGE_MAX];
	size_t out_len, out_sent;
	uint8_t in[WIRE_MESSAGE_MAX + 1]; /* a NUL behind it */
	size_t in_len;

	struct xenbus_watch *watches;
	uint32_t last_token;
	struct xenbus_event *events, **events_end;
	unsigned int event_count;
};

/* A piece of a request. */
struct xenbus_part {
	const void *data;
	size_t len;
};

/* A reply: LEN bytes, followed by a NUL. */
struct xenbus_reply {
	char *data; /* allocated */
	size_t len;
};

/*
 * Sends a request of COUNT parts and waits for the answer. REPLY may be NULL;
 * else the caller frees its data on success.
 */
int xenbus_talk(struct xenbus *xb, uint32_t type, uint32_t tx,
    const struct xenbus_part *parts, size_t count, struct xenbus_reply *reply);

/* Takes what lies on the ring, events to the queue. 0 or -EIO. */
int xenbus_hear(struct xenbus *xb);

/* Marks the connection as broken for REASON, a constant; returns -EIO. */
int xenbus_break(struct xenbus *xb, const char *reason);

/* Queues the event in xb->in; -EIO if it is malformed. */
int xenbus_queue_event(struct xenbus *xb);

/* Frees all watches and events. */
void xenbus_drop_watches(struct xenbus *xb);

/* Tells the server of all watches again. */
int xenbus_rewatch(struct xenbus *xb);

/* DIR/NODE, or DIR if NODE is NULL, into BUF. -E2BIG, or -EINVAL if empty. */
int xenbus_join(
    const char *dir, const char *node, char buf[WIRE_ABS_PATH_MAX + 1]);

#endif
