/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux: no_new_privs, an account of its own, no capabilities, and a list of
 * system calls (seccomp). What is not on the list fails with EPERM instead of
 * ending the process: a store that stops because of a library's harmless
 * question would be worse than the question.
 */
#include "xenstored/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "xenstored/msg.h"
#include "xenstored/plat.h"

/* A nice value. At 19 beside busy processes images never come, and then who
 * serves has to wait for them when the log is full. */
enum { LATER = 2 };

/* The sanitizers' runtime opens files and traces threads when it reports. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

void
priv_peer(int fd, uid_t *uid_out, pid_t *pid_out)
{
	struct ucred cred = { 0, 0, 0 };
	socklen_t len = sizeof(cred);

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	*uid_out = cred.uid;
	*pid_out = cred.pid;
}

/* ----------------------------------------------------------- the account -- */

/* The account NAME of this machine's own, or NULL; in static storage. */
static const struct passwd *
own_account(const char *name)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	if (file == NULL)
		return NULL;
	while ((pw = fgetpwent(file)) != NULL && strcmp(pw->pw_name, name) != 0)
		;
	fclose(file);
	return pw;
}

/* What priv_prepare() found out and made. */
static struct {
	bool done, has_account;
	uid_t uid;
	gid_t gid;
	struct sock_fprog filter; /* no instructions: not made */
} prepared;

/* To ask other machines or services for an account takes longer than all the
 * rest of the start: that is done for one that was named only. */
static void
find_account(const char *user)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return;
	pw = own_account(user != NULL ? user : PRIV_USER);
	if (pw == NULL && user != NULL)
		pw = getpwnam(user);
	if (pw == NULL && user == NULL)
		return;
	if (pw == NULL)
		fatalx("there is no user %s", user);
	prepared.has_account = true;
	prepared.uid = pw->pw_uid;
	prepared.gid = pw->pw_gid;
}

static void
change_user(const char *user)
{
	const uid_t uid = prepared.uid;
	const gid_t gid = prepared.gid;

	if (!prepared.has_account)
		return;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		fatal("cannot become the user %s",
		    user != NULL ? user : PRIV_USER);
}

/* Descriptors that are open stay what they are; nothing else needs one. */
static void
drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capset, &header, none) != 0)
		fatal("cannot give up capabilities");
}

/* ------------------------------------------------------------ the filter -- */

/* clang-format off */
static const int plain[] = {
	/* descriptors that are there */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recv),
	SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(send),
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(lseek),
	SCMP_SYS(_llseek), SCMP_SYS(fstat), SCMP_SYS(fstat64),
	SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	/* no ftruncate(): the supervisor has files mapped that are given to us,
	 * and reading what was cut off would end it */
	SCMP_SYS(memfd_create),
	/* events */
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(membarrier), SCMP_SYS(mlock),
	/* time, threads, signals */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_getres), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	/* who and what we are */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(getrlimit),
	/* children that follow, and ends */
	SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};
/* clang-format on */

#define CLONE_NEW_ANYTHING                                                     \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |           \
	    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

/* What descriptors are, and no more: whom they notify of what (F_SETOWN) could
 * be any process, by any signal. The numbers' upper halves are looked at too.
 */
static int
add_fcntl(scmp_filter_ctx f)
{
	static const int own[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
		F_GETFL, F_SETFL };
	int rc = 0;
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
		    SCMP_A1(SCMP_CMP_EQ, (uint64_t)own[i], 0));
		rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), 1,
		    SCMP_A1(SCMP_CMP_EQ, (uint64_t)own[i], 0));
	}
	return rc;
}

/* Devices yes; typing into the operator's terminal, or having signals sent, no.
 * The kernel looks at the lower half of the number only, and so do we. */
static int
add_ioctl(scmp_filter_ctx f)
{
	static const struct {
		uint64_t mask, type;
	} below_terminals[] = { { 0xc000, 0 }, { 0xf000, 0x4000 },
		{ 0xfc00, 0x5000 } }; /* types up to 0x53 */
	int rc = 0;
	size_t i;

	for (i = 0; i < sizeof(below_terminals) / sizeof(below_terminals[0]);
	     i++)
		rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, below_terminals[i].mask,
			below_terminals[i].type));
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
	    SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
	return rc;
}

/* Calls that are for us with some arguments only. */
static int
add_conditional(scmp_filter_ctx f)
{
	const uint64_t exec = PROT_EXEC, spaces = CLONE_NEW_ANYTHING;
	static const int own_prctl[] = { PR_SET_NAME, PR_GET_NAME,
		PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS };
	int rc = 0;
	size_t i;

	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0));
	/* the C library then takes clone */
	rc |= seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* fstat() of some C libraries; the name may be read there, no more */
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
	    SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH, 0));
	/* priv_give_way() */
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(setpriority), 3,
	    SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS, 0), SCMP_A1(SCMP_CMP_EQ, 0, 0),
	    SCMP_A2(SCMP_CMP_EQ, LATER, 0));
	rc |= add_fcntl(f) | add_ioctl(f);
	/* of oneself, as abort() does; another process is another number */
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid(), 0));
	/* questions about one's own limits */
	rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
	    SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0));
	for (i = 0; i < sizeof(own_prctl) / sizeof(own_prctl[0]); i++)
		rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		    SCMP_A0(SCMP_CMP_EQ, (uint64_t)own_prctl[i], 0));
	return rc;
}

/* The program of the filter F. */
static void
keep_program(scmp_filter_ctx f)
{
	static struct sock_filter code[BPF_MAXINSNS];
	int fd = plat_memory_file("xenstored-filter");
	int rc = fd >= 0 ? seccomp_export_bpf(f, fd) : -errno;
	ssize_t len = rc == 0 ? pread(fd, code, sizeof(code), 0) : -1;

	if (len <= 0 || (size_t)len == sizeof(code)) {
		errno = rc < 0 ? -rc : errno;
		fatal("cannot make the list of system calls");
	}
	close(fd);
	prepared.filter.filter = code;
	prepared.filter.len = (unsigned short)((size_t)len / sizeof(code[0]));
}

static void
make_filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = 0;
	size_t i;

	if (f == NULL)
		fatalx("no memory");
	/* a tree: the kernel goes through all of it for each call it knows */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* What this machine's architecture has not is skipped by libseccomp. */
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, plain[i], 0);
	rc |= add_conditional(f);
	if (rc != 0)
		fatalx("cannot make the list of system calls");
	keep_program(f);
	seccomp_release(f);
}

void
priv_prepare(const char *user)
{
	tzset(); /* reads a file, once */
	find_account(user);
	if (!SANITIZED)
		make_filter();
	prepared.done = true;
}

bool
priv_sandbox(const char *user)
{
	if (!prepared.done)
		priv_prepare(user);
	change_user(user);
	drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fatal("cannot give up new privileges");
	if (SANITIZED)
		return false;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prepared.filter, 0,
		0) != 0)
		fatal("cannot set the list of system calls");
	return true;
}

void
priv_give_way(void)
{
	(void)setpriority(PRIO_PROCESS, 0, LATER);
}
