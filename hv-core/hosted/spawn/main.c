/*
 * hv-spawn: started by hvd with its socket as descriptor SPAWN_SOCKET_FD.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "hv-core/hosted/spawn/spawn.h"

int
main(int argc, char **argv)
{
	struct stat st;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		puts("usage: hv-spawn\n"
		     "Starts and sandboxes the guests of hvd, which starts "
		     "it; not for use by hand. See hv-spawn(8).");
		return 0;
	}
	if (argc != 1 || fstat(SPAWN_SOCKET_FD, &st) != 0 ||
	    !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "hv-spawn: only hvd starts this program\n");
		return 2;
	}
	/* If hvd died before this, the socket is at its end already. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(SPAWN_SOCKET_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	serve(SPAWN_SOCKET_FD);
	return 0;
}
