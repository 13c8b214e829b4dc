/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A file of one's own in place of one that somebody else made, who is believed
 * nothing. Knows nothing about what is in it.
 */
#ifndef XENSTORED_STREAM_COPY_H
#define XENSTORED_STREAM_COPY_H

/* Bytes. Nobody's store is larger than the first; of a file larger than the
 * second all of it has to be there: holes cost who made them nothing, and who
 * copies them memory and time. */
#define STREAM_COPY_MAX (4LL << 30)
#define STREAM_COPY_HOLES (64LL << 20)

/*
 * The bytes of the regular file FD, which stays the caller's, in a file without
 * name that no other process has: who wrote it may have left somebody behind
 * who changes it. The caller's, not inherited. -1: it is none (as -1 is), is
 * larger than that, cannot be read as far as it says, or there is no memory.
 */
int stream_copy(int fd);

#endif
