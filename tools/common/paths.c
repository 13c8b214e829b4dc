/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef HV_ROOT
#define HV_ROOT "/run/kernbus"
#endif
#ifndef XENSTORED_RUNDIR
#define XENSTORED_RUNDIR "/run/xenstored"
#endif
#ifndef XEN_RUN_DIR
#define XEN_RUN_DIR "/run/xen"
#endif
#ifndef XEN_LOCK_DIR
#define XEN_LOCK_DIR "/run/lock/xen"
#endif
#ifndef XEN_LOG_DIR
#define XEN_LOG_DIR "/var/log/xen"
#endif
#ifndef XEN_CONFIG_DIR
#define XEN_CONFIG_DIR "/etc/xen"
#endif

/* Without a built-in default the directory is derived from others. */
static const struct {
	const char *variable;
	const char *built_in;
} dirs[PATHS_DIRS] = {
	[PATHS_HV_ROOT] = { "HV_ROOT", HV_ROOT },
	[PATHS_XENSTORED] = { "XENSTORED_RUNDIR", XENSTORED_RUNDIR },
	[PATHS_RUN] = { "XEN_RUN_DIR", XEN_RUN_DIR },
	[PATHS_LOCK] = { "XEN_LOCK_DIR", XEN_LOCK_DIR },
	[PATHS_LOG] = { "XEN_LOG_DIR", XEN_LOG_DIR },
	[PATHS_CONFIG] = { "XEN_CONFIG_DIR", XEN_CONFIG_DIR },
	[PATHS_SCRIPT] = { "XEN_SCRIPT_DIR", NULL },
	[PATHS_LIBEXEC] = { "XEN_LIBEXEC_DIR", NULL },
};

/* Links to the running program, by system. */
static const char *const self_links[] = {
	"/proc/self/exe",
	"/proc/curproc/exe",
	"/proc/curproc/file",
};

/* The folder of the running program into BUF; "." if it is not known. */
static void
own_folder(char *buf, size_t size)
{
	char *slash;

	for (size_t i = 0; i < sizeof(self_links) / sizeof(self_links[0]);
	     i++) {
		ssize_t n = readlink(self_links[i], buf, size - 1);

		if (n <= 0)
			continue;
		buf[n] = '\0';
		slash = strrchr(buf, '/');
		if (slash != NULL && slash != buf) {
			*slash = '\0';
			return;
		}
	}
	snprintf(buf, size, ".");
}

const char *
paths_dir(enum paths_dir which)
{
	static char buf[PATHS_DIRS][PATH_MAX];
	const char *value = getenv(dirs[which].variable);
	char *out = buf[which];
	size_t len;

	if (value != NULL && *value != '\0' && strlen(value) < PATH_MAX)
		snprintf(out, PATH_MAX, "%s", value);
	else if (dirs[which].built_in != NULL)
		snprintf(out, PATH_MAX, "%s", dirs[which].built_in);
	else if (which == PATHS_LIBEXEC)
		own_folder(out, PATH_MAX);
	else if (paths_join(out, PATH_MAX, PATHS_CONFIG, "scripts") != 0)
		snprintf(out, PATH_MAX, XEN_CONFIG_DIR "/scripts");

	len = strlen(out);
	while (len > 1 && out[len - 1] == '/')
		out[--len] = '\0';
	return out;
}

int
paths_join(char *buf, size_t size, enum paths_dir which, const char *fmt, ...)
{
	va_list ap;
	int n, m = 0;

	n = snprintf(buf, size, "%s/", paths_dir(which));
	if (n >= 0 && (size_t)n < size) {
		va_start(ap, fmt);
		m = vsnprintf(buf + n, size - (size_t)n, fmt, ap);
		va_end(ap);
	}
	if (n < 0 || m < 0 || (size_t)n + (size_t)m >= size) {
		if (size > 0)
			buf[0] = '\0';
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
paths_mkdir(enum paths_dir which)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s", paths_dir(which));
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return -1;
		*p = c;
		if (c == '\0')
			break;
	}
	if (stat(path, &st) != 0)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	return 0;
}
