/*
 * hvd: the hypervisor core as a process. What its parts share.
 *
 * One thread, one epoll loop. loop knows descriptors; channel knows messages;
 * endpoint knows port tables and doorbell pairs; guest knows RAM and the
 * processes of domains; world ties the core to them; spawner talks to hv-spawn,
 * kernfs to hv-kernfs; nodes knows $HV_ROOT. Nothing here knows what a
 * hypercall means: that is the core's. Error numbers between these parts are
 * negative errno, which are the XEN_E* ones.
 */
#ifndef HV_HOSTED_HVD_H
#define HV_HOSTED_HVD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hv-core/core/hv.h"
#include "hv-core/hosted/cmdline.h"
#include "hv-core/hosted/proto.h"

/* ------------------------------------------------------------------ loop -- */

/* A descriptor in the loop. */
struct source {
	int fd; /* -1: not in the loop */
	uint32_t events;
	void (*ready)(struct source *s, uint32_t events);
};

/* --------------------------------------------------------------- channel -- */

struct hvd;
struct endpoint;
struct hvd_domain;

/* A message that the socket had no room for, with its descriptors. */
struct outgoing {
	struct outgoing *next;
	struct hv_msg msg;
	int fd[HV_MSG_FDS];
	int nfds;
};

/* A domain whose memory a control client has seen. */
struct seen_ram {
	struct seen_ram *next;
	domid_t domid;
	uint64_t serial;
};

/* One attachment; what struct hv_caller calls a channel. */
struct channel {
	struct source source; /* first */
	struct channel *next, **link;
	struct channel *next_dead;
	struct hvd *hvd;
	struct hvd_domain *domain; /* the guest's; NULL: a control client */
	uint32_t kind;		   /* enum hv_chan_kind, 0 until ATTACH */
	pid_t pid;
	uint8_t *arena;	     /* control clients: HV_ARENA_SIZE bytes */
	uint64_t arena_base; /* HV_ARENA_NONE: arguments are in pid's memory */
	struct endpoint *endpoint;
	struct outgoing *out, **out_end;
	unsigned nr_out;
	struct seen_ram *seen;
	bool closed;	/* freed after the present batch of events */
	bool busy;	/* a hypercall is being continued */
	bool busy_send; /* ... that HV_MSG_SEND has made */
	struct hv_msg_call call;
	uint32_t send_port; /* the argument of HV_MSG_SEND */
};

/* ---------------------------------------------------------------- domain -- */

enum process_state {
	PROCESS_NONE,	  /* not started */
	PROCESS_STARTING, /* hv-spawn has been asked */
	PROCESS_RUNNING,
	PROCESS_ENDED,
};

struct hvd_domain {
	struct hvd *hvd;
	domid_t domid;
	uint64_t serial;
	/* RAM: one memfd, frame = offset; file_size grows until the start */
	int ram_fd;
	uint8_t *ram;
	uint64_t ram_size; /* bytes of the file */
	uint64_t pages;	   /* populated */
	bool released_any;
	/* shared_info, then the grant table */
	int xen_fd;
	uint8_t *xen;
	uint64_t xen_size;
	uint32_t max_grant_frames;
	uint32_t max_ports;
	/* the process */
	enum process_state process;
	uint64_t start_info;
	struct channel *channel;
	int pidfd;
	pid_t pid;
	bool paused, killed;
};

/* ------------------------------------------------------------------- hvd -- */

struct spawner; /* spawner.c */
struct kernfs;	/* kernfs.c */

struct hvd_config {
	const char *root;
	const char *libexec;
	struct machine_config machine; /* cmdline.h */
	int kernel_fd;		       /* domain 0's kernel, or -1 */
	const char *kernel_args;       /* with its name in front */
	bool strict;
	bool audit; /* core_audit() after every message */
	bool guest_stderr;
};

struct hvd {
	const struct hvd_config *config;
	struct hv *hv;
	int epoll_fd;
	struct source listener;
	struct source signals;
	int spare_fd; /* given up to refuse a connection when out of fds */
	struct channel *channels;
	struct channel *dead; /* closed, to be freed */
	unsigned nr_busy;
	struct hvd_domain **domains; /* by domid */
	struct endpoint **owner0;    /* domain 0's ports: whose table */
	struct spawner *spawner;
	struct kernfs *kernfs; /* NULL: no xenevt node is served */
	uint64_t boot_ns;
	uint64_t ram_max; /* bytes of a domain's RAM, at most */
	uint64_t console_budget, console_time;
	char notes[4096]; /* for the console ring, see log_note() */
	size_t notes_len;
	bool printing; /* the console's text is ours: it is logged already */
	pid_t dom0_pid;
	uint64_t stop_at; /* going down: domain 0 has until then; 0: not */
	bool stop;
	int exit_status;
};

/* main loop (loop.c) */

/* Watch S->fd for EVENTS (EPOLL*). 0 or -errno. */
int loop_add(struct hvd *h, struct source *s, uint32_t events);
void loop_change(struct hvd *h, struct source *s, uint32_t events);
void loop_remove(struct hvd *h, struct source *s);
/* Run until h->stop. */
void loop_run(struct hvd *h);
/* End the loop with this exit status, saying why. */
void loop_stop(struct hvd *h, int status);

/* channel.c */

/* Open $HV_ROOT/hvd.sock and accept control clients. 0 or -errno. */
int channels_listen(struct hvd *h, const char *path);
void channels_close_all(struct hvd *h);
/* Take FD, a guest's end of a socket pair. NULL: no memory; FD is not taken. */
struct channel *channel_guest(struct hvd_domain *d, int fd);
/* End it: its ports and handles go, and its descriptors. */
void channel_close(struct channel *c);
/* Free what channel_close left for the end of the batch. */
void channels_reap(struct hvd *h);
/* Go on with every interrupted hypercall, one slice each. */
void channels_continue(struct hvd *h);
/* Forget what C's client has not read yet. */
void channel_discard(struct channel *c);
/* Send M with copies of FD[0..N-1], now or when there is room. */
void channel_send(
    struct channel *c, const struct hv_msg *m, const int *fd, int nfds);
/* DOMID's memory is given up: tell those who have it. */
void channels_ram_gone(struct hvd *h, domid_t domid, uint64_t serial);

/* request.c: one message of a client. */
void request_handle(struct channel *c, const struct hv_msg *m);
/* One (more) slice of c->call; answers if it is finished. */
void request_run_call(struct channel *c);

/* endpoint.c */

/* Where HV_MSG_ATTACH finds the descriptors for a client; not its to close. */
struct endpoint_fds {
	int table, pair, bell;
};

/*
 * Make C an event endpoint: table, pair and bell of hvd. 0 or -ENOMEM. Its
 * ports (a guest has some already) are not connected until endpoint_up().
 */
int endpoint_create(struct channel *c, struct endpoint_fds *fds_out);
/* C has been told its descriptors: pairs may be announced to it. */
void endpoint_up(struct channel *c);
/*
 * C's client is dead and another one takes its place: the descriptors again.
 * Peers send to C by the hypercall until the new client hears their pairs.
 */
void endpoint_down(struct channel *c, struct endpoint_fds *fds_out);
/* It has been told its descriptors: the pairs there are may be announced. */
void endpoint_up_again(struct channel *c);
/* Disconnect C from its peers; the ports stay bound. */
void endpoint_destroy(struct channel *c);
/* C hears SLOT now. */
void endpoint_ready(struct channel *c, uint32_t slot, uint32_t gen);
/* An event of domain 0 for whoever owns PORT. */
void endpoint_post(struct channel *c, uint32_t port);
/* Wake C, whose shared_info has changed. */
void endpoint_kick(struct channel *c);
/* What the core says of PORT has changed. */
void endpoint_port_changed(struct hvd *h, domid_t domid, uint32_t port);

/* guest.c */
struct hvd_domain *guest_find(struct hvd *h, domid_t domid);
void guest_signal(struct hvd_domain *d, int sig);
/* Its process has ended, or cannot be trusted to run on (its channel went). */
void guest_died(struct hvd_domain *d, const char *why);
/* hv-spawn's answer: PIDFD is taken; ERR is an errno with WHY. */
void guest_started(
    struct hvd_domain *d, pid_t pid, int pidfd, int err, const char *why);

int guest_create(void *world, const struct hv_domain_spec *spec,
    struct hv_domain_pages *out);
int guest_start(void *world, domid_t domid, uint64_t start_info);
void guest_pause(void *world, domid_t domid);
void guest_unpause(void *world, domid_t domid);
void guest_kill(void *world, domid_t domid);
void guest_free(void *world, domid_t domid);

/* ram.c: a domain's memory. */

/* A sealed memfd of SIZE bytes mapped at *MAP_OUT; its fd or -errno. */
int ram_memfd(const char *name, uint64_t size, int seals, void **map_out);
int ram_init(struct hvd_domain *d);
void ram_fini(struct hvd_domain *d);
/* LEN bytes at guest-physical ADDR, or NULL if they are not all RAM. */
void *ram_at(struct hvd_domain *d, uint64_t addr, uint64_t len);
int ram_populate(void *world, domid_t domid, uint64_t gfn, uint64_t nr);
void ram_release(void *world, domid_t domid, uint64_t gfn, uint64_t nr);
void *ram_frame(void *world, domid_t domid, uint64_t gfn);

/* image.c: what a guest is started from. */

/*
 * The kernel image that the hvm_start_info at ADDR of D's RAM names as module
 * 0, as a sealed memfd. Everything is checked against the size of RAM. The fd;
 * else -EINVAL and *WHY_OUT, or -ENOMEM.
 */
int image_take(struct hvd_domain *d, uint64_t addr, const char **why_out);

/* world.c */
extern const struct hv_world hosted_world;
uint64_t world_now(void *world);

/* The address under which copy_from finds HV_MSG_SEND's argument. */
#define HVD_SEND_ADDR (UINT64_C(1) << 63)

/* helper.c */

#define HELPER_ARGS 4

/*
 * Run NAME of the libexec folder with ARG[] (ended by NULL, at most
 * HELPER_ARGS; NULL: none), STD[0..2] as its standard descriptors (-1:
 * /dev/null) and EXTRA, unless it is -1, as descriptor 3. 0 and *PID_OUT, the
 * caller's to reap; or -errno.
 */
int helper_start(struct hvd *h, const char *name, const char *const arg[],
    const int std[3], int extra, pid_t *pid_out);

/* kernfs.c */

/*
 * Start hv-kernfs, which serves $HV_ROOT/dev/xenevt until kernfs_stop() or the
 * end of this process. The log has the reason if there is no node.
 */
void kernfs_start(struct hvd *h);
/* Wait, not for long, until the node is there or it is known why not. */
void kernfs_await(struct hvd *h);
/* End it and take the mount away. */
void kernfs_stop(struct hvd *h);

/* spawner.c */

/* Start hv-spawn. 0, or -1 and the reason has been logged. */
int spawner_start(struct hvd *h);
void spawner_stop(struct hvd *h);
/* Ask for D's process; the answer comes by guest_started(). 0 or -errno. */
int spawner_guest(struct hvd_domain *d, int image_fd, int channel_fd);
/* Ask for domain 0's kernel. 0 or -errno. */
int spawner_dom0(struct hvd *h);

/* nodes.c */

/*
 * Make $HV_ROOT and what is below it, and take its lock. 0, or -1 and the
 * reason has been logged (another hvd has it).
 */
int nodes_create(struct hvd *h);
void nodes_remove(struct hvd *h);

/* log.c */

/* Append to PATH instead of writing to stderr. 0 or -errno. */
int log_open(const char *path);
int log_fd(void);
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * As log_line, and also into the machine's console ring, as soon as the core is
 * not at work. May be called from inside of the core.
 */
void log_note(struct hvd *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What log_note left for the console ring. */
void log_flush_notes(struct hvd *h);
/* Also to stderr if the log goes to a file. */
void log_loud(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
