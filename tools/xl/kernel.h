/*
 * kernel: the kernel image of a domain: reading it, and telling whether it is
 * one that a hosted domain can run.
 *
 * Knows gzip and ELF with Xen's notes; knows no hypervisor. Nothing in the
 * file is believed.
 */
#ifndef XL_KERNEL_H
#define XL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

#define KERNEL_MAX_BYTES ((size_t)256 << 20)

/*
 * The content of the file PATH, inflated if it is gzipped. *BYTES_OUT is the
 * caller's to free. 0; or -1 and in *WHY_OUT a line in MEM without PATH.
 */
int kernel_read(struct arena *mem, const char *path, uint8_t **bytes_out,
    size_t *size_out, const char **why_out);

/*
 * Whether the SIZE bytes at IMAGE are a kernel that a hosted domain runs: a
 * static x86-64 ELF executable with the Xen notes of this hypervisor's guests.
 * 0; or -1 and in *WHY_OUT a line in MEM that says what it is instead.
 */
int kernel_check(
    struct arena *mem, const uint8_t *image, size_t size, const char **why_out);

#endif
