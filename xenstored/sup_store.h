/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the supervisor keeps of the store: the log, the flight, an image to
 * start from and the same in a file, for the next supervisor should this one be
 * killed. Of all of them it knows where they are, not what they say.
 */
#ifndef XENSTORED_SUP_STORE_H
#define XENSTORED_SUP_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "xenstored/log.h"
#include "xenstored/server.h"

struct supmsg;

struct sup_store {
	const char *dir;
	uint8_t boot[LOG_BOOT_SIZE];
	int log_fd, flight_fd;
	struct log *log;
	struct flight *flight;
	int image_fd;	   /* what is in the file; -1: none */
	uint64_t image_at; /* log offset that it is of */
	pid_t writer;	   /* of the file; 0: nobody writes */
	int written_fd;	   /* what it writes, and of which offset */
	uint64_t written_at;
	unsigned tries;	   /* to write it, that failed */
	bool distrusted;   /* a standby could not begin with what there is */
	uint64_t reserved; /* bytes of the log that have their memory */
	bool recovered;	   /* it was another supervisor's */
};

/*
 * Opens what is in DIR if another daemon left it there to go on with (and not
 * FRESH: then it is set aside, see aside.h), otherwise begins with an empty
 * store as CONFIG says. BOOT is set. Exits with a message if it cannot; what is
 * there is as it was then.
 */
void sup_store_open(struct sup_store *store, const char *dir,
    const struct server_config *config, bool fresh);

/*
 * Goes on, after an exec, with the descriptors and numbers of BEFORE, in DIR.
 * False: the log or the flight is none that can be used here.
 */
bool sup_store_resume(
    struct sup_store *store, const struct sup_store *before, const char *dir);

/* Says that what is there cannot be gone on with, WHY, and what can be done. */
void sup_store_say_refused(const struct sup_store *store, const char *why);

/* Takes memory for the next piece of the log. True if that was not the last.
 * Exits with a message if there is none. */
bool sup_store_reserve(struct sup_store *store);

/* Where a process that is to follow can start. */
enum sup_source {
	SUP_SOURCE_START,   /* the first record of the log */
	SUP_SOURCE_IMAGE,   /* sup_store_image() */
	SUP_SOURCE_PRIMARY, /* it has to make an image */
	SUP_SOURCE_NONE,    /* nowhere: the store is lost */
};

enum sup_source sup_store_source(
    const struct sup_store *store, bool primary_serves);

/* The descriptor of the image to start from, which stays the store's. */
int sup_store_image(const struct sup_store *store);

/* Keeps the image that MSG tells of, in FD, which it owns. */
void sup_store_keep_image(
    struct sup_store *store, const struct supmsg *msg, int fd);

/*
 * The same for an image of log offset AT without which the log says nothing:
 * comes back when it is in the file. False: it could not be written, with a
 * message; the image is kept all the same.
 */
bool sup_store_keep_now(struct sup_store *store, uint64_t at, int fd);

/* The process PID, one of this module's, has ended. */
void sup_store_writer_ended(struct sup_store *store, pid_t pid, bool well);

/* Who began with what there is did not become what the primary is; USELESS: it
 * could not even begin. The next standby begins with a new image. */
void sup_store_distrust(struct sup_store *store, bool useless);

/* Writes who serves and who stands by (0: nobody) to the status file. */
void sup_store_status(
    const struct sup_store *store, pid_t primary, pid_t standby);

/* Another kind of daemon goes on with the store (YES), or does not after all.
 */
void sup_store_hand_over(struct sup_store *store, bool yes);

/* Lets go of it; HOW the daemon ends. After LOG_CLOSED nothing is left to go on
 * with. */
void sup_store_end(struct sup_store *store, enum log_closed how);

#endif
