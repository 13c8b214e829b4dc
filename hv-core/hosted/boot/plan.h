/*
 * What the commands of a boot.cfg entry come to: a hypervisor, domain 0's
 * kernel and their arguments.
 *
 * Pure: knows command words, opens nothing.
 */
#ifndef HV_HOSTED_BOOT_PLAN_H
#define HV_HOSTED_BOOT_PLAN_H

#define PLAN_WORDS 64
#define PLAN_TEXT 4096

/* A file with its arguments. */
struct plan_image {
	const char *file;	     /* NULL: none */
	const char *arg[PLAN_WORDS]; /* the words after it */
	unsigned nr_args;
};

struct boot_plan {
	struct plan_image hypervisor;	/* multiboot */
	struct plan_image kernel;	/* the first load */
	const char *module[PLAN_WORDS]; /* files of further loads */
	unsigned nr_modules;
	char text[PLAN_TEXT]; /* what the pointers point into */
	char why[256];	      /* after an error: what is wrong, what right */
};

/*
 * Work out COMMANDS, an entry's, separated by ';'. 0; -1: it does not boot a
 * hypervisor with a kernel, and plan->why says why and what would be right.
 */
int plan_make(struct boot_plan *plan, const char *commands);

/* FILE without a "hd0a:" in front: the machine has one root. */
const char *plan_path(const char *file);

#endif
