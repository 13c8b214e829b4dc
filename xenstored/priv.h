/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Giving up what the daemon will not need. One file per platform.
 */
#ifndef XENSTORED_PRIV_H
#define XENSTORED_PRIV_H

/* After start: no program that we might ever execute gains rights. Warns if it
 * cannot. */
void priv_drop(void);

#endif
