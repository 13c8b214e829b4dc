/*
 * The hypervisor's command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/hosted/cmdline.h"

#define MIB (UINT64_C(1) << 20)

static struct machine_config m;
static const char *why;

static int
init(void **state)
{
	(void)state;
	machine_config_init(&m);
	why = NULL;
	return 0;
}

static void
the_guides_words_are_understood(void **state)
{
	(void)state;
	assert_int_equal(cmdline_word(&m, "dom0_mem=256M", &why), 0);
	assert_int_equal(cmdline_word(&m, "dom0_max_vcpus=1", &why), 0);
	assert_int_equal(cmdline_word(&m, "dom0_vcpus_pin", &why), 0);
	assert_int_equal(cmdline_word(&m, "mem=4G", &why), 0);
	assert_int_equal(m.dom0_mem, 256 * MIB);
	assert_int_equal(m.dom0_vcpus, 1);
	assert_true(m.dom0_pinned);
	assert_int_equal(m.mem, 4096 * MIB);
	assert_int_equal(cmdline_check(&m, &why), 0);
	assert_string_equal(
	    m.cmdline, "dom0_mem=256M dom0_max_vcpus=1 dom0_vcpus_pin mem=4G");
}

static void
words_for_real_machines_are_kept_and_mean_nothing(void **state)
{
	struct machine_config before = m;

	(void)state;
	assert_int_equal(cmdline_word(&m, "console=com1,vga", &why), 0);
	assert_int_equal(cmdline_word(&m, "memory=1", &why), 0);
	assert_int_equal(cmdline_word(&m, "dom0=pvh", &why), 0);
	assert_string_equal(m.cmdline, "console=com1,vga memory=1 dom0=pvh");
	memset(m.cmdline, 0, sizeof(m.cmdline));
	assert_memory_equal(&m, &before, sizeof(m));
}

static void
sizes_have_units_and_bare_ones_are_kibibytes(void **state)
{
	static const struct {
		const char *word;
		uint64_t bytes;
	} sizes[] = { { "dom0_mem=262144", 256 * MIB },
		{ "dom0_mem=256m", 256 * MIB }, { "dom0_mem=1g", 1024 * MIB },
		{ "dom0_mem=2097152B", 2 * MIB }, { "dom0_mem=2048k", 2 * MIB },
		{ "dom0_mem=min:64M,max:128M", 128 * MIB },
		{ "dom0_mem=512M,max:1G", 512 * MIB },
		{ "dom0_mem=16M,min:64M", 64 * MIB } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		init(state);
		assert_int_equal(cmdline_word(&m, sizes[i].word, &why), 0);
		assert_int_equal(m.dom0_mem, sizes[i].bytes);
	}
}

static void
wrong_words_are_refused_and_change_nothing(void **state)
{
	static const char *const bad[] = { "mem=", "mem=x", "mem=1M", "mem=2G,",
		"mem=99999999999999999999G", "mem=-1", "mem=17T",
		"dom0_mem=", "dom0_mem=256Q", "dom0_mem=min:", "dom0_mem=1M,",
		"dom0_mem=min:2G,max:1G", "dom0_mem=1", "dom0_max_vcpus=0",
		"dom0_max_vcpus=", "dom0_max_vcpus=1x", "dom0_max_vcpus=-1" };
	struct machine_config before = m;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why = NULL;
		if (cmdline_word(&m, bad[i], &why) != -1)
			fail_msg("%s", bad[i]);
		assert_non_null(why);
		assert_memory_equal(&m, &before, sizeof(m));
	}
}

static void
too_many_vcpus_are_clamped(void **state)
{
	(void)state;
	assert_int_equal(cmdline_word(&m, "dom0_max_vcpus=1000", &why), 0);
	assert_int_equal(m.dom0_vcpus, 32);
}

static void
domain_0_cannot_have_all_of_the_memory(void **state)
{
	(void)state;
	assert_int_equal(cmdline_word(&m, "mem=1G", &why), 0);
	assert_int_equal(cmdline_word(&m, "dom0_mem=1G", &why), 0);
	assert_int_equal(cmdline_check(&m, &why), -1);
	assert_non_null(why);
}

static void
a_line_that_is_too_long_is_refused(void **state)
{
	char word[600];
	struct machine_config before;

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(cmdline_word(&m, word, &why), 0);
	before = m;
	assert_int_equal(cmdline_word(&m, word, &why), -1);
	assert_memory_equal(&m, &before, sizeof(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_guides_words_are_understood, init),
		cmocka_unit_test_setup(
		    words_for_real_machines_are_kept_and_mean_nothing, init),
		cmocka_unit_test_setup(
		    sizes_have_units_and_bare_ones_are_kibibytes, init),
		cmocka_unit_test_setup(
		    wrong_words_are_refused_and_change_nothing, init),
		cmocka_unit_test_setup(too_many_vcpus_are_clamped, init),
		cmocka_unit_test_setup(
		    domain_0_cannot_have_all_of_the_memory, init),
		cmocka_unit_test_setup(
		    a_line_that_is_too_long_is_refused, init),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
