/*
 * precheck: what xl can find wrong with a configuration's disks, interfaces
 * and memory before it makes anything. The hotplug scripts judge last: what
 * passes here may still be refused by them.
 */
#ifndef XL_PRECHECK_H
#define XL_PRECHECK_H

#include "build.h"
#include "domcfg.h"
#include "xl.h"

/* 0; or -1 and in *WHY_OUT a line in the arena of XL. */
int precheck_disk(
    struct xl *xl, const struct diskspec *disk, const char **why_out);
int precheck_vif(
    struct xl *xl, const struct vifspec *vif, const char **why_out);

/* All of D's disks and interfaces, also against each other. */
int precheck_devices(
    struct xl *xl, const struct domcfg *d, const char **why_out);

/* Whether the machine and the domain are large enough. */
int precheck_memory(struct xl *xl, const struct domcfg *d,
    const struct build_images *images, const char **why_out);

/* Whether domains are built by this program here at all. */
int precheck_provider(
    struct xl *xl, const struct domcfg *d, const char **why_out);

#endif
