/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One child of the supervisor, and what waits to be said to it. Sends without
 * waiting: what there is no room for goes later. Knows no role and no policy.
 */
#ifndef XENSTORED_SUP_CHILD_H
#define XENSTORED_SUP_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The clients' sockets, the oldest first. */
struct sup_socks {
	struct sup_sock {
		uint64_t id;
		int fd;
	} * sock;
	size_t n, room;
	uint64_t last_id;
};

/* FD, which it owns from now on, gets a number. False: no memory. */
bool sup_socks_add(struct sup_socks *socks, int fd);

/* The socket ID is done with. False: there is none. */
bool sup_socks_remove(struct sup_socks *socks, uint64_t id);

void sup_socks_end(struct sup_socks *socks);

struct sup_child {
	pid_t pid;	/* 0: there is none */
	int fd;		/* to it */
	int files_fd;	/* where it asks for files */
	int written_fd; /* plat_open_written(), or -1 */
	bool loading;	/* it has been told what to begin with */
	bool ready;	/* it follows the log */
	bool gave_up;	/* it has said that it cannot any more */
	bool serving;
	bool promote, promoted; /* is to be told; was */
	bool rebind, updated;	/* what it is told then */
	uint64_t sent;		/* it was told of sockets up to this number */
	uint64_t born;		/* ms */
	bool broken;		/* it is not talked to any more */
	const char *why;	/* it was broken with; NULL: nothing to say */
	bool files_over;	/* it asks for no files any more */
	uint64_t later;		/* ms, when it is told more; 0: at once */
};

/* One that has no gifts yet. */
struct sup_first {
	struct sup_child child;
	int files_fd; /* where it will ask for files: its end */
};

/* What a new child is given; -1: none. */
struct sup_gifts {
	int log, flight, evtchn;
	bool syslog;
};

/*
 * Forks a child that executes nothing: that takes half as long, and is for the
 * first one, before this process has anything that it must not inherit.
 * The descriptor to the supervisor in the child; -1 in the supervisor, where
 * there is no process if that failed: the message is out.
 */
int sup_child_fork(struct sup_first *first);

/* It gets GIFTS. One that cannot is killed, with a message. */
void sup_child_give(struct sup_first *first, const struct sup_gifts *gifts);

/*
 * Executes PROGRAM, or this one again (NULL), with ARGV and the hidden option
 * for a child. False with a message.
 */
bool sup_child_start(struct sup_child *child, const struct sup_gifts *gifts,
    const char *program, char *argv[]);

/* The words of ARGV with OPTION, which stays the caller's, behind the first;
 * for free(). NULL: no memory. */
char **sup_child_words(char *argv[], char *option);

/* Says what waits, in order. False: not all, as there is no room now, or it
 * does not listen and was broken with. */
bool sup_child_pump(struct sup_child *child, const struct sup_socks *socks);

/* Whether something waits to be said to it, now. */
bool sup_child_waits(
    const struct sup_child *child, const struct sup_socks *socks, uint64_t now);

/*
 * It did, as WHY (which stays there) says, what none of ours does while it
 * lives: it is killed, and its end is waited for as any other's.
 */
void sup_child_break(struct sup_child *child, const char *why);

/* It did end, KILLED by SIGKILL or not. Says that it was broken with, and why,
 * unless it was ending anyway. */
void sup_child_ended(const struct sup_child *child, bool killed);

/* It shall begin with the image in FD, or with the log's start (-1). */
bool sup_child_load(struct sup_child *child, int fd);

/* Kills it, or what is left of it, and all that it forked. Nobody has waited
 * for it yet. */
void sup_child_kill(const struct sup_child *child);

/* It is gone: closes what led to it. */
void sup_child_forget(struct sup_child *child);

#endif
