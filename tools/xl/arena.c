#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	alignas(max_align_t) unsigned char bytes[];
};

/* One malloc a piece: a tool makes few, and sanitizers see each bound. */
struct arena {
	struct block *blocks;
};

static void
out_of_memory(void)
{
	fputs("xl: out of memory\n", stderr);
	exit(1);
}

struct arena *
arena_new(void)
{
	struct arena *ar = calloc(1, sizeof(*ar));

	if (ar == NULL)
		out_of_memory();
	return ar;
}

void
arena_free(struct arena *ar)
{
	struct block *b, *next;

	if (ar == NULL)
		return;
	for (b = ar->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(ar);
}

void *
arena_zalloc(struct arena *ar, size_t size)
{
	struct block *b;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	b = calloc(1, sizeof(*b) + size);
	if (b == NULL)
		out_of_memory();
	b->next = ar->blocks;
	ar->blocks = b;
	return b->bytes;
}

/* How many elements an array of COUNT has room for: a power of two, so that
 * growing by one is cheap in the mean. */
static size_t
capacity(size_t count)
{
	size_t room = 1;

	while (room < count)
		room *= 2;
	return room;
}

void *
arena_array(struct arena *ar, size_t count, size_t elem_size)
{
	if (count >= SIZE_MAX / 4 / elem_size)
		out_of_memory();
	return arena_zalloc(ar, capacity(count) * elem_size);
}

void *
arena_grow(struct arena *ar, void *old, size_t count, size_t elem_size)
{
	void *now;

	if (old != NULL && capacity(count + 1) == capacity(count))
		return old;
	now = arena_array(ar, count + 1, elem_size);
	if (count > 0)
		memcpy(now, old, count * elem_size);
	return now;
}

char *
arena_strndup(struct arena *ar, const char *text, size_t len)
{
	char *copy = arena_zalloc(ar, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *
arena_strdup(struct arena *ar, const char *text)
{
	return arena_strndup(ar, text, strlen(text));
}

char *
arena_vprintf(struct arena *ar, const char *fmt, va_list ap)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		out_of_memory();
	text = arena_zalloc(ar, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	return text;
}

char *
arena_printf(struct arena *ar, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(ar, fmt, ap);
	va_end(ap);
	return text;
}
