/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/consoles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common/log.h"

static const char list_token[] = "domlist";
enum { RETRY_SECONDS = 1, TOKEN_SIZE = 16 };

struct entry {
	struct console *con;
	bool watched;
	bool ending;
	struct entry *next;
	struct consoles *all;
};

struct consoles {
	struct shared *shared;
	struct entry *first;
	struct event *store; /* watch events */
	struct event *retry;
};

static void
remove_entry(struct consoles *all, struct entry *e)
{
	struct entry **p = &all->first;

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	console_free(e->con);
	free(e);
}

static void
on_ended(struct console *con, void *arg)
{
	struct entry *e = arg;

	(void)con;
	remove_entry(e->all, e);
}

static void
format_token(char token[TOKEN_SIZE], uint32_t domid)
{
	snprintf(token, TOKEN_SIZE, "dom%u", domid);
}

/* Watches a console's directory. Its first event makes it connect. */
static void
watch_entry(struct consoles *all, struct entry *e)
{
	char token[TOKEN_SIZE];

	if (all->shared->xs == NULL || e->watched || e->ending)
		return;
	format_token(token, console_domid(e->con));
	e->watched = xs_watch(all->shared->xs, console_path(e->con), token);
	if (!e->watched)
		log_warn("cannot watch %s", console_path(e->con));
}

static void
unwatch_entry(struct consoles *all, struct entry *e)
{
	char token[TOKEN_SIZE];

	if (all->shared->xs == NULL || !e->watched)
		return;
	format_token(token, console_domid(e->con));
	xs_unwatch(all->shared->xs, console_path(e->con), token);
	e->watched = false;
}

static void
add_domain(struct consoles *all, const struct hvinfo_domain *dom)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return;
	e->all = all;
	e->con = console_new(all->shared, dom->domid, dom->uuid);
	if (e->con == NULL) {
		free(e);
		return;
	}
	e->next = all->first;
	all->first = e;
	watch_entry(all, e);
}

/* Has the hypervisor this very domain, alive? */
static bool
is_listed(const struct console *con, const struct hvinfo_domain *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!list[i].dying && console_is(con, &list[i]))
			return true;
	return false;
}

static bool
is_known(const struct consoles *all, const struct hvinfo_domain *dom)
{
	for (const struct entry *e = all->first; e != NULL; e = e->next)
		if (!e->ending && console_is(e->con, dom))
			return true;
	return false;
}

/* Compares what we serve with what there is. */
static void
refresh(struct consoles *all)
{
	struct hvinfo_domain *list;
	struct entry *e, *next;
	size_t n;

	if (hvinfo_list(all->shared->hv, &list, &n) != 0) {
		log_warn("cannot list the domains");
		return;
	}
	for (e = all->first; e != NULL; e = next) {
		next = e->next;
		if (e->ending || is_listed(e->con, list, n))
			continue;
		unwatch_entry(all, e);
		e->ending = true;
		console_end(e->con, on_ended, e);
	}
	for (size_t i = 0; i < n; i++)
		if (list[i].domid != 0 && !list[i].dying &&
		    !is_known(all, &list[i]))
			add_domain(all, &list[i]);
	free(list);
}

static void
handle_event(struct consoles *all, const char *token)
{
	if (strcmp(token, list_token) == 0) {
		refresh(all);
		return;
	}
	for (struct entry *e = all->first; e != NULL; e = e->next) {
		char mine[TOKEN_SIZE];

		format_token(mine, console_domid(e->con));
		if (!e->ending && strcmp(mine, token) == 0) {
			console_update(e->con);
			return;
		}
	}
}

/* Ends the loop if the hypervisor is not there any more: another one's domains
 * are not ours, and our handles are not its. */
static bool
check_hypervisor(struct consoles *all)
{
	struct hvinfo_domain dom0;

	if (hvinfo_domain(all->shared->hv, 0, &dom0) == 0 || errno != ENOTCONN)
		return true;
	log_warnx("the hypervisor has gone");
	all->shared->hv_gone = true;
	event_base_loopbreak(all->shared->base);
	return false;
}

static void
lose_store(struct consoles *all)
{
	const struct timeval delay = { .tv_sec = RETRY_SECONDS };

	if (all->store != NULL)
		event_free(all->store);
	all->store = NULL;
	xs_close(all->shared->xs);
	all->shared->xs = NULL;
	for (struct entry *e = all->first; e != NULL; e = e->next)
		e->watched = false;
	if (check_hypervisor(all))
		event_add(all->retry, &delay);
}

static void
on_store(evutil_socket_t fd, short what, void *arg)
{
	struct consoles *all = arg;
	char **event;

	(void)fd;
	(void)what;
	while ((event = xs_check_watch(all->shared->xs)) != NULL) {
		handle_event(all, event[XS_WATCH_TOKEN]);
		free(event);
	}
	if (errno != EAGAIN) {
		log_warnx("lost the connection to xenstored");
		lose_store(all);
	}
}

static bool
watch_list(struct xs_handle *xs)
{
	return xs_watch(xs, "@introduceDomain", list_token) &&
	       xs_watch(xs, "@releaseDomain", list_token);
}

/* Connects and watches. False with errno, and nothing changed. */
static bool
open_store(struct consoles *all)
{
	/* a loss is noticed here, where the loop goes on meanwhile */
	struct xs_handle *xs = xs_open(XS_OPEN_NO_RECONNECT);
	int fd, err;

	if (xs == NULL)
		return false;
	fd = watch_list(xs) ? xs_fileno(xs) : -1;
	if (fd >= 0) {
		all->store = event_new(
		    all->shared->base, fd, EV_READ | EV_PERSIST, on_store, all);
		errno = ENOMEM;
	}
	if (all->store == NULL || event_add(all->store, NULL) != 0) {
		err = errno;
		xs_close(xs);
		errno = err;
		return false;
	}
	all->shared->xs = xs;
	refresh(all);
	for (struct entry *e = all->first; e != NULL; e = e->next)
		watch_entry(all, e);
	return true;
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval delay = { .tv_sec = RETRY_SECONDS };
	struct consoles *all = arg;

	(void)fd;
	(void)what;
	if (!check_hypervisor(all))
		return;
	if (open_store(all))
		log_info("connected to xenstored again");
	else
		event_add(all->retry, &delay);
}

struct consoles *
consoles_start(struct shared *shared)
{
	struct consoles *all = calloc(1, sizeof(*all));
	int err;

	if (all == NULL)
		return NULL;
	all->shared = shared;
	all->retry = evtimer_new(shared->base, on_retry, all);
	if (all->retry != NULL && open_store(all))
		return all;
	err = errno;
	consoles_stop(all);
	errno = err;
	return NULL;
}

void
consoles_reopen_logs(struct consoles *all)
{
	for (struct entry *e = all->first; e != NULL; e = e->next)
		console_reopen_log(e->con);
}

void
consoles_stop(struct consoles *all)
{
	if (all == NULL)
		return;
	while (all->first != NULL)
		remove_entry(all, all->first);
	if (all->store != NULL)
		event_free(all->store);
	if (all->retry != NULL)
		event_free(all->retry);
	xs_close(all->shared->xs);
	all->shared->xs = NULL;
	free(all);
}
