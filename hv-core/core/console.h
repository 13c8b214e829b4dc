/*
 * The machine's console: a ring that keeps the last bytes for xl dmesg and
 * xenconsoled, and a copy to the world. Text of domains other than 0 comes in
 * whole lines, marked with their id.
 */
#ifndef HV_CORE_CONSOLE_H
#define HV_CORE_CONSOLE_H

#include "core.h"

/* Appends bytes as they are. */
void console_put(struct hv *hv, const char *text, size_t len);

/*
 * Copies ring bytes from *INDEX on (free-running; one that is no longer or not
 * yet in the ring means the oldest byte there) to OUT. Answers how many, and
 * moves *INDEX past them.
 */
uint32_t console_read(
    const struct hv *hv, uint32_t *index, char *out, uint32_t room);

/* Forgets what is before INDEX. */
void console_forget(struct hv *hv, uint32_t index);

/* The index of the oldest byte. */
uint32_t console_oldest(const struct hv *hv);

#endif
