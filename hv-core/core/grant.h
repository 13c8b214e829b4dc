/*
 * Grant tables, version 1: pinning what an entry offers, and the mappings that
 * pins stand for.
 *
 * The entry in shared memory says what the granter offers; it is read once per
 * pin. From then on our own record of the entry counts, whatever the granter
 * writes: its frame, who pins it, how often. The reading and writing bits in
 * the entry are ours: writing is set while there is a write pin, reading while
 * there is any pin.
 */
#ifndef HV_CORE_GRANT_H
#define HV_CORE_GRANT_H

#include "core.h"

/* One frame of entries to begin with. -XEN_ENOMEM. */
int grant_init(struct domain *d);

/* Makes the table at least FRAMES frames long. -XEN_EINVAL: more than its
 * maximum, or there is no table; -XEN_ENOMEM. */
int grant_grow(struct domain *d, uint32_t frames);

/*
 * MAPPER pins entry REF of GRANTER. Answers the frame's bytes through
 * *FRAME_OUT. GNTST_okay, or the GNTST_* error in the order of the ABI:
 * bad_gntref (beyond the table), general_error (pinned by another domain, too
 * many pins, not offered to MAPPER, or read-only; or the entry would not stand
 * still), bad_page (there is no such frame).
 */
int16_t grant_pin(struct domain *granter, grant_ref_t ref,
    const struct domain *mapper, enum grant_pin kind, void **frame_out);

/* Takes a pin back. GRANTER may be gone afterwards. */
void grant_unpin(struct domain *granter, grant_ref_t ref, enum grant_pin kind);

/* The pinned entry. */
const struct grant_active *grant_active(
    const struct domain *granter, grant_ref_t ref);

/* Ends the mapping of a handle in use. */
void grant_release(struct domain *mapper, grant_handle_t handle);

/* Ends mappings from mapper->cursor on, looking at BUDGET handles at most;
 * true when none is left. */
bool grant_relinquish(struct domain *mapper, uint32_t budget);

/* Ends the mappings that belong to CHANNEL. */
void grant_release_channel(struct domain *mapper, const void *channel);

/* Frees the table. Nothing of it is pinned. */
void grant_free(struct domain *d);

/* One element of GNTTABOP_copy (grant_copy.c); its status. */
struct gnttab_copy;
int16_t grant_copy(struct call *c, const struct gnttab_copy *op);

#endif
