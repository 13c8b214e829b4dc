/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The history as text for people, into a buffer. Knows
 * the history's structures; knows no file.
 */
#ifndef TOOLS_XSHIST_SHOW_H
#define TOOLS_XSHIST_SHOW_H

#include <stdbool.h>

#include "tools/history/history.h"
#include "tools/xs/out.h"

/* How it is shown. */
struct show {
	struct out *out;
	int64_t log; /* the newest log: its sequence numbers stand alone */
	bool color;
};

enum show_color { SHOW_PLAIN, SHOW_DIM, SHOW_RED, SHOW_GREEN, SHOW_YELLOW };

/* From here on in COLOR, if there is color. */
void show_color(struct show *s, enum show_color color);

void show_text(struct show *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "2026-11-22 20:31:07.412", local */
void show_time(struct show *s, int64_t ms);

/* "#20", or "L1:20" in an older log */
void show_seq(struct show *s, int64_t log, uint64_t seq);

/* "xl[4711]", "domain 3", "the kernel of domain 0", "the hypervisor", ... */
void show_who(struct show *s, const struct history_who *who);

/* "\"foo\"", cut if it is long; or how long it is if it was not kept */
void show_value(struct show *s, const void *value, size_t len, uint64_t size);

/* What a change did, with a sign and its colour: "~ /a = "2" (was "1")". */
void show_change(struct show *s, const struct history_change *change);

/* Why an act was refused, in brackets; nothing if there is nothing to say. */
void show_reason(struct show *s, const struct history_act *act);

#endif
