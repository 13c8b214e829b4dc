/*
 * The vbd driver: a virtual disk out of an image file or a block device. Knows
 * the nodes of a vbd and how to find what physical-device means.
 */
#ifndef HV_DOM0_VBD_H
#define HV_DOM0_VBD_H

#include <stddef.h>
#include <stdint.h>

struct device_driver;

extern const struct device_driver vbd_driver;

/* What physical-device says: the unit of the vnd, or -1: another device. */
long vbd_vnd_unit(uint64_t devno);

#endif
