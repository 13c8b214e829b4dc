/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What each platform says of processes and of itself. One file per platform.
 */
#ifndef XENSTORED_PLAT_H
#define XENSTORED_PLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A descriptor for plat_written() of process PID, which is this one or a child.
 * It still tells when that is dead, until it is waited for. -1 with errno, or
 * where there is no such thing.
 */
int plat_open_written(pid_t pid);

/* How many bytes the process of FD has handed to write(2) in all. False: that
 * cannot be told. */
bool plat_written(int fd, uint64_t *bytes_out);

/* This process is killed when PARENT, which started it, ends; where that can be
 * had. */
void plat_die_with(pid_t parent);

/* Waits until process PID (0: none), which is about to end and need not be a
 * child, has, but at most MS. */
void plat_wait_gone(pid_t pid, int ms);

/* A descriptor that is readable once process PID, which need not be a child,
 * has ended; -1 where there is no such thing. */
int plat_open_process(pid_t pid);

/* Whether process PID runs; FD is plat_open_process() of it, or -1. */
bool plat_is_running(pid_t pid, int fd);

/* How process PID ended, as far as can be told: "it ...". */
void plat_describe_end(pid_t pid, char *text, size_t size);

/* A file without name, for this process and those it hands it to; TEXT is for
 * people. -1 with errno. */
int plat_memory_file(const char *text);

/* However this process ends, nobody makes a file of its memory: that would take
 * long, and count as written. */
void plat_no_core(void);

/* What differs between two boots of this machine, or zeroes. */
void plat_boot_id(uint8_t id[16]);

/* LEN random bytes, of what randomness there is, without waiting. False with
 * errno. */
bool plat_random(void *buf, size_t len);

/* This process is called "xenstored", by whatever way it was executed. */
void plat_name_self(void);

/* What process PID is called, cut; "" where nobody can say. */
void plat_process_name(pid_t pid, char name_out[16]);

/* The path by which this process can execute its own program again. */
const char *plat_own_program(void);

#endif
