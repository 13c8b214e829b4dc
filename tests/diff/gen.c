/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Random sequences: few paths, so that the steps meet.
 */
#include "diff.h"

#include <stdio.h>
#include <string.h>

struct gen {
	struct sequence *seq;
	uint64_t *rng;
	bool open[CONNS][SLOTS + 1];
	enum { UP, RELEASED, SHUT, DEAD } life[CONNS]; /* of guests */
	struct step step;
};

static unsigned
pick(struct gen *g, unsigned n)
{
	uint64_t x = *g->rng;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*g->rng = x;
	return (unsigned)((x * 0x2545f4914f6cdd1dull >> 33) % n);
}

#define ANY(g, table)                                                          \
	((table)[pick(g, (unsigned)(sizeof(table) / sizeof((table)[0])))])

static const char *const good_paths[] = { "/t", "/t/a", "/t/a/b", "/t/a/b/c",
	"/t/b", "/t/ab", "/t/b/d", "/local/domain/1", "/local/domain/1/x",
	"/local/domain/1/x/y", "/local/domain/1/z", "/local/domain/2/x",
	"/local/domain/2", "/local/domain/0/x", "/new", "/new/d/e", "/local",
	"/local/domain", "/", "x", "x/y", "x/y/z", "z" };
static const char *const odd_paths[] = { "@releaseDomain", "@introduceDomain",
	"@other", "@", "", "//", "/t/", "/t//a", "t a", "/t/\xc3\xa4", "x/",
	"/local/domain/", "/local/domain//x", "/local/domain/x",
	"/local/domain/x/y", "/local/domain/9/x", "local/domain", "/t/@a",
	"." };
static const char *const perms[] = { "n0", "n0", "n1", "n2", "r0", "b0", "w0",
	"r1", "w1", "b1", "n1", "r2", "b2", "w2", "b1", "r1", "n9", "r9", "" };
static const char *const odd_perms[] = { "x1", "r", "", "1", "r-1", "b1x",
	"rr1", "r99999999999", "n0 ", "r65535", "n32752" };
static const char *const tokens[] = { "A", "B", "", "long token/with: all" };
static const char *const values[] = { "", "v", "w", "value", "v" };
static const char *const numbers[] = { "0", "1", "2", "9", "1", "32752",
	"32757", "007", "-1", "abc", "", "99999", "4294967296", "+1", " 1",
	"1x" };

static void
add_bytes(struct gen *g, const char *bytes, size_t len)
{
	if (len > WIRE_PAYLOAD_MAX - g->step.len)
		len = WIRE_PAYLOAD_MAX - g->step.len;
	memcpy(g->step.payload + g->step.len, bytes, len);
	g->step.len += len;
}

static void
add(struct gen *g, const char *text)
{
	add_bytes(g, text, strlen(text) + 1);
}

static void
add_path(struct gen *g, unsigned odd_in_100)
{
	char deep[2100];
	size_t len;

	if (pick(g, 400) == 0) {
		len = 2040 + pick(g, 14);
		memset(deep, 'p', len);
		memcpy(deep, "/t/", 3);
		deep[len] = '\0';
		add(g, deep);
	} else if (pick(g, 100) < odd_in_100) {
		add(g, ANY(g, odd_paths));
	} else {
		add(g, ANY(g, good_paths));
	}
}

static void
add_value(struct gen *g)
{
	static const char filler[3000] = { 'f' };
	const char *value = ANY(g, values);

	if (pick(g, 100) == 0)
		add_bytes(g, filler, 100 + pick(g, 2900));
	else
		add_bytes(g, value, strlen(value));
	if (pick(g, 100) == 0)
		add_bytes(g, "\0behind", 7);
}

static void
fill_perms(struct gen *g)
{
	unsigned i, n = 1 + pick(g, 3);

	if (conn_is_guest(g->step.conn) && pick(g, 3) != 0) {
		char own[16];

		snprintf(own, sizeof(own), "%c%u", "nrwb"[pick(g, 4)],
		    conn_domid(g->step.conn));
		add(g, own);
		n--;
	}
	for (i = 0; i < n; i++)
		add(g, pick(g, 40) == 0 ? ANY(g, odd_perms) : ANY(g, perms));
}

static void
fill_watch(struct gen *g)
{
	add_path(g, 12);
	add(g, ANY(g, tokens));
	if (pick(g, 60) == 0)
		add(g, ANY(g, numbers));
}

static void
fill_part(struct gen *g)
{
	static const char *const offsets[] = { "0", "0", "0", "2", "4", "100",
		"abc", "", "-1", "1" };

	add_path(g, 4);
	add(g, ANY(g, offsets));
}

static void
fill_feature(struct gen *g)
{
	static const char *const masks[] = { "0", "15", "14", "16", "x", "" };

	add(g, ANY(g, numbers));
	if (g->step.op == WIRE_SET_FEATURE)
		add(g, ANY(g, masks));
}

static void
fill_quota(struct gen *g)
{
	/* that nothing in a sequence depends on */
	static const char *const names[] = { "nodes", "memory", "nonsense", "",
		"watches", "outstanding" };
	static const char *const limits[] = { "1000000", "0", "-1", "x",
		"4294967296", "" };

	if (pick(g, 3) == 0)
		add(g, ANY(g, numbers));
	if (pick(g, 5) != 0)
		add(g, ANY(g, names));
	if (g->step.op == WIRE_SET_QUOTA)
		add(g, ANY(g, limits));
}

static void
fill_control(struct gen *g)
{
	static const char *const commands[] = { "nonsense", "check", "", "help",
		"quota", "quota\0max", "quota\0max\0-r",
		"quota\0"
		"1",
		"quota\0"
		"9",
		"quota\0set\0watches",
		"quota\0set\0nonsense\0"
		"1",
		"quota-soft", "log", "log\0+nonsense", "print",
		"print\0to the log", "memreport\0a\0b\0c", "check\0more" };
	static const size_t len[] = { 9, 6, 1, 5, 6, 10, 13, 8, 8, 18, 21, 11,
		4, 14, 6, 17, 16, 11 };
	unsigned i = pick(g, sizeof(len) / sizeof(len[0]));

	add_bytes(g, commands[i], len[i]);
}

static void
fill_domain_op(struct gen *g)
{
	unsigned extra = g->step.op == WIRE_INTRODUCE ? 2 : 0;

	/* Domain 2 may serve 1. Both ways, neither would ever end in C 4.17. */
	if (g->step.op == WIRE_SET_TARGET && pick(g, 3) != 0) {
		add(g, pick(g, 3) != 0 ? "2" : ANY(g, numbers));
		add(g, "1");
		return;
	}
	if (g->step.op == WIRE_SET_TARGET) {
		add(g, pick(g, 3) != 0 ? "9" : "1");
		add(g, pick(g, 3) != 0 ? "9" : "1x");
		return;
	}
	/* Living domains are released and introduced by steps of their own. */
	if (g->step.op == WIRE_RELEASE || g->step.op == WIRE_INTRODUCE)
		add(g, pick(g, 2) != 0 ? "9" : "abc");
	else
		add(g, ANY(g, numbers));
	while (extra-- > 0)
		add(g, ANY(g, numbers));
}

/* Cuts, lengthens or disturbs what is there. */
static void
malform(struct gen *g)
{
	switch (pick(g, 5)) {
	case 0:
		g->step.len = 0;
		break;
	case 1:
		if (g->step.len > 0)
			g->step.len--;
		break;
	case 2:
		add_bytes(g, "x", 1);
		break;
	case 3:
		add_bytes(g, "", 1);
		break;
	default:
		g->step.len = pick(g, (unsigned)g->step.len + 1);
	}
}

static int
any_slot(struct gen *g)
{
	int conn = g->step.conn, i;

	if (pick(g, 60) == 0)
		return SLOT_DEAD;
	if (pick(g, 3) == 0)
		return 0;
	for (i = 1 + (int)pick(g, SLOTS); i <= SLOTS; i++)
		if (g->open[conn][i])
			return i;
	return pick(g, 40) == 0 ? 1 : 0;
}

static void
fill_txn(struct gen *g)
{
	static const char *const ends[] = { "T", "T", "T", "T", "T", "F" };
	static const char *const odd_ends[] = { "X", "", "TT", "t" };
	int slot;

	if (g->step.op == WIRE_TRANSACTION_START) {
		slot = 1 + (int)pick(g, SLOTS);
		g->step.slot = slot;
		g->open[g->step.conn][slot] = true;
		add(g, "");
		return;
	}
	slot = any_slot(g);
	g->step.slot = slot;
	if (pick(g, 30) == 0) {
		add(g, ANY(g, odd_ends));
		return;
	}
	add(g, ANY(g, ends));
	if (slot > 0 && slot <= SLOTS)
		g->open[g->step.conn][slot] = false;
}

static uint32_t
any_op(struct gen *g)
{
	static const struct {
		uint32_t op;
		unsigned weight;
	} odds[] = { { WIRE_READ, 120 }, { WIRE_WRITE, 190 },
		{ WIRE_MKDIR, 80 }, { WIRE_RM, 80 }, { WIRE_DIRECTORY, 80 },
		{ WIRE_GET_PERMS, 60 }, { WIRE_SET_PERMS, 90 },
		{ WIRE_WATCH, 60 }, { WIRE_UNWATCH, 25 },
		{ WIRE_TRANSACTION_START, 50 }, { WIRE_TRANSACTION_END, 60 },
		{ WIRE_DIRECTORY_PART, 25 }, { WIRE_GET_DOMAIN_PATH, 6 },
		{ WIRE_IS_DOMAIN_INTRODUCED, 6 }, { WIRE_INTRODUCE, 3 },
		{ WIRE_RELEASE, 3 }, { WIRE_RESUME, 4 }, { WIRE_SET_TARGET, 3 },
		{ WIRE_RESET_WATCHES, 3 }, { WIRE_CONTROL, 4 },
		{ WIRE_WATCH_EVENT, 1 }, { WIRE_ERROR, 1 }, { 20, 1 },
		{ WIRE_GET_FEATURE, 2 }, { WIRE_SET_FEATURE, 2 },
		{ WIRE_GET_QUOTA, 3 }, { WIRE_SET_QUOTA, 3 }, { 27, 1 },
		{ 4000000000u, 1 } };
	unsigned total = 0, i, at;

	for (i = 0; i < sizeof(odds) / sizeof(odds[0]); i++)
		total += odds[i].weight;
	at = pick(g, total);
	for (i = 0; at >= odds[i].weight; i++)
		at -= odds[i].weight;
	return odds[i].op;
}

static void
fill(struct gen *g)
{
	switch (g->step.op) {
	case WIRE_WRITE:
		add_path(g, 4);
		add_value(g);
		break;
	case WIRE_SET_PERMS:
		add_path(g, 5);
		fill_perms(g);
		break;
	case WIRE_WATCH:
		fill_watch(g);
		break;
	case WIRE_UNWATCH:
		add_path(g, 4);
		add(g, ANY(g, tokens));
		break;
	case WIRE_DIRECTORY_PART:
		fill_part(g);
		break;
	case WIRE_CONTROL:
		fill_control(g);
		break;
	case WIRE_GET_QUOTA:
	case WIRE_SET_QUOTA:
		fill_quota(g);
		break;
	case WIRE_GET_FEATURE:
	case WIRE_SET_FEATURE:
		fill_feature(g);
		break;
	case WIRE_RESET_WATCHES:
		add(g, "");
		break;
	case WIRE_INTRODUCE:
	case WIRE_RELEASE:
	case WIRE_RESUME:
	case WIRE_SET_TARGET:
	case WIRE_IS_DOMAIN_INTRODUCED:
	case WIRE_GET_DOMAIN_PATH:
		fill_domain_op(g);
		break;
	default:
		add_path(g, 5);
	}
}

static void
add_request(struct gen *g)
{
	g->step.op = any_op(g);
	if (g->step.op == WIRE_TRANSACTION_START ||
	    g->step.op == WIRE_TRANSACTION_END) {
		fill_txn(g);
	} else {
		fill(g);
		g->step.slot = any_slot(g);
		if (pick(g, 40) == 0)
			malform(g);
		if (g->step.op == WIRE_RESET_WATCHES)
			memset(g->open[g->step.conn], 0,
			    sizeof(g->open[g->step.conn]));
	}
	sequence_add(g->seq, &g->step);
}

/* What happens to the guest CONN, now and then. */
static bool
guest_happening(struct gen *g, int conn)
{
	static const struct {
		int life, one_in;
		enum step_kind kind;
		int next;
	} odds[] = {
		{ DEAD, 2, STEP_BIRTH, UP },
		{ SHUT, 2, STEP_DIE, DEAD },
		{ RELEASED, 2, STEP_INTRODUCE, UP },
		{ RELEASED, 6, STEP_DIE, DEAD },
		{ UP, 500, STEP_DIE, DEAD },
		{ UP, 900, STEP_RELEASE, RELEASED },
		{ UP, 900, STEP_INTRODUCE, UP },
		{ UP, 2000, STEP_SHUTDOWN, SHUT },
	};
	size_t i;

	for (i = 0; i < sizeof(odds) / sizeof(odds[0]); i++)
		if ((int)g->life[conn] == odds[i].life &&
		    pick(g, (unsigned)odds[i].one_in) == 0) {
			g->step.kind = odds[i].kind;
			g->life[conn] = odds[i].next;
			return true;
		}
	return false;
}

/* Something that is no request, now and then. */
static bool
add_happening(struct gen *g)
{
	int conn = g->step.conn;

	if (conn_is_guest(conn)) {
		if (!guest_happening(g, conn))
			return false;
	} else if (pick(g, 300) == 0) {
		g->step.kind = STEP_CLOSE;
	} else {
		return false;
	}
	memset(g->open[conn], 0, sizeof(g->open[conn]));
	sequence_add(g->seq, &g->step);
	return true;
}

void
gen_sequence(struct sequence *seq, int n, uint64_t *rng)
{
	struct gen g = { .seq = seq, .rng = rng };
	int i;

	for (i = 0; i < n; i++) {
		memset(&g.step, 0, sizeof(g.step));
		g.step.conn = (int)pick(&g, CONNS);
		if (!add_happening(&g))
			add_request(&g);
	}
}
