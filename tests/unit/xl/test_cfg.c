#include "xl_test.h"

static void
assignments_of_every_kind_are_read(void **state)
{
	struct fixture *f = *state;
	const struct cfg_value *list;

	assert_int_equal(parse(f, "name = \"a\"  # comment\n"
				  "memory = 0x40; vcpus=2\n"
				  "disk = [ 'x,y',\n"
				  "  'z' , ]\n"),
	    0);
	assert_string_equal(cfg_string(f->cfg, "name", NULL), "a");
	assert_int_equal(cfg_ulong(f->cfg, "memory", 1, 100, 0), 64);
	assert_int_equal(cfg_ulong(f->cfg, "vcpus", 1, 100, 0), 2);
	list = cfg_strings(f->cfg, "disk");
	assert_non_null(list);
	assert_int_equal(list->items, 2);
	assert_string_equal(list->item[0]->text, "x,y");
	assert_string_equal(list->item[1]->text, "z");
	assert_int_equal(list->item[1]->at.line, 4);
	assert_int_equal(list->item[1]->at.col, 3);
}

static void
the_last_assignment_wins_and_plus_equals_appends(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "a = 'x'\na = 'y'\na += 'z'\n"
				  "l += ['p']\nl += ['q', 'r']\n"),
	    0);
	assert_string_equal(cfg_string(f->cfg, "a", NULL), "yz");
	assert_int_equal(cfg_strings(f->cfg, "l")->items, 3);
	assert_int_equal(f->cfg->entries, 2);
}

static void
mixing_kinds_with_plus_equals_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "a = ['x']\na += 'y'\n"), -1);
	assert_string_equal(complaints(f, DIAG_ERROR),
	    "dom:2:1: 'a +=' must add a string to a string or a list to a "
	    "list\n");
	assert_int_equal(cfg_strings(f->cfg, "a")->items, 1);
}

static void
line_ends_of_dos_and_a_missing_one_are_fine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    parse(f, "a = 'x'\r\n# c\r\nl = [ 'p',\r\n 'q' ]\r\nb = 2"), 0);
	assert_string_equal(cfg_string(f->cfg, "a", NULL), "x");
	assert_int_equal(cfg_strings(f->cfg, "l")->items, 2);
	assert_int_equal(cfg_ulong(f->cfg, "b", 0, 9, 0), 2);
	assert_int_equal(parse(f, "c = 3 # no newline"), 0);
	assert_int_equal(cfg_ulong(f->cfg, "c", 0, 9, 0), 3);
	assert_int_equal(parse(f, ""), 0);
}

static void
strings_take_escapes_and_the_other_quote(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    parse(f, "a = 'say \"hi\"'\nb = \"it's\\n\\x41\\101\\\\\"\n"
		     "c = '''one\ntwo'''\nd = 'x' \"y\" 'z'\n"),
	    0);
	assert_string_equal(cfg_string(f->cfg, "a", NULL), "say \"hi\"");
	assert_string_equal(cfg_string(f->cfg, "b", NULL), "it's\nAA\\");
	assert_string_equal(cfg_string(f->cfg, "c", NULL), "one\ntwo");
	assert_string_equal(cfg_string(f->cfg, "d", NULL), "xyz");
}

static void
the_subset_of_python_is_read(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    parse(f, "# -*- mode: python; -*-\n"
		     "a = True\nb = False\nc = None\n"
		     "d = ('x')\ne = ('x',)\ng = ( 'x', 'y' )\n"
		     "h = 'x' + 'y' + 'z'\ni = ['x'] + ['y']\nj = ()\n"),
	    0);
	assert_true(cfg_bool(f->cfg, "a", false));
	assert_false(cfg_bool(f->cfg, "b", true));
	assert_null(cfg_find(f->cfg, "c"));
	assert_string_equal(cfg_string(f->cfg, "d", NULL), "x");
	assert_int_equal(cfg_strings(f->cfg, "e")->items, 1);
	assert_int_equal(cfg_strings(f->cfg, "g")->items, 2);
	assert_string_equal(cfg_string(f->cfg, "h", NULL), "xyz");
	assert_int_equal(cfg_strings(f->cfg, "i")->items, 2);
	assert_int_equal(cfg_strings(f->cfg, "j")->items, 0);
}

struct error_case {
	const char *text;
	const char *says;
};

static void
each_error_names_its_line_and_column(void **state)
{
	static const struct error_case cases[] = {
		{ "a = 'x\nb = 1\n",
		    "dom:1:5: the string that starts here is not closed "
		    "before the end of the line\n" },
		{ "\nmemory 128\n",
		    "dom:2:8: expected '=' after 'memory', found '128'\n" },
		{ "name = foo\n",
		    "dom:1:8: 'foo' is not a value: strings need quotes\n" },
		{ "vif = [ 'a' 'b', 'c'\nmemory = 1\n",
		    "dom:2:1: expected ',' or ']' in the list of line 1, "
		    "found 'memory'\n" },
		{ "vif = [ 'a' 3 ]\n",
		    "dom:1:13: expected ',' or ']' in the list of line 1, "
		    "found '3'\n" },
		{ "vif = [ 'a'", "dom:1:12: expected ',' or ']' in the list "
				 "of line 1, found the end of the file\n" },
		{ "import os\nx = 1\n",
		    "dom:1:1: 'import' is Python; a configuration holds only "
		    "assignments\n" },
		{ "def f(x):\n  return 1\n\n  y = 2\nz = 3\n",
		    "dom:1:1: 'def' is Python; a configuration holds only "
		    "assignments\n" },
		{ "name = 'vm%d' % 3\n",
		    "dom:1:15: '%' is Python; a configuration holds only "
		    "strings, numbers and lists\n" },
		{ "memory = -1\n",
		    "dom:1:10: unexpected '-' outside of a string\n" },
		{ "a = 1 2\n",
		    "dom:1:7: expected the end of the line, found '2'\n" },
		{ "a = \n", "dom:1:5: expected a value, found the end of the "
			    "line\n" },
		{ "= 1\n", "dom:1:1: expected the name of a setting, found "
			   "'='\n" },
		{ "a = 'x' + 1\n",
		    "dom:1:9: '+' joins two strings or two lists only\n" },
		{ "a = '\\q'\n",
		    "dom:1:7: unknown escape '\\q' in a string\n" },
		{ "a = '\\0'\n", "dom:1:7: a string cannot hold a NUL "
				 "byte\n" },
		{ "\x01 = 2\n",
		    "dom:1:1: unexpected byte 0x01 outside of a string\n" },
		{ "a = \"\"\"x\ny\n", "dom:1:5: the string that starts here "
				      "is not closed\n" },
		{ "a = ]\n", "dom:1:5: expected a value, found ']'\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f;

		fixture_teardown(state);
		fixture_setup(state);
		f = *state;
		assert_int_equal(parse(f, cases[i].text), -1);
		assert_string_equal(complaints(f, DIAG_ERROR), cases[i].says);
	}
}

static void
one_run_reports_several_errors_and_keeps_the_good_lines(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    parse(f,
		"a = foo\nb = 2\nc 3\nvif = [ 'x',\n 4 5 ]\nd = 'y'\ne = (\n"),
	    -1);
	assert_string_equal(complaints(f, DIAG_ERROR),
	    "dom:1:5: 'foo' is not a value: strings need quotes\n"
	    "dom:3:3: expected '=' after 'c', found '3'\n"
	    "dom:5:4: expected ',' or ']' in the list of line 4, found '5'\n"
	    "dom:8:1: expected a value, found the end of the file\n");
	assert_int_equal(cfg_ulong(f->cfg, "b", 0, 9, 0), 2);
	assert_string_equal(cfg_string(f->cfg, "d", NULL), "y");
	assert_null(cfg_find(f->cfg, "vif"));
}

static void
errors_and_nesting_have_a_limit(void **state)
{
	struct fixture *f = *state;
	char text[4096] = "x = ";
	const char *says;
	unsigned lines = 0;

	memset(text + 4, '[', 1000);
	assert_int_equal(parse(f, text), -1);
	assert_string_equal(complaints(f, DIAG_ERROR),
	    "dom:1:37: lists are nested too deeply\n");

	text[0] = '\0';
	for (int i = 0; i < 100; i++)
		strcat(text, "a = ?\n");
	assert_int_equal(parse(f, text), -1);
	for (says = complaints(f, DIAG_ERROR); *says != '\0'; says++)
		lines += *says == '\n';
	assert_int_equal(lines, DIAG_MAX_ERRORS + 1);
}

static void
values_of_the_wrong_kind_or_range_give_the_default(void **state)
{
	static const char *const words[] = { "one", "two", NULL };
	struct fixture *f = *state;

	assert_int_equal(parse(f, "a = 'x'\nb = 99999999999999999999\nc = 7\n"
				  "d = ['x']\ne = 'three'\ng = [ 1 ]\n"
				  "h = 2\n"),
	    0);
	assert_int_equal(cfg_ulong(f->cfg, "a", 0, 9, 5), 5);
	assert_int_equal(cfg_ulong(f->cfg, "b", 0, 9, 5), 5);
	assert_int_equal(cfg_ulong(f->cfg, "c", 8, 9, 5), 5);
	assert_string_equal(cfg_string(f->cfg, "d", "dflt"), "dflt");
	assert_int_equal(cfg_enum(f->cfg, "e", words, 1), 1);
	assert_null(cfg_strings(f->cfg, "g"));
	assert_null(cfg_strings(f->cfg, "c"));
	assert_false(cfg_bool(f->cfg, "h", false));
	assert_string_equal(complaints(f, DIAG_ERROR),
	    "dom:1:5: 'a' must be a number\n"
	    "dom:2:5: 'b' must be from 0 to 9, not 99999999999999999999\n"
	    "dom:3:5: 'c' must be from 8 to 9, not 7\n"
	    "dom:3:5: 'c' must be a list: c = [ '...' ]\n"
	    "dom:4:5: 'd' must be a string, not a list\n"
	    "dom:5:5: 'e' must be one of one, two\n"
	    "dom:6:7: 'g' must be a list of strings\n"
	    "dom:7:5: 'h' must be 0 or 1\n");
}

static void
arguments_take_both_spellings(void **state)
{
	static const char *const lists[] = { "disk", NULL };
	struct fixture *f = *state;

	assert_int_equal(cfg_parse_arg(f->cfg, "memory=\"32\"", lists), 0);
	assert_int_equal(cfg_parse_arg(f->cfg, "vcpus=2", lists), 0);
	assert_int_equal(cfg_parse_arg(f->cfg, "name=anita-1", lists), 0);
	assert_int_equal(
	    cfg_parse_arg(f->cfg, "kernel=/netbsd-A_B.gz", lists), 0);
	assert_int_equal(cfg_parse_arg(f->cfg, "disk=file:/a,0x0,w", lists), 0);
	assert_int_equal(cfg_parse_arg(f->cfg, "disk=file:/b,0x1,w", lists), 0);
	assert_int_equal(cfg_parse_arg(f->cfg, "vif=['', 'x=1']", lists), 0);
	assert_int_equal(cfg_ulong(f->cfg, "memory", 1, 99, 0), 32);
	assert_int_equal(cfg_ulong(f->cfg, "vcpus", 1, 99, 0), 2);
	assert_string_equal(cfg_string(f->cfg, "name", NULL), "anita-1");
	assert_string_equal(
	    cfg_string(f->cfg, "kernel", NULL), "/netbsd-A_B.gz");
	assert_int_equal(cfg_strings(f->cfg, "disk")->items, 2);
	assert_int_equal(cfg_strings(f->cfg, "vif")->items, 2);

	assert_int_equal(cfg_parse_arg(f->cfg, "memory", lists), -1);
	assert_string_equal(complaints(f, DIAG_ERROR),
	    "command line:1:7: expected '=' after 'memory', found the end "
	    "of the file\n");
}

static void
printing_and_parsing_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct cfg *again;
	const char *text;

	assert_int_equal(
	    parse(f, "a = 'x\"\\\\\\n\\t\\xff'\nb = 0x10\nc = None\n"
		     "d = [ 'p', [ 1, \"q'\" ], [] ]\ne = True\n"),
	    0);
	text = cfg_print(f->cfg);
	again = cfg_new(f->mem, f->diag);
	assert_int_equal(cfg_parse(again, "again", text, strlen(text)), 0);
	assert_string_equal(cfg_print(again), text);
	assert_string_equal(cfg_string(again, "a", NULL), "x\"\\\n\t\xff");
}

/* The same config, cut and broken in many ways: nothing to assert but that
 * the parser ends, and (with sanitizers) reads only what is there. */
static void
broken_input_is_survived(void **state)
{
	static const char good[] =
	    "a = [ 'x', \"\"\"y\n\"\"\" + 'z', ( 1, ) ]\nb += '\\x41\\101'\n"
	    "def f:\n  c\nd = True # e\n";
	struct fixture *f = *state;
	char text[sizeof(good)];
	unsigned seed = 1;

	for (int round = 0; round < 3000; round++) {
		size_t len = (size_t)round % sizeof(good);

		memcpy(text, good, sizeof(good));
		for (int i = 0; i < round % 4; i++) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 16) % sizeof(good)] =
			    "\0\n'\"[](),+=\\#x"[(seed >> 8) % 14];
		}
		text[len] = '\0';
		fixture_teardown(state);
		fixture_setup(state);
		f = *state;
		parse(f, text);
		cfg_parse(f->cfg, "raw", text, sizeof(good));
	}
	assert_true(diag_errors(f->diag) < 1000);
}

static void
the_nearest_word_is_named_only_if_it_is_near(void **state)
{
	static const char *const words[] = { "memory", "kernel", "vif", "disk",
		NULL };

	(void)state;
	assert_string_equal(diag_nearest("memroy", words), "memory");
	assert_string_equal(diag_nearest("kernal", words), "kernel");
	assert_string_equal(diag_nearest("disks", words), "disk");
	assert_null(diag_nearest("colour", words));
	assert_null(diag_nearest("x", words));
}

#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(assignments_of_every_kind_are_read),
		T(the_last_assignment_wins_and_plus_equals_appends),
		T(mixing_kinds_with_plus_equals_is_refused),
		T(line_ends_of_dos_and_a_missing_one_are_fine),
		T(strings_take_escapes_and_the_other_quote),
		T(the_subset_of_python_is_read),
		T(each_error_names_its_line_and_column),
		T(one_run_reports_several_errors_and_keeps_the_good_lines),
		T(errors_and_nesting_have_a_limit),
		T(values_of_the_wrong_kind_or_range_give_the_default),
		T(arguments_take_both_spellings),
		T(printing_and_parsing_again_changes_nothing),
		T(broken_input_is_survived),
		T(the_nearest_word_is_named_only_if_it_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
