/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenmetricsd/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_RECORDS = 20000 }; /* followed before a look */

struct collect {
	char *dir, *stats_path;
	struct replica *replica;
	const struct stats_page *stats;
	uint64_t begins;
	struct collect_domain *domain[DOMID_FIRST_RESERVED];
	bool conflict; /* of the record at hand */
};

/* NULL: no memory. */
static struct collect_domain *
domain_of(struct collect *c, const struct conn *conn)
{
	uint32_t domid = conn_domid(conn);

	if (domid >= DOMID_FIRST_RESERVED)
		return NULL;
	if (c->domain[domid] == NULL)
		c->domain[domid] = calloc(1, sizeof(*c->domain[domid]));
	return c->domain[domid];
}

static void
on_answered(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload, enum xs_err err)
{
	const struct refusal *refused;
	struct collect *c = ctx;
	struct collect_domain *d;

	(void)header;
	(void)payload;
	if (err == XS_OK)
		return;
	d = domain_of(c, conn);
	if (d == NULL)
		return;
	refused = state_refused(conn->st);
	if (refused != NULL)
		d->refused[refused->id]++;
	if (err == XS_EACCES || err == XS_EPERM)
		d->denied++;
}

static void
on_conflict(void *ctx, const struct conn *conn,
    const struct wire_header *header, const void *payload)
{
	struct collect_domain *d = domain_of(ctx, conn);

	(void)header;
	(void)payload;
	if (d != NULL)
		d->conflicts++;
}

struct collect *
collect_new(const char *dir)
{
	struct collect *c = calloc(1, sizeof(*c));
	struct replica_hooks hooks = {
		.apply = {
			.ctx = c,
			.answered = on_answered,
			.conflict = on_conflict,
		},
	};

	if (c == NULL)
		return NULL;
	c->dir = strdup(dir);
	c->replica = replica_new(dir, &hooks);
	if (asprintf(&c->stats_path, "%s/stats", dir) < 0)
		c->stats_path = NULL;
	if (c->dir != NULL && c->stats_path != NULL && c->replica != NULL)
		return c;
	collect_free(c);
	return NULL;
}

void
collect_free(struct collect *c)
{
	int i;

	if (c == NULL)
		return;
	replica_free(c->replica);
	stats_unmap(c->stats);
	for (i = 0; i < DOMID_FIRST_RESERVED; i++)
		free(c->domain[i]);
	free(c->stats_path);
	free(c->dir);
	free(c);
}

enum replicated
collect_turn(struct collect *c, unsigned max)
{
	enum replicated result = REPLICA_NONE;
	char why[REPLICA_WHY_SIZE];
	struct log_entry entry;
	const void *data;

	while (max-- > 0) {
		result = replica_next(c->replica, &entry, &data, why);
		if (result == REPLICA_BEGUN)
			c->begins++;
		else if (result != REPLICA_RECORD)
			break;
	}
	return result;
}

struct collect_view
collect_look(struct collect *c)
{
	struct collect_view view = { .domain = c->domain };
	char why[SUBSCRIBE_WHY_SIZE];

	view.up = subscribe_probe(c->dir, &view.probe_ns, why);
	(void)collect_turn(c, LOOK_RECORDS);
	/* the file may be another one by now */
	stats_unmap(c->stats);
	c->stats = stats_map(c->stats_path);
	view.stats = c->stats;
	view.log = replica_log(c->replica);
	view.state = replica_state(c->replica);
	view.lag = replica_lag(c->replica);
	view.begins = c->begins;
	return view;
}
