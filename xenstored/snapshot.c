/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xenstored/files.h"
#include "xenstored/image.h"
#include "xenstored/msg.h"
#include "xenstored/priv.h"

void
snapshots_init(struct snapshots *s, const char *dir, int files_fd)
{
	*s = (struct snapshots){ .dir = dir, .files_fd = files_fd, .fd = -1 };
}

static bool
name_ok(const char *name)
{
	static const char prefix[] = SNAPSHOT_PREFIX;
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";

	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
	       strlen(name) < 64 && name[strspn(name, allowed)] == '\0';
}

/* Whether one is on its way. */
static bool
is_busy(struct snapshots *s)
{
	if (s->pid != 0 && waitpid(s->pid, NULL, WNOHANG) != 0)
		s->pid = 0;
	return s->pid != 0 || s->fd >= 0;
}

enum xs_err
snapshots_ask(struct snapshots *s, const char *name)
{
	char path[512];

	if (s->dir == NULL || !name_ok(name))
		return XS_EINVAL;
	if (is_busy(s))
		return XS_EBUSY;
	if (snprintf(path, sizeof(path), "%s/%s", s->dir, name) >=
	    (int)sizeof(path))
		return XS_EIO;
	s->fd =
	    s->files_fd > 0
		? files_open(s->files_fd, path)
		: open(path,
		      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	if (s->fd >= 0)
		return XS_OK;
	msg_warn("cannot make the snapshot %s", path);
	return XS_EIO;
}

/* The child's part. */
static int
write_all(const struct state *st, const struct log *log, int fd)
{
	static const uint64_t end = SNAPSHOT_END;
	const struct log_header *header = log_header(log);
	struct image_mark mark = {
		.epoch = header->epoch,
		.pos = { .offset = header->end, .seq = header->next_seq },
	};

	return image_save(st, &mark, fd) &&
		       write(fd, &end, sizeof(end)) == sizeof(end)
		   ? 0
		   : 1;
}

void
snapshots_make(
    struct snapshots *s, const struct state *st, const struct log *log)
{
	pid_t pid;

	if (s->fd < 0)
		return;
	pid = fork();
	if (pid == 0) {
		priv_give_way();
		_exit(write_all(st, log, s->fd));
	}
	if (pid < 0)
		msg_warn("cannot fork for a snapshot");
	else
		s->pid = pid;
	close(s->fd);
	s->fd = -1;
}
