/*
 * Files into memory: inflated, checked, sealed.
 */
#ifndef HV_HOSTED_BOOT_LOADER_H
#define HV_HOSTED_BOOT_LOADER_H

#include <stddef.h>
#include <stdint.h>

#define LOADER_MAX (UINT64_C(1) << 30) /* bytes of an inflated image */

/*
 * Read PATH, gzipped or not, into a sealed memfd that is closed on exec. Its
 * descriptor; -1: *WHY_OUT is what is wrong (it reads on after the path and a
 * colon) and lives until the next call.
 */
int loader_inflate(const char *path, const char **why_out);

/*
 * As above, and CHECK must approve of the image's bytes: NULL, or why not.
 */
int loader_load(const char *path,
    const char *(*check)(const uint8_t *image, size_t size),
    const char **why_out);

#endif
