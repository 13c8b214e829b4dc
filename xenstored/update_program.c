/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/update_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/flight.h"
#include "xenstored/image_io.h"
#include "xenstored/log.h"
#include "xenstored/supmsg.h"
#include "xenstored/plat.h"

#define DIGIT(n) ((char)('0' + (n)))

/*
 * What each of our programs has in it, where others look for it: which versions
 * it reads and writes. Who has the same can stand by for this one.
 */
static const struct {
	char name[28];
	char version[8];
} marker = { "kernbus:xenstored:stands-by:",
	{ DIGIT(SUPMSG_VERSION), '.', DIGIT(LOG_VERSION), '.',
	    DIGIT(FLIGHT_VERSION), '.', DIGIT(IMAGE_VERSION) } };

/*
 * What every store daemon that can go on for another one has in it: the name of
 * the command, and that of a watch which no other program sets off. Anything
 * else would be executed in our place and end, and the store with it.
 */
static const char command[] = "live-update", special[] = "@releaseDomain";

/* The LEN bytes of the regular file PATH, for munmap(); NULL. */
static void *
map_file(const char *path, size_t *len_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *data = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size > 0) {
		*len_out = (size_t)st.st_size;
		data = mmap(NULL, *len_out, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return data != MAP_FAILED ? data : NULL;
}

bool
update_is_ours(const char *path)
{
	size_t len = 0;
	void *data = map_file(path, &len);
	bool found =
	    data != NULL && memmem(data, len, &marker, sizeof(marker)) != NULL;

	if (data != NULL)
		munmap(data, len);
	return found;
}

/* Whether PATH is a store daemon, of whatever kind. */
static bool
is_daemon(const char *path)
{
	size_t len = 0;
	void *data = map_file(path, &len);
	bool found = data != NULL &&
		     memmem(data, len, command, strlen(command)) != NULL &&
		     memmem(data, len, special, strlen(special)) != NULL;

	if (data != NULL)
		munmap(data, len);
	return found;
}

bool
update_can_execute(const char *path, char why[LIVE_UPDATE_TEXT])
{
	struct stat st;

	if (stat(path, &st) != 0)
		strcpy(why, "File not accessible.");
	else if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0 ||
		 st.st_nlink == 0) /* those whoever serves can make */
		strcpy(why, "File not executable.");
	else if (!update_is_ours(path) && !is_daemon(path))
		strcpy(why, "File is no store daemon.");
	else
		return true;
	return false;
}

/* --- words --- */

/* Room for N pointers and LEN bytes behind them. */
static char **
new_words(size_t n, size_t len, char **text_out)
{
	char **words = calloc(1, n * sizeof(char *) + len);

	if (words != NULL)
		*text_out = (char *)(words + n);
	return words;
}

static void
add_word(char **words, size_t *n, char **text, const char *word, size_t len)
{
	memcpy(*text, word, len);
	(*text)[len] = '\0';
	words[(*n)++] = *text;
	*text += len + 1;
}

char **
update_argv(
    const struct live_update_request *request, char *argv[], const char *extra)
{
	size_t n = 3, len = strlen(request->binary) + 1, i, word;
	const char *at = request->has_cmdline ? request->cmdline : "";
	char **words, *text;

	n += strlen(at);
	len += strlen(at) + 1 + (extra != NULL ? strlen(extra) + 1 : 0);
	for (i = 1; !request->has_cmdline && argv[0] != NULL && argv[i] != NULL;
	     i++, n++)
		len += strlen(argv[i]) + 1;
	words = new_words(n, len, &text);
	if (words == NULL)
		return NULL;
	n = 0;
	add_word(words, &n, &text, request->binary, strlen(request->binary));
	for (i = 1; !request->has_cmdline && argv[0] != NULL && argv[i] != NULL;
	     i++)
		add_word(words, &n, &text, argv[i], strlen(argv[i]));
	for (at += strspn(at, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		word = strcspn(at, " \t");
		add_word(words, &n, &text, at, word);
		at += word;
	}
	if (extra != NULL)
		add_word(words, &n, &text, extra, strlen(extra));
	return words;
}

/* --- travelling --- */

int
update_fd_of(const struct update_fds *fds, uint64_t sock)
{
	uint64_t low = 0, high = fds->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (fds->sock[middle].sock < sock)
			low = middle + 1;
		else
			high = middle;
	}
	return low < fds->n && fds->sock[low].sock == sock
		   ? (int)fds->sock[low].fd
		   : -1;
}

int
update_pack(const struct live_update_request *r)
{
	int fd = plat_memory_file("xenstored-update"), saved;
	struct image img = { NULL, 0, 0, false };

	if (fd < 0)
		return -1;
	put_u32(&img, r->timeout);
	put_u32(&img, r->version);
	put_u8(&img, r->force);
	put_u8(&img, r->has_cmdline);
	put_string(&img, r->binary, strlen(r->binary));
	put_string(&img, r->cmdline, strlen(r->cmdline));
	if (!img.failed && write(fd, img.data, img.len) == (ssize_t)img.len) {
		image_free(&img);
		return fd;
	}
	saved = img.failed ? ENOMEM : errno;
	image_free(&img);
	close(fd);
	errno = saved;
	return -1;
}

static bool
get_text(struct image_in *in, char to[LIVE_UPDATE_STRING])
{
	size_t len;
	const char *str = get_string(in, LIVE_UPDATE_STRING - 1, &len);

	if (str == NULL || memchr(str, '\0', len) != NULL)
		return false;
	memcpy(to, str, len);
	to[len] = '\0';
	return true;
}

bool
update_unpack(int fd, struct live_update_request *r)
{
	static char buf[2 * LIVE_UPDATE_STRING + 64];
	struct image_in in = { (const uint8_t *)buf, 0, NULL };
	struct stat st;
	ssize_t len = -1;

	/* of anything else it might have to be waited for */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		len = pread(fd, buf, sizeof(buf), 0);
	if (len <= 0)
		return false;
	memset(r, 0, sizeof(*r));
	in.left = (size_t)len;
	r->timeout = get_u32(&in);
	r->version = get_u32(&in);
	r->force = get_u8(&in) != 0;
	r->has_cmdline = get_u8(&in) != 0;
	return get_text(&in, r->binary) && get_text(&in, r->cmdline) &&
	       in.left == 0 && in.wrong == NULL;
}
