/*
 * What the files of the client share; nobody else includes it.
 */
#ifndef HV_LIB_HOSTED_CLIENT_PRIV_H
#define HV_LIB_HOSTED_CLIENT_PRIV_H

#include <pthread.h>

#include "hv-core/lib/hosted/client.h"

/* One buffer that is in use; the list is sorted by offset. */
struct arena_block {
	struct arena_block *next;
	size_t offset;
	size_t size;
};

struct arena {
	uint8_t *base;
	size_t size;
	struct arena_block *used;
};

/* One doorbell pair; slot 0 is hvd and has no tx. */
struct slot {
	struct pair_page *rx;
	struct pair_page *tx;
	void *map; /* both pages */
	size_t map_size;
	uint32_t gen;
	int rx_fd; /* -1: the slot is empty */
	int tx_fd;
};

struct events {
	int epoll_fd;
	int nudge_fd;
	int nudged;
	const struct port_table_entry *table;
	struct slot *slots;
	uint32_t nr_slots;
};

struct ram_ref {
	struct ram_ref *next;
	struct hv_window *window;
};

struct hv_client {
	pthread_mutex_t lock;
	int fd;
	int gone; /* hvd hung up */
	struct hv_msg_attached info;
	struct arena arena;
	struct events ev; /* epoll_fd -1: not an endpoint */
	struct ram_ref *rams;
	void *xen_pages; /* guests */
};

/* A message with its descriptors; unused ones are -1. */
struct parcel {
	struct hv_msg msg;
	int fd[HV_MSG_FDS];
};

/* client.c; C is locked. */

/* Send M; *P is the answer, its descriptors the caller's. */
int client_request(
    struct hv_client *c, const struct hv_msg *m, struct parcel *p);
/* Deal with what has come unasked, MOST messages of it; does not wait. How many
 * there were. */
unsigned client_read_async(struct hv_client *c, unsigned most);
void parcel_close(struct parcel *p);

/* client_arena.c */
void arena_free_all(struct arena *a);

/* client_event.c; C is locked. */
int events_init(struct hv_client *c, int table_fd, int pair_fd, int bell_fd);
void events_fini(struct hv_client *c);
/* Take a PAIR's descriptors into use: 0, or -errno and nothing changed. */
int events_pair_up(struct hv_client *c, const struct hv_msg_pair *m,
    int pages_fd, int rx_fd, int tx_fd);
void events_pair_down(struct hv_client *c, uint32_t slot);
/* 1: PORT has been posted directly, 0: it cannot be. */
int events_send_direct(struct events *ev, uint32_t port);

/* client_window.c; C is locked. */
void windows_drop(struct hv_client *c, uint64_t serial);
void windows_drop_all(struct hv_client *c);

#endif
