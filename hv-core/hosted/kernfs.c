/*
 * NetBSD's xenevt node, which hv-kernfs serves: starting it, telling why there
 * is none, and leaving no mount behind.
 *
 * One socket is its standard input, output and error: it says "mounted" or what
 * is wrong, and unmounts when its input ends, however hvd ended.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

/* How long the boot waits for the node, and the end for hv-kernfs's end. */
#define MOUNT_MS 1000
#define END_MS 2000

static const char mounted_line[] = "mounted\n";

struct kernfs {
	struct source source; /* first */
	struct hvd *hvd;
	pid_t pid;
	bool mounted;
	char said[200];
	size_t len;
};

static void
node_path(const struct hvd *h, char *path, size_t size)
{
	snprintf(path, size, "%s/dev/xenevt", h->config->root);
}

/* Also what a machine left whose hv-kernfs could not do it itself. */
static void
unmount(const struct hvd *h)
{
	char path[4096];

	node_path(h, path, sizeof(path));
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
}

static void
no_node(struct hvd *h, const char *why)
{
	char path[4096];

	node_path(h, path, sizeof(path));
	unlink(path);
	log_note(h, "no xenevt node: %s", why);
}

/* Wait for its end, which is close; kill it if it is not. The status. */
static int
reap(pid_t pid)
{
	struct pollfd end = { .events = POLLIN };
	int status = 0;

	end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (end.fd < 0 || poll(&end, 1, END_MS) != 1)
		kill(pid, SIGKILL);
	if (end.fd >= 0)
		close(end.fd);
	waitpid(pid, &status, 0);
	return status;
}

/* It has closed its end. */
static void
ended(struct kernfs *k)
{
	struct hvd *h = k->hvd;
	int status;

	loop_remove(h, &k->source);
	close(k->source.fd);
	status = reap(k->pid);
	unmount(h);
	for (size_t i = 0; i < k->len; i++)
		if (k->said[i] == '\n')
			k->said[i] = i + 1 < k->len ? ';' : '\0';
	if (k->len == 0 && WIFSIGNALED(status))
		snprintf(k->said, sizeof(k->said), "hv-kernfs: killed by %s",
		    strsignal(WTERMSIG(status)));
	else if (k->len == 0)
		snprintf(k->said, sizeof(k->said), "hv-kernfs: exit status %d",
		    WEXITSTATUS(status));
	no_node(h, k->said);
	h->kernfs = NULL;
	free(k);
}

static void
ready(struct source *source, uint32_t events)
{
	struct kernfs *k = (struct kernfs *)source;
	char rest[64];
	bool full = k->len == sizeof(k->said) - 1;
	ssize_t n = full ? read(source->fd, rest, sizeof(rest))
			 : read(source->fd, k->said + k->len,
			       sizeof(k->said) - 1 - k->len);

	(void)events;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		ended(k);
		return;
	}
	if (full)
		return;
	k->len += (size_t)n;
	k->said[k->len] = '\0';
	if (strcmp(k->said, mounted_line) != 0)
		return;
	k->mounted = true;
	k->len = 0;
	log_note(k->hvd, "xenevt: served by process %d", (int)k->pid);
}

static int
run_hv_kernfs(struct kernfs *k)
{
	char path[4096];
	const char *const arg[] = { "-s", path, NULL };
	int sv[2], err;

	node_path(k->hvd, path, sizeof(path));
	unmount(k->hvd);
	/* Not open(): if a mount is left, that would wait for ourselves. */
	if (mknod(path, S_IFREG | 0600, 0) != 0 && errno != EEXIST)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) != 0)
		return -errno;
	err = helper_start(k->hvd, "hv-kernfs", arg,
	    (const int[]){ sv[1], sv[1], sv[1] }, -1, &k->pid);
	close(sv[1]);
	k->source = (struct source){ .fd = sv[0], .ready = ready };
	if (err != 0)
		close(sv[0]);
	return err;
}

void
kernfs_start(struct hvd *h)
{
	struct kernfs *k = calloc(1, sizeof(*k));
	int err = -ENOMEM;
	char why[160];

	if (k != NULL) {
		k->hvd = h;
		err = run_hv_kernfs(k);
	}
	if (err == 0) {
		h->kernfs = k;
		err = loop_add(h, &k->source, EPOLLIN);
		if (err != 0)
			kernfs_stop(h);
	} else {
		free(k);
	}
	if (err == 0)
		return;
	snprintf(why, sizeof(why), "%s/hv-kernfs: %s", h->config->libexec,
	    strerror(-err));
	no_node(h, why);
}

void
kernfs_await(struct hvd *h)
{
	uint64_t end = world_now(h) + MOUNT_MS * UINT64_C(1000000);

	while (h->kernfs != NULL && !h->kernfs->mounted) {
		struct pollfd p = { .fd = h->kernfs->source.fd,
			.events = POLLIN };
		uint64_t now = world_now(h);

		if (now >= end ||
		    poll(&p, 1, (int)((end - now) / 1000000) + 1) <= 0)
			return;
		ready(&h->kernfs->source, EPOLLIN);
	}
}

void
kernfs_stop(struct hvd *h)
{
	struct kernfs *k = h->kernfs;

	if (k == NULL)
		return;
	loop_remove(h, &k->source);
	close(k->source.fd);
	reap(k->pid);
	unmount(h);
	free(k);
	h->kernfs = NULL;
}
