/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All consoles: who is there is asked of the hypervisor when the store says
 * that a domain came or went. Also keeps the connection to the store: when
 * xenstored is gone, consoles go on as they are and it is tried again. When the
 * hypervisor has gone with it, the loop is broken and shared->hv_gone set.
 */
#ifndef XENCONSOLED_CONSOLES_H
#define XENCONSOLED_CONSOLES_H

#include "tools/xenconsoled/console.h"

struct consoles;

/* Connects to the store and takes up all domains. NULL with errno. */
struct consoles *consoles_start(struct shared *shared);

void consoles_reopen_logs(struct consoles *all);

void consoles_stop(struct consoles *all);

#endif
