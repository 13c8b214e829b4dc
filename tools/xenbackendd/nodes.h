/*
 * A device's nodes. Knows libxenstore; knows no device. XS may be NULL, which
 * is a connection that has ended.
 */
#ifndef TOOLS_XENBACKENDD_NODES_H
#define TOOLS_XENBACKENDD_NODES_H

#include <stddef.h>

struct xs_handle;

/* The value of DIR/NODE, the caller's to free; NULL with errno. */
char *nodes_read(struct xs_handle *xs, const char *dir, const char *node);

/* Writes NODES[0..COUNT) = VALUES[0..COUNT) below DIR in one transaction,
 * unless the device has gone: it must not come back as a stump. 0, or -1 with
 * errno, ENOENT when it has gone. */
int nodes_write(struct xs_handle *xs, const char *dir, size_t count,
    const char *const *nodes, const char *const *values);

/* Removes what is left at DIR of a device that has gone, and the folder that it
 * was in if that is empty then. A device that is there stays. */
void nodes_clear(struct xs_handle *xs, const char *dir);

/* Removes DIR/NODE if it is there. */
void nodes_remove(struct xs_handle *xs, const char *dir, const char *node);

/* Does errno, as one of these left it, say that the connection has ended? */
int nodes_disconnected(void);

#endif
