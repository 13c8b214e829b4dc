/*
 * Looking at ELF images before they are run: is it a program of this machine,
 * is it a kernel that can be domain 0?
 *
 * Pure: bytes in, verdict out. The bytes may be anything.
 */
#ifndef HV_HOSTED_BOOT_ELFCHECK_H
#define HV_HOSTED_BOOT_ELFCHECK_H

#include <stddef.h>
#include <stdint.h>

/* What the Xen notes of a kernel say. */
struct xen_notes {
	uint32_t seen; /* bit n: there is a note of type n < 32 */
	char guest_os[32];
	char xen_version[32];
	char loader[32];
	uint32_t supported_features;
	uint64_t virt_base;
};

/*
 * NULL if the image is a 64-bit program for this machine's processor, else why
 * not (static text that reads on after the file's name).
 */
const char *elf_check_program(const uint8_t *image, size_t size);

/* Collect the Xen notes. NULL, or why the image's notes cannot be read. */
const char *elf_read_notes(
    const uint8_t *image, size_t size, struct xen_notes *out);

/* NULL if the image is a program and a Xen kernel that can be domain 0, else
 * why not. */
const char *elf_check_dom0(const uint8_t *image, size_t size);

#endif
