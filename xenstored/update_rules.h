/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What may be asked for with a live update. The request comes by way of the
 * process that serves, which a client may have taken over, and is carried out
 * by one that may do everything. So the program has to be one that only those
 * can put there who could replace this one as well, and its words must not name
 * files or accounts that these have not named. Knows files and words only.
 */
#ifndef XENSTORED_UPDATE_RULES_H
#define XENSTORED_UPDATE_RULES_H

#include <stdbool.h>

#include "xenstored/live_update.h"

/*
 * Whether the program PATH and each directory and symbolic link on the way to
 * it belong to root, this process's user or the owner of the root directory,
 * and nobody else can write to it or change what is there by that name. Opens
 * nothing, and looks at nothing behind the first that is not so. False: WHY.
 */
bool update_rules_path(const char *path, char why[LIVE_UPDATE_TEXT]);

/*
 * Whether the words of REQUEST, if it has some, are among those of ARGV, with
 * which the daemon runs, or are limits, quotas and the like; and all that say
 * which account to use are there. False: WHY.
 */
bool update_rules_words(const struct live_update_request *request,
    char *const argv[], char why[LIVE_UPDATE_TEXT]);

#endif
