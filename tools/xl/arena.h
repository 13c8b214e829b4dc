/*
 * arena: memory that lives as long as one job of xl and is freed at once.
 *
 * Knows nothing of what is stored. Running out of memory ends the program with
 * a message and exit status 1: a command-line tool has nothing better to do.
 */
#ifndef XL_ARENA_H
#define XL_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena; /* opaque: a chain of blocks */

/* An empty arena; the caller owns it. */
struct arena *arena_new(void);

/* Frees AR and all that came from it. NULL is allowed. */
void arena_free(struct arena *ar);

/* SIZE zeroed bytes, aligned for any type; owned by AR. Never NULL. */
void *arena_zalloc(struct arena *ar, size_t size);

/*
 * A zeroed array of COUNT elements, which arena_grow may go on with. Never
 * NULL.
 */
void *arena_array(struct arena *ar, size_t count, size_t elem_size);

/*
 * The array OLD, of COUNT elements, with room for one more, zeroed. OLD is NULL
 * or came from arena_array or arena_grow; it is not to be used any more.
 */
void *arena_grow(struct arena *ar, void *old, size_t count, size_t elem_size);

/* Copies, owned by AR. LEN bytes of TEXT are taken, and a NUL appended. */
char *arena_strdup(struct arena *ar, const char *text);
char *arena_strndup(struct arena *ar, const char *text, size_t len);

/* sprintf into memory owned by AR. */
char *arena_printf(struct arena *ar, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *ar, const char *fmt, va_list ap);

#endif
