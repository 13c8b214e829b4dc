/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line: names, values, limits. Knows no state.
 */
#ifndef XENSTORED_OPTIONS_H
#define XENSTORED_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "xenstored/quota.h"

enum {
	OPTIONS_TRACE_MAX = 8, /* --trace-control may be given so often */
	OPTIONS_ERROR_SIZE = 160,
};

struct options {
	const char *pid_file;	/* or NULL */
	const char *trace_file; /* or NULL */
	const char *user;	/* to change to, or NULL: priv_sandbox() */
	const char *trace[OPTIONS_TRACE_MAX];
	unsigned n_trace;
	struct quota_set quotas;
	int64_t soft_memory;
	bool foreground;
	bool no_standby;  /* one process, which takes the store along */
	bool replace;	  /* the daemon that serves is asked to become us */
	bool live_update; /* another daemon executed us in its place */
	bool fresh;	  /* what a daemon that was killed left is not used */
	enum {
		RESUME_NONE,
		RESUME_TRY,  /* can this program go on? */
		RESUME_GO,   /* as the supervisor that executed us ... */
		RESUME_BACK, /* and again, as another program could not */
	} resume;
	int resume_fd;	 /* what it hands over */
	int child_fd;	 /* the supervisor's other end; -1: this is no child */
	bool no_domains; /* sockets only: no hypervisor is looked for */
	bool keep_orphans;
	uint32_t priv_domid; /* 0: none */
	uint32_t event_port; /* domain 0's store event channel; 0: ask for it */
	int ready_fd;	     /* -1: none */
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_BAD, /* the reason is in ERROR */
};

/* Parses ARGV into *OPTIONS, defaults first. Strings point into ARGV. */
enum options_result options_parse(int argc, char *argv[],
    struct options *options, char error[OPTIONS_ERROR_SIZE]);

void options_usage(FILE *file);

#endif
