/*
 * Working out a menu entry.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "hv-core/hosted/boot/plan.h"

enum meaning {
	DO_NOTHING, /* for a real machine: console, random seed, video mode */
	DO_LOAD,
	DO_MULTIBOOT,
	DO_BOOT,
	DO_PROMPT,
};

static const struct verb {
	const char *name;
	enum meaning meaning;
} verbs[] = {
	{ "load", DO_LOAD },
	{ "multiboot", DO_MULTIBOOT },
	{ "boot", DO_BOOT },
	{ "prompt", DO_PROMPT },
	{ "consdev", DO_NOTHING },
	{ "rndseed", DO_NOTHING },
	{ "userconf", DO_NOTHING },
	{ "vesa", DO_NOTHING },
	{ "fs", DO_NOTHING },
	{ "splash", DO_NOTHING },
	{ "root", DO_NOTHING },
	{ "dev", DO_NOTHING },
	{ "modules", DO_NOTHING },
	{ "pkboot", DO_BOOT },
	{ "quit", DO_PROMPT },
	{ "menu", DO_PROMPT },
};

static int
wrong(struct boot_plan *plan, const char *what)
{
	snprintf(plan->why, sizeof(plan->why), "%s", what);
	return -1;
}

const char *
plan_path(const char *file)
{
	const char *p = file;

	while (islower((unsigned char)*p))
		p++;
	if (p == file || !isdigit((unsigned char)*p))
		return file;
	while (isdigit((unsigned char)*p))
		p++;
	if (islower((unsigned char)*p))
		p++;
	return *p == ':' ? p + 1 : file;
}

/* The words of TEXT, which is cut up; more than there is room for is -1. */
static int
split_words(char *text, const char *word[PLAN_WORDS], unsigned *nr_out)
{
	char *save = NULL;
	unsigned n = 0;

	for (char *w = strtok_r(text, " \t", &save); w != NULL;
	     w = strtok_r(NULL, " \t", &save)) {
		if (n == PLAN_WORDS)
			return -1;
		word[n++] = w;
	}
	*nr_out = n;
	return 0;
}

static int
set_image(struct boot_plan *plan, struct plan_image *im,
    const char *const *word, unsigned nr, const char *verb)
{
	if (nr < 2) {
		snprintf(plan->why, sizeof(plan->why),
		    "%s names no file; %s FILE ARGUMENTS is right", verb, verb);
		return -1;
	}
	im->file = word[1];
	im->nr_args = nr - 2;
	memcpy(im->arg, word + 2, im->nr_args * sizeof(*word));
	return 0;
}

static int
do_load(struct boot_plan *plan, const char *const *word, unsigned nr)
{
	if (plan->hypervisor.file != NULL)
		return wrong(plan,
		    "load after multiboot, which starts the machine: "
		    "load must come before it");
	if (plan->kernel.file == NULL)
		return set_image(plan, &plan->kernel, word, nr, "load");
	if (nr < 2)
		return wrong(plan, "load names no file");
	if (plan->nr_modules == PLAN_WORDS)
		return wrong(plan, "an entry has more than 64 modules");
	plan->module[plan->nr_modules++] = word[1];
	return 0;
}

static int
do_command(struct boot_plan *plan, char *text)
{
	const char *word[PLAN_WORDS];
	unsigned nr = 0;

	if (split_words(text, word, &nr) != 0)
		return wrong(plan, "a command has more than 64 words");
	if (nr == 0)
		return 0;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verbs[i].name, word[0]) != 0)
			continue;
		switch (verbs[i].meaning) {
		case DO_NOTHING:
			return 0;
		case DO_LOAD:
			return do_load(plan, word, nr);
		case DO_MULTIBOOT:
			return set_image(
			    plan, &plan->hypervisor, word, nr, "multiboot");
		case DO_BOOT:
			return wrong(plan,
			    "this entry boots a kernel without a hypervisor; "
			    "load KERNEL;multiboot XEN is wanted");
		case DO_PROMPT:
			return wrong(plan,
			    "this entry waits for commands; "
			    "load KERNEL;multiboot XEN is wanted");
		}
	}
	snprintf(plan->why, sizeof(plan->why),
	    "unknown command '%.100s'; load and multiboot are wanted", word[0]);
	return -1;
}

int
plan_make(struct boot_plan *plan, const char *commands)
{
	char *text = plan->text, *save = NULL;

	memset(plan, 0, sizeof(*plan));
	if (strlen(commands) >= sizeof(plan->text))
		return wrong(plan, "the commands are longer than 4095 bytes");
	memcpy(text, commands, strlen(commands) + 1);
	for (char *c = strtok_r(text, ";", &save); c != NULL;
	     c = strtok_r(NULL, ";", &save))
		if (do_command(plan, c) != 0)
			return -1;
	if (plan->hypervisor.file == NULL)
		return wrong(plan, "no multiboot command; load "
				   "KERNEL;multiboot XEN is wanted");
	if (plan->kernel.file == NULL)
		return wrong(plan, "no load command before multiboot: domain 0 "
				   "needs a kernel");
	return 0;
}
