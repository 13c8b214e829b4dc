/*
 * guest: what a guest kernel sees of the machine below it.
 *
 * A kernel is a program that defines guest_main() and is linked with
 * libguest.a. The runtime has one processor and no preemption: a kernel's code
 * and its event handlers run on one stack, handlers only inside guest_wait(),
 * guest_step() and the calls that say that they wait.
 *
 * This header knows pages, hypercalls, time, and the way to sleep. Events are
 * in guest_evtchn.h, grants in gnttab.h, the store in xenbus.h, devices in
 * frontend.h, blkfront.h, netfront.h, the console in console.h, shutdown
 * requests in control.h. What lies below (a sandboxed process or real hardware)
 * is the business of port.h and of nobody else.
 *
 * Functions return 0 or a negative errno unless they say otherwise.
 */
#ifndef HV_GUEST_GUEST_H
#define HV_GUEST_GUEST_H

#include <stddef.h>
#include <stdint.h>

struct xenbus;

#define GUEST_PAGE_SIZE 4096u
#define GUEST_PAGE_SHIFT 12
#define GUEST_FOREVER UINT64_MAX
#define GUEST_NS_PER_S 1000000000ull
#define GUEST_NS_PER_MS 1000000ull
#define GUEST_NO_GFN UINT64_MAX

/* How the domain was started. Everything stays valid for ever. */
struct guest_boot {
	const char *cmdline; /* never NULL; "" if there is none */
	const void *ramdisk; /* NULL if there is none */
	size_t ramdisk_size; /* bytes */
	size_t ram_pages;    /* the domain's memory, in pages */
	size_t free_pages; /* of those, what guest_alloc_pages() had at start */
	uint64_t store_gfn; /* GUEST_NO_GFN if the domain has none */
	uint32_t store_port;
	uint64_t console_gfn; /* GUEST_NO_GFN if the domain has none */
	uint32_t console_port;
};

/*
 * Defined by the kernel. The console is up; the store is not: see
 * guest_store(). What it returns ends the domain: 0 as
 * guest_shutdown(GUEST_POWEROFF), else GUEST_CRASH.
 */
int guest_main(const struct guest_boot *boot);

/*
 * The value of "NAME=value" among the words of CMDLINE, copied to BUF of SIZE
 * bytes; "" for a bare word NAME. BUF, or NULL if there is no such word or it
 * does not fit.
 */
const char *guest_option(
    const char *cmdline, const char *name, char *buf, size_t size);

/* The same as a decimal number; FALLBACK if missing or not a number. */
uint64_t guest_option_num(
    const char *cmdline, const char *name, uint64_t fallback);

/* --- memory ------------------------------------------------------------- */

/*
 * COUNT contiguous zeroed pages of the domain's memory: what can be granted to
 * others. NULL if there is no such run. (malloc() gives memory that no other
 * domain can ever see.)
 */
void *guest_alloc_pages(size_t count);

/* Gives them back; COUNT as in the allocation. NULL is allowed. */
void guest_free_pages(void *pages, size_t count);

/* Pages that guest_alloc_pages() could still give out. */
size_t guest_pages_free(void);

/* Non-zero if the LEN bytes at PTR lie in the domain's memory. */
int guest_is_ram(const void *ptr, size_t len);

/* The frame number of the page PTR lies in; GUEST_NO_GFN outside of RAM. */
uint64_t guest_gfn(const void *ptr);

/* The page with that frame number; NULL outside of RAM. */
void *guest_page(uint64_t gfn);

/* --- the hypervisor ----------------------------------------------------- */

/*
 * Hypercall NR. Pointer arguments inside hypercall structures are
 * guest-physical addresses, so the structures must lie in RAM: guest_arg()
 * gives a place. What the hypervisor returns, negative errno on failure.
 */
long guest_hypercall(unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
    uint64_t a3, uint64_t a4);

/*
 * Hypercall NR(CMD, ARG) with a structure of LEN bytes (at most a page), copied
 * to a place that the hypervisor can reach and back again.
 */
long guest_hypercall_arg(
    unsigned int nr, unsigned int cmd, void *arg, size_t len);

/* An HVM parameter of this domain. */
int guest_hvm_param(uint32_t index, uint64_t *value_out);

/* The reasons that the hypervisor knows. */
enum guest_shutdown_reason {
	GUEST_POWEROFF = 0,
	GUEST_REBOOT = 1,
	GUEST_SUSPEND = 2,
	GUEST_CRASH = 3,
};

/*
 * Ends the domain. Returns only after a suspend that was cancelled or resumed
 * (0), or if the hypervisor refused a suspend (negative errno).
 */
int guest_shutdown(enum guest_shutdown_reason reason);

/* Prints the message on every console and crashes the domain. */
void guest_panic(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* --- time and sleep ----------------------------------------------------- */

/* Nanoseconds of a clock that never goes back; 0 is long ago. */
uint64_t guest_now(void);

/* Nanoseconds since 1970, UTC. */
uint64_t guest_wallclock(void);

/*
 * Sleeps until an event comes in or DEADLINE (in guest_now()'s clock) and runs
 * the handlers of the events that are there. Returns the number of handlers
 * run, so 0 means that the deadline has passed. A DEADLINE of 0 never sleeps.
 */
int guest_wait(uint64_t deadline);

/*
 * guest_wait(), then the store's watches (xenbus_poll()) and the consoles'
 * backlog: one turn of a kernel's main loop. Does not sleep if watches have
 * something to deliver. Returns the number of handlers and watches run. Packets
 * are not delivered here: see netfront_poll().
 */
int guest_step(uint64_t deadline);

/*
 * The domain's store, connected at the first call (which waits for the server
 * to answer one request, at most TIMEOUT ns). *OUT is the same ever after.
 * -ENODEV without a store page; -ETIMEDOUT; -EIO.
 */
int guest_store(uint64_t timeout, struct xenbus **out);

/* --- odds and ends ------------------------------------------------------ */

/*
 * To the console ring (see console_write() about what happens when nobody reads
 * it), or to the hypervisor's console as long as there is no ring.
 */
void guest_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* To the hypervisor's console in any case. */
void guest_early_write(const char *text, size_t len);

/* LEN random bytes, good enough for sequence numbers and keys. */
void guest_random(void *buf, size_t len);

#endif
