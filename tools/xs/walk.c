/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All nodes that are known and not done yet form one list in the tree's order:
 * children go in right behind their parent. Requests are made for the first
 * LOOK_AHEAD of it; its head is handed over as soon as its answers are there.
 */
#include "tools/xs/walk.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"
#include "tools/xs/glob.h"

enum {
	LOOK_AHEAD = 2048,  /* nodes */
	OUTSTANDING = 1024, /* requests: more are made when half are answered */
};

struct blob {
	char *data; /* NULL: none */
	size_t len;
	int err;
};

struct node {
	struct node *next;   /* in the tree's order */
	struct node *parent; /* NULL: the root of the walk */
	struct walk *walk;
	unsigned refs; /* children, and the list */
	int depth;
	int waiting; /* answers */
	bool asked;
	bool gone; /* vanished meanwhile, or with its parent */
	bool shown;
	bool match;
	struct blob value, perms, names;
	size_t len;
	char path[];
};

struct walk {
	struct xs_async *xs;
	const struct walk_config *config;
	struct node *head;
	int ret;
};

static void
unref(struct node *node)
{
	while (node != NULL && --node->refs == 0) {
		struct node *parent = node->parent;

		free(node->value.data);
		free(node->perms.data);
		free(node->names.data);
		free(node);
		node = parent;
	}
}

static struct node *
new_node(struct walk *w, struct node *parent, const char *path, size_t len)
{
	struct node *node = calloc(1, sizeof(*node) + len + 1);

	if (node == NULL)
		err(1, "%s", path);
	node->walk = w;
	node->parent = parent;
	node->refs = 1;
	node->depth = parent != NULL ? parent->depth + 1 : -1;
	node->len = len;
	memcpy(node->path, path, len);
	if (parent != NULL) {
		parent->refs++;
		node->match = w->config->glob == NULL ||
			      glob_match(w->config->glob, node->path);
	}
	return node;
}

static void
keep(struct node *node, struct blob *blob, int error, const char *data,
    size_t len)
{
	node->waiting--;
	blob->err = error;
	if (error != 0)
		return;
	blob->data = malloc(len + 1);
	if (blob->data == NULL)
		err(1, "%s", node->path);
	memcpy(blob->data, data, len);
	blob->data[len] = '\0';
	blob->len = len;
}

static void
got_value(void *ctx, int error, const char *data, size_t len)
{
	struct node *node = ctx;

	keep(node, &node->value, error, data, len);
}

static void
got_perms(void *ctx, int error, const char *data, size_t len)
{
	struct node *node = ctx;

	keep(node, &node->perms, error, data, len);
}

/* Puts the children that DATA names behind NODE. */
static void
got_names(void *ctx, int error, const char *data, size_t len)
{
	struct node *node = ctx, **at = &node->next;
	char path[CMD_PATH_SIZE];

	node->waiting--;
	node->names.err = error;
	memcpy(path, node->path, node->len + 1);
	for (const char *name = data; error == 0 && name < data + len;
	     name += strlen(name) + 1) {
		size_t child_len = node->len;
		struct node *child;

		if (!cmd_path_push(path, &child_len, name)) {
			node->names.err = ENAMETOOLONG;
			break;
		}
		child = new_node(node->walk, node, path, child_len);
		child->next = *at;
		*at = child;
		at = &child->next;
	}
}

/* May there be something to show below NODE? */
static bool
wants_names(const struct node *node)
{
	const struct walk_config *c = node->walk->config;

	if (c->depth >= 0 && node->depth + 1 >= c->depth)
		return false;
	return node->parent == NULL || c->glob == NULL ||
	       glob_may_contain(c->glob, node->path);
}

/* Makes the requests about NODE. */
static void
ask(struct walk *w, struct node *node)
{
	bool shown = node->match || w->config->ancestors;

	node->asked = true;
	if (node->parent != NULL && shown) {
		node->waiting++;
		if (xs_async_read(
			w->xs, XBT_NULL, node->path, got_value, node) == NULL)
			got_value(node, errno, NULL, 0);
	}
	if (wants_names(node)) {
		node->waiting++;
		if (xs_async_directory(
			w->xs, XBT_NULL, node->path, got_names, node) == NULL)
			got_names(node, errno, NULL, 0);
	}
	if (node->parent != NULL && shown && w->config->perms) {
		node->waiting++;
		if (xs_async_get_permissions(
			w->xs, XBT_NULL, node->path, got_perms, node) == NULL)
			got_perms(node, errno, NULL, 0);
	}
}

/* Makes requests ahead. */
static void
ask_ahead(struct walk *w)
{
	struct node *node = w->head;

	if (xs_async_pending(w->xs) > OUTSTANDING / 2 &&
	    (node == NULL || node->asked))
		return;
	for (int n = 0; node != NULL && n < LOOK_AHEAD &&
			xs_async_pending(w->xs) < OUTSTANDING;
	     n++, node = node->next)
		if (!node->asked)
			ask(w, node);
}

static void
show(struct walk *w, struct node *node)
{
	struct walk_node out = {
		.path = node->path,
		.name = strrchr(node->path, '/'),
		.depth = node->depth,
		.match = node->match,
		.value = node->value.data,
		.len = node->value.len,
		.perms = node->perms.data,
		.perms_len = node->perms.len,
	};

	out.name = out.name != NULL ? out.name + 1 : node->path;
	node->shown = true;
	w->config->show(w->config->ctx, &out);
}

/* What leads to NODE, from above, as far as it was not shown yet. */
static void
show_ancestors(struct walk *w, struct node *node)
{
	if (node->parent == NULL || node->shown)
		return;
	show_ancestors(w, node->parent);
	show(w, node);
}

/* All about NODE is known, and everything before it was handed over. */
static void
finish(struct walk *w, struct node *node)
{
	int error = node->names.err;

	if (node->parent != NULL)
		node->gone = node->parent->gone || node->value.err == ENOENT;
	if (node->gone)
		return;
	if (node->match) {
		if (w->config->ancestors)
			show_ancestors(w, node->parent);
		show(w, node);
	}
	if (error == 0 || (error == ENOENT && node->parent != NULL))
		return;
	if (error == ENAMETOOLONG)
		warnx("path below %s is too long", node->path);
	else
		warnx("xs_directory (%s): %s", node->path, strerror(error));
	w->ret = 1;
}

static void
pop(struct walk *w)
{
	struct node *node = w->head;

	w->head = node->next;
	unref(node);
}

int
walk_run(
    struct xs_async *xs, const char *root, const struct walk_config *config)
{
	struct walk w = { .xs = xs, .config = config };

	if (strlen(root) >= CMD_PATH_SIZE) {
		errno = E2BIG;
		warn("xs_directory (%s)", root);
		return 1;
	}
	w.head = new_node(&w, NULL, root, strlen(root));
	while (w.head != NULL && w.ret == 0) {
		ask_ahead(&w);
		if (w.head->asked && w.head->waiting == 0) {
			finish(&w, w.head);
			pop(&w);
		} else {
			/* when it fails, all has been answered */
			(void)xs_async_wait(xs, -1);
		}
	}
	(void)xs_async_finish(xs);
	while (w.head != NULL)
		pop(&w);
	return w.ret;
}
