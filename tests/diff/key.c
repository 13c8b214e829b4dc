/* SPDX-License-Identifier: BSD-2-Clause */
#include "key.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t
count_nuls(const struct step *step)
{
	size_t i, n = 0;

	for (i = 0; i < step->len; i++)
		n += step->payload[i] == '\0';
	return n;
}

/* How the strings of OP are counted. */
static bool
shape_ok(const struct step *step)
{
	size_t nuls = count_nuls(step);
	bool ends = step->len > 0 && step->payload[step->len - 1] == '\0';

	switch (step->op) {
	case WIRE_TRANSACTION_START:
	case WIRE_RESET_WATCHES:
	case WIRE_GET_FEATURE:
	case WIRE_SET_FEATURE:
	case WIRE_GET_QUOTA:
	case WIRE_SET_QUOTA:
		return true;
	case WIRE_WRITE:
		return nuls >= 1;
	case WIRE_WATCH:
		return nuls == 2 || nuls == 3;
	case WIRE_UNWATCH:
	case WIRE_DIRECTORY_PART:
	case WIRE_SET_TARGET:
		return nuls == 2;
	case WIRE_SET_PERMS:
		return nuls >= 2;
	case WIRE_INTRODUCE:
		return nuls >= 3;
	case WIRE_CONTROL:
		return nuls >= 1;
	default:
		return nuls == 1 && ends;
	}
}

static const char *
path_word(const char *path)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-/_@";
	size_t len = strlen(path);

	if (len == 0)
		return "empty";
	if (strcmp(path, "/") == 0)
		return "root";
	if (path[0] == '@')
		return "special";
	if (strncmp(path, "/local/domain/", 14) == 0 &&
	    !isdigit((unsigned char)path[14]))
		return "prefix";
	if (path[strspn(path, legal)] != '\0' || strstr(path, "//") != NULL ||
	    path[len - 1] == '/')
		return "syntax";
	if (len > 1000)
		return "long";
	return path[0] == '/' ? "abs" : "rel";
}

static bool
perms_ok(const struct step *step)
{
	const char *p = step->payload + strlen(step->payload) + 1;
	const char *end = step->payload + step->len;
	char *rest;

	for (; p < end; p += strlen(p) + 1)
		if (strchr("nrwb", p[0]) == NULL || p[0] == '\0' ||
		    !isdigit((unsigned char)p[1]) ||
		    strtoul(p + 1, &rest, 10) >= 0x7ff0 || *rest != '\0')
			return false;
	return true;
}

static bool
offset_ok(const struct step *step)
{
	const char *p = step->payload + strlen(step->payload) + 1;

	return *p != '\0' && p[strspn(p, "0123456789")] == '\0';
}

static bool
domids_ok(const struct step *step)
{
	const char *p = step->payload, *end = step->payload + step->len;
	char *rest;

	for (; p < end; p += strlen(p) + 1)
		if (!isdigit((unsigned char)p[0]) ||
		    strtoul(p, &rest, 10) >= 0x7ff0 || *rest != '\0')
			return false;
	return true;
}

void
key_subject(const struct step *step, char *word, size_t size)
{
	const char *more = "";

	if (step->kind != STEP_REQUEST) {
		snprintf(word, size, "-");
		return;
	}
	if (step->len == 0) {
		snprintf(word, size, "nothing");
		return;
	}
	if (!shape_ok(step)) {
		snprintf(word, size, "shape");
		return;
	}
	switch (step->op) {
	case WIRE_CONTROL:
		snprintf(word, size, "%.20s", step->payload);
		return;
	case WIRE_TRANSACTION_START:
	case WIRE_RESET_WATCHES:
	case WIRE_GET_QUOTA:
	case WIRE_SET_QUOTA:
	case WIRE_SET_FEATURE:
		snprintf(word, size, "-");
		return;
	case WIRE_TRANSACTION_END:
		snprintf(word, size, "%s",
		    strcmp(step->payload, "T") == 0   ? "commit"
		    : strcmp(step->payload, "F") == 0 ? "abort"
						      : "oddend");
		return;
	case WIRE_SET_TARGET:
		if (domids_ok(step) &&
		    strtoul(step->payload, NULL, 10) ==
			strtoul(step->payload + strlen(step->payload) + 1, NULL,
			    10)) {
			snprintf(word, size, "self");
			return;
		}
		if (domids_ok(step) && strtoul(step->payload, NULL, 10) == 0) {
			snprintf(word, size, "zero");
			return;
		}
		/* fall through */
	case WIRE_INTRODUCE:
	case WIRE_RELEASE:
	case WIRE_RESUME:
	case WIRE_IS_DOMAIN_INTRODUCED:
	case WIRE_GET_DOMAIN_PATH:
	case WIRE_GET_FEATURE:
		snprintf(word, size, domids_ok(step) ? "domid" : "badid");
		return;
	case WIRE_SET_PERMS:
		more = perms_ok(step) ? "" : "+perms";
		break;
	case WIRE_DIRECTORY_PART:
		more = offset_ok(step) ? "" : "+offset";
		break;
	case WIRE_WATCH:
		more = count_nuls(step) == 3 ? "+depth" : "";
		break;
	default:
		break;
	}
	snprintf(word, size, "%s%s", path_word(step->payload), more);
}

const char *
key_reply(const struct reply *reply)
{
	if (!reply->there)
		return "SILENCE";
	return reply->type == WIRE_ERROR ? reply->payload : "OK";
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The strings of a reply, sorted; their number. */
static size_t
strings(const char *p, size_t len, const char *list[], size_t max)
{
	size_t n = 0, at;

	for (at = 0; at < len && n < max; at += strlen(p + at) + 1)
		list[n++] = p + at;
	qsort(list, n, sizeof(list[0]), by_text);
	return n;
}

static bool
same_strings(const char *a, size_t a_len, const char *b, size_t b_len)
{
	static const char *x[4096], *y[4096];
	size_t n = strings(a, a_len, x, 4096), m = strings(b, b_len, y, 4096);

	if (n != m)
		return false;
	while (n-- > 0)
		if (strcmp(x[n], y[n]) != 0)
			return false;
	return true;
}

bool
key_shrunk(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0, j = 0;

	while (i < a_len && j < b_len) {
		if (strcmp(a + i, b + j) == 0)
			i += strlen(a + i) + 1;
		j += strlen(b + j) + 1;
	}
	return i >= a_len;
}

bool
key_owner(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = strlen(a), j = strlen(b);

	return a[0] == b[0] && a_len - i == b_len - j &&
	       memcmp(a + i, b + j, a_len - i) == 0;
}

const char *
key_compare(uint32_t op, const struct reply *ours, const struct reply *theirs)
{
	const char *a = ours->payload, *b = theirs->payload;
	size_t a_len = ours->len, b_len = theirs->len;

	if (op == WIRE_TRANSACTION_START)
		return NULL;
	if (op == WIRE_DIRECTORY_PART) {
		a_len -= strlen(a) + 1;
		b_len -= strlen(b) + 1;
		a += strlen(a) + 1;
		b += strlen(b) + 1;
	}
	if (a_len == b_len && memcmp(a, b, a_len) == 0)
		return NULL;
	if (op == WIRE_DIRECTORY && same_strings(a, a_len, b, b_len))
		return "reordered";
	if (op == WIRE_GET_PERMS && key_shrunk(a, a_len, b, b_len))
		return "shrunk";
	if (op == WIRE_GET_PERMS && key_owner(a, a_len, b, b_len))
		return "owner";
	return "differs";
}

static void
absolute(const char *path, int conn, char *text, size_t size)
{
	if (path[0] == '/' || path[0] == '@')
		snprintf(text, size, "%s", path);
	else
		snprintf(text, size, "/local/domain/%u/%s",
		    conn_is_guest(conn) ? conn_domid(conn) : 0, path);
}

static bool
is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strcmp(top, "/") == 0 ||
	       (strncmp(path, top, n) == 0 && path[n] == '/');
}

bool
key_same_path(const char *x, const char *y, int conn)
{
	char a[WIRE_PAYLOAD_MAX + 64], b[WIRE_PAYLOAD_MAX + 64];

	absolute(x, conn, a, sizeof(a));
	absolute(y, conn, b, sizeof(b));
	return strcmp(a, b) == 0;
}

const char *
key_relation(const struct step *step, const char *path, int conn)
{
	char changed[WIRE_PAYLOAD_MAX + 64], seen[WIRE_PAYLOAD_MAX + 64];

	if (path[0] == '@')
		return "special";
	if (step->kind != STEP_REQUEST || step->op == WIRE_TRANSACTION_END)
		return "elsewhere";
	if (step->op == WIRE_WATCH)
		return "initial";
	absolute(step->payload, step->conn, changed, sizeof(changed));
	absolute(path, conn, seen, sizeof(seen));
	if (strcmp(changed, seen) == 0)
		return "at";
	if (is_below(seen, changed))
		return "below";
	return is_below(changed, seen) ? "above" : "elsewhere";
}
