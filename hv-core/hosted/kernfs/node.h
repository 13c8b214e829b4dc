/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node as a FUSE file system of one file: it turns FUSE's requests into
 * calls of xenevt.h and keeps the readers that wait.
 *
 * Knows libfuse's low-level interface. Does not know what a port is.
 */
#ifndef KERNFS_NODE_H
#define KERNFS_NODE_H

struct fuse_lowlevel_ops;
struct fuse_session;

struct node; /* the one node */

/* What FUSE calls; the session's user data must be the struct node. */
const struct fuse_lowlevel_ops *node_ops(void);

/* NULL and errno. Not to be freed while opens are left. */
struct node *node_new(void);
void node_free(struct node *node);

/*
 * Serve SE, which has been mounted, until it is unmounted, a signal handler of
 * libfuse asked for the end, or LIFE (a pipe or socket; -1: none) is at its end
 * of file. What LIFE brings is thrown away. 0, or -1 with errno.
 */
int node_serve(struct node *node, struct fuse_session *se, int life);

#endif
