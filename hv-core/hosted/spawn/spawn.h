/*
 * hv-spawn: what hvd asks of it, and its parts.
 *
 * Knows processes, namespaces and seccomp. Does not know domains, hypercalls or
 * what is on a guest's channel: it gets descriptors and hands back a pidfd. Its
 * requests come from hvd only, over one inherited SEQPACKET socket.
 */
#ifndef HV_HOSTED_SPAWN_SPAWN_H
#define HV_HOSTED_SPAWN_SPAWN_H

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_SOCKET_FD 3 /* where hv-spawn finds the socket */

enum spawn_type {
	/* hvd asks */
	SPAWN_GUEST = 1, /* descriptors: image, channel, stderr (optional) */
	SPAWN_DOM0 = 2,	 /* descriptor: image */
	/* hv-spawn tells */
	SPAWN_DONE = 3,	  /* of the request TAG; descriptor: pidfd */
	SPAWN_EXITED = 4, /* the process of TAG has ended and been reaped */
};

#define SPAWN_ARGS_MAX 4096
#define SPAWN_WHY_MAX 120

struct spawn_msg {
	uint32_t type;
	uint32_t args_len;
	uint64_t tag;	   /* chosen by hvd; names the process later on */
	uint64_t map_size; /* SPAWN_GUEST: bytes of address space it needs */
	uint64_t mem_size; /* SPAWN_GUEST: bytes of memory it has */
	int32_t err;	   /* SPAWN_DONE: 0 or errno */
	int32_t pid;	   /* SPAWN_DONE: for the log only */
	int32_t status;	   /* SPAWN_EXITED: as of waitpid(2) */
	uint32_t pad;
	char why[SPAWN_WHY_MAX];   /* SPAWN_DONE: what failed, if err != 0 */
	char args[SPAWN_ARGS_MAX]; /* SPAWN_DOM0: argv, each with its NUL */
};

/* The image while it is being started: above any limit that a guest has. */
#define SPAWN_IMAGE_FD 1000
#define SPAWN_GUEST_NOFILE 512

struct sandbox {
	int image_fd;
	int channel_fd;
	int stderr_fd; /* -1: /dev/null */
	uint64_t map_size;
	uint64_t mem_size;
};

/* What went wrong, for the log: a step and its errno. */
struct spawn_error {
	int err;
	char why[SPAWN_WHY_MAX];
};

/*
 * Start SB's image in namespaces of its own (user, net, pid, mount, ipc, uts),
 * in an empty root, with descriptors 0-2 and HV_GUEST_CHANNEL_FD only, under
 * resource limits and the filter of filter.c. 0: the image runs, *PID_OUT is
 * its pid here and *PIDFD_OUT the caller's. -1: nothing runs, *E says why;
 * nothing is ever left out to make it work. The descriptors of SB stay the
 * caller's.
 */
int sandbox_start(const struct sandbox *sb, pid_t *pid_out, int *pidfd_out,
    struct spawn_error *e);

/*
 * Start IMAGE_FD with ARGV and this process's environment, without any sandbox,
 * in a process group of its own; it dies with this process. As above.
 */
int dom0_start(int image_fd, char *const argv[], pid_t *pid_out, int *pidfd_out,
    struct spawn_error *e);

/* The guests' system call filter, compiled. */
struct filter {
	struct sock_fprog prog;
};

/*
 * Compile it: every call that it does not name answers EPERM. 0 or -errno. To
 * be done before anything is given up, since it allocates.
 */
int filter_make(struct filter *f);
void filter_free(struct filter *f);

/* Put this process under F; no_new_privs must be set. 0 or -errno. */
int filter_load(const struct filter *f);

/*
 * Answer requests on SOCK until its other end has gone. All processes that were
 * started are killed before it returns.
 */
void serve(int sock);

#endif
