/*
 * interrupt: SIGINT, SIGTERM and SIGHUP as a descriptor, so that whoever is
 * interrupted can undo what it has begun.
 */
#ifndef XL_INTERRUPT_H
#define XL_INTERRUPT_H

#include <stdbool.h>

/* From now on these signals do nothing but make interrupt_fd() readable. 0, or
 * -1 with errno. Doing it twice is fine. */
int interrupt_catch(void);

/* In a child: back to the default, and apart from the parent's descriptor. */
void interrupt_forget(void);

/* Readable, for ever, after the first signal; -1 before interrupt_catch. */
int interrupt_fd(void);

/* Whether there has been one. */
bool interrupt_seen(void);

#endif
