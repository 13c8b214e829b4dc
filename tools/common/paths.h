/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things lie: run, lock, log and configuration directories. Each is an
 * environment variable or, when that is unset or empty, what the build chose.
 *
 * Knows names only: creates nothing unless asked (paths_mkdir) and opens
 * nothing.
 */
#ifndef TOOLS_COMMON_PATHS_H
#define TOOLS_COMMON_PATHS_H

#include <stddef.h>

enum paths_dir {
	PATHS_HV_ROOT,	 /* HV_ROOT: nodes of the hosted hypervisor */
	PATHS_XENSTORED, /* XENSTORED_RUNDIR: xenstored's socket */
	PATHS_RUN,	 /* XEN_RUN_DIR: pid files, saved configurations */
	PATHS_LOCK,	 /* XEN_LOCK_DIR */
	PATHS_LOG,	 /* XEN_LOG_DIR */
	PATHS_CONFIG,	 /* XEN_CONFIG_DIR */
	PATHS_SCRIPT,	 /* XEN_SCRIPT_DIR, else scripts below PATHS_CONFIG */
	PATHS_LIBEXEC,	 /* XEN_LIBEXEC_DIR, else the program's own folder */
	PATHS_DIRS
};

/* The directory without a trailing slash. Never NULL. The string is valid
 * until the next call for the same directory; it is read from the environment
 * at each call. */
const char *paths_dir(enum paths_dir which);

/* Writes DIR/NAME into BUF, NAME being formatted as printf does. 0, or -1 with
 * errno ENAMETOOLONG when SIZE is too small (BUF then holds ""). */
int paths_join(char *buf, size_t size, enum paths_dir which, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* Creates the directory with its parents, mode 0755, if it is missing. 0, or
 * -1 with mkdir(2)'s errno. */
int paths_mkdir(enum paths_dir which);

#endif
