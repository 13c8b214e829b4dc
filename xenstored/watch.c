/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/path.h"
#include "xenstored/cost.h"

/* A place in the trie; it is there while a watch is at or below it. */
struct place {
	struct table_link link; /* by parent and name */
	struct place *parent;	/* NULL: the top */
	struct atom *name;
	uint32_t n_below; /* places whose parent this is */
	struct list watches;
};

struct watch {
	struct event_source source;
	struct watcher *watcher;
	struct place *at;
	struct list in_place, in_watcher;
	struct table_link link; /* by watcher, place, token */
	int depth;
	char text[]; /* wpath, token */
};

struct watches {
	struct hash_key key;
	struct atoms *atoms;
	struct table places;
	struct table by_key;
	struct events events;
	uint64_t n_fired;
	struct place top;
};

struct watches *
watches_new(struct atoms *atoms, const struct hash_key *key)
{
	struct watches *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->key = *key;
	all->atoms = atoms;
	list_init(&all->top.watches);
	if (table_init(&all->places) && table_init(&all->by_key) &&
	    events_init(&all->events, key))
		return all;
	watches_free(all);
	return NULL;
}

void
watches_free(struct watches *all)
{
	if (all == NULL)
		return;
	table_end(&all->places);
	table_end(&all->by_key);
	events_end(&all->events);
	free(all);
}

uint64_t
watches_fired(const struct watches *all)
{
	return all->n_fired;
}

struct events *
watches_events(struct watches *all)
{
	return &all->events;
}

/* --- places --- */

static uint64_t
place_hash(const struct place *parent, const struct atom *name)
{
	return name->link.hash ^
	       (uintptr_t)parent * UINT64_C(0x9e3779b97f4a7c15);
}

static struct place *
place_find(const struct watches *all, const struct place *parent,
    const struct atom *name)
{
	struct table_link *link;
	struct place *place;

	if (parent->n_below == 0)
		return NULL;
	link = table_first(&all->places, place_hash(parent, name));
	for (; link != NULL; link = table_next(link)) {
		place = list_entry(link, struct place, link);
		if (place->parent == parent && place->name == name)
			return place;
	}
	return NULL;
}

/* The place of component NAME below PARENT, made if need be; NULL: no memory */
static struct place *
place_get(
    struct watches *all, struct place *parent, const char *name, size_t len)
{
	struct atom *atom = atom_get(all->atoms, name, len);
	struct place *place;

	if (atom == NULL)
		return NULL;
	place = place_find(all, parent, atom);
	if (place != NULL) {
		atom_unref(all->atoms, atom);
		return place;
	}
	place = calloc(1, sizeof(*place));
	if (place == NULL) {
		atom_unref(all->atoms, atom);
		return NULL;
	}
	place->parent = parent;
	place->name = atom;
	list_init(&place->watches);
	table_add(&all->places, &place->link, place_hash(parent, atom));
	parent->n_below++;
	return place;
}

/* Frees PLACE and those above it as far as nothing needs them. */
static void
place_tidy(struct watches *all, struct place *place)
{
	struct place *parent;

	while (place->parent != NULL && place->n_below == 0 &&
	       list_empty(&place->watches)) {
		parent = place->parent;
		table_remove(&all->places, &place->link);
		atom_unref(all->atoms, place->name);
		free(place);
		parent->n_below--;
		place = parent;
	}
}

/* Steps *POS behind the next component of a path; false: there is none. */
static bool
component(const char **pos, const char **name_out, size_t *len_out)
{
	const char *end;

	if (*pos == NULL)
		return false;
	*name_out = *pos;
	end = strchrnul(*pos, '/');
	*len_out = (size_t)(end - *pos);
	*pos = *end == '/' && end[1] != '\0' ? end + 1 : NULL;
	return true;
}

/* The place of PATH with all above it; NULL: no memory, nothing added. */
static struct place *
place_of(struct watches *all, const char *path)
{
	struct place *place = &all->top, *next;
	const char *pos = path, *name;
	size_t len;

	while (component(&pos, &name, &len)) {
		next = place_get(all, place, name, len);
		if (next == NULL) {
			place_tidy(all, place);
			return NULL;
		}
		place = next;
	}
	return place;
}

/* The place below PLACE that is called NAME, or NULL. */
static struct place *
step_down(
    struct watches *all, struct place *place, const char *name, size_t len)
{
	const struct atom *atom;

	if (place->n_below == 0)
		return NULL;
	atom = atom_find(all->atoms, name, len);
	return atom != NULL ? place_find(all, place, atom) : NULL;
}

/* The place of PATH, or NULL. */
static struct place *
place_at(struct watches *all, const char *path)
{
	struct place *place = &all->top;
	const char *pos = path, *name;
	size_t len;

	while (place != NULL && component(&pos, &name, &len))
		place = step_down(all, place, name, len);
	return place;
}

/* --- watches --- */

static uint64_t
key_hash(const struct watches *all, const struct watcher *watcher,
    const struct place *at, const char *token)
{
	return hash_bytes(&all->key, token, strlen(token)) ^
	       (uintptr_t)at * UINT64_C(0xd6e8feb86659fd93) ^
	       (uintptr_t)watcher * UINT64_C(0x9e3779b97f4a7c15);
}

/* AT may be NULL: there is no watch there. */
static struct watch *
watch_find(const struct watches *all, const struct watcher *watcher,
    const struct place *at, const char *token)
{
	struct table_link *link;
	struct watch *w;

	if (at == NULL || list_empty(&at->watches))
		return NULL;
	link = table_first(&all->by_key, key_hash(all, watcher, at, token));
	for (; link != NULL; link = table_next(link)) {
		w = list_entry(link, struct watch, link);
		if (w->watcher == watcher && w->at == at &&
		    strcmp(w->source.token, token) == 0)
			return w;
	}
	return NULL;
}

bool
watch_exists(struct watches *all, const struct watcher *watcher,
    const char *path, const char *token)
{
	return watch_find(all, watcher, place_at(all, path), token) != NULL;
}

static size_t
count_components(const char *path)
{
	size_t n = 1;

	for (; *path != '\0'; path++)
		n += path[0] == '/' && path[1] != '\0';
	return n;
}

size_t
watch_cost(const char *wpath, const char *token)
{
	return COST_WATCH + count_components(wpath) * COST_PLACE +
	       strlen(wpath) + strlen(token) + 2;
}

enum xs_err
watch_add(struct watches *all, struct watcher *watcher, const char *wpath,
    const char *token, const char *path, int depth)
{
	size_t wpath_len = strlen(wpath), token_len = strlen(token);
	struct place *at = place_of(all, path);
	struct watch *w;

	if (at == NULL)
		return XS_ENOMEM;
	if (watch_find(all, watcher, at, token) != NULL)
		return XS_EEXIST;
	w = malloc(sizeof(*w) + wpath_len + token_len + 2);
	if (w == NULL) {
		place_tidy(all, at);
		return XS_ENOMEM;
	}
	w->at = at;
	event_source_init(&w->source, watcher->q);
	memcpy(w->text, wpath, wpath_len + 1);
	memcpy(w->text + wpath_len + 1, token, token_len + 1);
	w->source.wpath = w->text;
	w->source.token = w->text + wpath_len + 1;
	w->source.wpath_len = (uint32_t)wpath_len;
	w->source.token_len = (uint32_t)token_len;
	w->source.strip = (uint32_t)(strlen(path) - wpath_len);
	w->watcher = watcher;
	w->depth = depth;
	list_append(&w->at->watches, &w->in_place);
	list_append(&watcher->list, &w->in_watcher);
	table_add(&all->by_key, &w->link, key_hash(all, watcher, at, token));
	return XS_OK;
}

void
watch_announce(struct watcher *watcher)
{
	struct watch *w =
	    list_entry(watcher->list.prev, struct watch, in_watcher);

	outq_initial_event(&w->source);
}

static void
watch_free(struct watches *all, struct watch *w)
{
	event_source_end(&w->source);
	list_remove(&w->in_place);
	list_remove(&w->in_watcher);
	table_remove(&all->by_key, &w->link);
	place_tidy(all, w->at);
	free(w);
}

enum xs_err
watch_remove(struct watches *all, struct watcher *watcher, const char *path,
    const char *token, size_t *cost_out)
{
	struct watch *w = watch_find(all, watcher, place_at(all, path), token);

	if (w == NULL)
		return XS_ENOENT;
	*cost_out = watch_cost(w->source.wpath, w->source.token);
	watch_free(all, w);
	return XS_OK;
}

void
watch_remove_all(struct watches *all, struct watcher *watcher)
{
	struct list *link, *after;

	list_each(link, after, &watcher->list)
	    watch_free(all, list_entry(link, struct watch, in_watcher));
}

void
watch_list(const struct watcher *watcher,
    void (*fn)(void *ctx, const char *wpath, const char *token, int depth),
    void *ctx)
{
	struct list *link, *after;
	struct watch *w;

	list_each(link, after, &watcher->list)
	{
		w = list_entry(link, struct watch, in_watcher);
		fn(ctx, w->source.wpath, w->source.token, w->depth);
	}
}

void
watch_each(const struct watcher *watcher,
    void (*fn)(void *ctx, struct event_source *source, int depth), void *ctx)
{
	struct list *link, *after;
	struct watch *w;

	list_each(link, after, &watcher->list)
	{
		w = list_entry(link, struct watch, in_watcher);
		fn(ctx, &w->source, w->depth);
	}
}

struct event_source *
watch_newest(const struct watcher *watcher)
{
	return &list_entry(watcher->list.prev, struct watch, in_watcher)
		    ->source;
}

/* --- firing --- */

static bool
may_know(const struct who *who, const struct change *c)
{
	return (acl_rights(c->now, who) & PERM_READ) != 0 ||
	       (c->before != NULL &&
		   (acl_rights(c->before, who) & PERM_READ) != 0) ||
	       (c->parent != NULL &&
		   (acl_rights(c->parent, who) & PERM_READ) != 0);
}

/*
 * Tells the watches at PLACE of a change BELOW levels under it. *PATH is made
 * when it is first needed.
 */
static void
fire_at(struct watches *all, struct place *place, const struct change *c,
    size_t below, struct event_path **path)
{
	struct list *link, *after;
	struct watch *w;

	list_each(link, after, &place->watches)
	{
		w = list_entry(link, struct watch, in_place);
		if (w->depth >= 0 && below > (size_t)w->depth)
			continue;
		if (!may_know(w->watcher->who, c))
			continue;
		if (*path == NULL)
			*path = event_path_new(
			    &all->events, c->path, strlen(c->path));
		outq_event(&w->source, *path);
		all->n_fired++;
	}
}

bool
watch_concerns(struct watches *all, const char *path, bool below)
{
	struct place *place = &all->top;
	const char *pos = path, *name;
	size_t len;

	while (component(&pos, &name, &len)) {
		place = step_down(all, place, name, len);
		if (place == NULL)
			return false;
		if (!list_empty(&place->watches))
			return true;
	}
	return below && place->n_below > 0;
}

void
watch_fire(struct watches *all, const struct change *change)
{
	struct event_path *path = NULL;
	struct place *place = &all->top;
	const char *pos = change->path, *name;
	size_t len;

	while (component(&pos, &name, &len)) {
		place = step_down(all, place, name, len);
		if (place == NULL)
			break;
		if (!list_empty(&place->watches))
			fire_at(all, place, change,
			    pos != NULL ? count_components(pos) : 0, &path);
	}
	event_path_unref(path);
}

void
watch_fire_exact(struct watches *all, const struct change *change)
{
	struct event_path *path = NULL;
	struct place *place = place_at(all, change->path);

	if (place != NULL)
		fire_at(all, place, change, 0, &path);
	event_path_unref(path);
}

/* The place of the node in each frame of a walk through a removed subtree. */
struct removal {
	struct watches *all;
	struct place *place[STORE_DEPTH_MAX + 1];
};

static bool
is_watched(void *ctx, struct walk *walk, struct node *child)
{
	struct removal *r = ctx;
	struct place *place;

	place = step_down(r->all, r->place[walk->depth - 1], node_name(child),
	    node_name_len(child));
	r->place[walk->depth] = place;
	return place != NULL;
}

void
watch_fire_below(struct watches *all, struct heap *heap, struct walk *walk,
    const char *path, struct node *removed, struct node *after)
{
	char text[WIRE_ABS_PATH_MAX + PATH_HOME_MAX];
	struct event_path *event_path;
	struct removal r;
	struct change c = { .path = text };
	struct node *node;

	r.all = all;
	r.place[0] = place_at(all, path);
	if (r.place[0] == NULL || r.place[0]->n_below == 0)
		return;
	walk_start(walk, removed);
	while ((node = walk_next_if(walk, is_watched, &r)) != NULL) {
		if (walk->depth == 0)
			break; /* the top is not below itself */
		if (walk_path(walk, node, path, text, sizeof(text)) == 0)
			continue;
		if (after != NULL && store_get(heap, after, text) != NULL)
			continue;
		c.now = node->acl;
		c.parent = walk->frame[walk->depth - 1].node->acl;
		event_path = NULL;
		fire_at(all, r.place[walk->depth], &c, 0, &event_path);
		event_path_unref(event_path);
	}
}

/* --- specials --- */

/* Tells the watches at PLACE whose depth is WITH_DEPTH (at least 1) or none. */
static void
fire_special_at(struct watches *all, struct place *place, const struct acl *acl,
    const char *text, bool with_depth)
{
	struct event_path *path = NULL;
	struct list *link, *after;
	struct watch *w;

	if (place == NULL)
		return;
	list_each(link, after, &place->watches)
	{
		w = list_entry(link, struct watch, in_place);
		if (with_depth ? w->depth < 1 : w->depth >= 0)
			continue;
		if ((acl_rights(acl, w->watcher->who) & PERM_READ) == 0)
			continue;
		if (path == NULL)
			path = event_path_new(&all->events, text, strlen(text));
		outq_event(&w->source, path);
	}
	event_path_unref(path);
}

void
watch_fire_special(struct watches *all, const char *name, const struct acl *acl,
    uint32_t domid, bool plain_first)
{
	char text[64];
	struct change c = { .path = text, .now = acl };
	struct place *place = place_at(all, name);

	snprintf(text, sizeof(text), "%s/%u", name, (unsigned)domid);
	if (plain_first)
		fire_special_at(all, place, acl, name, false);
	fire_special_at(all, place, acl, text, true);
	watch_fire_exact(all, &c);
	if (!plain_first)
		fire_special_at(all, place, acl, name, false);
}
