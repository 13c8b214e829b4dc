/*
 * What a guest may ask of the kernel that runs us: memory within its limits,
 * waiting, time, and its descriptors. Nothing that names a path, a process or a
 * socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hv-core/hosted/proto.h"
#include "hv-core/hosted/spawn/spawn.h"

static const int plain[] = {
	/* what the C library does at start and end */
	SCMP_SYS(arch_prctl),
	SCMP_SYS(brk),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(getrandom),
	SCMP_SYS(newfstatat),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(uname),
	/* memory */
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	/* descriptors that it has */
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	/* waiting */
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(futex),
	SCMP_SYS(nanosleep),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(timerfd_settime),
	/* time */
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	/* who it is */
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(sched_getaffinity),
	/* signals that it takes itself */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
};

struct limited {
	int nr;
	struct scmp_arg_cmp arg;
};

/* Allowed if the argument compares so. */
static const struct limited limited[] = {
	/* never executable: nothing but the image is ever run */
	{ SCMP_SYS(mmap), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(mprotect), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	/* the channel is the only socket */
	{ SCMP_SYS(recvfrom), { 0, SCMP_CMP_EQ, HV_GUEST_CHANNEL_FD, 0 } },
	{ SCMP_SYS(recvmsg), { 0, SCMP_CMP_EQ, HV_GUEST_CHANNEL_FD, 0 } },
	{ SCMP_SYS(sendmsg), { 0, SCMP_CMP_EQ, HV_GUEST_CHANNEL_FD, 0 } },
	{ SCMP_SYS(sendto), { 0, SCMP_CMP_EQ, HV_GUEST_CHANNEL_FD, 0 } },
	/*
	 * No F_SETFL: doorbells are shared with peers, which rely on their
	 * being non-blocking.
	 */
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFD, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFD, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFL, 0 } },
	/* asking its limits, not setting them (the pid is checked by value) */
	{ SCMP_SYS(prlimit64), { 2, SCMP_CMP_EQ, 0, 0 } },
	/* its own start; the descriptor cannot be had a second time */
	{ SCMP_SYS(execveat), { 0, SCMP_CMP_EQ, SPAWN_IMAGE_FD, 0 } },
};

static int
filter_build(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof(plain) / sizeof(*plain); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain[i], 0);
	for (size_t i = 0; err == 0 && i < sizeof(limited) / sizeof(*limited);
	     i++)
		err = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, limited[i].nr, 1, &limited[i].arg);
	return err;
}

/* The compiled program by way of a file: the library knows no other. */
static int
filter_export(scmp_filter_ctx ctx, struct filter *f)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t size;
	int err;

	if (fd < 0)
		return -errno;
	err = seccomp_export_bpf(ctx, fd);
	size = lseek(fd, 0, SEEK_END);
	if (err == 0 && size > 0)
		f->prog.filter = malloc((size_t)size);
	if (f->prog.filter == NULL ||
	    pread(fd, f->prog.filter, (size_t)size, 0) != size)
		err = err != 0 ? err : -ENOMEM;
	f->prog.len = (unsigned short)((size_t)size / sizeof(*f->prog.filter));
	close(fd);
	return err;
}

int
filter_make(struct filter *f)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	memset(f, 0, sizeof(*f));
	if (ctx == NULL)
		return -ENOMEM;
	err = filter_build(ctx);
	if (err == 0)
		err = filter_export(ctx, f);
	seccomp_release(ctx);
	if (err != 0)
		filter_free(f);
	return err;
}

void
filter_free(struct filter *f)
{
	free(f->prog.filter);
	f->prog.filter = NULL;
}

int
filter_load(const struct filter *f)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f->prog, 0, 0) != 0)
		return -errno;
	return 0;
}
