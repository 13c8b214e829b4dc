/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/fates.h"

#include <errno.h>
#include <string.h>

#include <talloc.h>
#include <xenmanage.h>

#include "xenstored/msg.h"

enum { DEATHS_AT_ONCE = 4, ASKED_AT_ONCE = 16 };

struct fates {
	struct server *server;
	xenmanage_handle *manage;
	struct xenmanage_store_ring ring;
	uint32_t surveyed; /* the last one that was asked for */
};

static struct domain_info
info_of(unsigned state, uint64_t unique_id)
{
	return (struct domain_info){
		.exists = (state & XENMANAGE_GETDOMSTATE_STATE_EXIST) != 0,
		.shutdown = (state & XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN) != 0,
		.dying = (state & (XENMANAGE_GETDOMSTATE_STATE_DYING |
				      XENMANAGE_GETDOMSTATE_STATE_DEAD)) != 0,
		.unique_id = unique_id,
	};
}

/* What became of DOMID, to *INFO_OUT. False: that cannot be told. */
static bool
look(struct fates *fates, uint32_t domid, struct domain_info *info_out)
{
	unsigned state;
	uint64_t unique_id;

	*info_out = (struct domain_info){ .exists = false };
	if (xenmanage_get_domain_info(
		fates->manage, domid, &state, NULL, &unique_id) != 0)
		return errno == ESRCH || errno == ENOENT;
	*info_out = info_of(state, unique_id);
	return true;
}

struct domain_info
fates_ask(struct fates *fates, uint32_t domid)
{
	struct domain_info info;

	/* nobody dies of a call that failed */
	if (!look(fates, domid, &info)) {
		msg_warn("cannot ask for domain %u", (unsigned)domid);
		info = state_known_domain(server_state(fates->server), domid);
	}
	return info;
}

/* Learns of some domains' fates; true if there may be more. */
static bool
poll_some(void *ctx)
{
	struct fates *fates = ctx;
	struct domain_info info;
	unsigned domid, state, i;
	uint64_t unique_id;

	for (i = 0; i < DEATHS_AT_ONCE; i++) {
		if (xenmanage_poll_changed_domain(
			fates->manage, &domid, &state, NULL, &unique_id) != 0) {
			if (errno != ENOENT)
				msg_warn("cannot learn of domains");
			return false;
		}
		info = info_of(state, unique_id);
		state_domain_changed(server_state(fates->server), domid, &info);
	}
	return true;
}

void
fates_changed(struct fates *fates)
{
	server_background(fates->server, poll_some, fates);
}

/* Asks for some domains; true if there are more. */
static bool
survey_some(void *ctx)
{
	struct fates *fates = ctx;
	struct state *st = server_state(fates->server);
	struct domain_info info;
	uint32_t domid = fates->surveyed;
	int i;

	for (i = 0; i < ASKED_AT_ONCE; i++) {
		domid = state_next_domain(st, domid);
		if (domid == 0)
			return false;
		if (!look(fates, domid, &info))
			msg_warn("cannot ask for domain %u", (unsigned)domid);
		else if (state_domain_is_news(st, domid, &info))
			state_domain_changed(st, domid, &info);
	}
	fates->surveyed = domid;
	return true;
}

void
fates_survey(struct fates *fates)
{
	fates->surveyed = 0;
	server_background(fates->server, survey_some, fates);
}

struct fates *
fates_open(struct server *server, const char *hint)
{
	struct fates *fates = talloc_zero(NULL, struct fates);

	if (fates == NULL)
		fatalx("no memory");
	fates->server = server;
	fates->manage = xenmanage_open(NULL, 0);
	if (fates->manage == NULL)
		fatal("cannot ask for domains; %s", hint);
	return fates;
}

void
fates_close(struct fates *fates)
{
	xenmanage_store_ring_release(&fates->ring);
	xenmanage_close(fates->manage);
	talloc_free(fates);
}

void
fates_store_ring(struct fates *fates, struct xenmanage_store_ring *ring)
{
	struct xenmanage_node_error error = { .fault = XENMANAGE_NODE_OK };

	if (xenmanage_store_ring(fates->manage, &fates->ring, &error) != 0)
		fatalx("cannot use domain 0's store ring: %s: %s%s%s",
		    error.node, strerror(error.errnum),
		    error.remedy != NULL ? "; " : "",
		    error.remedy != NULL ? error.remedy : "");
	*ring = fates->ring;
}
