/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console of one domain: its ring, its event channel, its pseudo terminal
 * and its log. What a console is connected to is read from the store below
 * /local/domain/N/console; the terminal's name is written there.
 *
 * Knows nothing of which domains there are: consoles.h does.
 */
#ifndef XENCONSOLED_CONSOLE_H
#define XENCONSOLED_CONSOLE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/common/hvinfo.h"
#include "tools/xenconsoled/config.h"
#include "xenforeignmemory.h"
#include "xengnttab.h"
#include "xenstore.h"

/* What all consoles share. */
struct shared {
	const struct config *cfg;
	struct event_base *base;
	struct hvinfo *hv;
	xengnttab_handle *gnt;
	xenforeignmemory_handle *fmem; /* NULL: only grants can be mapped */
	struct xs_handle *xs;	       /* NULL while there is no xenstored */
	bool hv_gone;		       /* there is nothing left to serve */
};

struct console;

/* A console that is not connected yet. NULL with errno. */
struct console *console_new(
    struct shared *shared, uint32_t domid, const uint8_t uuid[16]);

uint32_t console_domid(const struct console *con);
bool console_is(const struct console *con, const struct hvinfo_domain *dom);

/* The store's directory of the console. */
const char *console_path(const struct console *con);

/* Reads the store and connects, reconnects or leaves things as they are. */
void console_update(struct console *con);

/* Begins a new log file after a rotation, under the domain's present name. */
void console_reopen_log(struct console *con);

/* The domain is gone: takes what is still in the ring and lets go of ring and
 * channel. The terminal stays a moment for its reader; then DONE is called,
 * which may free the console. */
void console_end(struct console *con,
    void (*done)(struct console *con, void *arg), void *arg);

void console_free(struct console *con);

#endif
