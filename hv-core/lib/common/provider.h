/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hypervisor the standard libraries talk to, and where its nodes are.
 *
 * Knows the environment (HV_PROVIDER, HV_ROOT), the names of three platforms'
 * nodes' places and how to say that a node is missing. Does not know what a
 * node is for, nor how to talk to it.
 */
#ifndef LIB_COMMON_PROVIDER_H
#define LIB_COMMON_PROVIDER_H

#include <stddef.h>

struct xentoollog_logger;

enum provider { PROVIDER_HOSTED, PROVIDER_LINUX, PROVIDER_NETBSD };

/*
 * The provider for this process: $HV_PROVIDER, else linux if /dev/xen/evtchn
 * exists, else netbsd if /dev/xenevt exists, else hosted. 0, or -1 with errno
 * EINVAL and a line logged as LIB's if $HV_PROVIDER names none.
 */
int provider_find(
    struct xentoollog_logger *logger, const char *lib, enum provider *out);

/*
 * The path of NODE, such as "/dev/xenevt", goes to BUF: below $HV_ROOT or
 * /run/kernbus for hosted; below $HV_ROOT, if that is set, for netbsd (so that
 * nodes served by hv-kernfs can stand in for the kernel's); as it is for linux.
 * 0, or -1 with errno ENAMETOOLONG.
 */
int provider_path(
    enum provider provider, const char *node, char *buf, size_t size);

/*
 * Open NODE read-write and close-on-exec with FLAGS added. The descriptor, or
 * -1 with open()'s errno and a line logged as LIB's: the path, the reason and
 * REMEDY, the command that makes the node.
 */
int provider_open(struct xentoollog_logger *logger, const char *lib,
    enum provider provider, const char *node, int flags, const char *remedy);

/*
 * Log one line as LIB's through LOGGER, or to stderr if it is NULL: the text,
 * and the words for ERRNUM if that is not 0. Keeps errno.
 */
void provider_log(struct xentoollog_logger *logger, const char *lib, int errnum,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Log that hvd cannot be reached, ERRNUM being the reason, with the command
 * that mends it. Keeps errno.
 */
void provider_log_hvd(
    struct xentoollog_logger *logger, const char *lib, int errnum);

#endif
