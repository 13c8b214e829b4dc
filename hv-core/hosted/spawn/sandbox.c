/*
 * Starting a guest: the parent clones and maps ids, the child gives everything
 * up step by step and executes the image. A step that fails ends the attempt.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv-core/hosted/proto.h"
#include "hv-core/hosted/spawn/spawn.h"

#define MIB (UINT64_C(1) << 20)

#define SANDBOX_NAMESPACES                                                     \
	(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS |           \
	    CLONE_NEWIPC | CLONE_NEWUTS)

/* The guest's id within its own namespace: nobody, so exec gives no power. */
#define SANDBOX_ID 65534

#define GUEST_NICE 10

/* Descriptors of the child while it sets itself up. */
#define CHILD_WHY_FD (SPAWN_IMAGE_FD + 1) /* write end: a spawn_error */
#define CHILD_GO_FD (SPAWN_IMAGE_FD + 2)  /* read end: ids are mapped */

static void
fail(struct spawn_error *e, int err, const char *why)
{
	e->err = err;
	snprintf(e->why, sizeof(e->why), "%s", why);
}

/* ---------------------------------------------------------- in the child -- */

/* Say what failed and end. */
static _Noreturn void
child_dies(const char *why)
{
	struct spawn_error e;
	ssize_t n;

	memset(&e, 0, sizeof(e));
	fail(&e, errno, why);
	n = write(CHILD_WHY_FD, &e, sizeof(e));
	(void)n; /* nobody is left to tell */
	_exit(127);
}

static void
child_or_die(int ok, const char *why)
{
	if (!ok)
		child_dies(why);
}

/* Move FD to AT, with or without close-on-exec. */
static void
child_move(int fd, int at, int flags)
{
	child_or_die(fd == at || dup3(fd, at, flags) == at, "dup3");
	if (fd == at)
		child_or_die(
		    fcntl(fd, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0) == 0,
		    "fcntl F_SETFD");
}

/*
 * Leave 0-2, the channel, and above SPAWN_GUEST_NOFILE our three. First all are
 * copied out of the way, since any of them may be at another one's place.
 */
static void
child_descriptors(const struct sandbox *sb, int why, int go)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err_fd = sb->stderr_fd >= 0 ? sb->stderr_fd : null;
	const int from[6] = { why, go, sb->image_fd, sb->channel_fd, null,
		err_fd };
	int tmp[6];

	child_or_die(null >= 0, "open /dev/null");
	for (int i = 0; i < 6; i++) {
		tmp[i] = fcntl(from[i], F_DUPFD_CLOEXEC, SPAWN_IMAGE_FD + 8);
		child_or_die(tmp[i] >= 0, "F_DUPFD");
	}
	child_move(tmp[0], CHILD_WHY_FD, O_CLOEXEC);
	child_move(tmp[1], CHILD_GO_FD, O_CLOEXEC);
	child_move(tmp[2], SPAWN_IMAGE_FD, O_CLOEXEC);
	child_move(tmp[3], HV_GUEST_CHANNEL_FD, 0);
	child_move(tmp[4], 0, 0);
	child_move(tmp[4], 1, 0);
	child_move(tmp[5], 2, 0);
	child_or_die(
	    close_range(HV_GUEST_CHANNEL_FD + 1, SPAWN_IMAGE_FD - 1, 0) == 0 &&
		close_range(CHILD_GO_FD + 1, ~0u, 0) == 0,
	    "close_range");
}

/* An empty, read-only root; the old one is gone from this namespace. */
static void
child_root(void)
{
	const char *const at = "/proc"; /* any directory that is always there */

	child_or_die(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	    "making mounts private");
	child_or_die(
	    mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"size=4k,nr_inodes=2,mode=0555") == 0,
	    "mounting an empty root");
	child_or_die(chdir(at) == 0, "chdir to the empty root");
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		child_or_die(
		    umount2(".", MNT_DETACH) == 0, "leaving the old root");
	} else {
		/* The first root of a kernel can be covered, but not left. */
		child_or_die(errno == EINVAL, "pivot_root");
		child_or_die(mount(".", "/", NULL, MS_MOVE, NULL) == 0,
		    "moving the empty root");
		child_or_die(chroot(".") == 0, "chroot to the empty root");
	}
	child_or_die(chdir("/") == 0, "chdir to /");
	child_or_die(mount(NULL, "/", NULL,
			 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID |
			     MS_NODEV | MS_NOEXEC,
			 NULL) == 0,
	    "making the empty root read-only");
}

static void
child_limit(int what, uint64_t n)
{
	struct rlimit r = { n, n };

	child_or_die(setrlimit((__rlimit_resource_t)what, &r) == 0,
	    "setting a resource limit");
}

/*
 * The C library's heap is not domain memory, so it is held to a share of it.
 * Address space: RAM, heap, stack, image, and the pair pages.
 */
static void
child_limits(const struct sandbox *sb)
{
	uint64_t heap = 64 * MIB + sb->mem_size / 4;

	child_limit(RLIMIT_CORE, 0);
	child_limit(RLIMIT_DATA, heap);
	child_limit(RLIMIT_STACK, 8 * MIB);
	child_limit(RLIMIT_AS, sb->map_size + heap + 128 * MIB);
	child_limit(RLIMIT_MEMLOCK, 0);
	child_limit(RLIMIT_MSGQUEUE, 0);
	child_limit(RLIMIT_SIGPENDING, 64);
	child_limit(RLIMIT_NPROC, 0);
	child_limit(RLIMIT_NOFILE, SPAWN_GUEST_NOFILE);
}

static void
child_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
child_main(
    const struct sandbox *sb, const struct filter *filter, int why, int go)
{
	static char *const argv[] = { (char *)(uintptr_t) "guest", NULL };
	static char *const envp[] = { NULL };
	char c;

	child_descriptors(sb, why, go);
	child_or_die(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
	/* End of file: our parent died before the line above. */
	if (read(CHILD_GO_FD, &c, 1) != 1)
		_exit(127);
	child_signals();
	child_root();
	child_or_die(setsid() > 0, "setsid");
	child_or_die(sethostname("guest", 5) == 0, "sethostname");
	/* What serves the guests goes first; a CPU hog hurts its like only. */
	child_or_die(setpriority(PRIO_PROCESS, 0, GUEST_NICE) == 0,
	    "setting the priority");
	child_limits(sb);
	child_or_die(
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
	errno = -filter_load(filter);
	child_or_die(errno == 0, "loading the system call filter");
	syscall(SYS_execveat, SPAWN_IMAGE_FD, "", argv, envp, AT_EMPTY_PATH);
	child_dies("executing the image");
}

/* --------------------------------------------------------- in the parent -- */

static int
write_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* One id inside, ours outside. */
static int
map_ids(pid_t pid, struct spawn_error *e)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof(uids), "%d %u 1", SANDBOX_ID, geteuid());
	snprintf(gids, sizeof(gids), "%d %u 1", SANDBOX_ID, getegid());
	if (write_proc(pid, "setgroups", "deny") == 0 &&
	    write_proc(pid, "uid_map", uids) == 0 &&
	    write_proc(pid, "gid_map", gids) == 0)
		return 0;
	fail(e, errno, "mapping ids into the guest's user namespace");
	return -1;
}

/* Wait until the image runs (end of file) or the child says why not. */
static int
await_exec(int why, struct spawn_error *e)
{
	ssize_t n;

	do
		n = read(why, e, sizeof(*e));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*e))
		fail(e, EIO, "reading the child's report");
	return -1;
}

static pid_t
clone_child(int *pidfd_out, struct spawn_error *e)
{
	struct clone_args args = { .flags = SANDBOX_NAMESPACES | CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd_out,
		.exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		fail(e, errno,
		    "cloning into user, net, pid, mount, ipc and uts "
		    "namespaces (does this system allow them?)");
	return (pid_t)pid;
}

static int
sandbox_parent(pid_t pid, int why, int go, struct spawn_error *e)
{
	if (map_ids(pid, e) != 0)
		return -1;
	if (write(go, "g", 1) != 1) {
		fail(e, errno, "waking the child");
		return -1;
	}
	return await_exec(why, e);
}

int
sandbox_start(const struct sandbox *sb, pid_t *pid_out, int *pidfd_out,
    struct spawn_error *e)
{
	int why[2] = { -1, -1 }, go[2] = { -1, -1 };
	struct filter filter = { { 0, NULL } };
	int pidfd = -1, ret = -1;
	pid_t pid = -1;
	int err;

	memset(e, 0, sizeof(*e));
	err = filter_make(&filter);
	if (err != 0) {
		fail(e, -err, "compiling the system call filter");
		goto out;
	}
	if (pipe2(why, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0) {
		fail(e, errno, "making a pipe");
		goto out;
	}
	pid = clone_child(&pidfd, e);
	if (pid == 0)
		child_main(sb, &filter, why[1], go[0]);
	if (pid < 0)
		goto out;
	close(why[1]);
	why[1] = -1;
	ret = sandbox_parent(pid, why[0], go[1], e);
	if (ret != 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(pidfd);
		goto out;
	}
	*pid_out = pid;
	*pidfd_out = pidfd;
out:
	filter_free(&filter);
	for (int i = 0; i < 2; i++) {
		if (why[i] >= 0)
			close(why[i]);
		if (go[i] >= 0)
			close(go[i]);
	}
	return ret;
}
