/*
 * Buffers in the argument arena: first fit over a sorted list. A client has a
 * handful of them at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/lib/hosted/client_priv.h"

#define ARENA_ALIGN 64u

static size_t
round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* Where SIZE bytes fit: the link to insert at, and *OFFSET; NULL: nowhere. */
static struct arena_block **
arena_find(struct arena *a, size_t size, size_t align, size_t *offset_out)
{
	struct arena_block **link = &a->used;
	size_t at = 0;

	if (size > a->size)
		return NULL;
	for (; *link != NULL; link = &(*link)->next) {
		if (at + size <= (*link)->offset)
			break;
		at = round_up((*link)->offset + (*link)->size, align);
	}
	if (at > a->size - size)
		return NULL;
	*offset_out = at;
	return link;
}

void *
hv_client_alloc(struct hv_client *c, size_t size)
{
	size_t align = size >= HV_PAGE_SIZE ? HV_PAGE_SIZE : ARENA_ALIGN;
	struct arena_block *b = calloc(1, sizeof(*b));
	struct arena_block **link;
	uint8_t *p = NULL;

	if (b == NULL)
		return NULL;
	pthread_mutex_lock(&c->lock);
	b->size = size == 0 ? 1 : size;
	link = arena_find(&c->arena, b->size, align, &b->offset);
	if (link != NULL) {
		b->next = *link;
		*link = b;
		p = c->arena.base + b->offset;
	}
	pthread_mutex_unlock(&c->lock);
	if (p == NULL) {
		free(b);
		errno = ENOMEM;
		return NULL;
	}
	return memset(p, 0, b->size);
}

void
hv_client_free(struct hv_client *c, void *p)
{
	struct arena_block **link, *b;
	size_t offset;

	if (p == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	offset = (size_t)((uint8_t *)p - c->arena.base);
	for (link = &c->arena.used; *link != NULL; link = &(*link)->next)
		if ((*link)->offset == offset)
			break;
	b = *link;
	if (b != NULL)
		*link = b->next;
	pthread_mutex_unlock(&c->lock);
	free(b);
}

void
arena_free_all(struct arena *a)
{
	while (a->used != NULL) {
		struct arena_block *b = a->used;

		a->used = b->next;
		free(b);
	}
}

uint64_t
hv_client_addr(const struct hv_client *c, const void *p)
{
	uintptr_t at = (uintptr_t)p;

	if (p == NULL)
		return 0;
	if (c->xen_pages != NULL) {
		if (at - HV_GUEST_RAM_BASE < c->info.ram_size)
			return at - HV_GUEST_RAM_BASE;
		return 0;
	}
	if (at - (uintptr_t)c->arena.base < c->arena.size)
		return at;
	return 0;
}

void
hv_client_set_arena(struct hv_client *c, void *base, size_t size)
{
	c->arena.base = base;
	c->arena.size = size;
}
