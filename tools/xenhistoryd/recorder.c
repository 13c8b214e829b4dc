/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenhistoryd/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xenhistoryd/known.h"
#include "tools/xenhistoryd/names.h"
#include "tools/xenhistoryd/resync.h"
#include "tools/xenhistoryd/teller.h"

struct recorder {
	struct recorder_config config;
	struct replica *replica;
	struct node *seen; /* a reference to the tree that is written down */
	struct diff *diff;
	struct known_table known;
	struct names *names;
	struct telling telling;
	struct history_act act; /* of the record at hand; id 0: not written */
	int64_t log;		/* id of the log's row; 0: not known yet */
	int64_t log_time;	/* of the last TIME; 0: none */
	int64_t written_seq;	/* of LOG: what the history has already */
	size_t pending;
	bool begun; /* a transaction of the history */
	bool works;
};

/* Now, while a process is there to be asked for its name. NULL: no memory. */
static struct known *
know(struct recorder *r, const struct conn *conn)
{
	struct history_who who = teller_who(conn);

	names_find(r->names, conn, &who);
	return known_add(&r->known, conn_id(conn), &who);
}

/* --- hooks --- */

static void
on_opened(void *ctx, struct conn *conn)
{
	struct recorder *r = ctx;

	known_forget(&r->known, conn_id(conn));
	know(r, conn);
}

static void
on_closed(void *ctx, struct conn *conn)
{
	struct recorder *r = ctx;

	known_forget(&r->known, conn_id(conn));
}

static void
on_answered(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload, enum xs_err err)
{
	struct recorder *r = ctx;
	struct known *k = known_find(&r->known, conn_id(conn));

	teller_answered(&r->telling, conn, header, payload, err);
	if (k == NULL)
		k = know(r, conn);
	r->telling.who = k != NULL ? k->who : teller_who(conn);
}

static void
on_conflict(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload)
{
	struct recorder *r = ctx;

	teller_conflict(&r->telling, conn, header, payload);
}

static struct state *
state(const struct recorder *r)
{
	return replica_state(r->replica);
}

static void
drop_seen(struct recorder *r)
{
	if (r->seen != NULL)
		node_unref(&state(r)->heap, r->seen);
	r->seen = NULL;
}

static void
on_ending(void *ctx)
{
	struct recorder *r = ctx;

	drop_seen(r);
	known_forget_all(&r->known);
	memset(&r->telling, 0, sizeof(r->telling));
}

/* --- life --- */

struct recorder *
recorder_new(const struct recorder_config *config)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct replica_hooks hooks = {
		.apply = {
			.ctx = r,
			.opened = on_opened,
			.closed = on_closed,
			.answered = on_answered,
			.conflict = on_conflict,
		},
		.ending = on_ending,
	};

	if (r == NULL)
		return NULL;
	r->config = *config;
	r->works = true;
	r->diff = diff_new();
	r->replica = replica_new(config->dir, &hooks);
	r->names = names_new(config->dir);
	if (r->diff != NULL && r->replica != NULL && r->names != NULL)
		return r;
	recorder_free(r);
	return NULL;
}

void
recorder_free(struct recorder *r)
{
	if (r == NULL)
		return;
	if (r->begun)
		history_rollback(r->config.history);
	drop_seen(r);
	known_forget_all(&r->known);
	diff_free(r->diff);
	replica_free(r->replica);
	names_free(r->names);
	free(r);
}

bool
recorder_works(const struct recorder *r)
{
	return r->works;
}

size_t
recorder_pending(const struct recorder *r)
{
	return r->pending;
}

/* --- the history's transactions --- */

/* Something was not written: nothing is until recorder_retry(). */
static void
give_up(struct recorder *r)
{
	history_rollback(r->config.history);
	r->begun = false;
	r->works = false;
	drop_seen(r);
}

static bool
begin(struct recorder *r)
{
	if (r->begun)
		return true;
	r->begun = history_begin(r->config.history);
	return r->begun;
}

bool
recorder_flush(struct recorder *r)
{
	struct history *h = r->config.history;
	struct image_mark mark = replica_mark(r->replica);

	r->pending = 0;
	if (!r->begun)
		return r->works;
	if (!history_set_mark(h, "log", r->log) ||
	    !history_set_mark(h, "offset", (int64_t)mark.pos.offset) ||
	    !history_set_mark(h, "seq", (int64_t)mark.pos.seq - 1) ||
	    !history_commit(h)) {
		give_up(r);
		return false;
	}
	r->begun = false;
	return true;
}

void
recorder_tidy(struct recorder *r)
{
	(void)history_tidy(r->config.history);
	known_unwrite(&r->known);
}

/* --- writing --- */

/* The row of whoever the act is by. */
static bool
write_who(struct recorder *r)
{
	struct known *k = NULL;

	if (r->telling.answered)
		k = known_find(&r->known, r->telling.conn);
	if (k != NULL && k->id != 0) {
		r->act.who_id = k->id;
		return true;
	}
	if (!history_add_who(r->config.history, &r->act.who, &r->act.who_id))
		return false;
	if (k != NULL)
		k->id = r->act.who_id;
	return true;
}

/* The act of the record at hand, once. */
static bool
write_act(struct recorder *r)
{
	if (r->act.id != 0)
		return true;
	return begin(r) && write_who(r) &&
	       history_add_act(r->config.history, &r->act);
}

/* What is passed through a comparison of two trees. */
struct writing {
	struct recorder *r;
	bool ok;
};

static void
write_change(void *ctx, struct node *before, struct node *after)
{
	struct writing *w = ctx;
	struct recorder *r = w->r;
	char path[WIRE_ABS_PATH_MAX + 1], perms[HISTORY_PERMS_SIZE];
	struct history_change change;

	if (!w->ok ||
	    !resync_change(
		before, after, r->config.value_max, perms, &change) ||
	    diff_path(r->diff, after != NULL ? after : before, path,
		sizeof(path)) == 0)
		return;
	change.path = path;
	if (r->act.who.kind[0] == 'h' && r->act.who.domid < 0)
		r->act.who.domid = before != NULL
				       ? (int64_t)acl_owner(before->acl)->domid
				       : -1;
	w->ok = write_act(r);
	change.act = r->act.id;
	w->ok = w->ok && history_add_change(r->config.history, &change);
}

/* The tree as it is now is written down. */
static void
see(struct recorder *r)
{
	struct node *live = state(r)->live;

	if (r->seen == live)
		return;
	drop_seen(r);
	r->seen = node_ref(live);
}

/* --- records --- */

static void
act_of_request(struct recorder *r)
{
	struct telling *t = &r->telling;

	r->act.op = teller_op(t->type);
	r->act.who = t->who;
	r->act.txn = t->tx;
	r->act.path = t->has_path ? t->path : NULL;
	r->act.note = t->note[0] != '\0' ? t->note : NULL;
	if (t->err != XS_OK)
		r->act.error = error_name(t->err);
	if (t->conflict) {
		r->act.why_op = teller_op(t->why_type);
		r->act.why_path = t->why_has_path ? t->why_path : NULL;
	}
	if (t->refused) {
		r->act.quota = quota_name(t->quota);
		r->act.quota_domid = t->quota_domid;
		r->act.quota_value = t->quota_value;
		r->act.quota_limit = t->quota_limit;
	}
}

static void
act_of_world(struct recorder *r, const struct log_entry *entry)
{
	struct history_who hypervisor = {
		.kind = "hypervisor", .domid = -1, .uid = -1, .pid = -1
	};

	if (entry->type == RECORD_DOMAIN) {
		hypervisor.domid = (int64_t)entry->a;
		hypervisor.unique_id = entry->b;
	}
	r->act.who = hypervisor;
	r->act.op = "DEATH";
}

/* Writes what the record ENTRY, which was applied, meant. */
static bool
write_record(struct recorder *r, const struct log_entry *entry)
{
	struct writing w = { r, true };
	bool changed = r->seen != state(r)->live;

	if (!changed && !r->telling.answered)
		return true;
	if (r->telling.answered)
		act_of_request(r);
	else
		act_of_world(r, entry);
	if (changed)
		diff_trees(
		    r->diff, r->seen, state(r)->live, NULL, write_change, &w);
	if (w.ok && teller_notable(&r->telling))
		w.ok = write_act(r);
	see(r);
	return w.ok;
}

/* The row of the log at hand, and what the history has of it. */
static bool
know_log(struct recorder *r, int64_t now)
{
	struct history *h = r->config.history;
	struct image_mark mark = replica_mark(r->replica);
	int64_t log = 0, seq = -1;

	if (!history_mark(h, "log", &log) || !history_mark(h, "seq", &seq) ||
	    !begin(r) || !history_log(h, mark.epoch, now, &r->log))
		return false;
	r->written_seq = log == r->log ? seq : -1;
	return true;
}

/* Compares the whole tree with the history, as what lies between is unknown. */
static bool
write_gap(struct recorder *r, int64_t now, const char *why)
{
	struct image_mark mark = replica_mark(r->replica);
	int64_t last = 0;

	r->act = (struct history_act){
		.log = r->log,
		.seq = mark.pos.seq - 1,
		.time = now,
		.who = { .kind = "unknown", .domid = -1, .uid = -1, .pid = -1 },
		.note = why,
	};
	memset(&r->telling, 0, sizeof(r->telling));
	if (!history_last_act(r->config.history, &last))
		return false;
	r->act.op = last == 0 ? "SNAPSHOT" : "GAP";
	if (!begin(r) || !write_who(r) ||
	    !resync_write(
		r->config.history, state(r), &r->act, r->config.value_max))
		return false;
	see(r);
	return true;
}

static void
on_begun(struct recorder *r, int64_t now, const char *why)
{
	struct image_mark mark = replica_mark(r->replica);

	r->log_time = 0;
	if (!r->works)
		return;
	if (!know_log(r, now)) {
		give_up(r);
		return;
	}
	/* what is in the history is only applied */
	if ((int64_t)mark.pos.seq - 1 <= r->written_seq)
		see(r);
	else if (!write_gap(r, now, why))
		give_up(r);
}

static void
on_record(struct recorder *r, const struct log_entry *entry, int64_t now)
{
	r->pending++;
	if (entry->type == RECORD_TIME)
		r->log_time = (int64_t)entry->a;
	if (!r->works)
		return;
	if ((int64_t)entry->seq <= r->written_seq) {
		see(r);
		return;
	}
	r->act = (struct history_act){
		.log = r->log,
		.seq = entry->seq,
		.time = r->log_time != 0 ? r->log_time : now,
	};
	if (!write_record(r, entry))
		give_up(r);
}

enum replicated
recorder_step(struct recorder *r, int64_t now, char why[REPLICA_WHY_SIZE])
{
	enum replicated result;
	struct log_entry entry;
	const void *data;

	r->telling.answered = r->telling.conflict = r->telling.refused = false;
	result = replica_next(r->replica, &entry, &data, why);
	if (result == REPLICA_BEGUN)
		on_begun(r, now, why);
	else if (result == REPLICA_RECORD)
		on_record(r, &entry, now);
	return result;
}

void
recorder_retry(struct recorder *r, int64_t now)
{
	if (r->works || state(r) == NULL)
		return;
	r->works = true;
	if (!know_log(r, now) ||
	    !write_gap(r, now, "the history could not be written"))
		give_up(r);
}

/* --- its own image --- */

bool
recorder_load(struct recorder *r, int fd, char why[REPLICA_WHY_SIZE])
{
	struct image_mark mark;

	if (!replica_load(r->replica, fd, why))
		return false;
	mark = replica_mark(r->replica);
	if (know_log(r, 0) && (int64_t)mark.pos.seq - 1 <= r->written_seq) {
		see(r);
		return true;
	}
	/* newer than the history: what is between would be missing */
	snprintf(why, REPLICA_WHY_SIZE, "the history lacks what is before it");
	return false;
}

bool
recorder_save(const struct recorder *r, int fd)
{
	return state(r) != NULL && r->works && !r->begun &&
	       replica_save(r->replica, fd);
}
