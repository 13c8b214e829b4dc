/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/image_io.h"
#include "xenstored/plat.h"

enum { SUM_AT = 16, SUM_SIZE = 8, WORDS_MAX = 4096 };

/* Kinds of parts. A number is never used again for something else. */
enum part {
	PART_BASE = 1, /* lock, listener, event channels; times */
	PART_STORE,
	PART_PRIMARY,
	PART_STANDBY,
	PART_SOCKS,
	PART_PROGRAM, /* of children */
	PART_COUNT,
};

/* --- writing --- */

static void
put_number(struct image *img, int64_t value)
{
	put_u64(img, (uint64_t)value);
}

static void
put_words(struct image *img, char *const words[])
{
	uint32_t n = 0, i;

	while (words[n] != NULL)
		n++;
	put_u32(img, n);
	for (i = 0; i < n; i++)
		put_string(img, words[i], strlen(words[i]));
}

static void
put_child(struct image *img, const struct sup_child *c)
{
	put_number(img, c->pid);
	put_number(img, c->fd);
	put_number(img, c->files_fd);
	put_number(img, c->written_fd);
	put_u8(img, c->loading);
	put_u8(img, c->ready);
	put_u8(img, c->serving);
	put_u8(img, c->promote);
	put_u8(img, c->promoted);
	put_u8(img, c->rebind);
	put_u8(img, c->updated);
	put_u64(img, c->sent);
	put_u64(img, c->born);
}

static void
put_base(struct image *img, const struct handover *h)
{
	put_number(img, h->lock);
	put_number(img, h->listener);
	put_number(img, h->evtchn);
	put_u64(img, h->retry);
	put_u64(img, h->image_due);
}

static void
put_store(struct image *img, const struct sup_store *s)
{
	put_number(img, s->log_fd);
	put_number(img, s->flight_fd);
	put_number(img, s->image_fd);
	put_u64(img, s->image_at);
	put_number(img, s->writer);
	put_number(img, s->writer != 0 ? s->written_fd : -1);
	put_u64(img, s->written_at);
	put_u64(img, s->reserved);
}

static void
put_socks(struct image *img, const struct sup_socks *socks)
{
	size_t i;

	put_u64(img, socks->last_id);
	put_u32(img, (uint32_t)socks->n);
	for (i = 0; i < socks->n; i++) {
		put_u64(img, socks->sock[i].id);
		put_number(img, socks->sock[i].fd);
	}
}

static void
put_body(struct image *img, enum part part, const struct handover *h)
{
	switch (part) {
	case PART_BASE:
		put_base(img, h);
		break;
	case PART_STORE:
		put_store(img, &h->store);
		break;
	case PART_PRIMARY:
		put_child(img, &h->primary);
		break;
	case PART_STANDBY:
		put_child(img, &h->standby);
		break;
	case PART_SOCKS:
		put_socks(img, &h->socks);
		break;
	case PART_PROGRAM:
		put_string(img, h->child_program, strlen(h->child_program));
		put_words(img, h->child_words);
		break;
	case PART_COUNT:
		break;
	}
}

/* A part of KIND with the bytes of BODY, which is emptied. */
static void
put_part(struct image *img, uint32_t kind, struct image *body)
{
	put_u32(img, kind);
	put_string(img, body->data, body->len);
	img->failed = img->failed || body->failed;
	body->len = 0;
}

/* The sum of all bytes but those it is kept in. */
static uint64_t
sum_of(const char *data, size_t len)
{
	return bytes_sum(data, SUM_AT) * 31 +
	       bytes_sum(data + SUM_AT + SUM_SIZE, len - (SUM_AT + SUM_SIZE));
}

static bool
make(struct image *img, const struct handover *h)
{
	struct image sum = { NULL, 0, 0, false }, body = sum;
	uint32_t part;

	put_u64(img, HANDOVER_MAGIC);
	put_u32(img, HANDOVER_VERSION);
	put_u32(img, (uint32_t)h->program);
	put_u64(img, 0);
	put_words(img, h->words);
	for (part = PART_BASE; part < PART_COUNT; part++) {
		put_body(&body, (enum part)part, h);
		put_part(img, part, &body);
	}
	image_free(&body);
	if (!img->failed)
		put_u64(&sum, sum_of(img->data, img->len));
	if (!img->failed && !sum.failed)
		memcpy(img->data + SUM_AT, sum.data, SUM_SIZE);
	img->failed = img->failed || sum.failed;
	image_free(&sum);
	return !img->failed;
}

int
handover_write(const struct handover *h)
{
	struct image img = { NULL, 0, 0, false };
	int fd = plat_memory_file("xenstored-handover"), saved;

	if (fd < 0)
		return -1;
	errno = ENOMEM;
	if (make(&img, h) && write(fd, img.data, img.len) == (ssize_t)img.len) {
		image_free(&img);
		return fd;
	}
	saved = errno;
	image_free(&img);
	close(fd);
	errno = saved;
	return -1;
}

/* --- reading --- */

static int64_t
get_number(struct image_in *in, int64_t min, int64_t max)
{
	int64_t value = (int64_t)get_u64(in);

	if (value >= min && value <= max)
		return value;
	in_wrong(in, "a number is out of range");
	return min;
}

static int
get_fd(struct image_in *in)
{
	return (int)get_number(in, -1, INT_MAX);
}

static bool
get_bool(struct image_in *in)
{
	return get_u8(in) != 0;
}

/* Words as one block of memory; NULL: wrong, or no memory. */
static char **
get_words(struct image_in *in)
{
	uint32_t n = get_count(in, 4), i;
	size_t room = (n + 1) * sizeof(char *) + in->left + n, len;
	char **words = n < WORDS_MAX ? calloc(1, room) : NULL, *to;
	const char *str;

	if (words == NULL) {
		in_wrong(in, "its words are too many");
		return NULL;
	}
	to = (char *)(words + n + 1);
	for (i = 0; i < n; i++) {
		str = get_string(in, in->left, &len);
		if (str == NULL || memchr(str, '\0', len) != NULL) {
			in_wrong(in, "a word is damaged");
			free(words);
			return NULL;
		}
		words[i] = to;
		memcpy(to, str, len);
		to += len + 1;
	}
	return words;
}

static void
get_child(struct image_in *in, struct sup_child *c)
{
	c->pid = (pid_t)get_number(in, 0, INT_MAX);
	c->fd = get_fd(in);
	c->files_fd = get_fd(in);
	c->written_fd = get_fd(in);
	c->loading = get_bool(in);
	c->ready = get_bool(in);
	c->serving = get_bool(in);
	c->promote = get_bool(in);
	c->promoted = get_bool(in);
	c->rebind = get_bool(in);
	c->updated = get_bool(in);
	c->sent = get_u64(in);
	c->born = get_u64(in);
}

static void
get_base(struct image_in *in, struct handover *h)
{
	h->lock = get_fd(in);
	h->listener = get_fd(in);
	h->evtchn = get_fd(in);
	h->retry = get_u64(in);
	h->image_due = get_u64(in);
}

static void
get_store(struct image_in *in, struct sup_store *s)
{
	s->log_fd = get_fd(in);
	s->flight_fd = get_fd(in);
	s->image_fd = get_fd(in);
	s->image_at = get_u64(in);
	s->writer = (pid_t)get_number(in, 0, INT_MAX);
	s->written_fd = get_fd(in);
	s->written_at = get_u64(in);
	s->reserved = get_u64(in);
}

static void
get_socks(struct image_in *in, struct sup_socks *socks)
{
	uint64_t last = get_u64(in), before = 0;
	uint32_t n = get_count(in, 16), i;

	socks->sock = calloc(n + 1, sizeof(socks->sock[0]));
	if (socks->sock == NULL) {
		in_wrong(in, "there is no memory");
		return;
	}
	socks->room = n + 1;
	socks->last_id = last;
	for (i = 0; i < n; i++) {
		socks->sock[i].id = get_u64(in);
		socks->sock[i].fd = (int)get_number(in, 0, INT_MAX);
		if (socks->sock[i].id <= before || socks->sock[i].id > last)
			in_wrong(in, "its sockets are out of order");
		before = socks->sock[i].id;
	}
	socks->n = n;
}

static void
get_program(struct image_in *in, struct handover *h)
{
	size_t len;
	const char *str = get_string(in, PATH_MAX, &len);

	h->child_program = str != NULL ? strndup(str, len) : NULL;
	if (h->child_program == NULL)
		in_wrong(in, "it names no program");
	h->child_words = get_words(in);
}

static void
get_body(struct image_in *in, enum part part, struct handover *h)
{
	switch (part) {
	case PART_BASE:
		get_base(in, h);
		break;
	case PART_STORE:
		get_store(in, &h->store);
		break;
	case PART_PRIMARY:
		get_child(in, &h->primary);
		break;
	case PART_STANDBY:
		get_child(in, &h->standby);
		break;
	case PART_SOCKS:
		get_socks(in, &h->socks);
		break;
	case PART_PROGRAM:
		get_program(in, h);
		break;
	case PART_COUNT:
		break;
	}
}

/* The fields that never change, but for the words. */
static bool
get_start(struct image_in *in, int *program_out, uint32_t *version_out,
    uint64_t *sum_out)
{
	if (get_u64(in) != HANDOVER_MAGIC)
		return in_wrong(in, "it is none");
	*version_out = get_u32(in);
	*program_out = (int)get_u32(in);
	*sum_out = get_u64(in);
	return in->wrong == NULL;
}

/* Each part once. What a part has behind what is known here is of a later
 * program that can do without. */
static void
get_parts(struct image_in *in, struct handover *h)
{
	uint32_t kind, seen = 0;
	struct image_in body;
	size_t len;

	while (in->left > 0 && in->wrong == NULL) {
		kind = get_u32(in);
		body = (struct image_in){ NULL, 0, NULL };
		body.pos = (const uint8_t *)get_string(in, in->left, &len);
		if (body.pos == NULL || (kind & HANDOVER_OPTIONAL) != 0)
			continue;
		body.left = len;
		if (kind == 0 || kind >= PART_COUNT)
			in_wrong(in, "a part is of a kind that is not known "
				     "here");
		else if ((seen & 1u << kind) != 0)
			in_wrong(in, "a part is there twice");
		else
			get_body(&body, (enum part)kind, h);
		if (body.wrong != NULL)
			in_wrong(in, body.wrong);
		seen |= kind < PART_COUNT ? 1u << kind : 0;
	}
	if (in->wrong == NULL && seen != (1u << PART_COUNT) - 2)
		in_wrong(in, "a part is missing");
}

static void
drop(struct handover *h)
{
	free(h->words);
	free(h->child_words);
	free(h->child_program);
	free(h->socks.sock);
	memset(h, 0, sizeof(*h));
}

/* The bytes of FD, for munmap(); NULL. */
static const uint8_t *
map(int fd, size_t *len_out)
{
	void *data = MAP_FAILED;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > SUM_AT + SUM_SIZE) {
		*len_out = (size_t)st.st_size;
		data = mmap(NULL, *len_out, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	return data != MAP_FAILED ? data : NULL;
}

bool
handover_read(int fd, struct handover *h, char why[HANDOVER_WHY])
{
	struct image_in in = { NULL, 0, NULL };
	size_t len = 0;
	const uint8_t *data = map(fd, &len);
	uint32_t version = 0;
	uint64_t sum = 0;

	memset(h, 0, sizeof(*h));
	in.pos = data;
	in.left = len;
	if (data == NULL || !get_start(&in, &h->program, &version, &sum))
		in_wrong(&in, "it is none");
	else if (version != HANDOVER_VERSION)
		in_wrong(&in, "its version is not known here");
	else if (sum != sum_of((const char *)data, len))
		in_wrong(&in, "its checksum is wrong");
	else {
		h->words = get_words(&in);
		get_parts(&in, h);
	}
	if (in.wrong != NULL) {
		snprintf(
		    why, HANDOVER_WHY, "what was handed over: %s", in.wrong);
		drop(h);
	}
	if (data != NULL)
		munmap((void *)(uintptr_t)data, len);
	return in.wrong == NULL;
}

int
handover_way_back(int fd, char ***words_out)
{
	struct image_in in = { NULL, 0, NULL };
	size_t len = 0;
	const uint8_t *data = map(fd, &len);
	int program = -1;
	uint32_t version;
	uint64_t sum;

	*words_out = NULL;
	in.pos = data;
	in.left = len;
	if (data != NULL && get_start(&in, &program, &version, &sum))
		*words_out = get_words(&in);
	if (data != NULL)
		munmap((void *)(uintptr_t)data, len);
	return *words_out != NULL ? program : -1;
}

/* --- descriptors --- */

/* Calls DO for each; false as soon as that is. */
static bool
each_fd(const struct handover *h, bool (*act)(int fd, int flag), int flag)
{
	const int some[] = { h->program, h->lock, h->listener, h->evtchn,
		h->store.log_fd, h->store.flight_fd, h->store.image_fd,
		h->store.writer != 0 ? h->store.written_fd : -1 };
	const struct sup_child *const child[] = { &h->primary, &h->standby };
	size_t i;

	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (some[i] >= 0 && !act(some[i], flag))
			return false;
	for (i = 0; i < 2; i++)
		if (child[i]->pid != 0 &&
		    (!act(child[i]->fd, flag) ||
			!act(child[i]->files_fd, flag) ||
			(child[i]->written_fd >= 0 &&
			    !act(child[i]->written_fd, flag))))
			return false;
	for (i = 0; i < h->socks.n; i++)
		if (!act(h->socks.sock[i].fd, flag))
			return false;
	return true;
}

static bool
set_flag(int fd, int flag)
{
	(void)fcntl(fd, F_SETFD, flag);
	return true;
}

static bool
is_open(int fd, int unused)
{
	(void)unused;
	return fcntl(fd, F_GETFD) >= 0;
}

void
handover_keep(const struct handover *h, bool yes)
{
	(void)each_fd(h, set_flag, yes ? 0 : FD_CLOEXEC);
}

bool
handover_is_there(const struct handover *h)
{
	return each_fd(h, is_open, 0);
}
