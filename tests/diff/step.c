/* SPDX-License-Identifier: BSD-2-Clause */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
conn_name(int conn)
{
	static const char *const name[CONNS] = { "s0", "s1", "s2", "g1", "g2" };

	return name[conn];
}

void
sequence_add(struct sequence *seq, const struct step *step)
{
	if (seq->n == STEPS_MAX)
		return;
	seq->step[seq->n] = malloc(sizeof(*step));
	if (seq->step[seq->n] == NULL)
		abort();
	*seq->step[seq->n++] = *step;
}

void
sequence_clear(struct sequence *seq)
{
	while (seq->n > 0)
		free(seq->step[--seq->n]);
}

void
bytes_print(const char *payload, size_t len, char *text, size_t size)
{
	size_t at = 0, i;

	text[at++] = '"';
	for (i = 0; i < len && at + 7 < size; i++) {
		unsigned char c = (unsigned char)payload[i];

		if (c == '\0' && (i + 1 == len || payload[i + 1] < '0' ||
				     payload[i + 1] > '7'))
			at += (size_t)sprintf(text + at, "\\0");
		else if (c < ' ' || c > '~' || c == '"' || c == '\\')
			at += (size_t)sprintf(text + at, "\\x%02x", c);
		else
			text[at++] = (char)c;
	}
	strcpy(text + at, "\"");
}

void
step_print(const struct step *step, char *text, size_t size)
{
	static const char *const happens[] = { "", "close", "die", "birth",
		"release", "introduce", "shutdown" };
	char bytes[TEXT_MAX], slot[8] = "";
	const char *op = wire_op_name(step->op);

	if (step->kind != STEP_REQUEST) {
		snprintf(text, size, "%s %s", conn_name(step->conn),
		    happens[step->kind]);
		return;
	}
	if (step->slot == SLOT_DEAD)
		strcpy(slot, ":x");
	else if (step->slot != 0)
		snprintf(slot, sizeof(slot), ":%d", step->slot);
	bytes_print(step->payload, step->len, bytes, sizeof(bytes));
	if (op != NULL)
		snprintf(text, size, "%s%s %s %s", conn_name(step->conn), slot,
		    op, bytes);
	else
		snprintf(text, size, "%s%s %u %s", conn_name(step->conn), slot,
		    step->op, bytes);
}

/* The op with that name or number, or -1. */
static long
op_named(const char *word)
{
	uint32_t op;
	char *end;
	long n = strtol(word, &end, 10);

	if (*end == '\0' && end != word)
		return n;
	for (op = 0; op < WIRE_OP_COUNT; op++)
		if (wire_op_name(op) != NULL &&
		    strcmp(wire_op_name(op), word) == 0)
			return (long)op;
	return -1;
}

/* TEXT begins at a quote. 0 or -1. */
static int
bytes_read(const char *text, struct step *step)
{
	step->len = 0;
	if (*text++ != '"')
		return -1;
	for (; *text != '"'; step->len++) {
		unsigned int c = (unsigned char)*text++;

		if (c == '\0' || step->len == WIRE_PAYLOAD_MAX)
			return -1;
		if (c == '\\' && *text == '0') {
			c = 0;
			text++;
		} else if (c == '\\') {
			if (sscanf(text, "x%2x", &c) != 1)
				return -1;
			text += 3;
		}
		step->payload[step->len] = (char)c;
	}
	step->payload[step->len] = '\0';
	return 0;
}

static int
step_read(char *line, struct step *step)
{
	char who[16], what[32];
	int used = 0, conn;
	char *colon;

	memset(step, 0, sizeof(*step));
	if (sscanf(line, "%15s %31s %n", who, what, &used) < 2)
		return -1;
	colon = strchr(who, ':');
	if (colon != NULL) {
		*colon++ = '\0';
		step->slot = *colon == 'x' ? SLOT_DEAD : atoi(colon);
		if (step->slot < 1 ||
		    (step->slot > SLOTS && step->slot != SLOT_DEAD))
			return -1;
	}
	for (conn = 0; conn < CONNS; conn++)
		if (strcmp(conn_name(conn), who) == 0)
			break;
	if (conn == CONNS)
		return -1;
	step->conn = conn;
	if (strcmp(what, "close") == 0 && !conn_is_guest(conn))
		step->kind = STEP_CLOSE;
	else if (strcmp(what, "die") == 0 && conn_is_guest(conn))
		step->kind = STEP_DIE;
	else if (strcmp(what, "birth") == 0 && conn_is_guest(conn))
		step->kind = STEP_BIRTH;
	else if (strcmp(what, "release") == 0 && conn_is_guest(conn))
		step->kind = STEP_RELEASE;
	else if (strcmp(what, "introduce") == 0 && conn_is_guest(conn))
		step->kind = STEP_INTRODUCE;
	else if (strcmp(what, "shutdown") == 0 && conn_is_guest(conn))
		step->kind = STEP_SHUTDOWN;
	else {
		long op = op_named(what);

		step->op = (uint32_t)op;
		return op < 0 ? -1 : bytes_read(line + used, step);
	}
	return 0;
}

int
sequence_read(struct sequence *seq, const char *file, char *why, size_t size)
{
	static char line[TEXT_MAX + 64];
	FILE *f = fopen(file, "r");
	struct step step;
	int number = 0;

	if (f == NULL) {
		snprintf(why, size, "%s: cannot be read", file);
		return -1;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		number++;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (step_read(line, &step) != 0) {
			snprintf(why, size, "%s:%d: not a step: %.60s", file,
			    number, line);
			fclose(f);
			return -1;
		}
		sequence_add(seq, &step);
	}
	fclose(f);
	return 0;
}

int
sequence_write(
    const struct sequence *seq, const char *file, const char *comment)
{
	FILE *f = strcmp(file, "-") == 0 ? stdout : fopen(file, "w");
	char text[TEXT_MAX + 64];
	int i;

	if (f == NULL)
		return -1;
	fprintf(f, "# %s\n", comment);
	for (i = 0; i < seq->n; i++) {
		step_print(seq->step[i], text, sizeof(text));
		fprintf(f, "%s\n", text);
	}
	return f == stdout ? fflush(f) : fclose(f);
}
