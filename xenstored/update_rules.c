/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/update_rules.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS = 40 }; /* on the way to one file */

/* --- the program --- */

/* Where a path leads: what was looked at, and what was not yet. */
struct way {
	char done[PATH_MAX]; /* without a slash at its end; "": the root */
	char rest[PATH_MAX];
	unsigned links;
};

static bool
is_trusted(uid_t uid)
{
	struct stat root;

	return uid == 0 || uid == geteuid() ||
	       (stat("/", &root) == 0 && uid == root.st_uid);
}

/* Whether others than the owner can change what is there by this name. */
static bool
is_open_to_others(const struct stat *st)
{
	bool group = (st->st_mode & S_IWGRP) != 0 && st->st_gid != 0 &&
		     st->st_gid != getegid();

	if (S_ISLNK(st->st_mode) ||
	    (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0))
		return false;
	return group || (st->st_mode & S_IWOTH) != 0;
}

/* Appends "/" and the LEN bytes at NAME to what was looked at. */
static bool
step(struct way *w, const char *name, size_t len)
{
	size_t at = strlen(w->done);
	char *slash;

	if (len == 1 && name[0] == '.')
		return true;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		slash = strrchr(w->done, '/');
		if (slash != NULL)
			*slash = '\0';
		return true;
	}
	if (at + 1 + len >= sizeof(w->done))
		return false;
	w->done[at] = '/';
	memcpy(w->done + at + 1, name, len);
	w->done[at + 1 + len] = '\0';
	return true;
}

/* Goes where the link that was stepped on points to. */
static bool
follow(struct way *w)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlink(w->done, target, sizeof(target) - 1);

	if (len <= 0 || ++w->links > LINKS)
		return false;
	target[len] = '\0';
	if ((size_t)snprintf(rest, sizeof(rest), "%s/%s", target, w->rest) >=
	    sizeof(rest))
		return false;
	memcpy(w->rest, rest, sizeof(rest));
	*strrchr(w->done, '/') = '\0';
	if (target[0] == '/')
		w->done[0] = '\0';
	return true;
}

/* Takes the next name off what was not looked at; its length, 0: none. */
static size_t
next_name(struct way *w, char name[PATH_MAX])
{
	const char *at = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(at, "/");

	memcpy(name, at, len);
	name[len] = '\0';
	memmove(w->rest, at + len, strlen(at + len) + 1);
	return len;
}

bool
update_rules_path(const char *path, char why[LIVE_UPDATE_TEXT])
{
	struct way w = { .links = 0 };
	char name[PATH_MAX];
	struct stat st;
	size_t len;

	if (path[0] != '/' || strlen(path) >= sizeof(w.rest)) {
		snprintf(why, LIVE_UPDATE_TEXT, "File name is not absolute.");
		return false;
	}
	memcpy(w.rest, path, strlen(path) + 1);
	while ((len = next_name(&w, name)) > 0) {
		if (!step(&w, name, len) ||
		    lstat(w.done[0] != '\0' ? w.done : "/", &st) != 0) {
			snprintf(why, LIVE_UPDATE_TEXT, "File not accessible.");
			return false;
		}
		if (!is_trusted(st.st_uid) || is_open_to_others(&st)) {
			snprintf(why, LIVE_UPDATE_TEXT,
			    "Others than root can change %.200s.", w.done);
			return false;
		}
		if (S_ISLNK(st.st_mode) && !follow(&w)) {
			snprintf(why, LIVE_UPDATE_TEXT, "File not accessible.");
			return false;
		}
	}
	return true;
}

/* --- words --- */

/* Options that change how much is allowed or said, and nothing else. */
static const struct {
	char letter; /* '\0': none */
	bool has_value;
	const char *name;
} harmless[] = {
	{ 'A', true, "perm-nb" },
	{ 'D', false, "no-domain-init" },
	{ 'E', true, "entry-nb" },
	{ 'e', true, "event" },
	{ 'K', false, "keep-orphans" },
	{ 'M', true, "path-max" },
	{ 'N', false, "no-fork" },
	{ 'p', true, "priv-domid" },
	{ 'Q', true, "quota" },
	{ 'q', true, "quota-soft" },
	{ 'S', true, "entry-size" },
	{ 't', true, "transaction" },
	{ 'W', true, "watch-nb" },
	{ 'w', true, "timeout" },
	{ '\0', true, "trace-control" },
};

/* The LEN bytes of a word. */
struct word {
	const char *at;
	size_t len;
};

static bool
is_same(struct word a, const char *b)
{
	return a.len == strlen(b) && memcmp(a.at, b, a.len) == 0;
}

/* A number, a name or both: nothing that names a file elsewhere. */
static bool
is_value(struct word w)
{
	size_t i;

	for (i = 0; i < w.len; i++)
		if (!isalnum((unsigned char)w.at[i]) &&
		    strchr("=+-", w.at[i]) == NULL)
			return false;
	return w.len > 0;
}

/* Whether W is harmless; if its value is the next word, *WANTS_OUT. */
static bool
is_harmless(struct word w, bool *wants_out)
{
	struct word value = { NULL, 0 };
	size_t i, len;

	*wants_out = false;
	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		len = strlen(harmless[i].name);
		if (w.len >= 2 && w.at[0] == '-' &&
		    w.at[1] == harmless[i].letter && w.at[1] != '-')
			value = (struct word){ w.at + 2, w.len - 2 };
		else if (w.len >= 2 + len && memcmp(w.at, "--", 2) == 0 &&
			 memcmp(w.at + 2, harmless[i].name, len) == 0 &&
			 (w.len == 2 + len || w.at[2 + len] == '='))
			value =
			    (struct word){ w.at + 2 + len, w.len - 2 - len };
		else
			continue;
		*wants_out = harmless[i].has_value && value.len == 0;
		return harmless[i].has_value ? value.len == 0 || is_value(value)
					     : value.len == 0;
	}
	return false;
}

/* The next word of *AT, which is moved on; of length 0: none. */
static struct word
next_word(const char **at)
{
	struct word w;

	*at += strspn(*at, " \t");
	w = (struct word){ *at, strcspn(*at, " \t") };
	*at += w.len;
	return w;
}

/*
 * The option W is in ARGV, and what is behind it there and no option, its value
 * or not, is what *AT begins with: getopt() would take as the value whatever is
 * in its place. Moves *AT behind that. The place in ARGV; 0: there is none.
 */
static size_t
find_there(struct word w, const char **at, char *const argv[])
{
	const char *behind;
	size_t i;

	if (w.at[0] != '-' || is_same(w, "--") || argv[0] == NULL)
		return 0;
	for (i = 1; argv[i] != NULL; i++) {
		if (!is_same(w, argv[i]))
			continue;
		if (argv[i + 1] == NULL || argv[i + 1][0] == '-')
			return i;
		behind = *at;
		if (!is_same(next_word(&behind), argv[i + 1]))
			continue;
		*at = behind;
		return i;
	}
	return 0;
}

/* Takes the option W, and its value if *AT begins with that. *PLACE_OUT is
 * where it is in ARGV, 0 if it need not be there. False: it must not be. */
static bool
take_option(
    struct word w, const char **at, char *const argv[], size_t *place_out)
{
	bool wants;

	*place_out = find_there(w, at, argv);
	if (*place_out != 0)
		return true;
	return is_harmless(w, &wants) && (!wants || is_value(next_word(at)));
}

/* Whether WORDS, which may be asked for, have the option ARGV[I]. */
static bool
has_option(const char *words, char *const argv[], size_t i)
{
	struct word w;
	size_t place;

	while ((w = next_word(&words)).len > 0)
		if (take_option(w, &words, argv, &place) && place != 0 &&
		    strcmp(argv[place], argv[i]) == 0)
			return true;
	return false;
}

bool
update_rules_words(const struct live_update_request *request,
    char *const argv[], char why[LIVE_UPDATE_TEXT])
{
	const char *at = request->cmdline;
	struct word w;
	size_t i;

	if (!request->has_cmdline)
		return true;
	while ((w = next_word(&at)).len > 0) {
		if (take_option(w, &at, argv, &i))
			continue;
		snprintf(why, LIVE_UPDATE_TEXT,
		    "%.*s: a live update changes limits only.",
		    (int)(w.len < 200 ? w.len : 200), w.at);
		return false;
	}
	for (i = 1; argv[0] != NULL && argv[i] != NULL; i++)
		if (strncmp(argv[i], "--u", 3) == 0 &&
		    !has_option(request->cmdline, argv, i)) {
			snprintf(why, LIVE_UPDATE_TEXT,
			    "%.200s is missing: a live update changes limits "
			    "only.",
			    argv[i]);
			return false;
		}
	return true;
}
