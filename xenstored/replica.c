/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/replica.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SNAPSHOT_SECONDS = 30 };

struct replica {
	char *dir;
	struct replica_hooks hooks;
	struct apply *apply;
	struct subscriber *sub; /* NULL: no daemon was found yet */
	const char *ended;	/* why the last state is of no use, or NULL */
	bool misfit;		/* as a record did not fit: replay would not */
};

struct replica *
replica_new(const char *dir, const struct replica_hooks *hooks)
{
	struct replica *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->hooks = *hooks;
	r->dir = strdup(dir);
	r->apply = apply_new(&hooks->apply);
	if (r->dir != NULL && r->apply != NULL)
		return r;
	replica_free(r);
	return NULL;
}

void
replica_free(struct replica *r)
{
	if (r == NULL)
		return;
	apply_free(r->apply);
	subscribe_close(r->sub);
	free(r->dir);
	free(r);
}

struct state *
replica_state(const struct replica *r)
{
	return apply_state(r->apply);
}

struct image_mark
replica_mark(const struct replica *r)
{
	if (r->sub == NULL)
		return (struct image_mark){ 0 };
	return subscribe_mark(r->sub);
}

const struct log_header *
replica_log(const struct replica *r)
{
	return r->sub != NULL ? subscribe_log(r->sub) : NULL;
}

uint64_t
replica_lag(const struct replica *r)
{
	return r->sub != NULL ? subscribe_lag(r->sub) : 0;
}

/* --- beginning --- */

static bool
refuse(char *why, const char *what, const char *detail)
{
	snprintf(why, REPLICA_WHY_SIZE, "%.120s%s%.160s", what,
	    detail[0] != '\0' ? ": " : "", detail);
	return false;
}

/* Throws away the state, as what follows is no sequel of it. */
static void
end_state(struct replica *r, const char *why)
{
	struct apply *fresh = apply_new(&r->hooks.apply);

	if (r->hooks.ending != NULL && apply_state(r->apply) != NULL)
		r->hooks.ending(r->hooks.apply.ctx);

	/* without memory the next record is refused, and we come back */
	if (fresh != NULL) {
		apply_free(r->apply);
		r->apply = fresh;
	}
	subscribe_close(r->sub);
	r->sub = NULL;
	r->ended = why;
}

/* The state of the image in FD, and the log behind it. */
static bool
begin_with_image(struct replica *r, int fd, char *why)
{
	char detail[IMAGE_WHY_SIZE];
	struct image_mark mark;
	struct state *st;

	st = image_load(fd, apply_env(r->apply), &mark, detail);
	if (st == NULL)
		return refuse(why, "the image is of no use", detail);
	if (!subscribe_seek(r->sub, &mark)) {
		state_free(st);
		return refuse(
		    why, "the log does not reach back to the image", "");
	}
	apply_set_state(r->apply, st);
	return true;
}

static bool
begin_with_snapshot(struct replica *r, char *why)
{
	char detail[SUBSCRIBE_WHY_SIZE] = "";
	int fd = subscribe_snapshot(r->dir, SNAPSHOT_SECONDS, detail);
	bool ok;

	if (fd < 0)
		return refuse(why, "no snapshot", detail);
	ok = begin_with_image(r, fd, why);
	close(fd);
	return ok;
}

static bool
open_log(struct replica *r, char *why)
{
	char detail[SUBSCRIBE_WHY_SIZE] = "";

	if (r->sub != NULL)
		return true;
	r->sub = subscribe_open(r->dir, detail);
	return r->sub != NULL || refuse(why, "no log", detail);
}

bool
replica_load(struct replica *r, int fd, char why[REPLICA_WHY_SIZE])
{
	return open_log(r, why) && begin_with_image(r, fd, why);
}

bool
replica_save(const struct replica *r, int fd)
{
	struct image_mark mark = replica_mark(r);

	/* an answer without its request is in no image */
	if (!apply_is_between(r->apply)) {
		errno = EAGAIN;
		return false;
	}
	return image_save(apply_state(r->apply), &mark, fd);
}

/* From the first record of the log, if it is there. */
static bool
begin_with_start(struct replica *r)
{
	struct image_mark before = subscribe_mark(r->sub);
	struct log_entry entry;
	struct record record;
	const void *data;

	if (subscribe_next(r->sub, &entry, &data) == SUBSCRIBE_RECORD &&
	    entry.type == RECORD_START) {
		record = apply_entry(&entry, data);
		if (apply_record(r->apply, &record) == NULL)
			return true;
	}
	(void)subscribe_seek(r->sub, &before);
	return false;
}

static enum replicated
begin(struct replica *r, char *why)
{
	const char *ended =
	    r->ended != NULL ? r->ended : "nobody was looking before";

	if (!open_log(r, why))
		return REPLICA_AWAY;
	if ((r->misfit || !begin_with_start(r)) &&
	    !begin_with_snapshot(r, why)) {
		end_state(r, r->ended);
		return REPLICA_AWAY;
	}
	refuse(why, ended, "");
	r->ended = NULL;
	r->misfit = false;
	return REPLICA_BEGUN;
}

/* --- going on --- */

enum replicated
replica_next(struct replica *r, struct log_entry *entry_out,
    const void **data_out, char why[REPLICA_WHY_SIZE])
{
	struct record record;

	if (apply_state(r->apply) == NULL)
		return begin(r, why);
	switch (subscribe_next(r->sub, entry_out, data_out)) {
	case SUBSCRIBE_RECORD:
		record = apply_entry(entry_out, *data_out);
		if (apply_record(r->apply, &record) == NULL)
			return REPLICA_RECORD;
		end_state(r, "a record did not fit the state");
		r->misfit = true;
		break;
	case SUBSCRIBE_NONE:
		return REPLICA_NONE;
	case SUBSCRIBE_LOST:
		end_state(r, "records were overwritten before they were read");
		break;
	case SUBSCRIBE_OTHER:
		end_state(r, "another store daemon has begun a new log");
		break;
	}
	return begin(r, why);
}
