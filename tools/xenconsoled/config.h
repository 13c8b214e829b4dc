/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line of xenconsoled has chosen. Made once, in main. */
#ifndef XENCONSOLED_CONFIG_H
#define XENCONSOLED_CONFIG_H

#include <stdbool.h>

#include "tools/common/service.h"

struct config {
	bool verbose;
	bool log_guest;
	bool log_hv;
	bool time_guest;
	bool time_hv;
	bool keep;	     /* a full buffer stops the guest, loses nothing */
	bool replace_escape; /* in logs */
	const char *log_dir;
	struct service service;
};

#endif
