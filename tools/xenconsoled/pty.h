/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pseudo terminal: the master is ours, the slave is what xenconsole opens. We
 * hold the slave open as well, else a master whose last client has left would
 * report errors (Linux) or ends (BSD) until the next one comes.
 */
#ifndef XENCONSOLED_PTY_H
#define XENCONSOLED_PTY_H

#include <stdbool.h>

struct pty {
	int master; /* non-blocking; -1: none */
	int slave;
	char name[64]; /* of the slave */
};

/* Makes a raw one. 0, or -1 with errno and nothing to close. */
int pty_open(struct pty *pty);

/* Has every byte been read by whoever reads the slave? What was written less
 * than some milliseconds ago may still be on its way there. */
bool pty_drained(const struct pty *pty);

void pty_close(struct pty *pty);

#endif
