/*
 * The client side of hosted/proto.h: a channel to hvd, its argument arena,
 * other domains' memory as windows, and the event endpoint.
 *
 * Knows proto.h and libc. Does not know what any hypercall means, nor which of
 * the pending ports the caller has masked. Used by the standard libraries of
 * hv-core/lib and, linked statically, by the guest runtime: after
 * hv_client_open_fd() no call here opens a path or makes a socket, so that all
 * of them work in the guests' sandbox.
 *
 * Errors are negative Xen errno numbers (equal to Linux's). When hvd has gone,
 * every call answers -ENOTCONN. Every function may be called from any thread;
 * callbacks of hv_client_harvest() run with the client locked and must not call
 * back into it, except hv_client_nudge().
 */
#ifndef HV_LIB_HOSTED_CLIENT_H
#define HV_LIB_HOSTED_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hv-core/hosted/proto.h"

struct hv_client; /* one channel */

/* A domain's whole memory, known to this process once for all its clients. */
struct hv_window {
	uint64_t size; /* bytes */
	int fd;	       /* for mappings of single frames at a chosen address */
	uint16_t domid;
	uint64_t serial;
	unsigned refs; /* private, as all below */
	uint8_t *base; /* NULL: nobody has asked for it */
	dev_t dev;
	ino_t ino;
	struct hv_window *next;
};

/*
 * Connect to $HV_ROOT/hvd.sock (or HV_ROOT_DEFAULT's) and attach as KIND, any
 * but HV_CHAN_GUEST. 0 and *OUT; else -errno of connect (-ENOENT,
 * -ECONNREFUSED, -EACCES: hvd does not run, or it is another user's), -EPERM if
 * hvd refused us, -EPROTONOSUPPORT if the versions differ, -ENOMEM.
 */
int hv_client_open(enum hv_chan_kind kind, struct hv_client **out);

/*
 * Attach as a guest on FD, an inherited channel, and map RAM and Xen pages at
 * HV_GUEST_RAM_BASE and HV_GUEST_XEN_BASE. Owns FD if it succeeds.
 */
int hv_client_open_fd(int fd, struct hv_client **out);

/*
 * Attach again on FD, hv_client_channel_fd() of a client of KIND (EVTCHN only)
 * that is not used any more, be it of a dead process: its ports are ours. What
 * it left unread is thrown away, what it left in pages of pairs is found by the
 * first harvests; each peer's pair is used again when hvd has announced it.
 * Owns FD if it succeeds. 0 and *OUT; else -EINVAL FD is no such channel,
 * -ENOTCONN hvd has gone, -EPROTONOSUPPORT, -ENOMEM: it may be tried again.
 */
int hv_client_adopt(int fd, enum hv_chan_kind kind, struct hv_client **out);

/* The channel: held open by anybody, it keeps what was made through C. */
int hv_client_channel_fd(const struct hv_client *c);

/* Ports, handles and maps that were made through C go with it, unless somebody
 * else holds the channel. NULL is fine. */
void hv_client_close(struct hv_client *c);

/* What ATTACH answered; lives as long as C. */
const struct hv_msg_attached *hv_client_info(const struct hv_client *c);

/* -- hypercalls -- */

/*
 * The hypercall's result. Pointers among ARG are addresses that
 * hv_client_addr() gave. Blocks until hvd answers; asynchronous messages that
 * come meanwhile are dealt with.
 */
int64_t hv_client_call(struct hv_client *c, unsigned nr, const uint64_t arg[5]);

/*
 * A zeroed buffer in the arena, aligned to 64 bytes, and to a page if SIZE is a
 * page or more. NULL: no room (errno ENOMEM). SIZE 0 counts as 1.
 */
void *hv_client_alloc(struct hv_client *c, size_t size);

/* Give P, from hv_client_alloc(), back. NULL is fine. */
void hv_client_free(struct hv_client *c, void *p);

/*
 * The address under which hvd knows P: the pointer itself for control clients
 * if it points into the arena, guest-physical for guests if it points into RAM.
 * 0 for NULL and for what lies in neither.
 */
uint64_t hv_client_addr(const struct hv_client *c, const void *p);

/*
 * Guests: let hv_client_alloc() work on SIZE bytes of RAM at BASE (page
 * aligned, not used for anything else). To be called once, before the first
 * hv_client_alloc(), which finds no room until then.
 */
void hv_client_set_arena(struct hv_client *c, void *base, size_t size);

/* -- other domains' memory (control clients) -- */

/*
 * DOMID's memory, with a reference that the caller gives back with
 * hv_window_put(). The client keeps one of its own, so that asking again costs
 * no system call. NULL and *ERR_OUT: -ESRCH no such domain, -ENOENT it has no
 * memory of its own (domain 0), -EPERM, -ENOMEM. The window stays mapped until
 * it is put, also when C is closed; when the domain is gone it reads as zeroes,
 * but for pages that are mapped by a grant, which keep the domain.
 */
struct hv_window *hv_client_ram(
    struct hv_client *c, uint16_t domid, int *err_out);

void hv_window_put(struct hv_window *w);

/*
 * Where all of W, guest-physical 0 first, is mapped, readable and writable;
 * NULL with errno. Not done before, as those who map few frames of many domains
 * would have page tables of their own for each.
 */
uint8_t *hv_window_base(struct hv_window *w);

/*
 * Map NR_FRAMES of a resource (XENMEM_resource_*) at ADDR (page aligned, mapped
 * over) or anywhere if it is NULL. The caller unmaps with munmap(). 0 and *OUT;
 * else the errors of XENMEM_acquire_resource or -ENOMEM.
 */
int hv_client_resource(struct hv_client *c, const struct hv_msg_resource *what,
    void *addr, void **out);

/* -- events (kinds EVTCHN and GUEST) -- */

/*
 * Readable when hv_client_harvest() has something to do, or after
 * hv_client_nudge(). Only for poll, select and epoll; -1 for other kinds.
 */
int hv_client_event_fd(const struct hv_client *c);

/*
 * Send on the local PORT: by the pair if the port table has one for it, else by
 * the hypercall. 0 or the errors of EVTCHNOP_send.
 */
int hv_client_send(struct hv_client *c, uint32_t port);

/*
 * Control clients: hv_client_send() on each of NR ports, by one hypercall for
 * all that cannot be sent directly. 0, the first error of any port, the others
 * having been sent, or -ENOMEM, -ENOTCONN.
 */
int hv_client_send_many(struct hv_client *c, const uint32_t *ports, size_t nr);

/*
 * Take what has come: DELIVER(arg, port) for each port, in no order, a port
 * perhaps more than once. Then every pair is armed again, so that the next send
 * makes the event fd readable: there is no separate step before sleeping. If
 * very much has come the event fd stays readable for the rest of it. Costs
 * O(pairs that rang). Never blocks. 1 if anything had come (perhaps nothing to
 * deliver), 0 if nothing had, or -ENOTCONN.
 *
 * A guest must look at its vcpu_info's upcall_pending *after* this: hvd sets
 * bits in shared_info itself for sends by hypercall and for VIRQs, and only
 * kicks the pair.
 */
int hv_client_harvest(
    struct hv_client *c, void (*deliver)(void *arg, uint32_t port), void *arg);

/*
 * As harvest, but looks at all pairs without a system call: for a guest that
 * polls, or that unmasks and wants what was sent before to be there. Async
 * messages are not read and nothing is armed.
 */
void hv_client_peek(
    struct hv_client *c, void (*deliver)(void *arg, uint32_t port), void *arg);

/*
 * Make the event fd readable (level-triggered) until hv_client_calm(): the
 * caller has delivered only a part of what it has. Each is a system call only
 * if the state changes.
 */
void hv_client_nudge(struct hv_client *c);
void hv_client_calm(struct hv_client *c);

/*
 * Sleep until the event fd is readable: 1, or TIMEOUT_NS passed (negative: no
 * limit): 0, or -EINTR.
 */
int hv_client_wait(struct hv_client *c, int64_t timeout_ns);

/* The port's state as hvd has it: enum hv_port_state. */
unsigned hv_client_port_state(const struct hv_client *c, uint32_t port);

#endif
