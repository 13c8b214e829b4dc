/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/service.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/common/lock.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/common/proc.h"

enum { EXIT_USAGE = 2 };

const char *
service_path(const char *path)
{
	char cwd[PATH_MAX];
	char *out;

	if (path[0] == '/')
		return path;
	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    asprintf(&out, "%s/%s", cwd, path) < 0)
		fatal("%s", path);
	return out;
}

int
service_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end != '\0' || fd < 0 || fd > INT_MAX) {
		log_warnx("--ready-fd wants a descriptor, not '%s'", text);
		exit(EXIT_USAGE);
	}
	return (int)fd;
}

/* NAME.pid where pid files are. */
static const char *
default_pid_file(const char *name)
{
	static char path[PATH_MAX];

	if (paths_mkdir(PATHS_RUN) != 0 ||
	    paths_join(path, sizeof(path), PATHS_RUN, "%s.pid", name) != 0)
		fatal("%s", paths_dir(PATHS_RUN));
	return path;
}

void
service_start(struct service *s)
{
	pid_t owner = 0;

	if (s->pid_file == NULL)
		s->pid_file = default_pid_file(s->name);
	s->lock = lock_take(s->pid_file, &owner);
	if (s->lock < 0 && errno == EWOULDBLOCK)
		fatalx("runs already (pid %ld)", (long)owner);
	if (s->lock < 0)
		fatal("%s", s->pid_file);
	s->background = -1;
	if (s->foreground)
		return;
	s->background = proc_daemonize();
	if (s->background < 0 || lock_set_owner(s->lock) != 0)
		fatal("cannot go to the background");
}

void
service_ready(const struct service *s)
{
	if (!s->foreground) {
		proc_drop_stderr();
		proc_ready(s->background);
	}
	proc_ready(s->ready_fd);
}

void
service_end(const struct service *s)
{
	lock_release(s->lock, s->pid_file);
}
