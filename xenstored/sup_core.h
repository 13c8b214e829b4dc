/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The supervisor's own: what its files share. For them only.
 */
#ifndef XENSTORED_SUP_CORE_H
#define XENSTORED_SUP_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include <xenevtchn.h>

#include "xenstored/clock.h"
#include "xenstored/peers.h"
#include "xenstored/sup_child.h"
#include "xenstored/sup_exec.h"
#include "xenstored/sup_store.h"
#include "xenstored/sup_update.h"
#include "xenstored/supervisor.h"

struct supervisor {
	const struct options *options;
	const struct server_config *config;
	const struct supervisor_paths *paths;
	struct files_rules *rules;
	char **argv;
	int signals[2]; /* a pipe: signals as bytes */
	int lock;	/* daemon_claim() */
	int listener;
	struct sup_store store;
	struct sup_gifts gifts;
	xenevtchn_handle *evtchn; /* never used: its descriptor is held. NULL:
				     only the descriptor was handed over */
	struct sup_first *first;  /* its child was forked and is not used yet */
	struct sup_child primary, standby;
	struct sup_socks socks;
	struct peers *peers; /* NULL: nobody is told their names */
	struct sup_update update;
	struct sup_exec exec;
	int ends;	    /* end_notice_watch(), or -1 */
	bool watches;	    /* that was asked for */
	unsigned rumours;   /* of this primary's end that were not true */
	uint64_t died;	    /* us, when the primary did */
	uint64_t retry;	    /* ms, when a standby may be started again */
	unsigned lost;	    /* standbys in a row that came to nothing */
	char death[160];    /* of the primary, in words */
	unsigned failures;  /* of primaries, since one served */
	bool served;	    /* once */
	bool adopted;	    /* another daemon was here, whose ports are bound */
	uint64_t settled;   /* ms, when other things have their time */
	uint64_t image_due; /* ms, when the primary may be asked for one */
	uint64_t image_told; /* ms, until when a failed one is not told of */
	uint64_t full; /* ms, until when nobody is accepted; 0: no matter */
	bool told_full;
	bool reserved; /* the whole log has its memory */
	bool stopping;
	int status;
};

#endif
