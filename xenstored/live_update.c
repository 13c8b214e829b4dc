/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/live_update.h"

#include <stdio.h>
#include <string.h>

#include "common/wire.h"

void
live_update_init(struct live_update *lu, const struct live_update_env *env)
{
	memset(lu, 0, sizeof(*lu));
	lu->env = *env;
}

static bool
keep(char to[LIVE_UPDATE_STRING], const char *from)
{
	if (strlen(from) >= LIVE_UPDATE_STRING)
		return false;
	memcpy(to, from, strlen(from) + 1);
	return true;
}

/* --- sub-commands: each has its own text for a reply in TEXT --- */

/* -f FILE */
static enum xs_err
choose(struct live_update *lu, int argc, const char *const argv[],
    char text[LIVE_UPDATE_TEXT])
{
	struct live_update_request *r = &lu->request;

	if (argc != 1)
		return XS_EINVAL;
	if (lu->state == LIVE_UPDATE_CHOSEN ||
	    lu->state == LIVE_UPDATE_RUNNING) {
		strcpy(text, "live-update session already active.");
		return XS_OK;
	}
	memset(r, 0, sizeof(*r));
	if (!keep(r->binary, argv[0]))
		return XS_EINVAL;
	if (!lu->env.check(lu->env.ctx, r, text))
		return XS_OK;
	lu->state = LIVE_UPDATE_CHOSEN;
	strcpy(text, "OK");
	return XS_OK;
}

/* -c CMDLINE */
static enum xs_err
set_cmdline(struct live_update *lu, int argc, const char *const argv[],
    char text[LIVE_UPDATE_TEXT])
{
	if (argc != 1)
		return XS_EINVAL;
	if (lu->state != LIVE_UPDATE_CHOSEN) {
		strcpy(text, "Not in live-update session.");
		return XS_OK;
	}
	if (!keep(lu->request.cmdline, argv[0]))
		return XS_EINVAL;
	lu->request.has_cmdline = true;
	strcpy(text, "OK");
	return XS_OK;
}

/* -a; what was started already is not stopped. */
static enum xs_err
give_up(struct live_update *lu, int argc, char text[LIVE_UPDATE_TEXT])
{
	if (argc != 0)
		return XS_EINVAL;
	if (lu->state == LIVE_UPDATE_CHOSEN) {
		lu->state = LIVE_UPDATE_NONE;
		strcpy(text, "OK");
	} else if (lu->state == LIVE_UPDATE_RUNNING) {
		strcpy(text, "BUSY");
	} else {
		strcpy(text, "No live-update session active.");
	}
	return XS_OK;
}

/* The options of -s to *R. */
static bool
parse_start(int argc, const char *const argv[], struct live_update_request *r)
{
	uint64_t number;
	int i;

	r->timeout = LIVE_UPDATE_TIMEOUT;
	r->force = false;
	r->version = 0;
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-F") == 0) {
			r->force = true;
			continue;
		}
		if (i + 1 == argc ||
		    !wire_number(argv[i + 1], INT32_MAX, &number))
			return false;
		if (strcmp(argv[i], "-t") == 0)
			r->timeout = (uint32_t)number;
		else if (strcmp(argv[i], "-v") == 0)
			r->version = (uint32_t)number;
		else
			return false;
		i++;
	}
	return true;
}

/* -s [-t SECONDS] [-F] [-v VERSION], until it does not say "BUSY". */
static enum xs_err
start(struct live_update *lu, int argc, const char *const argv[],
    char text[LIVE_UPDATE_TEXT])
{
	struct live_update_request r = lu->request;

	if (!parse_start(argc, argv, &r))
		return XS_EINVAL;
	switch (lu->state) {
	case LIVE_UPDATE_NONE:
		strcpy(text, "Not in live-update session.");
		break;
	case LIVE_UPDATE_CHOSEN:
		lu->request = r;
		lu->state = LIVE_UPDATE_RUNNING;
		if (lu->env.start(lu->env.ctx, &lu->request, text))
			strcpy(text, "BUSY");
		else
			lu->state = LIVE_UPDATE_NONE;
		break;
	case LIVE_UPDATE_RUNNING:
		strcpy(text, "BUSY");
		break;
	case LIVE_UPDATE_FAILED:
		memcpy(text, lu->why, sizeof(lu->why));
		lu->state = LIVE_UPDATE_NONE;
		break;
	case LIVE_UPDATE_DONE:
		strcpy(text, "OK");
		lu->state = LIVE_UPDATE_NONE;
		break;
	}
	return XS_OK;
}

enum xs_err
live_update_control(struct live_update *lu, int argc, const char *const argv[],
    char *buf, size_t size, size_t *len_out)
{
	char text[LIVE_UPDATE_TEXT] = "";
	enum xs_err err = XS_EINVAL;

	if (argc < 2)
		return XS_EINVAL;
	if (strcmp(argv[1], "-f") == 0)
		err = choose(lu, argc - 2, argv + 2, text);
	else if (strcmp(argv[1], "-c") == 0)
		err = set_cmdline(lu, argc - 2, argv + 2, text);
	else if (strcmp(argv[1], "-a") == 0)
		err = give_up(lu, argc - 2, text);
	else if (strcmp(argv[1], "-s") == 0)
		err = start(lu, argc - 2, argv + 2, text);
	if (err != XS_OK)
		return err;
	*len_out = (size_t)snprintf(buf, size, "%s", text);
	return XS_OK;
}

void
live_update_failed(struct live_update *lu, const char *why)
{
	lu->state = LIVE_UPDATE_FAILED;
	snprintf(lu->why, sizeof(lu->why), "%s", why);
}

void
live_update_done(struct live_update *lu)
{
	lu->state = LIVE_UPDATE_DONE;
}
