/*
 * The life of a domain: created paused, started by its first unpause, shut
 * down, taken apart in slices, and kept as a zombie while others hold on to
 * its frames.
 */
#ifndef HV_CORE_DOMAIN_H
#define HV_CORE_DOMAIN_H

#include "core.h"

/* Makes a domain from *SPEC (domid and unique_id are filled in here) with the
 * wished id, or one of our choice if that is 0 or taken. -XEN_EINVAL: limits;
 * -XEN_ENOMEM: also when no id is free; or what the world answers. */
int domain_create(struct hv *hv, domid_t wish, struct hv_domain_spec *spec,
    uint32_t maptrack_frames, struct domain **out);

/* Domain 0. */
int domain_create_first(struct hv *hv);

/* Shuts D down with REASON, if it isn't yet. */
void domain_shutdown(struct domain *d, uint8_t reason);

/* Undoes a shutdown. */
void domain_resume(struct domain *d);

/* One more or one less pause by the toolstack. -XEN_EOVERFLOW if paused too
 * often; -XEN_EINVAL: it is not paused. unpause starts the domain the first
 * time; the world's refusal is the answer, and it stays paused. */
int domain_pause(struct domain *d);
int domain_unpause(struct domain *d);

/* Takes D apart. -XEN_ERESTART: call again. 0: it is dead, and gone if nobody
 * holds on to it (D must not be used any more). */
int domain_destroy(struct domain *d);

/* A pin of D's frames went: frees D if it was the last one of a dead domain. */
void domain_unpinned(struct domain *d);

/* Frees D at once, whatever its state: for hv_destroy, or if nobody has heard
 * of it yet. */
void domain_discard(struct domain *d);

/* Something about D changed that VIRQ_DOM_EXC is for. */
void domain_changed(struct domain *d);

#endif
