/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Files for a process that may not open any (priv_sandbox()): another process,
 * which parses no client's byte, opens them for it and sends the descriptors.
 * It opens just files for appending, in directories that were named at start,
 * and removes just files that were. Knows nothing of what is written.
 */
#ifndef XENSTORED_FILES_H
#define XENSTORED_FILES_H

#include <stdbool.h>
#include <sys/types.h>

enum { FILES_DIRS = 4, FILES_NAMES = 4 };

/* What may be opened and removed. Zeroed: nothing. */
struct files_rules {
	struct {
		char *path; /* malloc'ed */
		int fd;
	} dir[FILES_DIRS];
	unsigned n_dirs;
	char *name[FILES_NAMES]; /* malloc'ed */
	unsigned n_names;
	/* The directory, by whatever name, in which only these may be. */
	struct {
		dev_t dev;
		ino_t ino;    /* 0: there is none */
		char *prefix; /* malloc'ed */
		char *file;   /* malloc'ed, or NULL */
	} only;
};

/*
 * Files in the directory DIR may be opened, or, with _of, in that which FILE
 * lies in. Nothing happens if it is not there or there are FILES_DIRS already.
 */
void files_allow(struct files_rules *rules, const char *dir);
void files_allow_of(struct files_rules *rules, const char *file);

/*
 * In DIR, whatever else is allowed, just files whose names begin with PREFIX
 * may be opened, and FILE (or NULL) if it lies there. For a directory with
 * files that those who ask must not be able to cut or to lengthen.
 */
void files_allow_only(struct files_rules *rules, const char *dir,
    const char *prefix, const char *file);

/* The file NAME may be removed. It is copied. */
void files_allow_removal(struct files_rules *rules, const char *name);

/*
 * Opens PATH for appending; it is made with mode 0600 if it is not there. -1
 * with errno: EACCES if the rules do not allow it (also for a path that is not
 * absolute, and for a symbolic link), else as open(2).
 */
int files_open_here(const struct files_rules *rules, const char *path);

/*
 * Forks a process that answers requests under RULES until the returned
 * descriptor is closed everywhere; it ends then. Exits with a message if that
 * cannot be. The child keeps no other descriptor than that and stderr; the
 * caller's RULES are empty afterwards.
 */
int files_start(struct files_rules *rules);

/*
 * Answers one request that waits on FD. False: nobody is at the other end, or
 * who is there does not take the answers: it has to be waited for neither.
 */
bool files_answer(const struct files_rules *rules, int fd);

/* files_open_here() by the process at the other end of FD. */
int files_open(int fd, const char *path);

/* Removes the file NAME there. 0, or -1 with errno. */
int files_remove(int fd, const char *name);

#endif
