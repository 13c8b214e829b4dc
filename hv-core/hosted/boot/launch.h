/*
 * Starting hvd and waiting until domain 0 is up.
 *
 * Knows processes and $HV_ROOT; knows neither boot.cfg nor ELF.
 */
#ifndef HV_HOSTED_BOOT_LAUNCH_H
#define HV_HOSTED_BOOT_LAUNCH_H

#include <stdbool.h>

struct launch {
	int hypervisor_fd;
	int kernel_fd;
	const char *kernel_line; /* its name and arguments */
	const char *const *word; /* of the hypervisor's command line */
	unsigned nr_words;
	const char *libexec;
	const char *root; /* HV_ROOT */
	const char *log;  /* NULL: stderr (foreground only) */
	bool foreground;
	unsigned timeout_s; /* until domain 0 must be up */
};

/*
 * Run the machine. Background: 0 as soon as domain 0's kernel has its store
 * port, the machine runs on. Foreground: hvd's exit status when it has ended.
 * 1: it did not come up, nothing is left of it, and stderr says why.
 */
int launch_run(const struct launch *l);

#endif
