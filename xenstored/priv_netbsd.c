/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * NetBSD. It has neither pledge(2) nor seccomp: what a process may do is
 * decided by its user, chroot(2), and by kauth(9) listeners in the kernel
 * (secmodels), which userland cannot add. What there is: an account of its own
 * that owns nothing, an empty root directory, and limits that make new
 * descriptors and processes fail. The devices (/dev/xenevt, /kern/xen/privcmd)
 * check the permissions at open(2) only, so that a changed user can go on with
 * them.
 */
#ifdef __NetBSD__
#include "xenstored/priv.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <grp.h>
#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "xenstored/msg.h"

void
priv_peer(int fd, uid_t *uid_out, pid_t *pid_out)
{
	struct unpcbid cred = { 0, 0, 0 };
	socklen_t len = sizeof(cred);

	(void)getsockopt(fd, 0, LOCAL_PEEREID, &cred, &len);
	*uid_out = cred.unp_euid;
	*pid_out = cred.unp_pid;
}

void
priv_prepare(const char *user)
{
	(void)user;
	tzset();
}

/* False: files within an empty directory can be named, and sockets be made. */
bool
priv_sandbox(const char *user)
{
	const struct rlimit no_files = { 0, 0 };
	const struct passwd *pw;

	tzset();
	if (geteuid() != 0)
		return false;
	pw = getpwnam(user != NULL ? user : PRIV_USER);
	if (pw == NULL && user != NULL)
		fatalx("there is no user %s", user);
	if (pw == NULL)
		return false;
	/* every write of a file fails; shared memory is mapped */
	(void)setrlimit(RLIMIT_FSIZE, &no_files);
	if (chroot("/var/chroot/xenstored") == 0 && chdir("/") != 0)
		fatal("cannot enter the empty directory");
	if (setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 ||
	    setuid(pw->pw_uid) != 0)
		fatal("cannot become the user %s", pw->pw_name);
	return false;
}

void
priv_give_way(void)
{
	(void)setpriority(PRIO_PROCESS, 0, PRIO_MAX);
}
#else
/* Elsewhere this file is empty; the standard wants something in it. */
typedef int priv_netbsd_is_empty;
#endif
