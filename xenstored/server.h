/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The event loop: whose turn it is, and the state machine's view of the world.
 * A turn of the loop touches only what has something to do. Knows transports
 * and the state machine's interface; knows no operation.
 */
#ifndef XENSTORED_SERVER_H
#define XENSTORED_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "xenstored/flight.h"
#include "xenstored/log.h"
#include "xenstored/state.h"
#include "xenstored/transport.h"

struct event_base;
struct stats;
struct server;

/* The hypervisor, or what stands in for it. */
struct world {
	struct domain_info (*domain_info)(struct world *world, uint32_t domid);
	enum xs_err (*ring_open)(struct world *world, struct conn *conn,
	    uint32_t domid, uint32_t port, uint32_t features);
	void (*ring_close)(struct world *world, struct conn *conn);
};

/* A world without a hypervisor: every domain counts as existing, so that
 * permissions can be set; none has a ring. */
struct world *world_none(void);

struct server_config {
	struct state_config state;
	const char *trace_file; /* or NULL */
	int files_fd;		/* who opens files (files.h); 0: we do */
	const char *run_dir;	/* where snapshots go; NULL: there are none */
	const char *stats_file; /* stats.h; NULL: nobody looks */
};

/*
 * A server that keeps LOG. WORLD may be set later by server_set_world() but
 * before the first connection. Exits with a message if it cannot be had.
 */
struct server *server_new(const struct server_config *config, struct log *log);

/* One without a state, which server_take() brings. It keeps what it is in the
 * middle of in FLIGHT. */
struct server *server_new_empty(
    const struct server_config *config, struct flight *flight);

/* SERVER serves ST from now on, and keeps LOG. */
void server_take(struct server *server, struct state *st, struct log *log);

void server_free(struct server *server);

void server_set_world(struct server *server, struct world *world);
struct state *server_state(struct server *server);
struct stats *server_stats(struct server *server);
struct event_base *server_base(struct server *server);

/* TRANSPORT has or may have work. */
void server_activate(struct server *server, struct transport *transport);

/* Prepares TRANSPORT's links; and takes it out of all lists. */
void server_add(struct transport *transport);
void server_remove(struct transport *transport);

/* Something else that takes turns until RUN says that there is no more. */
void server_background(
    struct server *server, bool (*run)(void *ctx), void *ctx);

/*
 * One turn of the loop: what the kernel has to tell (waiting for that if
 * BLOCK), then some work. True if there is more to do.
 */
bool server_turn(struct server *server, bool block);

/* Serves until server_stop(). */
void server_run(struct server *server);
void server_stop(struct server *server);

/* Switches the trace as users name it (trace_control()). False: unknown. */
bool server_trace_control(struct server *server, const char *what);

/* Opens the trace file anew, after it was rotated. */
void server_reopen_trace(struct server *server);

/* --- what survives the process --- */

struct flight *server_flight(struct server *server);

/* The number that the next record will have. */
uint64_t server_seq(const struct server *server);

/* What the process has written in all is told by FD (plat_written()) and
 * counted on from there. Without this it is not known. */
void server_count_writes(struct server *server, int fd);

/* N bytes were written to a client; or something elsewhere. */
void server_wrote(struct server *server, size_t n);
void server_wrote_elsewhere(struct server *server);

/* How many bytes the process has written up to now, or FLIGHT_UNKNOWN. */
uint64_t server_written(struct server *server);

/* LOOK is called now and then, between turns. */
void server_set_look(struct server *server, void (*look)(void *ctx), void *ctx);

/* CONTROL commands that are not the server's own; as in struct state_env. */
void server_set_control(struct server *server,
    enum xs_err (*control)(void *ctx, int argc, const char *const argv[],
	char *buf, size_t size, size_t *len_out),
    void *ctx);

/* Space that transports may use within one call. */
enum { SERVER_SCRATCH = 64 * 1024 };
char *server_scratch(struct server *server);

#endif
