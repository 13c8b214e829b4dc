/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/left.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/aside.h"
#include "xenstored/checkpoint.h"
#include "xenstored/msg.h"

enum { PATH_SIZE = 4096 };

static void
path_of(char path[PATH_SIZE], const char *dir, const char *name)
{
	if ((size_t)snprintf(path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE)
		fatalx("the directory's name is too long: %s", dir);
}

static bool
is_there(const char *dir, const char *name)
{
	char path[PATH_SIZE];
	struct stat st;

	path_of(path, dir, name);
	return lstat(path, &st) == 0 || errno != ENOENT;
}

/* The log's head; what is not there whole has no magic, or 0 if there is
 * nothing. Its descriptor, or -1 with errno. */
static int
open_log(const char *dir, struct log_header *header)
{
	char path[PATH_SIZE];
	bool something;
	ssize_t n;
	int fd;

	memset(header, 0, sizeof(*header));
	path_of(path, dir, "log");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = pread(fd, header, sizeof(*header), 0);
	if (n < (ssize_t)sizeof(*header)) {
		something =
		    n >= (ssize_t)sizeof(header->magic) && header->magic != 0;
		memset(header, 0, sizeof(*header));
		header->magic = something;
	}
	return fd;
}

static enum checkpoint_status
judge_checkpoint(const char *dir, const uint8_t boot[LOG_BOOT_SIZE])
{
	char path[PATH_SIZE], why[IMAGE_WHY_SIZE];
	enum checkpoint_status status;
	struct image image;
	struct boot_id id;

	path_of(path, dir, "checkpoint");
	memcpy(id.byte, boot, sizeof(id.byte));
	status = checkpoint_load(path, &id, &image, why);
	image_free(&image);
	return status;
}

static enum left
say(char why[LEFT_WHY_SIZE], enum left what, const char *text)
{
	snprintf(why, LEFT_WHY_SIZE, "%s", text);
	return what;
}

static enum left
judge_without_log(
    const char *dir, const uint8_t boot[LOG_BOOT_SIZE], char why[LEFT_WHY_SIZE])
{
	switch (judge_checkpoint(dir, boot)) {
	case CHECKPOINT_NONE:
		return LEFT_NOTHING;
	case CHECKPOINT_FOREIGN:
		return say(why, LEFT_NOTHING,
		    "the checkpoint is of another boot of the hypervisor: not "
		    "used");
	case CHECKPOINT_BAD:
		return say(why, LEFT_NOTHING,
		    "there is no log, and the checkpoint is damaged: begins "
		    "with an empty store");
	default:
		return say(why, LEFT_USELESS,
		    "the log is missing, and there is a checkpoint");
	}
}

/* Of a log whose head does not say what it is. */
static enum left
judge_headless(const char *dir, const uint8_t boot[LOG_BOOT_SIZE],
    uint64_t magic, char why[LEFT_WHY_SIZE])
{
	enum checkpoint_status status = judge_checkpoint(dir, boot);

	if (status == CHECKPOINT_FOREIGN)
		return say(why, LEFT_NOTHING,
		    "the log is damaged, and the checkpoint of another boot of "
		    "the hypervisor: not used");
	/* A daemon was killed before its first log was whole: nothing can have
	 * been in its store, as there is no flight before that. */
	if (magic == 0 && status == CHECKPOINT_NONE && !is_there(dir, "flight"))
		return LEFT_NOTHING;
	return say(why, LEFT_USELESS, "the log is damaged");
}

static enum left
judge_log(int fd, const struct log_header *header,
    const uint8_t boot[LOG_BOOT_SIZE], char why[LEFT_WHY_SIZE])
{
	struct log *log;

	if (header->closed == LOG_CLOSED)
		return LEFT_NOTHING;
	if (memcmp(header->boot, boot, LOG_BOOT_SIZE) != 0)
		return say(why, LEFT_NOTHING,
		    "the log is of another boot of the hypervisor: not used");
	if (header->version != LOG_VERSION) {
		snprintf(why, LEFT_WHY_SIZE,
		    "the log is of version %u; this program knows %u",
		    (unsigned)header->version, (unsigned)LOG_VERSION);
		return LEFT_USELESS;
	}
	log = log_map(fd);
	if (log == NULL && errno != EINVAL)
		fatal("cannot map the log");
	log_close(log);
	if (log == NULL ||
	    (header->closed != LOG_OPEN && header->closed != LOG_RESTS))
		return say(why, LEFT_USELESS, "the log is damaged");
	return LEFT_STORE;
}

enum left
left_judge(
    const char *dir, const uint8_t boot[LOG_BOOT_SIZE], char why[LEFT_WHY_SIZE])
{
	struct log_header header;
	int fd = open_log(dir, &header);
	enum left left;

	why[0] = '\0';
	if (fd < 0 && errno == ENOENT)
		return judge_without_log(dir, boot, why);
	if (fd < 0) {
		snprintf(why, LEFT_WHY_SIZE, "the log cannot be opened: %s",
		    strerror(errno));
		return LEFT_USELESS;
	}
	left = header.magic == LOG_MAGIC
		   ? judge_log(fd, &header, boot, why)
		   : judge_headless(dir, boot, header.magic, why);
	close(fd);
	return left;
}

bool
left_is_closed(const char *dir)
{
	struct log_header header;
	int fd = open_log(dir, &header);

	if (fd < 0)
		return false;
	close(fd);
	return header.magic == LOG_MAGIC && header.closed == LOG_CLOSED;
}

void
left_clear(const char *dir)
{
	static const char *const names[] = { "checkpoint.0", "checkpoint.1",
		"flight" };
	char path[PATH_SIZE];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, dir, names[i]);
		(void)unlink(path);
	}
}

void
left_say_refused(const char *dir, const char *why)
{
	msg_warnx("%s: nothing was changed in %s: start the program that wrote "
		  "it, or this one with --fresh, which begins with an empty "
		  "store and keeps these files as *" ASIDE_SUFFIX,
	    why, dir);
}
