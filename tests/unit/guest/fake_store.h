/*
 * A store server on a ring page, in this process: a flat list of nodes,
 * watches, transactions without isolation. It is stepped by hand, moves at most
 * CHUNK bytes a step in each direction, and can be told to misbehave.
 */
#ifndef TESTS_UNIT_GUEST_FAKE_STORE_H
#define TESTS_UNIT_GUEST_FAKE_STORE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/io/xs_wire.h"
#include "common/wire.h"

#define FAKE_NODES 256
#define FAKE_WATCHES 64
#define FAKE_QUEUE (1 << 16)

struct fake_node {
	char *path; /* NULL: free */
	char value[4096];
	size_t len;
};

struct fake_store {
	struct xenstore_domain_interface *page;
	size_t chunk;
	struct fake_node node[FAKE_NODES];
	struct {
		char path[256], token[64]; /* path[0] == 0: free */
	} watch[FAKE_WATCHES];
	uint8_t in[WIRE_MESSAGE_MAX];
	size_t in_len;
	uint8_t out[FAKE_QUEUE];
	size_t out_len;
	uint32_t last_tx;
	int moved; /* the client would get an event */

	/* misbehaviour, each for one reply */
	int fail_commits;      /* EAGAIN, so many times */
	uint32_t wrong_id;     /* added to the reply's number */
	uint32_t wrong_type;   /* instead of the right one, if not 0 */
	uint32_t wrong_len;    /* in the header, if not 0 */
	const char *error;     /* answer with this error */
	int silent;	       /* take requests, answer nothing */
	int deaf;	       /* do not even take them */
	unsigned int requests; /* counted */
	uint32_t last_type;
};

static inline void
fake_store_init(struct fake_store *fs, struct xenstore_domain_interface *page)
{
	memset(fs, 0, sizeof(*fs));
	fs->page = page;
	fs->chunk = SIZE_MAX;
}

static inline void
fake_store_free(struct fake_store *fs)
{
	for (int i = 0; i < FAKE_NODES; i++)
		free(fs->node[i].path);
}

static inline struct fake_node *
fake_find(struct fake_store *fs, const char *path)
{
	for (int i = 0; i < FAKE_NODES; i++)
		if (fs->node[i].path && strcmp(fs->node[i].path, path) == 0)
			return &fs->node[i];
	return NULL;
}

/* "" if there is none. */
static inline const char *
fake_get(struct fake_store *fs, const char *path)
{
	struct fake_node *n = fake_find(fs, path);

	return n == NULL ? "" : n->value;
}

static inline void
fake_queue(struct fake_store *fs, uint32_t type, uint32_t id, uint32_t tx,
    const void *body, size_t len)
{
	struct wire_header h = { type, id, tx, (uint32_t)len };

	if (type != WIRE_WATCH_EVENT) {
		h.req_id += fs->wrong_id;
		if (fs->wrong_type != 0)
			h.type = fs->wrong_type;
		if (fs->wrong_len != 0)
			h.len = fs->wrong_len;
		fs->wrong_id = fs->wrong_type = fs->wrong_len = 0;
	}
	if (fs->out_len + sizeof(h) + len > sizeof(fs->out))
		abort();
	memcpy(fs->out + fs->out_len, &h, sizeof(h));
	if (len > 0)
		memcpy(fs->out + fs->out_len + sizeof(h), body, len);
	fs->out_len += sizeof(h) + len;
}

static inline void
fake_event(struct fake_store *fs, const char *path, const char *token)
{
	char body[512];
	size_t n = strlen(path) + 1, m = strlen(token) + 1;

	memcpy(body, path, n);
	memcpy(body + n, token, m);
	fake_queue(fs, WIRE_WATCH_EVENT, 0, 0, body, n + m);
}

static inline void
fake_fire(struct fake_store *fs, const char *path)
{
	for (int i = 0; i < FAKE_WATCHES; i++) {
		const char *w = fs->watch[i].path;
		size_t n = strlen(w);

		if (n > 0 && strncmp(w, path, n) == 0 &&
		    (path[n] == '\0' || path[n] == '/'))
			fake_event(fs, path, fs->watch[i].token);
	}
}

static inline void
fake_set_bytes(
    struct fake_store *fs, const char *path, const void *value, size_t len)
{
	struct fake_node *n = fake_find(fs, path);

	for (int i = 0; n == NULL && i < FAKE_NODES; i++)
		if (fs->node[i].path == NULL)
			n = &fs->node[i];
	if (n == NULL || len >= sizeof(n->value))
		abort();
	if (n->path == NULL)
		n->path = strdup(path);
	if (len > 0)
		memcpy(n->value, value, len);
	n->value[len] = '\0';
	n->len = len;
	fake_fire(fs, path);
}

static inline void
fake_set(struct fake_store *fs, const char *path, const char *value)
{
	fake_set_bytes(fs, path, value, strlen(value));
}

static inline void
fake_rm(struct fake_store *fs, const char *path)
{
	size_t n = strlen(path);

	for (int i = 0; i < FAKE_NODES; i++) {
		char *p = fs->node[i].path;

		if (p && strncmp(p, path, n) == 0 &&
		    (p[n] == '\0' || p[n] == '/')) {
			free(p);
			fs->node[i].path = NULL;
		}
	}
	fake_fire(fs, path);
}

/* The names directly below PATH; -1 if nothing is there at all. */
static inline int
fake_list(struct fake_store *fs, const char *path, char *out, size_t *len)
{
	size_t n = strlen(path);
	int found = fake_find(fs, path) != NULL;

	*len = 0;
	for (int i = 0; i < FAKE_NODES; i++) {
		const char *p = fs->node[i].path;
		size_t m, k;

		if (!p || strncmp(p, path, n) != 0 || p[n] != '/')
			continue;
		found = 1;
		m = strcspn(p + n + 1, "/");
		for (k = 0; k < *len; k += strlen(out + k) + 1)
			if (strlen(out + k) == m &&
			    strncmp(out + k, p + n + 1, m) == 0)
				break;
		if (k < *len)
			continue;
		memcpy(out + *len, p + n + 1, m);
		out[*len + m] = '\0';
		*len += m + 1;
	}
	return found ? 0 : -1;
}

static inline const char *
fake_watch(struct fake_store *fs, const char *path, const char *token)
{
	int at = -1;

	for (int i = FAKE_WATCHES - 1; i >= 0; i--) {
		if (fs->watch[i].path[0] == '\0')
			at = i;
		else if (strcmp(fs->watch[i].path, path) == 0 &&
			 strcmp(fs->watch[i].token, token) == 0)
			return "EEXIST";
	}
	if (at < 0 || strlen(path) >= sizeof(fs->watch[at].path) ||
	    strlen(token) >= sizeof(fs->watch[at].token))
		return "ENOSPC";
	strcpy(fs->watch[at].path, path);
	strcpy(fs->watch[at].token, token);
	return NULL;
}

static inline const char *
fake_unwatch(struct fake_store *fs, const char *path, const char *token)
{
	for (int i = 0; i < FAKE_WATCHES; i++) {
		if (strcmp(fs->watch[i].path, path) == 0 &&
		    strcmp(fs->watch[i].token, token) == 0) {
			fs->watch[i].path[0] = '\0';
			return NULL;
		}
	}
	return "ENOENT";
}

/* One request; BODY is followed by a NUL. */
static inline void
fake_serve(
    struct fake_store *fs, const struct wire_header *h, char *body, size_t len)
{
	const char *err = fs->error, *second = body + strlen(body) + 1;
	static char reply[4096];
	size_t reply_len = 3;
	struct fake_node *n;

	memcpy(reply, "OK", 3);
	fs->requests++;
	fs->last_type = h->type;
	fs->error = NULL;
	if (fs->silent)
		return;
	if (err != NULL)
		;
	else if (h->type == WIRE_READ) {
		n = fake_find(fs, body);
		if (n == NULL) {
			err = "ENOENT";
		} else {
			memcpy(reply, n->value, n->len);
			reply_len = n->len;
		}
	} else if (h->type == WIRE_DIRECTORY) {
		if (fake_list(fs, body, reply, &reply_len) != 0)
			err = "ENOENT";
	} else if (h->type == WIRE_WRITE) {
		fake_set_bytes(fs, body, second, len - strlen(body) - 1);
	} else if (h->type == WIRE_MKDIR) {
		if (fake_find(fs, body) == NULL)
			fake_set(fs, body, "");
	} else if (h->type == WIRE_RM) {
		fake_rm(fs, body);
	} else if (h->type == WIRE_TRANSACTION_START) {
		reply_len =
		    (size_t)snprintf(reply, 16, "%u", ++fs->last_tx) + 1;
	} else if (h->type == WIRE_TRANSACTION_END) {
		if (body[0] == 'T' && fs->fail_commits > 0) {
			fs->fail_commits--;
			err = "EAGAIN";
		}
	} else if (h->type == WIRE_WATCH) {
		err = fake_watch(fs, body, second);
	} else if (h->type == WIRE_UNWATCH) {
		err = fake_unwatch(fs, body, second);
	} else if (h->type != WIRE_SET_PERMS) {
		err = "ENOSYS";
	}
	if (err != NULL) {
		fake_queue(
		    fs, WIRE_ERROR, h->req_id, h->tx_id, err, strlen(err) + 1);
		return;
	}
	fake_queue(fs, h->type, h->req_id, h->tx_id, reply, reply_len);
	if (h->type == WIRE_WATCH)
		fake_event(fs, body, second);
}

static inline void
fake_store_take(struct fake_store *fs)
{
	struct xenstore_domain_interface *page = fs->page;
	struct wire_header h;
	size_t n;

	for (n = 0; n < fs->chunk && page->req_cons != page->req_prod; n++) {
		fs->in[fs->in_len++] =
		    (uint8_t)page->req[MASK_XENSTORE_IDX(page->req_cons)];
		page->req_cons++;
		fs->moved = 1;
		if (fs->in_len < sizeof(h))
			continue;
		memcpy(&h, fs->in, sizeof(h));
		if (fs->in_len == sizeof(h) + h.len) {
			char body[WIRE_PAYLOAD_MAX + 1];

			memcpy(body, fs->in + sizeof(h), h.len);
			body[h.len] = '\0';
			fs->in_len = 0;
			fake_serve(fs, &h, body, h.len);
		}
	}
}

static inline void
fake_store_give(struct fake_store *fs)
{
	struct xenstore_domain_interface *page = fs->page;
	size_t n;

	for (n = 0; n < fs->chunk && n < fs->out_len &&
		    page->rsp_prod - page->rsp_cons < XENSTORE_RING_SIZE;
	     n++) {
		page->rsp[MASK_XENSTORE_IDX(page->rsp_prod)] = (char)fs->out[n];
		page->rsp_prod++;
		fs->moved = 1;
	}
	memmove(fs->out, fs->out + n, fs->out_len - n);
	fs->out_len -= n;
}

/* Non-zero if the client is to be notified. */
static inline int
fake_store_step(struct fake_store *fs)
{
	fs->moved = 0;
	if (!fs->deaf)
		fake_store_take(fs);
	fake_store_give(fs);
	return fs->moved;
}

#endif
