/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xshist/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/xs/json.h"

/* ,"KEY":"TEXT"; nothing if TEXT is NULL. */
static void
add_text(struct out *out, const char *key, const char *text)
{
	if (text == NULL)
		return;
	out_string(out, ",");
	json_member(out, key, text);
}

static void
add_number(struct out *out, const char *key, int64_t number)
{
	char text[64];

	snprintf(text, sizeof(text), ",\"%s\":%" PRId64, key, number);
	out_string(out, text);
}

/* Nothing if VALUE is NULL. */
static void
add_bytes(struct out *out, const char *key, const void *value, size_t len)
{
	if (value == NULL)
		return;
	out_string(out, ",");
	json_bytes(out, key, value, len);
}

static void
add_digest(struct out *out, const char *key, bool has, uint64_t digest)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, digest);
	add_text(out, key, has ? text : NULL);
}

static void
add_who(struct out *out, const struct history_who *who)
{
	out_string(out, ",\"who\":{");
	json_member(out, "kind", who->kind);
	if (who->domid >= 0) {
		add_number(out, "domid", who->domid);
		add_number(out, "unique_id", (int64_t)who->unique_id);
	}
	if (who->uid >= 0)
		add_number(out, "uid", who->uid);
	if (who->pid >= 0)
		add_number(out, "pid", who->pid);
	add_text(out, "command", who->command[0] != '\0' ? who->command : NULL);
	out_string(out, "}");
}

static void
add_conflict(struct out *out, const struct history_act *act)
{
	out_string(out, ",\"conflict\":{");
	json_member(out, "op", act->why_op);
	add_text(out, "path", act->why_path);
	if (act->why_act != 0) {
		out_string(out, ",\"since\":{");
		json_member(out, "op", act->why.op);
		add_number(out, "log", act->why.log);
		add_number(out, "seq", (int64_t)act->why.seq);
		add_number(out, "time_ms", act->why.time);
		add_who(out, &act->why.who);
		out_string(out, "}");
	}
	out_string(out, "}");
}

static void
add_quota(struct out *out, const struct history_act *act)
{
	out_string(out, ",\"quota\":{");
	json_member(out, "name", act->quota);
	add_number(out, "domid", act->quota_domid);
	add_number(out, "value", act->quota_value);
	add_number(out, "limit", act->quota_limit);
	out_string(out, "}");
}

void
object_act(struct out *out, const struct history_act *act)
{
	json_member(out, "op", act->op);
	add_number(out, "log", act->log);
	add_number(out, "seq", (int64_t)act->seq);
	add_number(out, "time_ms", act->time);
	add_who(out, &act->who);
	if (act->txn != 0)
		add_number(out, "transaction", act->txn);
	add_text(out, "path", act->path);
	add_text(out, "error", act->error);
	if (act->why_op != NULL)
		add_conflict(out, act);
	if (act->quota != NULL)
		add_quota(out, act);
	add_text(out, "note", act->note);
}

void
object_change(struct out *out, const struct history_change *c)
{
	out_string(out, "{");
	json_member(out, "change", history_what_name[c->what]);
	add_text(out, "path", c->path);
	if (c->has_new) {
		add_number(out, "size", (int64_t)c->size);
		add_bytes(out, "value", c->value, c->value_len);
		add_text(out, "perms", c->perms);
	}
	add_digest(out, "digest", c->has_new, c->new_digest);
	add_digest(out, "old_digest", c->has_old, c->old_digest);
	if (c->has_before) {
		add_bytes(out, "old_value", c->before, c->before_len);
		add_text(out, "old_perms", c->before_perms);
	}
	out_string(out, "}");
}
