/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a supervisor holds, as bytes in a file without name, for the program
 * that it executes in its own place. Knows numbers of descriptors and how the
 * bytes lie; executes nothing.
 *
 * The file begins with the same few fields in every version, so that any
 * program, whatever else it makes of it, finds the way back: which descriptor
 * is the program before, and with what words that was started. Behind them are
 * parts with a kind and a length. Who does not know a kind skips a part that is
 * marked as optional, and refuses the whole because of any other.
 */
#ifndef XENSTORED_HANDOVER_H
#define XENSTORED_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/sup_child.h"
#include "xenstored/sup_store.h"

#define HANDOVER_MAGIC UINT64_C(0x31766f6873726b62) /* "bkrshov1" */

enum { HANDOVER_VERSION = 1, HANDOVER_WHY = 160 };

/* Of a kind of part: it may be left out. */
#define HANDOVER_OPTIONAL UINT32_C(0x80000000)

struct handover {
	/* The way back. */
	int program;  /* descriptor of the program before */
	char **words; /* with which it runs */

	int lock, listener;
	int evtchn;		/* -1: there is no hypervisor */
	struct sup_store store; /* its descriptors and numbers only */
	struct sup_child primary, standby;
	struct sup_socks socks;
	uint64_t retry, image_due; /* ms, as the supervisor has them */
	/* What children are executed as. */
	char *child_program;
	char **child_words;
};

/* H in a file without name; -1 with errno. */
int handover_write(const struct handover *h);

/*
 * The same back; FD stays open. False: WHY, and nothing to free. Of what is in
 * *H_OUT all is the caller's.
 */
bool handover_read(int fd, struct handover *h_out, char why[HANDOVER_WHY]);

/* The way back only: the descriptor, or -1. *WORDS_OUT is one block of memory,
 * for free(). */
int handover_way_back(int fd, char ***words_out);

/* Makes all descriptors of H survive an exec (YES), or not. */
void handover_keep(const struct handover *h, bool yes);

/* Whether each descriptor that H names is open. */
bool handover_is_there(const struct handover *h);

#endif
