/*
 * build: what a new domain finds in its memory: kernel image, command line,
 * start info, the store's and the console's ring, grants and ports for them.
 *
 * Knows hvctl and the layout of guest memory; knows no store.
 */
#ifndef XL_BUILD_H
#define XL_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "domcfg.h"
#include "hvctl.h"
#include "nodes.h"

struct build_image {
	uint8_t *bytes; /* malloc'ed; NULL if there is none */
	size_t size;
};

struct build_images {
	struct build_image kernel;
	struct build_image ramdisk;
};

/* Reads and checks the files of D. 0; or -1 and in *WHY_OUT a line in MEM.
 * Free with build_unload in either case. */
int build_load(struct arena *mem, const struct domcfg *d,
    struct build_images *out, const char **why_out);
void build_unload(struct build_images *images);

/*
 * Fills domain DOMID, which is new and paused. 0; or -1 and a line in MEM,
 * and then the domain is good for being destroyed only.
 */
int build_domain(struct arena *mem, struct hvctl *hv, uint32_t domid,
    const struct domcfg *d, const struct build_images *images,
    struct nodes_rings *rings_out, const char **why_out);

/* KiB of a domain's memory that its images and the rings take at the start. */
uint64_t build_needs_kib(const struct build_images *images);

#endif
