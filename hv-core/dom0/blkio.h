/*
 * The vbd data path: takes block requests from a ring, checks them, moves the
 * data between the guest's pages and a file or device, and answers in order.
 *
 * Knows the ring's format and one file descriptor. Knows neither the store nor
 * event channels: the caller notifies when it is told to. Trusts nothing in a
 * request. All of it is synchronous: between two calls nothing is in flight.
 */
#ifndef HV_DOM0_BLKIO_H
#define HV_DOM0_BLKIO_H

#include <stdint.h>

#include "abi/io/blkif.h"
#include "hv-core/dom0/backring.h"
#include "hv-core/dom0/pages.h"

#define BLKIO_RING_SLOTS 32
#define BLKIO_SEGMENTS (BLKIO_RING_SLOTS * BLKIF_MAX_SEGMENTS_PER_REQUEST)

struct blkio_disk {
	int fd;
	uint64_t sectors; /* of 512 bytes */
	int readonly;
};

struct blkio_stats {
	uint64_t requests, refused,
	    failed; /* refused: never touched the disk */
	uint64_t bytes_read, bytes_written;
};

struct blkio {
	struct blkio_disk disk;
	struct pages pages;
	struct backring ring;
	struct blkio_stats stats;
};

/* Executes what is on the ring now, at most a ring full. The number of requests
 * answered, or -1: the ring's index makes no sense, it must not be used any
 * more. *NOTIFY_OUT is set to 1 if the frontend wants an event, else left. */
int blkio_run(struct blkio *io, int *notify_out);

#endif
