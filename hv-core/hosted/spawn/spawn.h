/*
 * hv-spawn: its parts.
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

#include "hv-core/hosted/spawn_proto.h"

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
