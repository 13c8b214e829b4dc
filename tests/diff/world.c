/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The known start that every sequence begins from, domains, and the walk over
 * a daemon's tree.
 */
#include "target.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A request of the tester's own with the strings given, NULL last. */
static const struct reply *
ctl(struct target *t, uint32_t op, ...)
{
	char payload[WIRE_PAYLOAD_MAX];
	size_t len = 0;
	const char *s;
	va_list ap;

	va_start(ap, op);
	while ((s = va_arg(ap, const char *)) != NULL) {
		memcpy(payload + len, s, strlen(s) + 1);
		len += strlen(s) + 1;
	}
	va_end(ap);
	return target_ctl(t, op, payload, len);
}

struct target *
target_open(const char *spec, const char *kernel)
{
	struct target *t = calloc(1, sizeof(*t));
	int conn;

	if (sscanf(spec, "%31[^:]:%127[^:]:%99s", t->name, t->root,
		t->socket) != 3) {
		fprintf(stderr, "diff: %s: not NAME:HV_ROOT:SOCKET\n", spec);
		exit(2);
	}
	t->machine = machine_open(t->root, kernel);
	for (conn = 0; conn <= CTL; conn++) {
		t->link[conn].fd = -1;
		t->link[conn].in = malloc(IN_MAX);
		if (conn == CTL || !conn_is_guest(conn))
			link_open_socket(t, conn);
	}
	return t;
}

void
target_reopen(struct target *t, int conn)
{
	link_close(t, conn);
	link_open_socket(t, conn);
}

enum guest_state
target_guest_state(struct target *t, int conn)
{
	const struct link *l = &t->link[conn];

	return l->guest == NULL ? GUEST_DEAD
	       : l->shut	? GUEST_SHUT
	       : l->released	? GUEST_RELEASED
				: GUEST_UP;
}

void
target_guest_die(struct target *t, int conn)
{
	static const struct timespec moment = { 0, 300000 };
	struct link *l = &t->link[conn];
	char domid[16];
	int tries;

	if (l->guest == NULL)
		return;
	link_forget(l);
	guest_free(t->machine, l->guest);
	l->guest = NULL;
	l->released = l->shut = false;
	snprintf(domid, sizeof(domid), "%u", conn_domid(conn));
	for (tries = 0; tries < 20000; tries++) {
		const struct reply *r =
		    ctl(t, WIRE_IS_DOMAIN_INTRODUCED, domid, NULL);

		if (r->type != WIRE_ERROR && r->payload[0] == 'F')
			return;
		nanosleep(&moment, NULL);
	}
	target_is_dead(t, "has not heard of a domain's end");
}

const struct reply *
target_guest_release(struct target *t, int conn)
{
	struct link *l = &t->link[conn];
	char domid[16];

	link_forget(l);
	l->released = true;
	snprintf(domid, sizeof(domid), "%u", conn_domid(conn));
	return ctl(t, WIRE_RELEASE, domid, NULL);
}

const struct reply *
target_guest_introduce(struct target *t, int conn)
{
	struct link *l = &t->link[conn];
	char domid[16], gfn[24], port[16];
	const struct reply *r;

	snprintf(domid, sizeof(domid), "%u", conn_domid(conn));
	snprintf(gfn, sizeof(gfn), "%llu",
	    (unsigned long long)guest_store_gfn(l->guest));
	snprintf(port, sizeof(port), "%u", guest_store_port(l->guest));
	r = ctl(t, WIRE_INTRODUCE, domid, gfn, port, NULL);
	link_forget(l);
	l->released = false;
	return r;
}

void
target_guest_shutdown(struct target *t, int conn)
{
	static const struct timespec moment = { 0, 300000 };
	struct link *l = &t->link[conn];
	unsigned before = t->releases;
	int tries;

	link_forget(l);
	l->shut = true;
	guest_shutdown(t->machine, l->guest);
	for (tries = 0; tries < 20000; tries++) {
		ctl(t, WIRE_GET_DOMAIN_PATH, "0", NULL);
		if (t->releases != before)
			return;
		nanosleep(&moment, NULL);
	}
	target_is_dead(t, "has not told of a domain's shutdown");
}

void
target_guest_birth(struct target *t, int conn)
{
	char domid[16], home[32], owner[24];
	struct link *l = &t->link[conn];
	const struct reply *r;

	if (l->guest != NULL)
		return;
	l->guest = guest_new(t->machine, conn_domid(conn));
	l->released = l->shut = false;
	snprintf(domid, sizeof(domid), "%u", conn_domid(conn));
	snprintf(home, sizeof(home), "/local/domain/%s", domid);
	snprintf(owner, sizeof(owner), "n%s", domid);
	r = target_guest_introduce(t, conn);
	if (r->type == WIRE_ERROR) {
		fprintf(stderr, "diff: %s: INTRODUCE %s: %s\n", t->name, domid,
		    r->payload);
		exit(1);
	}
	ctl(t, WIRE_MKDIR, home, NULL);
	ctl(t, WIRE_SET_PERMS, home, owner, NULL);
}

/* Connections without watches, transactions or anything under way. */
static void
reset_connections(struct target *t, bool fresh)
{
	int conn;

	/* from the last on: a target of another one would not be let go */
	for (conn = CONNS - 1; conn >= 0; conn--) {
		struct link *l = &t->link[conn];

		if (!conn_is_guest(conn)) {
			target_reopen(t, conn);
			continue;
		}
		if (fresh)
			target_guest_die(t, conn);
		if (!link_is_up(l)) {
			target_guest_die(t, conn);
			continue;
		}
		target_send(t, conn, WIRE_RESET_WATCHES, 0, "", 1);
		targets_wait();
		link_forget(l);
	}
}

void
target_reset(struct target *t, bool fresh)
{
	const struct reply *r;
	static const char *const gone[] = { "/t", "/new", "/local" };
	char home[32], owner[16];
	size_t i;
	int conn;

	reset_connections(t, fresh);
	for (i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ctl(t, WIRE_RM, gone[i], NULL);
	ctl(t, WIRE_WRITE, "/", NULL);
	ctl(t, WIRE_SET_PERMS, "/", "n0", NULL);
	ctl(t, WIRE_MKDIR, "/local/domain/0", NULL);
	ctl(t, WIRE_SET_PERMS, "@introduceDomain", "n0", NULL);
	ctl(t, WIRE_SET_PERMS, "@releaseDomain", "n0", NULL);
	r = ctl(t, WIRE_MKDIR, "/t", NULL);
	if (r->type == WIRE_ERROR)
		target_is_dead(t, "cannot be brought to the known start");
	for (conn = SOCKETS; conn < CONNS; conn++) {
		snprintf(
		    home, sizeof(home), "/local/domain/%u", conn_domid(conn));
		snprintf(owner, sizeof(owner), "n%u", conn_domid(conn));
		target_guest_birth(t, conn);
		ctl(t, WIRE_MKDIR, home, NULL);
		ctl(t, WIRE_SET_PERMS, home, owner, NULL);
	}
	ctl(t, WIRE_WATCH, "@releaseDomain", "ctl", NULL);
	target_clear_events(t);
}

/* ------------------------------------------------------------- the tree -- */

struct names {
	char **name;
	size_t n;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The children in the reply R, sorted, as paths below PATH. */
static struct names
children(const struct reply *r, const char *path)
{
	struct names out = { NULL, 0 };
	size_t at;

	for (at = 0; r->type != WIRE_ERROR && at < r->len;
	     at += strlen(r->payload + at) + 1) {
		char *child =
		    malloc(strlen(path) + strlen(r->payload + at) + 2);

		sprintf(child, "%s/%s", strcmp(path, "/") == 0 ? "" : path,
		    r->payload + at);
		out.name = realloc(out.name, (out.n + 1) * sizeof(out.name[0]));
		out.name[out.n++] = child;
	}
	qsort(out.name, out.n, sizeof(out.name[0]), by_name);
	return out;
}

/* What a daemon keeps for itself is not the clients' tree. */
static bool
is_own(const char *path)
{
	return strncmp(path, "/tool", 5) == 0 || strchr(path, '@') != NULL;
}

static void
walk(struct target *t, const char *path, FILE *out)
{
	char text[TEXT_MAX];
	const struct reply *r;
	struct names below;
	size_t i;

	r = ctl(t, WIRE_READ, path, NULL);
	bytes_print(r->payload, r->len, text, sizeof(text));
	fprintf(out, "%s = %s", path, text);
	r = ctl(t, WIRE_GET_PERMS, path, NULL);
	bytes_print(r->payload, r->len, text, sizeof(text));
	fprintf(out, " %s\n", text);
	below = children(ctl(t, WIRE_DIRECTORY, path, NULL), path);
	for (i = 0; i < below.n; i++) {
		if (!is_own(below.name[i]))
			walk(t, below.name[i], out);
		free(below.name[i]);
	}
	free(below.name);
}

char *
target_walk(struct target *t)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	walk(t, "/", out);
	fclose(out);
	return text;
}
