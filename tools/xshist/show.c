/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xshist/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VALUE_SHOWN = 64 };

void
show_color(struct show *s, enum show_color color)
{
	static const char *const code[] = {
		[SHOW_PLAIN] = "\033[0m",
		[SHOW_DIM] = "\033[2m",
		[SHOW_RED] = "\033[31m",
		[SHOW_GREEN] = "\033[32m",
		[SHOW_YELLOW] = "\033[33m",
	};

	if (s->color)
		out_string(s->out, code[color]);
}

void
show_text(struct show *s, const char *format, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	out_string(s->out, text);
}

void
show_time(struct show *s, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	show_text(s, "%s.%03d", text, (int)(ms % 1000));
}

void
show_seq(struct show *s, int64_t log, uint64_t seq)
{
	if (log == s->log)
		show_text(s, "#%" PRIu64, seq);
	else
		show_text(s, "L%" PRId64 ":%" PRIu64, log, seq);
}

void
show_who(struct show *s, const struct history_who *who)
{
	if (strcmp(who->kind, "socket") == 0) {
		if (who->command[0] != '\0')
			show_text(s, "%s[%" PRId64 "]", who->command, who->pid);
		else
			show_text(s, "process %" PRId64, who->pid);
		if (who->uid > 0)
			show_text(s, " of uid %" PRId64, who->uid);
	} else if (strcmp(who->kind, "ring") == 0) {
		show_text(s,
		    who->domid == 0 ? "the kernel of domain 0"
				    : "domain %" PRId64,
		    who->domid);
	} else if (strcmp(who->kind, "hypervisor") == 0) {
		out_string(s->out, "the hypervisor");
	} else {
		out_string(s->out, "unknown");
	}
}

void
show_value(struct show *s, const void *value, size_t len, uint64_t size)
{
	if (value == NULL) {
		show_text(s, "(%" PRIu64 " bytes)", size);
		return;
	}
	out_string(s->out, "\"");
	out_escaped(s->out, value, len < VALUE_SHOWN ? len : VALUE_SHOWN);
	out_string(s->out, len > VALUE_SHOWN ? "...\"" : "\"");
}

/* "(was ...)", as far as it is known and another one. */
static void
show_before(struct show *s, const struct history_change *c)
{
	if (c->what == HISTORY_WRITTEN && c->has_before) {
		out_string(s->out, " (was ");
		show_value(s, c->before, c->before_len, c->before_size);
		out_string(s->out, ")");
	}
	if (c->before_perms != NULL && c->has_before && c->perms != NULL &&
	    strcmp(c->perms, c->before_perms) != 0)
		show_text(s, " %s (was %s)", c->perms, c->before_perms);
}

void
show_change(struct show *s, const struct history_change *c)
{
	switch (c->what) {
	case HISTORY_MADE:
		show_color(s, SHOW_GREEN);
		show_text(s, "+ %s = ", c->path);
		show_value(s, c->value, c->value_len, c->size);
		break;
	case HISTORY_REMOVED:
		show_color(s, SHOW_RED);
		show_text(s, "- %s", c->path);
		if (c->has_before) {
			out_string(s->out, " (was ");
			show_value(s, c->before, c->before_len, c->before_size);
			out_string(s->out, ")");
		}
		break;
	case HISTORY_WRITTEN:
		show_color(s, SHOW_YELLOW);
		show_text(s, "~ %s = ", c->path);
		show_value(s, c->value, c->value_len, c->size);
		show_before(s, c);
		break;
	default:
		show_color(s, SHOW_YELLOW);
		show_text(s, "~ %s", c->path);
		show_before(s, c);
		break;
	}
	show_color(s, SHOW_PLAIN);
}

void
show_reason(struct show *s, const struct history_act *act)
{
	if (act->quota != NULL) {
		show_text(s,
		    " (%s of domain %" PRId64 ": %" PRId64 " would be, %" PRId64
		    " may be)",
		    act->quota, act->quota_domid, act->quota_value,
		    act->quota_limit);
	} else if (act->why_op != NULL) {
		show_text(s, " (%s %s would be answered otherwise", act->why_op,
		    act->why_path != NULL ? act->why_path : "");
		if (act->why_act != 0) {
			out_string(s->out, " since ");
			show_seq(s, act->why.log, act->why.seq);
		}
		out_string(s->out, ")");
	} else if (act->note != NULL) {
		show_text(s, " (%s)", act->note);
	}
}

/* --- JSON --- */

/* The length of the UTF-8 character at TEXT, of which LEN bytes are left; 0:
 * there is none. */
static size_t
utf8_len(const unsigned char *text, size_t len)
{
	size_t n, i;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	n = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < n; i++)
		if (i >= len || (text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) ||
	    (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) ||
	    (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return n;
}

static bool
is_text(const void *data, size_t len)
{
	const unsigned char *text = data;
	size_t i = 0, n;

	for (; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

void
json_string(struct out *out, const void *text, size_t len)
{
	const unsigned char *p = text;
	char escape[8];
	size_t i;

	out_string(out, "\"");
	for (i = 0; i < len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			snprintf(escape, sizeof(escape), "\\%c", p[i]);
		else if (p[i] < 0x20 || p[i] == 0x7f)
			snprintf(escape, sizeof(escape), "\\u%04x", p[i]);
		else
			snprintf(escape, sizeof(escape), "%c", p[i]);
		out_string(out, escape);
	}
	out_string(out, "\"");
}

static void
json_name(struct out *out, const char *name)
{
	out_string(out, ",\"");
	out_string(out, name);
	out_string(out, "\":");
}

void
json_text(struct out *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	json_name(out, name);
	json_string(out, text, strlen(text));
}

void
json_number(struct out *out, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	json_name(out, name);
	out_string(out, text);
}

/* Bytes that are no text go to NAME_hex. */
static void
json_value(struct out *out, const char *name, const void *value, size_t len)
{
	const unsigned char *p = value;
	char text[64];
	size_t i;

	if (value == NULL)
		return;
	if (is_text(value, len)) {
		json_name(out, name);
		json_string(out, value, len);
		return;
	}
	snprintf(text, sizeof(text), "%s_hex", name);
	json_name(out, text);
	out_string(out, "\"");
	for (i = 0; i < len; i++) {
		snprintf(text, sizeof(text), "%02x", p[i]);
		out_string(out, text);
	}
	out_string(out, "\"");
}

static void
json_digest(struct out *out, const char *name, bool has, uint64_t digest)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, digest);
	json_text(out, name, has ? text : NULL);
}

static void
json_who(struct out *out, const char *name, const struct history_who *who)
{
	json_name(out, name);
	out_string(out, "{\"kind\":");
	json_string(out, who->kind, strlen(who->kind));
	if (who->domid >= 0) {
		json_number(out, "domid", who->domid);
		json_number(out, "unique_id", (int64_t)who->unique_id);
	}
	if (who->uid >= 0)
		json_number(out, "uid", who->uid);
	if (who->pid >= 0)
		json_number(out, "pid", who->pid);
	json_text(
	    out, "command", who->command[0] != '\0' ? who->command : NULL);
	out_string(out, "}");
}

static void
json_conflict(struct out *out, const struct history_act *act)
{
	out_string(out, ",\"conflict\":{\"op\":");
	json_string(out, act->why_op, strlen(act->why_op));
	json_text(out, "path", act->why_path);
	if (act->why_act != 0) {
		out_string(out, ",\"since\":{\"op\":");
		json_string(out, act->why.op, strlen(act->why.op));
		json_number(out, "log", act->why.log);
		json_number(out, "seq", (int64_t)act->why.seq);
		json_number(out, "time_ms", act->why.time);
		json_who(out, "who", &act->why.who);
		out_string(out, "}");
	}
	out_string(out, "}");
}

void
json_act(struct out *out, const struct history_act *act)
{
	out_string(out, "\"op\":");
	json_string(out, act->op, strlen(act->op));
	json_number(out, "log", act->log);
	json_number(out, "seq", (int64_t)act->seq);
	json_number(out, "time_ms", act->time);
	json_who(out, "who", &act->who);
	if (act->txn != 0)
		json_number(out, "transaction", act->txn);
	json_text(out, "path", act->path);
	json_text(out, "error", act->error);
	if (act->why_op != NULL)
		json_conflict(out, act);
	if (act->quota != NULL) {
		out_string(out, ",\"quota\":{\"name\":");
		json_string(out, act->quota, strlen(act->quota));
		json_number(out, "domid", act->quota_domid);
		json_number(out, "value", act->quota_value);
		json_number(out, "limit", act->quota_limit);
		out_string(out, "}");
	}
	json_text(out, "note", act->note);
}

void
json_change(struct out *out, const struct history_change *c)
{
	out_string(out, "{\"change\":");
	json_string(out, history_what_name[c->what],
	    strlen(history_what_name[c->what]));
	json_text(out, "path", c->path);
	if (c->has_new) {
		json_number(out, "size", (int64_t)c->size);
		json_value(out, "value", c->value, c->value_len);
		json_text(out, "perms", c->perms);
	}
	json_digest(out, "digest", c->has_new, c->new_digest);
	json_digest(out, "old_digest", c->has_old, c->old_digest);
	if (c->has_before) {
		json_value(out, "old_value", c->before, c->before_len);
		json_text(out, "old_perms", c->before_perms);
	}
	out_string(out, "}");
}
