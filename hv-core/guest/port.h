/*
 * port: the machine under the runtime. One file port_*.c implements it for one
 * world (port_hosted.c: a sandboxed process under hvd). Only the runtime
 * includes it.
 *
 * It knows how the domain reaches its memory, its hypervisor and its clock. It
 * does not know what the events, hypercalls and pages are for.
 */
#ifndef HV_GUEST_PORT_H
#define HV_GUEST_PORT_H

#include <stddef.h>
#include <stdint.h>

struct shared_info;
struct grant_entry_v1;

struct port_machine {
	uint8_t *ram; /* guest-physical address 0 */
	uint64_t ram_size;
	struct shared_info *shared;
	struct grant_entry_v1 *grants;
	uint32_t grant_frames_max; /* that are mapped */
	uint64_t start_info;	   /* guest-physical; 0: there is none */
};

/*
 * Finds the machine; called once, before everything else. A negative errno
 * means that there is none (not started by a hypervisor).
 */
int port_start(struct port_machine *out);

/* A hypercall; pointers are guest-physical addresses. */
long port_hypercall(unsigned int nr, const uint64_t arg[5]);

/* An event for the other side of the local port. */
int port_notify(uint32_t port);

/*
 * Makes events that others have sent appear in shared_info: port_peek() those
 * that can be had for nothing, port_harvest() all; a send that comes after
 * port_harvest() ends the next port_sleep().
 */
void port_peek(void);
void port_harvest(void);

/* Sleeps until something was sent or DEADLINE (UINT64_MAX: never) has come. */
void port_sleep(uint64_t deadline);

/* Nanoseconds, monotonic; and since 1970. */
uint64_t port_now(void);
uint64_t port_wallclock(void);

void port_random(void *buf, size_t len);

/* The domain has been shut down: does not return. */
_Noreturn void port_stop(void);

#endif
