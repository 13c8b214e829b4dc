/*
 * Tap interfaces: the dom0 end of a vif. Knows the host's way to make one;
 * knows no rings and no store.
 */
#ifndef HV_DOM0_TAP_H
#define HV_DOM0_TAP_H

#include <stddef.h>
#include <stdint.h>

#define TAP_NAME_MAX 16

/* Makes the interface NAME with address MAC. It exists until the last copy of
 * the descriptor is closed: non-blocking, one frame a read or write, closed on
 * exec. -1: WHY (of SIZE bytes) says in one line what was wrong with what;
 * errno is set. */
int tap_open(const char *name, const uint8_t mac[6], char *why, size_t size);

#endif
