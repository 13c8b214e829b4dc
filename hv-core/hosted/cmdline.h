/*
 * The hypervisor's command line: the words after the image's name on a
 * multiboot line of boot.cfg.
 *
 * Pure: knows text and numbers only. Words that have no meaning here (console=,
 * loglvl=, ...) are accepted, as Xen does.
 */
#ifndef HV_HOSTED_CMDLINE_H
#define HV_HOSTED_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMDLINE_MAX 1024

#define MACHINE_MEM_DEFAULT (UINT64_C(2048) << 20)
#define MACHINE_DOM0_MEM_DEFAULT (UINT64_C(256) << 20)

struct machine_config {
	uint64_t mem;	   /* bytes of the whole machine: mem= */
	uint64_t dom0_mem; /* bytes: dom0_mem=, min: and max: honoured */
	uint32_t dom0_vcpus;
	bool dom0_pinned;
	char cmdline[CMDLINE_MAX]; /* all words, with one blank between */
};

void machine_config_init(struct machine_config *m);

/* One word. 0; -1: it is wrong, and *WHY_OUT (static text) says what is right;
 * M has not changed. */
int cmdline_word(
    struct machine_config *m, const char *word, const char **why_out);

/* After the last word: does it all fit? As above. */
int cmdline_check(const struct machine_config *m, const char **why_out);

#endif
