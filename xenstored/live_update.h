/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * CONTROL live-update in the process that serves: which program shall take its
 * place, and how that went. What is said is what other daemons say, so that
 * stock tools can be used. Knows no supervisor; who replaces whom is asked of
 * struct live_update_env.
 */
#ifndef XENSTORED_LIVE_UPDATE_H
#define XENSTORED_LIVE_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	LIVE_UPDATE_TEXT = 512,	   /* of reasons, with the NUL */
	LIVE_UPDATE_TIMEOUT = 60,  /* seconds, if none is asked for */
	LIVE_UPDATE_STRING = 2048, /* of a path or command line */
};

/* What is asked for. */
struct live_update_request {
	char binary[LIVE_UPDATE_STRING];
	char cmdline[LIVE_UPDATE_STRING]; /* in place of the present one */
	bool has_cmdline;
	uint32_t timeout; /* seconds */
	bool force;	  /* open transactions may be lost */
	uint32_t version; /* of a migration stream; 0: the newest */
};

struct live_update_env {
	void *ctx;

	/* Whether REQUEST's program can be had. False: WHY. */
	bool (*check)(void *ctx, const struct live_update_request *request,
	    char why[LIVE_UPDATE_TEXT]);

	/* Begins; live_update_failed() or live_update_done() follow, the latter
	 * perhaps in another process. False: WHY; nothing was begun. */
	bool (*start)(void *ctx, const struct live_update_request *request,
	    char why[LIVE_UPDATE_TEXT]);
};

struct live_update {
	struct live_update_env env;
	enum {
		LIVE_UPDATE_NONE,
		LIVE_UPDATE_CHOSEN,  /* a program */
		LIVE_UPDATE_RUNNING, /* it was started */
		LIVE_UPDATE_FAILED,
		LIVE_UPDATE_DONE, /* and this is that program */
	} state;
	struct live_update_request request;
	char why[LIVE_UPDATE_TEXT]; /* of LIVE_UPDATE_FAILED */
};

void live_update_init(
    struct live_update *lu, const struct live_update_env *env);

/*
 * The command in ARGC strings, the first of which is "live-update": its reply
 * as text into BUF of SIZE bytes (at least LIVE_UPDATE_TEXT), its length to
 * *LEN_OUT. While a program is being started that is "BUSY", and the client
 * asks again. XS_EINVAL: it is none.
 */
XS_MUST_CHECK enum xs_err live_update_control(struct live_update *lu, int argc,
    const char *const argv[], char *buf, size_t size, size_t *len_out);

/* What was started has failed, as WHY says. */
void live_update_failed(struct live_update *lu, const char *why);

/* This process serves since it was started as the new program. */
void live_update_done(struct live_update *lu);

#endif
