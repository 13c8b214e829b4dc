/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own messages, from its console ring to hypervisor.log. */
#ifndef XENCONSOLED_HVLOG_H
#define XENCONSOLED_HVLOG_H

#include "tools/xenconsoled/console.h"

struct hvlog;

/* Logs what the ring holds and what comes. NULL with errno. */
struct hvlog *hvlog_start(struct shared *shared);

/* NULL does nothing. */
void hvlog_reopen(struct hvlog *hl);
void hvlog_stop(struct hvlog *hl);

#endif
