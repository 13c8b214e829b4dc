/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xenstored/check.h"
#include "xenstored/ops.h"

enum {
	CONTROL_ARGS = 8,
	CHECK_AT_ONCE = 1500, /* nodes, so that nobody waits for long */
};

/* Text that is being made in st->text; more than fits is cut. */
struct text {
	char *buf;
	size_t len, size;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->buf + t->len, t->size - t->len, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
	if (t->len >= t->size)
		t->len = t->size - 1;
}

/* --- quota --- */

static enum xs_err
parse_domid(struct request *req, const char *text, struct principal **p_out)
{
	uint64_t domid;

	if (!wire_number(text, DOMID_FIRST_RESERVED - 1, &domid))
		return XS_EINVAL;
	return core_principal(req->st, (uint32_t)domid, p_out);
}

/* Sets the limit called NAME of P, or of all if that is NULL, to TEXT. */
static enum xs_err
set_limit(struct request *req, struct principal *p, const char *name,
    const char *text)
{
	enum quota_id id = quota_by_name(name);
	uint64_t value;

	if (id == QUOTA_COUNT || !wire_number(text, INT32_MAX, &value))
		return XS_EINVAL;
	req->changed = true;
	if (p != NULL)
		p->limit.n[id] = (int64_t)value;
	else
		principals_pool(req->st->all)->limits.n[id] = (int64_t)value;
	return XS_OK;
}

static enum xs_err
show_peak(
    struct request *req, int argc, const char *const argv[], struct text *t)
{
	struct quota_pool *pool = principals_pool(req->st->all);
	unsigned i;

	if (argc > 3 || (argc == 3 && strcmp(argv[2], "-r") != 0))
		return XS_EINVAL;
	add(t, "Max. seen accounting values:\n");
	for (i = 0; i < QUOTA_COUNT; i++)
		add(t, "%-17s: %8lld\n", quota_name(i),
		    (long long)pool->peak.n[i]);
	if (argc == 3) {
		memset(&pool->peak, 0, sizeof(pool->peak));
		req->changed = true;
	}
	return XS_OK;
}

static enum xs_err
control_quota(
    struct request *req, int argc, const char *const argv[], struct text *t)
{
	struct quota_pool *pool = principals_pool(req->st->all);
	struct principal *p;
	uint64_t domid;
	enum xs_err err;
	unsigned i;

	if (argc == 1) {
		add(t, "Quota settings:\n");
		for (i = 0; i < QUOTA_COUNT; i++)
			add(t, "%-17s: %8lld %s\n", quota_name(i),
			    (long long)pool->limits.n[i], quota_what(i));
		return XS_OK;
	}
	if (strcmp(argv[1], "set") == 0) {
		if (argc != 4)
			return XS_EINVAL;
		err = set_limit(req, NULL, argv[2], argv[3]);
		if (err == XS_OK)
			add(t, "OK");
		return err;
	}
	if (strcmp(argv[1], "max") == 0)
		return show_peak(req, argc, argv, t);
	if (argc != 2)
		return XS_EINVAL;
	if (!wire_number(argv[1], DOMID_FIRST_RESERVED - 1, &domid))
		return XS_EINVAL;
	/* who has met nobody uses nothing, and need not be a domain at all */
	p = domid == 0 ? req->st->dom0
		       : principal_current(req->st->all, (uint32_t)domid);
	if (p == NULL)
		return XS_ENOENT;
	add(t, "Domain %u:\n", (unsigned)p->domid);
	for (i = 0; i < QUOTA_COUNT; i++)
		add(t, "%-17s: %8lld (max %8lld)\n", quota_name(i),
		    (long long)p->usage.n[i], (long long)p->peak.n[i]);
	return XS_OK;
}

static enum xs_err
control_quota_soft(
    struct request *req, int argc, const char *const argv[], struct text *t)
{
	uint64_t value;

	if (argc == 1) {
		add(t, "Quota settings:\n");
		add(t, "%-17s: %8lld %s\n", quota_name(QUOTA_MEMORY),
		    (long long)req->st->soft_memory, quota_what(QUOTA_MEMORY));
		return XS_OK;
	}
	if (argc != 4 || strcmp(argv[1], "set") != 0 ||
	    strcmp(argv[2], quota_name(QUOTA_MEMORY)) != 0 ||
	    !wire_number(argv[3], INT32_MAX, &value))
		return XS_EINVAL;
	req->st->soft_memory = (int64_t)value;
	req->changed = true;
	add(t, "OK");
	return XS_OK;
}

/* --- others --- */

static enum xs_err
control_check(
    struct request *req, int argc, const char *const argv[], struct text *t)
{
	const char *wrong;

	(void)argv;
	if (argc != 1)
		return XS_EINVAL;
	if (!check_some(req->st, req->conn, CHECK_AT_ONCE, &wrong)) {
		req->later = true;
		return XS_OK;
	}
	add(t, "%s", wrong != NULL ? wrong : "OK");
	return XS_OK;
}

static enum xs_err
control_memreport(
    struct request *req, int argc, const char *const argv[], struct text *t)
{
	const struct state *st = req->st;
	struct list *link, *after;
	struct conn *conn;
	size_t n = 0, replies = 0, events = 0;

	(void)argv;
	if (argc > 1)
		return XS_EINVAL;
	list_each(link, after, &st->conns)
	{
		conn = list_entry(link, struct conn, link);
		n++;
		replies += conn->q.reply_bytes;
		events += conn->q.event_bytes;
	}
	add(t, "nodes (all versions): %zu of %zu bytes\n", st->heap.live,
	    sizeof(struct node));
	add(t, "nodes of domain 0   : %lld\n",
	    (long long)st->dom0->usage.n[QUOTA_NODES]);
	add(t, "connections         : %zu\n", n);
	add(t, "replies waiting     : %zu bytes\n", replies);
	add(t, "events waiting      : %zu bytes\n", events);
	add(t, "commits             : %llu (%llu rebased, %llu refused)\n",
	    (unsigned long long)st->n_commits,
	    (unsigned long long)st->n_replays,
	    (unsigned long long)st->n_conflicts);
	return XS_OK;
}

static enum xs_err control_help(
    struct request *req, int argc, const char *const argv[], struct text *t);

static const struct {
	const char *name;
	enum xs_err (*run)(struct request *req, int argc,
	    const char *const argv[], struct text *t);
	const char *usage;
} commands[] = {
	{ "check", control_check, "" },
	{ "memreport", control_memreport, "" },
	{ "quota", control_quota, "[set <name> <val>|<domid>|max [-r]]" },
	{ "quota-soft", control_quota_soft, "[set memory <val>]" },
	{ "help", control_help, "" },
	/* the shell's */
	{ "live-update", NULL,
	    "[-c <cmdline>] [-F] [-t <timeout>] [-v <version>] <file>" },
	{ "log", NULL, "[on|off|+<switch>|-<switch>]" },
	{ "logfile", NULL, "<file>" },
	{ "print", NULL, "<string>" },
	{ "snapshot", NULL, "<file name>" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static enum xs_err
control_help(
    struct request *req, int argc, const char *const argv[], struct text *t)
{
	unsigned i;

	(void)req;
	(void)argv;
	if (argc != 1)
		return XS_EINVAL;
	for (i = 0; i < COMMANDS; i++)
		add(t, "%-11s %s\n", commands[i].name, commands[i].usage);
	return XS_OK;
}

/* CONTROL <command> <argument>... -> text */
enum xs_err
op_control(struct request *req)
{
	struct text t = { req->st->text, 0, sizeof(req->st->text) };
	const struct state_env *env = req->st->env;
	const char *argv[CONTROL_ARGS] = { req->arg[0].str };
	enum xs_err err = XS_EINVAL;
	int argc = 1;
	unsigned i;

	while (argc < CONTROL_ARGS &&
	       wire_in_string(&req->rest, &argv[argc], NULL))
		argc++;
	if (wire_in_strings(&req->rest) > 0)
		return XS_EINVAL;
	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		if (commands[i].run != NULL)
			err = commands[i].run(req, argc, argv, &t);
		else
			err = env->control(
			    env->ctx, argc, argv, t.buf, t.size, &t.len);
		break;
	}
	if (err != XS_OK || req->later)
		return err;
	t.buf[t.len] = '\0';
	return request_reply(req, t.buf, t.len + 1);
}

/* GET_QUOTA [[<domid>] <name>] -> names, or a number */
enum xs_err
op_get_quota(struct request *req)
{
	struct text t = { req->st->text, 0, sizeof(req->st->text) };
	const char *name = req->arg[0].str;
	struct principal *p = NULL;
	enum quota_id id;
	enum xs_err err;
	unsigned i;

	if (req->n_args == 0) {
		for (i = 0; i < QUOTA_COUNT; i++)
			add(&t, "%s%s", i > 0 ? " " : "", quota_name(i));
		return request_reply(req, t.buf, t.len + 1);
	}
	if (req->n_args == 2) {
		err = parse_domid(req, name, &p);
		if (err != XS_OK)
			return err;
		name = req->arg[1].str;
	}
	id = quota_by_name(name);
	if (id == QUOTA_COUNT)
		return XS_EINVAL;
	add(&t, "%lld",
	    (long long)(p != NULL
			    ? principal_limit(p, id)
			    : principals_pool(req->st->all)->limits.n[id]));
	return request_reply(req, t.buf, t.len + 1);
}

/* SET_QUOTA [<domid>] <name> <value> -> OK */
enum xs_err
op_set_quota(struct request *req)
{
	struct principal *p = NULL;
	unsigned i = 0;
	enum xs_err err;

	if (req->n_args == 3) {
		err = parse_domid(req, req->arg[i++].str, &p);
		if (err != XS_OK)
			return err;
	}
	err = set_limit(req, p, req->arg[i].str, req->arg[i + 1].str);
	if (err != XS_OK)
		return err;
	return request_ok(req);
}
