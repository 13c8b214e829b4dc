/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a cold start begins: an image in pieces in a tdb file. Two files take
 * turns, PATH with ".0" and ".1" behind it, so that a crash while one is
 * written leaves the other. Nothing that a file says is believed before the
 * image's own checksum was seen to be right. Knows images as bytes only.
 */
#ifndef XENSTORED_CHECKPOINT_H
#define XENSTORED_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenstored/image.h"

/* The life of the hypervisor that a checkpoint belongs to; all zero: not
 * known. */
struct boot_id {
	uint8_t byte[16];
};

struct checkpoint;

/*
 * Opens both files at PATH to write; those that are missing are made with mode
 * 0600. No name is used after that. NULL: WHY.
 */
struct checkpoint *checkpoint_open(const char *path, char why[IMAGE_WHY_SIZE]);

/* Closes the files and leaves them. NULL is allowed. */
void checkpoint_close(struct checkpoint *cp);

/*
 * Makes IMAGE, of BOOT, what checkpoint_load() finds. False: WHY; the former
 * content is still what it finds.
 */
bool checkpoint_put(struct checkpoint *cp, const struct boot_id *boot,
    const struct image *image, char why[IMAGE_WHY_SIZE]);

enum checkpoint_status {
	CHECKPOINT_OK,
	CHECKPOINT_NONE,    /* there is no file, or nothing was written yet */
	CHECKPOINT_FOREIGN, /* of another boot: it says nothing of this one */
	CHECKPOINT_BAD,	    /* damaged */
	CHECKPOINT_LATER,   /* whole, and of a version that is not known */
	CHECKPOINT_ERROR,   /* it cannot be read: permission, memory */
};

/*
 * The newest whole image at PATH to *IMAGE_OUT (image_free() it), if it is of
 * BOOT (NULL: of any). If the newest is damaged, that is the one before it;
 * WHY then says so, and is empty if all is well. On every other status WHY says
 * what is wrong and *IMAGE_OUT is empty. Changes no file.
 */
enum checkpoint_status checkpoint_load(const char *path,
    const struct boot_id *boot, struct image *image_out,
    char why[IMAGE_WHY_SIZE]);

#endif
