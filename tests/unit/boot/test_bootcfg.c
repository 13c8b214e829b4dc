/*
 * boot.cfg: the lines that guides show, and what the grammar says of odd ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/hosted/boot/bootcfg.h"
#include "hv-core/hosted/boot/plan.h"

static char text[8192];
static struct bootcfg cfg;
static struct boot_plan plan;

static void
parse(const char *t)
{
	assert_true(strlen(t) < sizeof(text));
	strcpy(text, t);
	bootcfg_parse(&cfg, text);
}

static const char guide[] =
    "menu=Xen:load /netbsd-XEN3PAE_DOM0.gz console=pc;"
    "multiboot /xen.gz dom0_mem=256M\n"
    "menu=Xen.ok:load /netbsd-XEN3PAE_DOM0.ok.gz console=pc;"
    "multiboot /xen.ok.gz dom0_mem=256M\n"
    "menu=GENERIC:boot\n"
    "menu=GENERIC single-user:boot -s\n"
    "menu=GENERIC.ok:boot netbsd.ok\n"
    "menu=GENERIC.ok single-user:boot netbsd.ok -s\n"
    "menu=Drop to boot prompt:prompt\n"
    "default=1\n"
    "timeout=30\n";

static void
the_guides_file_gives_its_menu(void **state)
{
	static const char *const names[] = { "Xen", "Xen.ok", "GENERIC",
		"GENERIC single-user", "GENERIC.ok", "GENERIC.ok single-user",
		"Drop to boot prompt" };

	(void)state;
	parse(guide);
	assert_int_equal(cfg.nr_entries, 7);
	for (unsigned i = 0; i < 7; i++) {
		assert_string_equal(cfg.entry[i].text, names[i]);
		assert_int_equal(cfg.entry[i].line, i + 1);
		assert_ptr_equal(bootcfg_find(&cfg, names[i]), &cfg.entry[i]);
	}
	assert_int_equal(cfg.timeout, 30);
	assert_ptr_equal(bootcfg_default(&cfg), &cfg.entry[0]);
	assert_int_equal(cfg.nr_notes, 0);
}

static void
its_xen_entry_gives_a_kernel_and_a_hypervisor(void **state)
{
	(void)state;
	parse("menu=Xen:load /netbsd-XEN3_DOM0.gz console=pc;"
	      "multiboot /xen.gz dom0_mem=256M dom0_max_vcpus=1 "
	      "dom0_vcpus_pin\n");
	assert_int_equal(plan_make(&plan, cfg.entry[0].commands), 0);
	assert_string_equal(plan.kernel.file, "/netbsd-XEN3_DOM0.gz");
	assert_int_equal(plan.kernel.nr_args, 1);
	assert_string_equal(plan.kernel.arg[0], "console=pc");
	assert_string_equal(plan.hypervisor.file, "/xen.gz");
	assert_int_equal(plan.hypervisor.nr_args, 3);
	assert_string_equal(plan.hypervisor.arg[2], "dom0_vcpus_pin");
	assert_int_equal(plan.nr_modules, 0);
}

static void
a_hash_cuts_the_line_even_inside_a_value(void **state)
{
	(void)state;
	parse("# menu=No:boot\nmenu=A:boot x#y;z\n  # timeout=3\n");
	assert_int_equal(cfg.nr_entries, 1);
	assert_string_equal(cfg.entry[0].commands, "boot x");
	assert_int_equal(cfg.timeout, BOOTCFG_TIMEOUT);
}

static void
blanks_belong_to_keys_and_values(void **state)
{
	(void)state;
	parse(" menu=A:boot\nmenu= B : boot\n");
	/* " menu" begins with no known key */
	assert_int_equal(cfg.nr_entries, 1);
	assert_string_equal(cfg.entry[0].text, " B ");
	assert_string_equal(cfg.entry[0].commands, " boot");
	assert_int_equal(cfg.nr_commands, 1);
	assert_string_equal(cfg.command[0].key, " menu");
}

static void
keys_are_known_by_how_they_begin(void **state)
{
	(void)state;
	parse("menu2=A:boot\ntimeouts=3\nbannerette=hi\nrndseed=/seed\n");
	assert_int_equal(cfg.nr_entries, 1);
	assert_int_equal(cfg.timeout, 3);
	assert_int_equal(cfg.nr_banners, 1);
	assert_string_equal(cfg.command[0].key, "rndseed");
	assert_string_equal(cfg.command[0].value, "/seed");
}

static void
an_empty_menu_text_shows_the_commands(void **state)
{
	(void)state;
	parse("menu=:boot hd0a:netbsd\n");
	assert_string_equal(cfg.entry[0].text, "boot hd0a:netbsd");
	assert_string_equal(cfg.entry[0].commands, "boot hd0a:netbsd");
}

static void
a_menu_line_without_a_colon_is_dropped_and_noted(void **state)
{
	(void)state;
	parse("timeout=1\nmenu=boot\n");
	assert_int_equal(cfg.nr_entries, 0);
	assert_int_equal(cfg.nr_notes, 1);
	assert_int_equal(cfg.note[0].line, 2);
	assert_null(bootcfg_default(&cfg));
}

static void
only_twenty_entries_are_kept(void **state)
{
	char t[1024] = "";

	(void)state;
	for (int i = 0; i < 23; i++)
		sprintf(t + strlen(t), "menu=e%d:boot\n", i);
	parse(t);
	assert_int_equal(cfg.nr_entries, 20);
	assert_int_equal(cfg.nr_notes, 3);
	/* more than nine: letters */
	assert_true(bootcfg_letters(&cfg));
	assert_ptr_equal(bootcfg_find(&cfg, "b"), &cfg.entry[1]);
	assert_ptr_equal(bootcfg_find(&cfg, "20"), &cfg.entry[19]);
	assert_null(bootcfg_find(&cfg, "21"));
	assert_null(bootcfg_find(&cfg, "u"));
}

static void
numbers_count_from_one(void **state)
{
	(void)state;
	parse("menu=A:boot\nmenu=B:boot\n");
	assert_null(bootcfg_find(&cfg, "0"));
	assert_ptr_equal(bootcfg_find(&cfg, "2"), &cfg.entry[1]);
	assert_null(bootcfg_find(&cfg, "3"));
	assert_null(bootcfg_find(&cfg, "a"));
	assert_null(bootcfg_find(&cfg, "1x"));
	assert_null(bootcfg_find(&cfg, "C"));
}

static void
the_default_is_kept_within_the_menu(void **state)
{
	(void)state;
	parse("default=9\nmenu=A:boot\nmenu=B:boot\n");
	assert_ptr_equal(bootcfg_default(&cfg), &cfg.entry[1]);
	parse("default=0\nmenu=A:boot\nmenu=B:boot\n");
	assert_ptr_equal(bootcfg_default(&cfg), &cfg.entry[0]);
	parse("default=-3\nmenu=A:boot\nmenu=B:boot\n");
	assert_ptr_equal(bootcfg_default(&cfg), &cfg.entry[0]);
	parse("default=2\nmenu=A:boot\nmenu=B:boot\n");
	assert_ptr_equal(bootcfg_default(&cfg), &cfg.entry[1]);
}

static void
a_timeout_that_is_no_number_waits_for_ever(void **state)
{
	(void)state;
	parse("timeout=-1\n");
	assert_int_equal(cfg.timeout, BOOTCFG_FOREVER);
	parse("timeout=never\n");
	assert_int_equal(cfg.timeout, BOOTCFG_FOREVER);
	parse("timeout=0\n");
	assert_int_equal(cfg.timeout, 0);
}

static void
a_file_without_a_last_newline_counts(void **state)
{
	(void)state;
	parse("menu=A:boot");
	assert_int_equal(cfg.nr_entries, 1);
	parse("");
	assert_int_equal(cfg.nr_entries, 0);
	parse("=\n==\n");
	assert_int_equal(cfg.nr_commands, 2);
}

/* ----------------------------------------------------------------- plans -- */

static void
entries_that_boot_no_hypervisor_say_so(void **state)
{
	static const struct {
		const char *commands, *why;
	} bad[] = {
		{ "boot netbsd -s", "boots a kernel without a hypervisor" },
		{ "prompt", "waits for commands" },
		{ "", "no multiboot" },
		{ " ; ;", "no multiboot" },
		{ "load /k", "no multiboot" },
		{ "multiboot /xen", "no load command" },
		{ "multiboot /xen;load /k", "load must come before" },
		{ "load;multiboot /xen", "load FILE ARGUMENTS" },
		{ "load /k;multiboot", "multiboot FILE ARGUMENTS" },
		{ "laod /k;multiboot /xen", "unknown command 'laod'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(plan_make(&plan, bad[i].commands), -1);
		if (strstr(plan.why, bad[i].why) == NULL)
			fail_msg("'%s': %s", bad[i].commands, plan.why);
	}
}

static void
commands_for_real_machines_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(
	    plan_make(&plan, "consdev com0;rndseed /var/db/entropy;vesa on;"
			     "load /k a b;load /mod;multiboot /x"),
	    0);
	assert_int_equal(plan.kernel.nr_args, 2);
	assert_int_equal(plan.nr_modules, 1);
	assert_string_equal(plan.module[0], "/mod");
}

static void
a_device_in_front_of_a_file_is_dropped(void **state)
{
	(void)state;
	assert_string_equal(plan_path("hd0a:netbsd"), "netbsd");
	assert_string_equal(plan_path("hd0a:/netbsd.gz"), "/netbsd.gz");
	assert_string_equal(plan_path("cd0:x"), "x");
	assert_string_equal(plan_path("/a:b"), "/a:b");
	assert_string_equal(plan_path("netbsd"), "netbsd");
	assert_string_equal(plan_path("netbsd3"), "netbsd3");
	assert_string_equal(plan_path("C:x"), "C:x");
}

static void
more_words_than_there_is_room_for_are_refused(void **state)
{
	char t[600] = "load /k";

	(void)state;
	for (int i = 0; i < 70; i++)
		strcat(t, " w");
	strcat(t, ";multiboot /x");
	assert_int_equal(plan_make(&plan, t), -1);
	assert_non_null(strstr(plan.why, "64 words"));
}

static void
more_modules_than_there_is_room_for_are_refused(void **state)
{
	char t[1024] = "load /k";
	unsigned i;

	(void)state;
	for (i = 0; i < PLAN_WORDS; i++)
		strcat(t, ";load m");
	strcat(t, ";multiboot /xen");
	assert_int_equal(plan_make(&plan, t), 0);
	assert_int_equal(plan.nr_modules, PLAN_WORDS);
	assert_string_equal(plan.module[PLAN_WORDS - 1], "m");
	memcpy(t + strlen(t) - strlen("multiboot /xen"), "load m", 7);
	strcat(t, ";multiboot /xen");
	assert_int_equal(plan_make(&plan, t), -1);
	assert_non_null(strstr(plan.why, "64 modules"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guides_file_gives_its_menu),
		cmocka_unit_test(its_xen_entry_gives_a_kernel_and_a_hypervisor),
		cmocka_unit_test(a_hash_cuts_the_line_even_inside_a_value),
		cmocka_unit_test(blanks_belong_to_keys_and_values),
		cmocka_unit_test(keys_are_known_by_how_they_begin),
		cmocka_unit_test(an_empty_menu_text_shows_the_commands),
		cmocka_unit_test(
		    a_menu_line_without_a_colon_is_dropped_and_noted),
		cmocka_unit_test(only_twenty_entries_are_kept),
		cmocka_unit_test(numbers_count_from_one),
		cmocka_unit_test(the_default_is_kept_within_the_menu),
		cmocka_unit_test(a_timeout_that_is_no_number_waits_for_ever),
		cmocka_unit_test(a_file_without_a_last_newline_counts),
		cmocka_unit_test(entries_that_boot_no_hypervisor_say_so),
		cmocka_unit_test(commands_for_real_machines_are_passed_over),
		cmocka_unit_test(a_device_in_front_of_a_file_is_dropped),
		cmocka_unit_test(more_words_than_there_is_room_for_are_refused),
		cmocka_unit_test(
		    more_modules_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests_name("bootcfg", tests, NULL, NULL);
}
