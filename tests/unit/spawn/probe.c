/*
 * A guest that tries to get out. It is told on its channel what to try (an int)
 * and answers with the errno it got (0: it worked).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static char *const no_args[] = { NULL };

static long
try_paths(int what)
{
	struct stat st;

	switch (what) {
	case TRY_OPEN:
		return open("/", O_RDONLY);
	case TRY_OPEN_PROC:
		return open("/proc/self/status", O_RDONLY);
	case TRY_STAT_ETC:
		return stat("/etc", &st);
	case TRY_CHDIR:
		return chdir("/");
	case TRY_MKDIR:
		return mkdir("/x", 0700);
	case TRY_MOUNT:
		return mount("proc", "/", "proc", 0, NULL);
	case TRY_CHROOT:
		return chroot("/");
	default:
		return -2;
	}
}

static long
try_processes(int what)
{
	switch (what) {
	case TRY_PTRACE:
		return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	case TRY_EXECVE:
		return execve("/bin/sh", no_args, no_args);
	case TRY_EXECVEAT:
		return syscall(SYS_execveat, IMAGE_FD, "", no_args, no_args,
		    AT_EMPTY_PATH);
	case TRY_EXEC_CHANNEL:
		return syscall(
		    SYS_execveat, 3, "", no_args, no_args, AT_EMPTY_PATH);
	case TRY_KILL_SELF:
		return kill(1, 0);
	case TRY_KILL_ALL:
		return kill(-1, SIGKILL);
	case TRY_FORK:
		return syscall(SYS_fork);
	case TRY_CLONE:
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	case TRY_UNSHARE:
		return syscall(SYS_unshare, 0x10000000);
	case TRY_PROCESS_VM:
		return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
	default:
		return -2;
	}
}

static long
try_descriptors(int what)
{
	struct rlimit r = { 4096, 4096 };
	struct timespec ts;
	int sv[2];

	switch (what) {
	case TRY_SOCKET:
		return socket(AF_INET, SOCK_STREAM, 0);
	case TRY_SOCKETPAIR:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	case TRY_DUP:
		return syscall(SYS_dup3, 3, IMAGE_FD, 0);
	case TRY_SETFL:
		return fcntl(3, F_SETFL, O_NONBLOCK);
	case TRY_DUPFD:
		return fcntl(3, F_DUPFD, 10);
	case TRY_IOCTL:
		return syscall(SYS_ioctl, 0, 0x5401, &ts);
	case TRY_RLIMIT:
		return setrlimit(RLIMIT_NOFILE, &r);
	case TRY_MMAP_EXEC:
		return (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	case TRY_MEMFD:
		return syscall(SYS_memfd_create, "x", 0);
	case TRY_BPF:
		return syscall(SYS_bpf, 0, NULL, 0);
	case TRY_DUMPABLE:
		return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	default:
		return -2;
	}
}

/* What a guest needs must work. */
static long
try_needs(int what)
{
	struct timespec ts = { 0, 1000 };
	struct pollfd pfd = { .fd = 0, .events = 0 };

	switch (what) {
	case CAN_MMAP:
		return (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	case CAN_MALLOC: {
		void *p = malloc(1 << 20);

		if (p == NULL)
			return -1;
		memset(p, 1, 1 << 20);
		free(p);
		return 0;
	}
	case CAN_EVENTFD:
		return eventfd(0, EFD_CLOEXEC) < 0 ? -1 : 0;
	case CAN_SLEEP:
		return nanosleep(&ts, NULL);
	case CAN_POLL:
		return poll(&pfd, 1, 0) < 0 ? -1 : 0;
	case CAN_TIME:
		return clock_gettime(CLOCK_MONOTONIC, &ts);
	case CAN_WRITE_STDERR:
		return write(2, "probe\n", 6) == 6 ? 0 : -1;
	default:
		return -2;
	}
}

/* How many descriptors there are, as a bit set. */
static long
open_descriptors(void)
{
	long set = 0;

	for (int fd = 0; fd < 31; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			set |= 1L << fd;
	for (int fd = 31; fd < 2048; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			set |= 1L << 31;
	return set;
}

static long
exhaust_memory(void)
{
	for (int i = 0; i < 4096; i++)
		if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			return -1;
	return 0;
}

static long
answer_to(int what)
{
	long r;

	errno = 0;
	if (what == TELL_DESCRIPTORS)
		return open_descriptors();
	if (what == TELL_PID)
		return getpid();
	if (what == TELL_UID)
		return getuid();
	if (what == TRY_MEMORY)
		return exhaust_memory() < 0 ? errno : 0;
	r = try_paths(what);
	if (r == -2)
		r = try_processes(what);
	if (r == -2)
		r = try_descriptors(what);
	if (r == -2)
		r = try_needs(what);
	if (r == -2)
		return -2;
	return r == -1 ? errno : 0;
}

int
main(void)
{
	int what;

	while (recv(3, &what, sizeof(what), 0) == (ssize_t)sizeof(what)) {
		long re;

		if (what >= TRY_EXIT)
			_exit(what - TRY_EXIT);
		if (what == TRY_CRASH)
			__builtin_trap();
		re = answer_to(what);
		if (send(3, &re, sizeof(re), 0) != (ssize_t)sizeof(re))
			_exit(99);
	}
	return 98;
}
