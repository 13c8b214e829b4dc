/*
 * The machine: everything that hvd consists of, put together. Apart from main.c
 * so that tests can run one.
 */
#ifndef HV_HOSTED_MACHINE_H
#define HV_HOSTED_MACHINE_H

struct hvd_config; /* hvd.h */

/*
 * Be the machine that C describes until SIGTERM or SIGINT comes, domain 0's
 * kernel ends, or hv-spawn does. The process's exit status; whatever went wrong
 * has been logged. Blocks those signals and ignores SIGPIPE and SIGHUP. Nothing
 * of it is left afterwards: no process, no node.
 */
int machine_run(const struct hvd_config *c);

#endif
