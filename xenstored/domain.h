/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Domains: introduced, released, shut down, died. Knows whom to tell and what
 * a domain leaves behind.
 */
#ifndef XENSTORED_DOMAIN_H
#define XENSTORED_DOMAIN_H

#include "common/error.h"
#include "xenstored/core.h"

/* The introduced domain DOMID, or NULL. */
struct domain *domain_find(const struct state *st, uint32_t domid);

/*
 * Introduces DOMID with its event channel PORT, or again: then its connection
 * starts anew. XS_ENOENT: there is no such domain or its page cannot be had;
 * XS_EINVAL: nor can PORT; XS_ENOMEM.
 */
XS_MUST_CHECK enum xs_err domain_introduce(
    struct state *st, uint32_t domid, uint32_t port);

/* Ends the connection of D, removes what it owns and tells of its release. */
void domain_release(struct domain *d);

/* P does not exist any more: what domain_release() does, if it was introduced,
 * and all its rights end. */
void domain_bury(struct state *st, struct principal *p);

/* Removes up to MOST subtrees of what was not removed in domain_bury() because
 * it was too much for one turn, or for lack of memory; true if it got on and
 * there is still some: without memory it is tried again when something else has
 * happened. */
bool domain_bury_rest(struct state *st, size_t most);

/* Whether a dead domain's nodes are being removed: until they are, nobody may
 * change what could be theirs. */
bool domain_burying(const struct state *st);

/* D acts with the rights of TARGET from now on. */
void domain_set_target(struct domain *d, struct principal *target);

/* Whether domain_changed() would change something. */
bool domain_is_news(
    const struct state *st, uint32_t domid, const struct domain_info *info);

/* The hypervisor's news about DOMID. */
void domain_changed(
    struct state *st, uint32_t domid, const struct domain_info *info);

#endif
