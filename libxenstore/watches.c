/* SPDX-License-Identifier: BSD-2-Clause */
#include "watches.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 16 };

/* FNV-1a over both strings, a NUL between them. */
static size_t
hash(const char *path, const char *token)
{
	uint32_t h = 2166136261u;

	for (; *path != '\0'; path++)
		h = (h ^ (unsigned char)*path) * 16777619u;
	h *= 16777619u;
	for (; *token != '\0'; token++)
		h = (h ^ (unsigned char)*token) * 16777619u;
	return h ^ h >> 16;
}

static struct watch *
make(const char *path, const char *token, const char *depth)
{
	size_t path_len = strlen(path) + 1, token_len = strlen(token) + 1;
	size_t depth_len = depth != NULL ? strlen(depth) + 1 : 0;
	struct watch *watch =
	    malloc(sizeof(*watch) + path_len + token_len + depth_len);
	char *at;

	if (watch == NULL)
		return NULL;
	*watch = (struct watch){ 0 };
	memcpy(watch->path, path, path_len);
	at = watch->path + path_len;
	watch->token = memcpy(at, token, token_len);
	if (depth != NULL)
		watch->depth = memcpy(at + token_len, depth, depth_len);
	return watch;
}

/* Where the pointer to that watch is, or would be. */
static struct watch **
find(const struct watches *w, const char *path, const char *token)
{
	struct watch **p = &w->bucket[hash(path, token) & (w->buckets - 1)];

	while (*p != NULL && (strcmp((*p)->path, path) != 0 ||
				 strcmp((*p)->token, token) != 0))
		p = &(*p)->chain;
	return p;
}

/* Makes room for one more. */
static int
grow(struct watches *w)
{
	size_t n = w->buckets > 0 ? w->buckets * 2 : BUCKETS_MIN;
	struct watch **bucket;

	if (w->num < w->buckets)
		return 0;
	bucket = calloc(n, sizeof(*bucket));
	if (bucket == NULL)
		return -1;
	free(w->bucket);
	w->bucket = bucket;
	w->buckets = n;
	for (struct watch *watch = w->first; watch != NULL;
	     watch = watch->next) {
		struct watch **p =
		    &bucket[hash(watch->path, watch->token) & (n - 1)];

		watch->chain = *p;
		*p = watch;
	}
	return 0;
}

static void
append(struct watches *w, struct watch *watch)
{
	watch->next = NULL;
	watch->prev = w->last;
	*(w->last != NULL ? &w->last->next : &w->first) = watch;
	w->last = watch;
}

static void
unlink_from(struct watches *w, struct watch *watch)
{
	*(watch->prev != NULL ? &watch->prev->next : &w->first) = watch->next;
	*(watch->next != NULL ? &watch->next->prev : &w->last) = watch->prev;
}

int
watches_add(struct watches *w, const char *path, const char *token,
    const char *depth, unsigned generation)
{
	struct watch **p;

	if (grow(w) != 0)
		return -1;
	p = find(w, path, token);
	if (*p != NULL)
		return 0;
	*p = make(path, token, depth);
	if (*p == NULL)
		return -1;
	(*p)->generation = generation;
	append(w, *p);
	w->num++;
	return 1;
}

void
watches_remove(struct watches *w, const char *path, const char *token)
{
	struct watch **p, *gone;

	if (w->num == 0)
		return;
	p = find(w, path, token);
	gone = *p;
	if (gone == NULL)
		return;
	*p = gone->chain;
	unlink_from(w, gone);
	w->num--;
	free(gone);
}

struct watch *
watches_next(struct watches *w, unsigned generation)
{
	struct watch *watch = w->first, *copy;

	errno = 0;
	if (watch == NULL || watch->generation == generation)
		return NULL;
	copy = make(watch->path, watch->token, watch->depth);
	if (copy == NULL)
		return NULL;
	watch->generation = generation;
	unlink_from(w, watch);
	append(w, watch);
	return copy;
}

void
watches_free(struct watches *w)
{
	while (w->first != NULL) {
		struct watch *gone = w->first;

		w->first = gone->next;
		free(gone);
	}
	free(w->bucket);
	*w = (struct watches){ 0 };
}
