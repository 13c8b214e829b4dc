/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a boot.cfg: read, searched, and each entry worked out. What is
 * pointed at must lie in the text.
 */
#include "fuzz.h"
#include "hv-core/hosted/boot/bootcfg.h"
#include "hv-core/hosted/boot/plan.h"

static void
check_image(const struct boot_plan *plan, const struct plan_image *im)
{
	must(im->file >= plan->text &&
	     im->file < plan->text + sizeof(plan->text));
	must(plan_path(im->file)[0] == '\0' || strlen(im->file) > 0);
	for (unsigned i = 0; i < im->nr_args; i++)
		must(strlen(im->arg[i]) > 0);
}

static void
work_out(const char *commands)
{
	static struct boot_plan plan;

	if (plan_make(&plan, commands) != 0) {
		must(memchr(plan.why, '\0', sizeof(plan.why)) != NULL);
		must(plan.why[0] != '\0');
		return;
	}
	check_image(&plan, &plan.hypervisor);
	check_image(&plan, &plan.kernel);
	for (unsigned i = 0; i < plan.nr_modules; i++)
		must(strlen(plan.module[i]) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bootcfg cfg;
	const struct bootcfg_entry *e;
	char *text = malloc(size + 1);

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	bootcfg_parse(&cfg, text);
	e = bootcfg_default(&cfg);
	must((e != NULL) == (cfg.nr_entries > 0));
	for (unsigned i = 0; i < cfg.nr_entries; i++) {
		e = bootcfg_find(&cfg, cfg.entry[i].text);
		must(e != NULL && strcmp(e->text, cfg.entry[i].text) == 0);
		work_out(cfg.entry[i].commands);
	}
	for (unsigned i = 0; i < cfg.nr_loads; i++)
		must(strlen(cfg.load[i]) <= size);
	for (unsigned i = 0; i < cfg.nr_banners; i++)
		must(strlen(cfg.banner[i]) <= size);
	for (unsigned i = 0; i < cfg.nr_commands; i++)
		must(bootcfg_find(&cfg, cfg.command[i].value) == NULL ||
		     cfg.nr_entries > 0);
	free(text);
	return 0;
}
