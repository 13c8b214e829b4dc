/*
 * blkfront: virtual disks.
 *
 * It knows the block ring and the nodes of a vbd. Devices are attached by
 * frontend_start(). Disks are counted in the order of their attachment, so disk
 * 0 is the one with the lowest number at boot. A sector is always 512 bytes
 * here, as on the ring.
 */
#ifndef HV_GUEST_BLKFRONT_H
#define HV_GUEST_BLKFRONT_H

#include <stddef.h>
#include <stdint.h>

struct blkfront;
struct frontend_driver;

#define BLKFRONT_SECTOR 512u

extern const struct frontend_driver blkfront_driver;

/* What the backend says about a connected disk. */
struct blkfront_info {
	uint32_t vdev;	      /* the number in device/vbd/<vdev> */
	uint64_t sectors;     /* size, in units of 512 bytes */
	uint32_t sector_size; /* the backend's own, 512 or a multiple */
	int read_only;
	int cdrom;
	int flushes; /* the backend has a flush operation */
};

/* Disk INDEX, counted from 0, or NULL. A disk keeps its index for ever. */
struct blkfront *blkfront_get(unsigned int index);

/*
 * Waits (running handlers and watches) until disk INDEX is there and connected.
 * -ETIMEDOUT at DEADLINE; -EIO if it failed or was closed.
 */
int blkfront_wait(unsigned int index, uint64_t deadline, struct blkfront **out);

/* -ENXIO while not connected. */
int blkfront_info(const struct blkfront *dev, struct blkfront_info *out);

enum blkfront_dir {
	BLKFRONT_READ = 0,
	BLKFRONT_WRITE = 1,
};

/*
 * Reads or writes NSECTORS sectors at SECTOR from or to BUF and waits for the
 * end, running handlers and watches. Long transfers are split and kept in
 * flight together. BUF may lie anywhere; in pages of the domain's memory
 * (guest_alloc_pages()), at a multiple of 512 bytes, it is used in place. 0;
 * -EINVAL beyond the end; -EROFS; -ENXIO not connected; -EIO the backend
 * reported an error, answered nonsense, or went away; -ENOMEM no page or grant
 * is free. After an error the contents of what was to be read or written are
 * unspecified; a backend that went away without letting go of pages used in
 * place may still write to them. Not for use in callbacks and handlers.
 */
int blkfront_rw(struct blkfront *dev, uint64_t sector, void *buf,
    size_t nsectors, enum blkfront_dir dir);

/*
 * Waits until everything written before is on stable storage. 0 also when the
 * backend knows no flush.
 */
int blkfront_flush(struct blkfront *dev);

#endif
