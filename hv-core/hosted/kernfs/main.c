/* SPDX-License-Identifier: BSD-2-Clause */
/* hv-kernfs: serves NetBSD's /dev/xenevt on the hosted hypervisor. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "node.h"

static int
usage(void)
{
	fprintf(stderr, "usage: hv-kernfs [-fs] file\n");
	return 2;
}

/* True if a FUSE file can be mounted over PATH; else one line says why not. */
static bool
can_mount(const char *path)
{
	struct stat st;
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "hv-kernfs: /dev/fuse: %s; modprobe fuse\n",
		    strerror(errno));
		return false;
	}
	close(fd);
	if (stat(path, &st) < 0) {
		fprintf(stderr,
		    "hv-kernfs: %s: %s; make an empty file there first\n", path,
		    strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		fprintf(stderr, "hv-kernfs: %s: not a plain file\n", path);
		return false;
	}
	return true;
}

/* How it runs. */
enum mode {
	DAEMON,
	FOREGROUND,
	SERVANT, /* of whoever has our standard input */
};

/* Serve PATH until it is unmounted. The exit status. */
static int
serve(struct node *node, struct fuse_session *se, const char *path,
    enum mode mode)
{
	int ret;

	if (fuse_session_mount(se, path) < 0) {
		fprintf(stderr, "hv-kernfs: cannot mount %s\n", path);
		return 1;
	}
	if (fuse_daemonize(mode != DAEMON) < 0 ||
	    fuse_set_signal_handlers(se) < 0) {
		fuse_session_unmount(se);
		return 1;
	}
	if (mode == SERVANT && (puts("mounted") < 0 || fflush(stdout) != 0))
		fuse_session_exit(
		    se); /* who would have liked to know is gone */
	ret = node_serve(node, se, mode == SERVANT ? STDIN_FILENO : -1);
	if (ret < 0)
		perror("hv-kernfs");
	fuse_remove_signal_handlers(se);
	fuse_session_unmount(se);
	return ret < 0 ? 1 : 0;
}

int
main(int argc, char **argv)
{
	char *fuse_argv[] = { "hv-kernfs", "-o",
		"fsname=hv-kernfs,default_permissions", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, fuse_argv);
	struct fuse_session *se;
	struct node *node;
	enum mode mode = DAEMON;
	char *path;
	int c, status;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage();
		return 0;
	}
	while ((c = getopt(argc, argv, "fs")) != -1) {
		if (c != 'f' && c != 's')
			return usage();
		mode = c == 's' ? SERVANT : FOREGROUND;
	}
	if (argc - optind != 1)
		return usage();
	if (!can_mount(argv[optind]))
		return 1;
	path = realpath(argv[optind], NULL); /* daemonizing does chdir("/") */
	if (mode == SERVANT) {
		/* What the terminal sends is for the one we serve. */
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
	}
	/* A netbsd provider here would find the node that we serve. */
	setenv("HV_PROVIDER", "hosted", 1);
	node = node_new();
	se = node == NULL || path == NULL ? NULL
					  : fuse_session_new(&args, node_ops(),
						sizeof(*node_ops()), node);
	if (se == NULL) {
		fprintf(
		    stderr, "hv-kernfs: cannot start: %s\n", strerror(errno));
		return 1;
	}
	status = serve(node, se, path, mode);
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	node_free(node);
	free(path);
	return status;
}
