/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts, codes and the order of requests are what scripts have seen for years.
 * An option that is unknown, or comes after the file, is a file: the last one
 * counts.
 */
#include "tools/xscontrol/liveupdate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
	TIMEOUT_S = 60,
	PIECE = 2048, /* bytes of an image in one request */
	ARGS_SIZE = XENSTORE_PAYLOAD_MAX
};

struct update {
	const char *file;
	const char *cmdline;
	const char *version; /* of the state, for an older successor */
	unsigned timeout_s;
	bool force;
};

/* Arguments of a request: strings in a row. */
struct args {
	char text[ARGS_SIZE];
	size_t len;
};

static void
add_bytes(struct args *a, const void *data, size_t len)
{
	/* what is too long is so for the library as well, which says E2BIG */
	if (len > sizeof(a->text) - a->len)
		len = sizeof(a->text) - a->len;
	memcpy(a->text + a->len, data, len);
	a->len += len;
}

static void
add(struct args *a, const char *word)
{
	add_bytes(a, word, strlen(word) + 1);
}

/* The daemon's text; a copy of the error's if there is none. */
static char *
ask(struct xs_handle *xs, struct args *a)
{
	char *reply =
	    xs_control_command(xs, "live-update", a->text, (unsigned)a->len);

	if (reply == NULL)
		reply = strdup(strerror(errno));
	if (reply == NULL) {
		fprintf(stderr, "Allocation error.\n");
		exit(CONTROL_FAILED);
	}
	return reply;
}

/* 0 if REPLY, which is freed, is OK; else CONTROL_REFUSED, and said so. */
static int
judge(const char *what, char *reply)
{
	bool ok = strcmp(reply, "OK") == 0;

	if (!ok)
		fprintf(stderr, "%s failed:\n%s\n", what, reply);
	free(reply);
	return ok ? 0 : CONTROL_REFUSED;
}

static int
ask_words(struct xs_handle *xs, const char *what, const char *option,
    const char *value)
{
	struct args a = { .len = 0 };

	add(&a, option);
	if (value != NULL)
		add(&a, value);
	return judge(what, ask(xs, &a));
}

static void
give_up(struct xs_handle *xs)
{
	struct args a = { .len = 0 };

	add(&a, "-a");
	free(ask(xs, &a));
}

/* Sends what is left of IMAGE, SIZE bytes. */
static int
send_pieces(struct xs_handle *xs, gzFile image)
{
	char piece[PIECE], number[24];
	int n, ret = 0;

	while (ret == 0 && (n = gzread(image, piece, sizeof(piece))) > 0) {
		struct args a = { .len = 0 };

		add(&a, "-d");
		snprintf(number, sizeof(number), "%d", n);
		add(&a, number);
		add_bytes(&a, piece, (size_t)n);
		add(&a, ""); /* a NUL ends it, though a length is given */
		ret = judge("Transfer of new binary", ask(xs, &a));
	}
	return ret;
}

/* How many bytes IMAGE unpacks to; then it is at its beginning again. -1 if it
 * cannot be read. */
static long long
unpacked_size(gzFile image)
{
	char buf[65536];
	long long size = 0;
	int n;

	while ((n = gzread(image, buf, sizeof(buf))) > 0)
		size += n;
	return n < 0 || gzrewind(image) != 0 ? -1 : size;
}

/* The image goes to a daemon that is a domain. */
static int
send_image(struct xs_handle *xs, const char *file)
{
	gzFile image = gzopen(file, "rb");
	long long size = image != NULL ? unpacked_size(image) : -1;
	char number[24];
	int ret;

	if (size < 0) {
		fprintf(stderr, "%s: %s\n", file,
		    image != NULL ? "cannot be read" : strerror(errno));
		ret = CONTROL_FAILED;
	} else {
		snprintf(number, sizeof(number), "%lld", size);
		ret = ask_words(xs, "Starting live update", "-b", number);
		if (ret == 0)
			ret = send_pieces(xs, image);
	}
	if (image != NULL)
		gzclose(image);
	return ret;
}

/* Asks the daemon to hand over, again while it is busy, for as long as the
 * timeout says. */
static int
start(struct xs_handle *xs, const struct update *u)
{
	time_t from = time(NULL);
	struct args a = { .len = 0 };
	char number[16];
	char *reply = strdup("BUSY");

	snprintf(number, sizeof(number), "%u", u->timeout_s);
	add(&a, "-s");
	add(&a, "-t");
	add(&a, number);
	if (u->force)
		add(&a, "-F");
	if (u->version != NULL) {
		add(&a, "-v");
		add(&a, u->version);
	}
	while (reply != NULL && strcmp(reply, "BUSY") == 0 &&
	       time(NULL) - from < (time_t)u->timeout_s) {
		free(reply);
		reply = ask(xs, &a);
		if (strcmp(reply, "BUSY") == 0)
			sleep(1);
	}
	if (reply == NULL) {
		fprintf(stderr, "Allocation error.\n");
		return CONTROL_FAILED;
	}
	return judge("Starting live update", reply);
}

static int
update(struct xs_handle *xs, const struct update *u)
{
	char *domid = xs_read(xs, XBT_NULL, "/tool/xenstored/domid", NULL);
	bool process = domid == NULL;
	int ret;

	free(domid);
	if (process) {
		ret = ask_words(xs, "Setting update binary", "-f", u->file);
		if (ret != 0)
			return ret;
	} else {
		ret = send_image(xs, u->file);
	}
	if (ret == 0 && u->cmdline != NULL)
		ret = ask_words(xs, "Setting update binary", "-c", u->cmdline);
	if (ret == 0)
		ret = start(xs, u);
	if (ret != 0)
		give_up(xs);
	return ret;
}

/* The argument of the option at *I; NULL, and said so, if there is none. */
static const char *
value(int argc, char *const argv[], int *i, const char *what)
{
	if (++*i < argc)
		return argv[*i];
	fprintf(stderr, "Missing %s value\n", what);
	return NULL;
}

int
liveupdate_run(struct xs_handle *xs, int argc, char *const argv[])
{
	struct update u = { .timeout_s = TIMEOUT_S };
	const char *text;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0) {
			u.cmdline = value(argc, argv, &i, "command line");
			if (u.cmdline == NULL)
				return CONTROL_USAGE;
		} else if (strcmp(argv[i], "-t") == 0) {
			text = value(argc, argv, &i, "timeout");
			if (text == NULL)
				return CONTROL_USAGE;
			u.timeout_s = (unsigned)strtol(text, NULL, 10);
		} else if (strcmp(argv[i], "-v") == 0) {
			u.version = value(argc, argv, &i, "version");
			if (u.version == NULL)
				return CONTROL_USAGE;
		} else if (strcmp(argv[i], "-F") == 0) {
			u.force = true;
		} else {
			u.file = argv[i];
		}
	}
	if (u.file == NULL) {
		fprintf(stderr, "Missing binary specification\n");
		return CONTROL_USAGE;
	}
	return update(xs, &u);
}
