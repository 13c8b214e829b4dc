/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event channel to a guest's console, in a handle of its own: closing it is
 * all it takes to let go. Bounds how often a guest can wake us: after so many
 * events in a short time its channel stays masked for the rest of that time.
 */
#ifndef XENCONSOLED_CHANNEL_H
#define XENCONSOLED_CHANNEL_H

#include <event2/event.h>
#include <stdint.h>

struct channel;

/* Binds to PORT of DOMID. FN is called with ARG after events; it may close the
 * channel. NULL with errno. */
struct channel *channel_open(struct event_base *base, uint32_t domid,
    uint32_t port, void (*fn)(void *arg), void *arg);

/* NULL does nothing. */
void channel_notify(struct channel *ch);
void channel_close(struct channel *ch);

#endif
