/*
 * vdev: names of virtual disks and the numbers that stand for them in the
 * store. Pure functions on text; know nothing of disks or of /dev.
 *
 *   xvda, d0p0      202<<8 | disk<<4 | partition, or, when that is too small,
 *                   1<<28 | disk<<8 | partition
 *   hda .. hdt      major<<8 | (disk & 1)<<6 | partition; 3 = hda, hdb, ...
 *   sda .. sdiv     major<<8 | (disk % 16)<<4 | partition; 8 = sda..sdp, ...
 *   0, 0x301, 769   the number itself
 */
#ifndef XL_VDEV_H
#define XL_VDEV_H

#include <stddef.h>
#include <stdint.h>

#define VDEV_NAME_MAX 24 /* bytes that vdev_format needs, NUL included */

/*
 * The number of TEXT, with or without "/dev/" before it. 0; or -1 and in
 * *WHY_OUT a static text that says what is wrong with it.
 */
int vdev_parse(const char *text, uint32_t *number_out, const char **why_out);

/*
 * A name of NUMBER that vdev_parse takes: xvd.., hd.. or sd.. where there is
 * one, else decimal digits.
 */
void vdev_format(uint32_t number, char buf[VDEV_NAME_MAX]);

#endif
