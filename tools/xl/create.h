/*
 * create: a domain from its configuration, and its end. Both are whole or
 * not at all: what fails half-way is undone.
 *
 * Knows the order of things: memory, store, devices. Functions that return int
 * give 0, or -1 after a message (xl_error).
 */
#ifndef XL_CREATE_H
#define XL_CREATE_H

#include <stdint.h>

#include "domcfg.h"
#include "xl.h"

/*
 * Makes the domain of D, complete (domcfg_complete), up to the point where
 * only unpausing is missing: memory, nodes, devices with their hotplug
 * scripts. CONFIG_TEXT, the sealed configuration, is saved for restarts.
 */
int create_domain(struct xl *xl, const struct domcfg *d,
    const char *config_text, uint32_t *domid_out);

/*
 * Ends domain DOMID and removes all that was made for it. Whoever comes
 * second, while another does the same, finds it done. -1 if the domain or
 * its nodes could not be removed; a backend that does not answer is worth a
 * message only.
 */
int create_undo(struct xl *xl, uint32_t domid);

/* Adds one device to a running domain, and waits for it; undone on error. An
 * interface without a handle gets the next free one. */
int create_attach_disk(
    struct xl *xl, uint32_t domid, const struct diskspec *disk);
int create_attach_vif(struct xl *xl, uint32_t domid, const struct vifspec *vif);

/*
 * The lock that is held from looking whether a name is free until a domain has
 * it. A descriptor for lock_release() with *PATH_OUT, or -1 after a message.
 */
int create_lock_names(struct xl *xl, char **path_out);

/*
 * The lock that is held while DOMID is ended, and while a device is added to
 * it: an end finds all devices, and none comes after it. As above.
 */
int create_lock_domain(struct xl *xl, uint32_t domid, char **path_out);

/* Fills BUF from the system's source of randomness. ARG is not used. */
void create_random(void *arg, void *buf, size_t len);

#endif
