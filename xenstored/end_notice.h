/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Word of a process's end before it is over: taking down the memory of one that
 * was killed takes the kernel longer than taking over from it, and its parent
 * is told after that. A process gives a word in shared memory its mark; as the
 * first thing about its end the kernel changes the mark, and whoever watches
 * hears of it.
 *
 * Whoever can write to that memory can do so, too: the notice is a hint, which
 * end_notice_confirm() confirms or not. One file per platform; where there is
 * no such thing nobody is told before the parent is.
 */
#ifndef XENSTORED_END_NOTICE_H
#define XENSTORED_END_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The end of this process will show in WORD, which stays mapped. Once a
 * process; does not go on in children. */
void end_notice_promise(uint32_t *word);

/*
 * Watches the word at offset AT of the file FD from now on, whoever promises,
 * until this process ends. An eventfd that becomes readable when somebody may
 * be ending; at most once a millisecond. -1: there is no such thing.
 */
int end_notice_watch(int fd, size_t at);

/* Takes what there is to be read in EVENTS. */
void end_notice_take(int events);

/*
 * Whether PID, a child that was not waited for, can execute none of its
 * program any more, not in any thread, and what it did is done: how it ends
 * then goes to STATUS as wait(2) tells it, or 0 if this process may not know.
 */
bool end_notice_confirm(pid_t pid, int *status_out);

/* Whether that is so for one of its threads at least, its first. */
bool end_notice_begins(pid_t pid);

#endif
