/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What target.c (bytes) and world.c (domains, trees) share.
 */
#ifndef TESTS_DIFF_TARGET_H
#define TESTS_DIFF_TARGET_H

#include "diff.h"

enum { CTL = CONNS, IN_MAX = 1 << 17 };

struct link {
	int fd;		     /* a socket, or -1 */
	struct guest *guest; /* or NULL */
	char *in;	     /* IN_MAX */
	size_t in_len;
	char out[4 * WIRE_MESSAGE_MAX];
	size_t out_len;
	uint32_t last_id, waits_for; /* 0: no reply is due */
	int barriers;		     /* answers that are due */
	bool released, shut;	     /* a guest that has no connection */
	struct reply reply;
};

struct target {
	char name[32], root[128], socket[100];
	struct machine *machine;
	struct link link[CONNS + 1];
	struct event event[EVENTS_MAX];
	int n_events;
	bool lost_events;  /* more than EVENTS_MAX */
	unsigned releases; /* how often @releaseDomain fired for the tester */
	bool hung_up;	   /* the daemon closed a connection */
};

void link_open_socket(struct target *t, int conn);
bool link_is_up(const struct link *l);
void link_close(struct target *t, int conn);
void target_is_dead(const struct target *t, const char *why)
    __attribute__((noreturn));
void link_forget(struct link *l); /* bytes and replies of what it was before */

#endif
