/*
 * runtime: what the runtime's own files know of each other. Kernels do not
 * include it.
 */
#ifndef HV_GUEST_RUNTIME_H
#define HV_GUEST_RUNTIME_H

#include <stdint.h>

struct xenbus;
struct guest_boot;

/* The store if guest_store() has connected it, else NULL. */
struct xenbus *runtime_store(void);

/* Where guest_store() finds the ring. Called once at start. */
void runtime_set_store(const struct guest_boot *boot);

/*
 * Something was put aside for the kernel's main loop: the next guest_step()
 * does not sleep. For handlers that may run while somebody else waits.
 */
void runtime_kick(void);

#endif
