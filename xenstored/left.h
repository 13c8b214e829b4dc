/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a daemon before left in the directory: whether it is a store that
 * domains may still depend on, and whether this program can go on with it.
 * Knows the files by their heads only, and changes none but in left_clear().
 */
#ifndef XENSTORED_LEFT_H
#define XENSTORED_LEFT_H

#include <stdbool.h>
#include <stdint.h>

#include "xenstored/image.h"
#include "xenstored/log.h"

enum { LEFT_WHY_SIZE = IMAGE_WHY_SIZE + 80 };

enum left {
	LEFT_NOTHING, /* that anybody depends on */
	LEFT_STORE,   /* of this boot, and its log is one of this version */
	LEFT_USELESS, /* it may be one, and cannot be gone on with */
};

/*
 * What is in DIR in the life BOOT of the hypervisor. WHY: what is to be said of
 * it, or empty. A log of whatever version that was closed, or is of another
 * boot, is nothing.
 */
enum left left_judge(const char *dir, const uint8_t boot[LOG_BOOT_SIZE],
    char why[LEFT_WHY_SIZE]);

/* Whether there is a log, of whatever version, that was closed. */
bool left_is_closed(const char *dir);

/* Removes the checkpoints and the flight in DIR, before a new log is made: they
 * say nothing beside that. */
void left_clear(const char *dir);

/* Says that what is in DIR cannot be gone on with, WHY, and what can be done.
 */
void left_say_refused(const char *dir, const char *why);

#endif
