/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The file that a cold start begins from: an image in pieces in a tdb file. Two
 * generations take turns, and one small record says which is whole, so that a
 * crash while one is written leaves the other. Knows images as bytes only.
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

enum checkpoint_status {
	CHECKPOINT_OK,
	CHECKPOINT_NONE,    /* there is no file, or nothing whole was written */
	CHECKPOINT_FOREIGN, /* of another boot: it says nothing of this one */
	CHECKPOINT_BAD,	    /* damaged, or of a version that is not known */
	CHECKPOINT_ERROR,   /* it cannot be read: permission, memory */
};

/*
 * Makes IMAGE what checkpoint_load() finds at PATH; the file is made with mode
 * 0600. False and WHY: the former content is still there.
 */
bool checkpoint_write(const char *path, const struct boot_id *boot,
    const struct image *image, char why[IMAGE_WHY_SIZE]);

/*
 * The newest whole image at PATH to *IMAGE_OUT (image_free() it), if it is of
 * BOOT (NULL: of any). Otherwise WHY says what is wrong and *IMAGE_OUT is
 * empty. Changes no file.
 */
enum checkpoint_status checkpoint_load(const char *path,
    const struct boot_id *boot, struct image *image_out,
    char why[IMAGE_WHY_SIZE]);

#endif
