/* SPDX-License-Identifier: BSD-2-Clause */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv-core/hosted/proto.h"

/* The start of libxentoollog's logger object, and the one level used here. */
struct xentoollog_logger {
	void (*vmessage)(struct xentoollog_logger *logger, int level,
	    int errnum, const char *context, const char *format, va_list args);
};

enum { LOG_LEVEL_ERROR = 8, LOG_NO_ERRNO = -1 };

static const char *const provider_names[] = {
	[PROVIDER_HOSTED] = "hosted",
	[PROVIDER_LINUX] = "linux",
	[PROVIDER_NETBSD] = "netbsd",
};

/* The environment's word, if it says anything. */
static const char *
env_word(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

int
provider_find(
    struct xentoollog_logger *logger, const char *lib, enum provider *out)
{
	const char *name = env_word("HV_PROVIDER");
	size_t i;

	if (name == NULL) {
		*out = access("/dev/xen/evtchn", F_OK) == 0 ? PROVIDER_LINUX
		       : access("/dev/xenevt", F_OK) == 0   ? PROVIDER_NETBSD
							    : PROVIDER_HOSTED;
		return 0;
	}
	for (i = 0; i < sizeof(provider_names) / sizeof(*provider_names); i++) {
		if (strcmp(name, provider_names[i]) == 0) {
			*out = (enum provider)i;
			return 0;
		}
	}
	provider_log(logger, lib, 0,
	    "HV_PROVIDER=%s: use hosted, linux or netbsd", name);
	errno = EINVAL;
	return -1;
}

int
provider_path(enum provider provider, const char *node, char *buf, size_t size)
{
	const char *root = env_word("HV_ROOT");
	int n;

	if (provider == PROVIDER_LINUX)
		root = "";
	else if (root == NULL)
		root = provider == PROVIDER_HOSTED ? HV_ROOT_DEFAULT : "";
	n = snprintf(buf, size, "%s%s", root, node);
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
provider_open(struct xentoollog_logger *logger, const char *lib,
    enum provider provider, const char *node, int flags, const char *remedy)
{
	char path[PATH_MAX] = "";
	int fd = -1;

	if (provider_path(provider, node, path, sizeof(path)) == 0)
		fd = open(path, O_RDWR | O_CLOEXEC | flags);
	if (fd < 0)
		provider_log(
		    logger, lib, errno, "cannot open %s; %s", path, remedy);
	return fd;
}

static void
log_line(struct xentoollog_logger *logger, const char *lib, int errnum,
    const char *format, va_list args)
{
	char text[PATH_MAX + 256];

	if (logger != NULL && logger->vmessage != NULL) {
		logger->vmessage(logger, LOG_LEVEL_ERROR,
		    errnum == 0 ? LOG_NO_ERRNO : errnum, lib, format, args);
		return;
	}
	vsnprintf(text, sizeof(text), format, args);
	if (errnum == 0)
		fprintf(stderr, "%s: %s\n", lib, text);
	else
		fprintf(stderr, "%s: %s: %s\n", lib, text, strerror(errnum));
}

void
provider_log(struct xentoollog_logger *logger, const char *lib, int errnum,
    const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	log_line(logger, lib, errnum, format, args);
	va_end(args);
	errno = saved;
}

void
provider_log_hvd(struct xentoollog_logger *logger, const char *lib, int errnum)
{
	char path[PATH_MAX] = "";
	int saved = errno;

	provider_path(PROVIDER_HOSTED, "/" HV_SOCKET_NAME, path, sizeof(path));
	if (errnum == EACCES || errnum == EPERM)
		provider_log(logger, lib, errnum,
		    "cannot attach to %s; run as the user that runs hvd", path);
	else
		provider_log(logger, lib, errnum,
		    "cannot attach to %s; start the hypervisor: hv-boot "
		    "(HV_ROOT says where it lives)",
		    path);
	errno = saved;
}
