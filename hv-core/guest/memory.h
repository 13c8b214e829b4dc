/*
 * memory: which pages of the domain's RAM are free. The calls for kernels are
 * in guest.h; this is for the runtime's start.
 */
#ifndef HV_GUEST_MEMORY_H
#define HV_GUEST_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Takes over SIZE bytes at RAM, guest-physical address 0. -ENOMEM. */
int memory_init(uint8_t *ram, uint64_t size);

/*
 * Marks the pages of [ADDR, ADDR+SIZE), guest-physical, as in use. What lies
 * outside of RAM is ignored.
 */
void memory_reserve(uint64_t addr, uint64_t size);

/* SIZE bytes of RAM at guest-physical ADDR, or NULL if not all of it is RAM. */
void *memory_at(uint64_t addr, uint64_t size);

/* The pages of RAM. */
size_t memory_pages(void);

#endif
