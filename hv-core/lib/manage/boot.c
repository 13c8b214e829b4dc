/* SPDX-License-Identifier: BSD-2-Clause */
/* Which run of the hypervisor this is: a node of hvd or of the kernel. */
#include "manage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINUX_BOOT_ID "/proc/sys/kernel/random/boot_id"

/* A hexadecimal digit's value, or -1. */
static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits, perhaps with dashes between them, and perhaps a newline: to ID. */
static int
parse_id(const char *text, uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	size_t nr = 0;

	for (; *text != '\0' && *text != '\n'; text++) {
		int value = digit(*text);

		if (*text == '-')
			continue;
		if (value < 0 || nr == 2 * XENMANAGE_BOOT_ID_SIZE)
			return -1;
		id[nr / 2] = (uint8_t)(id[nr / 2] << 4 | value);
		nr++;
	}
	return nr == 2 * XENMANAGE_BOOT_ID_SIZE ? 0 : -1;
}

static int
read_id(const char *path, uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	char text[64];
	ssize_t n;
	int saved, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	saved = errno;
	close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	text[n] = '\0';
	if (parse_id(text, id) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

#ifdef __NetBSD__
#include <sys/sysctl.h>
#include <sys/time.h>

static int
netbsd_id(uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	struct timespec boot;
	size_t len = sizeof(boot);
	uint64_t part[2];

	if (sysctlbyname("kern.boottime", &boot, &len, NULL, 0) < 0)
		return -1;
	part[0] = (uint64_t)boot.tv_sec;
	part[1] = (uint64_t)boot.tv_nsec;
	memcpy(id, part, XENMANAGE_BOOT_ID_SIZE);
	return 0;
}
#else
/* NetBSD's nodes are an imitation here; the kernel under it is Linux. */
static int
netbsd_id(uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	return read_id(LINUX_BOOT_ID, id);
}
#endif

int
xenmanage_boot_id(xenmanage_handle *hdl, uint8_t id[XENMANAGE_BOOT_ID_SIZE])
{
	char path[256];

	memset(id, 0, XENMANAGE_BOOT_ID_SIZE);
	if (hdl->provider == PROVIDER_NETBSD)
		return netbsd_id(id);
	if (hdl->provider == PROVIDER_LINUX)
		return read_id(LINUX_BOOT_ID, id);
	if (provider_path(
		hdl->provider, "/kern/xen/boot_id", path, sizeof(path)) < 0)
		return -1;
	return read_id(path, id);
}
