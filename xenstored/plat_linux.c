/* SPDX-License-Identifier: BSD-2-Clause */
#ifdef __linux__
#include "xenstored/plat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int
plat_open_written(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/io", (long)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool
plat_written(int fd, uint64_t *bytes_out)
{
	static const char key[] = "wchar: ";
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	const char *at;

	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, key);
	if (at == NULL)
		return false;
	*bytes_out = strtoull(at + strlen(key), NULL, 10);
	return true;
}

void
plat_name_self(void)
{
	/* executed by way of /proc, it would be called "exe" */
	(void)prctl(PR_SET_NAME, "xenstored", 0, 0, 0);
}

void
plat_die_with(pid_t parent)
{
	plat_name_self();
	/* Where the parent ended before, nobody would tell us. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	    getppid() != parent)
		_exit(1);
}

int
plat_open_process(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

bool
plat_is_running(pid_t pid, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return kill(pid, 0) == 0;
	return poll(&p, 1, 0) == 0;
}

void
plat_describe_end(pid_t pid, char *text, size_t size)
{
	char path[64], stat[1024];
	const char *last;
	ssize_t n = 0;
	int fd, status;

	/* the last field of one that nobody has waited for yet */
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, stat, sizeof(stat) - 1);
		close(fd);
	}
	stat[n > 0 ? n : 0] = '\0';
	last = strrchr(stat, ' ');
	snprintf(text, size, "it ended before it answered");
	if (last == NULL)
		return;
	status = atoi(last);
	if (WIFSIGNALED(status))
		snprintf(text, size,
		    "it was killed by signal %d before it answered",
		    WTERMSIG(status));
	else
		snprintf(text, size,
		    "it ended with status %d before it answered",
		    WEXITSTATUS(status));
}

void
plat_no_core(void)
{
	/* 0 would not do for one who has the memory piped to a program */
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };

	if (setrlimit(RLIMIT_CORE, &limit) != 0) {
		limit.rlim_cur = limit.rlim_max = 0;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
}

void
plat_wait_gone(pid_t pid, int ms)
{
	struct pollfd p = { .events = POLLIN };

	/* Unlike a signal, it sees through those whom nobody waits for. */
	p.fd = pid != 0 ? plat_open_process(pid) : -1;
	if (p.fd < 0)
		return;
	(void)poll(&p, 1, ms);
	close(p.fd);
}

void
plat_process_name(pid_t pid, char name_out[16])
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		n = read(fd, name_out, 15);
		close(fd);
	}
	name_out[n > 0 ? n : 0] = '\0';
	name_out[strcspn(name_out, "\n")] = '\0';
}

int
plat_memory_file(const char *text)
{
	return memfd_create(text, MFD_CLOEXEC);
}

void
plat_boot_id(uint8_t id[16])
{
	char text[64];
	unsigned i = 0, digit;
	ssize_t n, at;
	int fd;

	memset(id, 0, 16);
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	for (at = 0; at < n && i < 32; at++) {
		if (text[at] >= '0' && text[at] <= '9')
			digit = (unsigned)(text[at] - '0');
		else if (text[at] >= 'a' && text[at] <= 'f')
			digit = (unsigned)(text[at] - 'a' + 10);
		else
			continue;
		id[i / 2] = (uint8_t)(id[i / 2] << 4 | digit);
		i++;
	}
}

bool
plat_random(void *buf, size_t len)
{
	ssize_t n = getrandom(buf, len, GRND_NONBLOCK);

	/* at boot: a seed of what there is will do, waiting will not */
	if (n < 0 && errno == EAGAIN)
		n = getrandom(buf, len, GRND_INSECURE);
	if (n < 0 && errno == EINVAL)
		n = getrandom(buf, len, 0);
	return n == (ssize_t)len;
}

const char *
plat_own_program(void)
{
	return "/proc/self/exe";
}
#else
typedef int plat_linux_is_empty;
#endif
