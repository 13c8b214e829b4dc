/*
 * A domain's RAM as the core sees it: which guest frames exist, how many
 * references others hold to each, and the sums. A frame that is given up while
 * it is referenced stays until the last reference goes, and counts until then.
 *
 * Domain 0 has no frames here, just a number of pages.
 */
#ifndef HV_CORE_P2M_H
#define HV_CORE_P2M_H

#include "core.h"

/* Adds NR frames. All or nothing: -XEN_EINVAL (beyond the address space, or
 * one is there already), -XEN_ENOMEM (its limit, the machine's, the world's).
 */
int p2m_populate(struct domain *d, uint64_t gfn, uint64_t nr);

/* Gives NR frames up. All or nothing: -XEN_EINVAL if one is not there. */
int p2m_release(struct domain *d, uint64_t gfn, uint64_t nr);

/* A reference to a frame that is present: its bytes, or NULL if there is no
 * such frame (or the world cannot show it), and then nothing is pinned. */
void *p2m_pin(struct domain *d, uint64_t gfn);
void p2m_unpin(struct domain *d, uint64_t gfn);

/* The bytes of a pinned frame. */
void *p2m_frame(const struct domain *d, uint64_t gfn);

/* Gives up all frames, a few chunks a call (d->cursor); true when done. */
bool p2m_relinquish(struct domain *d, uint32_t chunks);

/* Frees the tables. No frame is left. */
void p2m_free(struct domain *d);

#endif
