/*
 * A stand-in for libxenstore inside a test program: a flat store in memory and
 * a queue of events. The test changes nodes with fake_set and fake_rm, which
 * fire events as the daemon does. One connection, no permissions; transactions
 * are applied as they go.
 */
#ifndef TEST_FAKE_XS_H
#define TEST_FAKE_XS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xenstore.h"

struct xs_handle {
	int pipe[2];
};

struct fake_node {
	char path[256];
	char value[256];
};

static struct {
	struct fake_node nodes[512];
	unsigned count;
	char events[1024][256];
	unsigned head, tail;
	int up;	     /* does the daemon answer? */
	int watched; /* has the one watch been set? */
	unsigned opens;
	struct xs_handle *handle;
} fake;

static inline void
fake_event(const char *path)
{
	if (fake.handle == NULL || !fake.watched)
		return;
	snprintf(fake.events[fake.tail++ % 1024], 256, "%s", path);
	if (write(fake.handle->pipe[1], "x", 1) != 1)
		abort();
}

static inline int
fake_index(const char *path)
{
	for (unsigned i = 0; i < fake.count; i++)
		if (strcmp(fake.nodes[i].path, path) == 0)
			return (int)i;
	return -1;
}

static inline const char *
fake_get(const char *path)
{
	int i = fake_index(path);

	return i < 0 ? "-" : fake.nodes[i].value;
}

static inline void
fake_set(const char *path, const char *value)
{
	int i = fake_index(path);

	if (i < 0)
		i = (int)fake.count++;
	snprintf(fake.nodes[i].path, 256, "%s", path);
	snprintf(fake.nodes[i].value, 256, "%s", value);
	fake_event(path);
}

/* Is there PATH or anything below it? */
static inline bool
fake_has(const char *path)
{
	size_t len = strlen(path);

	for (unsigned i = 0; i < fake.count; i++) {
		const char *p = fake.nodes[i].path;

		if (strncmp(p, path, len) == 0 &&
		    (p[len] == '\0' || p[len] == '/'))
			return true;
	}
	return false;
}

/* Removes PATH and what is below it; one event, for PATH. */
static inline void
fake_rm(const char *path)
{
	size_t len = strlen(path);

	for (unsigned i = 0; i < fake.count;) {
		const char *p = fake.nodes[i].path;

		if (strncmp(p, path, len) == 0 &&
		    (p[len] == '\0' || p[len] == '/'))
			fake.nodes[i] = fake.nodes[--fake.count];
		else
			i++;
	}
	fake_event(path);
}

/* The daemon dies: the connection ends. */
static inline void
fake_down(void)
{
	fake.up = 0;
	if (fake.handle != NULL && write(fake.handle->pipe[1], "x", 1) != 1)
		abort();
}

static inline bool
fake_alive(void)
{
	if (!fake.up)
		errno = EBADF;
	return fake.up;
}

struct xs_handle *
xs_open(unsigned long flags)
{
	struct xs_handle *h;

	(void)flags;
	fake.opens++;
	if (!fake.up) {
		errno = ECONNREFUSED;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL || pipe(h->pipe) != 0)
		abort();
	fake.handle = h;
	fake.watched = 0;
	fake.head = fake.tail = 0;
	return h;
}

void
xs_close(struct xs_handle *h)
{
	close(h->pipe[0]);
	close(h->pipe[1]);
	free(h);
	fake.handle = NULL;
}

int
xs_fileno(struct xs_handle *h)
{
	return h->pipe[0];
}

bool
xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	(void)h;
	(void)token;
	fake.watched = 1;
	fake_event(path);
	return true;
}

char **
xs_check_watch(struct xs_handle *h)
{
	char **event;
	char byte;

	if (fake.head == fake.tail) {
		errno = fake.up ? EAGAIN : EBADF;
		return NULL;
	}
	if (read(h->pipe[0], &byte, 1) != 1)
		abort();
	event = malloc(2 * sizeof(*event) + 256);
	event[0] = (char *)(event + 2);
	event[1] = event[0];
	strcpy(event[0], fake.events[fake.head++ % 1024]);
	return event;
}

void *
xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
    unsigned int *len)
{
	int i = fake_index(path);

	(void)h;
	(void)t;
	if (!fake_alive())
		return NULL;
	if (i < 0) {
		errno = ENOENT;
		return NULL;
	}
	if (len != NULL)
		*len = (unsigned)strlen(fake.nodes[i].value);
	return strdup(fake.nodes[i].value);
}

bool
xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
    const void *data, unsigned int len)
{
	char value[256];

	(void)h;
	(void)t;
	if (!fake_alive())
		return false;
	snprintf(value, sizeof(value), "%.*s", (int)len, (const char *)data);
	fake_set(path, value);
	return true;
}

bool
xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	(void)t;
	if (!fake_alive())
		return false;
	if (fake_has(path)) {
		fake_rm(path);
		return true;
	}
	errno = ENOENT;
	return false;
}

char **
xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
    unsigned int *num)
{
	char **names = calloc(1, 64 * sizeof(*names) + 64 * 64);
	char *text = (char *)(names + 64);
	size_t len = strlen(path);

	(void)h;
	(void)t;
	*num = 0;
	for (unsigned i = 0; i < fake.count && fake_alive(); i++) {
		const char *p = fake.nodes[i].path;
		int size;
		unsigned n;

		if (strncmp(p, path, len) != 0 || p[len] != '/')
			continue;
		size = (int)strcspn(p + len + 1, "/");
		for (n = 0; n < *num; n++)
			if ((int)strlen(names[n]) == size &&
			    strncmp(names[n], p + len + 1, (size_t)size) == 0)
				break;
		if (n < *num || n == 64)
			continue;
		names[n] = text + 64 * n;
		snprintf(names[n], 64, "%.*s", size, p + len + 1);
		++*num;
	}
	if (*num == 0) {
		free(names);
		errno = fake.up ? ENOENT : EBADF;
		return NULL;
	}
	return names;
}

xs_transaction_t
xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	return fake_alive() ? 1 : XBT_NULL;
}

bool
xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abandon)
{
	(void)h;
	(void)t;
	(void)abandon;
	return fake_alive();
}

#endif
