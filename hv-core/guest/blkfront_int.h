/*
 * blkfront_int: what the two files of blkfront share. Nobody else includes it.
 */
#ifndef HV_GUEST_BLKFRONT_INT_H
#define HV_GUEST_BLKFRONT_INT_H

#include "hv-core/guest/blkfront.h"

#include "abi/io/blkif.h"
#include "abi/io/ring.h"

#define BLKFRONT_REQUESTS 32 /* what fits one page */

enum blkfront_state {
	BLKFRONT_DETACHED,
	BLKFRONT_CONNECTING,
	BLKFRONT_CONNECTED,
};

/* What one blkfront_rw() waits for. */
struct batch {
	unsigned int in_flight;
	int err;
};

struct request {
	struct batch *batch; /* NULL: not in use */
	uint8_t operation;
	uint8_t segments;
	uint32_t ref[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	void *bounce[BLKIF_MAX_SEGMENTS_PER_REQUEST]; /* kept from use to use */
	uint8_t *copy_to; /* a bounced read's destination, or NULL */
	size_t copy_len;
};

struct blkfront {
	struct frontend *fe; /* NULL while detached */
	enum blkfront_state state;
	uint32_t vdev;
	struct blkfront_info info;
	void *page;
	uint32_t ring_ref;
	uint32_t port;
	struct ring_front ring;
	struct request request[BLKFRONT_REQUESTS];
};

/*
 * Ends every request in flight with -EIO and gives up all bounce pages: the
 * ring will not be looked at again.
 */
void blkfront_ring_abort(struct blkfront *dev);

#endif
