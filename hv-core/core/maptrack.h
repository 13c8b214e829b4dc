/*
 * The mappings of others' frames that a domain holds. A handle is an index
 * here, plus one: 0 is never a handle. The records that are not in use form
 * one list.
 */
#ifndef HV_CORE_MAPTRACK_H
#define HV_CORE_MAPTRACK_H

#include "core.h"

/* A record, not yet in use, and its handle; the next maptrack_take takes it.
 * NULL: the limit is reached, or no memory. */
struct maptrack *maptrack_find_free(struct domain *d, grant_handle_t *handle);

/* Takes the record of maptrack_find_free in use. */
void maptrack_take(struct domain *d, const struct maptrack *as);

/* The record in use, or NULL. */
struct maptrack *maptrack_get(const struct domain *d, grant_handle_t handle);

/* Gives a record in use back. */
void maptrack_put(struct domain *d, grant_handle_t handle);

/* Frees the table, whatever is in it. */
void maptrack_free(struct domain *d);

#endif
