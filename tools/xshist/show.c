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
		/* a process chooses its name: terminals shall not obey it */
		out_escaped(s->out, who->command, strlen(who->command));
		if (who->command[0] != '\0')
			show_text(s, "[%" PRId64 "]", who->pid);
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
