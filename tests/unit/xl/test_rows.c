#include "xl_test.h"

#include "tools/xl/json.h"
#include "tools/xl/rows.h"

static const struct hvinfo_domain dom0 = {
	.domid = 0,
	.running = true,
	.memory_kib = 262144,
	.cpu_time_ns = 58100000000,
	.vcpus = 1,
};

/* What a row or header printed. */
static const char *
printed(struct fixture *f, enum rows_style style, unsigned more,
    const struct hvinfo_domain *d, const char *name)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *copy;

	if (d == NULL)
		rows_header(out, style, more);
	else
		rows_domain(out, style, more, d, name);
	fclose(out);
	copy = arena_strdup(f->mem, text);
	free(text);
	return copy;
}

static void
xl_list_looks_as_scripts_expect(void **state)
{
	struct fixture *f = *state;
	struct hvinfo_domain d = dom0;

	assert_string_equal(printed(f, ROWS_XL, 0, NULL, NULL),
	    "Name                                        ID   Mem VCPUs\t"
	    "State\tTime(s)\n");
	assert_string_equal(printed(f, ROWS_XL, 0, &dom0, "Domain-0"),
	    "Domain-0                                     0   256     1"
	    "     r-----      58.1\n");
	d.domid = 12345;
	d.running = false;
	d.shutdown = true;
	d.shutdown_code = 3;
	assert_string_equal(printed(f, ROWS_XL, 0, &d, NULL),
	    "(null)                                   12345   256     1"
	    "     ---sc-      58.1\n");
}

static void
xm_list_looks_as_xms(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f, ROWS_XM, 0, NULL, NULL),
	    "Name                                        ID   Mem VCPUs"
	    "      State   Time(s)\n");
	assert_string_equal(printed(f, ROWS_XM, 0, &dom0, "Domain-0"),
	    "Domain-0                                     0   256     1"
	    "     r-----      58.1\n");
}

static void
the_state_has_a_letter_for_each_reason(void **state)
{
	static const struct {
		struct hvinfo_domain d;
		const char *letters;
	} cases[] = {
		{ { .running = true }, "r-----" },
		{ { .blocked = true }, "-b----" },
		{ { .blocked = true, .paused = true }, "-bp---" },
		{ { .shutdown = true, .shutdown_code = 0 }, "---s--" },
		{ { .shutdown = true, .shutdown_code = 1 }, "---sr-" },
		{ { .shutdown = true, .shutdown_code = 2 }, "---ss-" },
		{ { .shutdown = true, .shutdown_code = 3 }, "---sc-" },
		{ { .shutdown = true, .shutdown_code = 4 }, "---sw-" },
		{ { .shutdown = true, .shutdown_code = 5 }, "---sS-" },
		{ { .shutdown = true, .shutdown_code = 99 }, "---s?-" },
		{ { .dying = true }, "-----d" },
		{ { .shutdown_code = 3 }, "------" },
	};
	char letters[ROWS_STATE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rows_state(&cases[i].d, letters);
		assert_string_equal(letters, cases[i].letters);
	}
}

static const char *
as_json(struct fixture *f)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *copy;

	json_config(f->cfg, out, 0);
	fclose(out);
	copy = arena_strdup(f->mem, text);
	free(text);
	return copy;
}

static void
configurations_become_valid_json(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(as_json(f), "{\n}");
	assert_int_equal(parse(f, "a = 'q\"\\\\\\n\\x01'\nb = 0x10\nc = "
				  "None\nd = [ 'x', [ 1 ] ]\n"
				  "e = '\\xc3\\xa9\\xff\\xe2\\x82'\n"),
	    0);
	assert_string_equal(as_json(f),
	    "{\n    \"a\": \"q\\\"\\\\\\u000a\\u0001\",\n    \"b\": 16,\n"
	    "    \"c\": null,\n    \"d\": [\"x\", [1]],\n"
	    "    \"e\": \"\xc3\xa9\\ufffd\\ufffd\\ufffd\"\n}");
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(xl_list_looks_as_scripts_expect),
		T(xm_list_looks_as_xms),
		T(the_state_has_a_letter_for_each_reason),
		T(configurations_become_valid_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
