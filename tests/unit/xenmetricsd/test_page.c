/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The figures as text: each line is one that Prometheus takes, histograms grow,
 * and what is not there is left out.
 */
#include "../xenstored/harness.h"

#include <regex.h>
#include <stdlib.h>

#include <event2/buffer.h>

#include "tools/xenmetricsd/page.h"

static struct h h;
static struct stats *stats;

static int
setup(void **state)
{
	(void)state;
	h_start(&h);
	stats = stats_open(NULL);
	return stats == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	stats_close(stats);
	h_stop(&h);
	return 0;
}

/* The page of VIEW; the caller frees it. */
static char *
page_of(const struct collect_view *view)
{
	struct evbuffer *out = evbuffer_new();
	size_t len;
	char *text;

	assert_non_null(out);
	page_write(view, out);
	len = evbuffer_get_length(out);
	text = malloc(len + 1);
	assert_non_null(text);
	assert_int_equal(evbuffer_remove(out, text, len), len);
	text[len] = '\0';
	evbuffer_free(out);
	return text;
}

static struct collect_view
view_of_all(struct collect_domain *const *domains)
{
	return (struct collect_view){
		.up = true,
		.probe_ns = 1500,
		.stats = stats_page(stats),
		.state = h.st,
		.domain = domains,
	};
}

static struct collect_domain *no_domains[DOMID_FIRST_RESERVED];

static void
each_line_is_one_of_the_format(void **state)
{
	static const char pattern[] =
	    "^(# (HELP|TYPE) [a-z_]+ .+"
	    "|[a-z_]+(\\{[a-z]+=\"[A-Za-z0-9_.+-]+\""
	    "(,[a-z]+=\"[A-Za-z0-9_.+-]+\")*\\})? [0-9.e+-]+)$";
	struct collect_view view = view_of_all(no_domains);
	struct conn *s = h_socket(&h), *guest = h_guest(&h, s, 3);
	char *text, *line, *save;
	regex_t regex;
	int n = 0;

	(void)state;
	h_write(&h, guest, 0, "a", "1");
	stats_mark(stats);
	stats_request(stats, WIRE_WRITE, XS_OK);
	stats_request(stats, WIRE_READ, XS_ENOENT);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED), 0);
	text = page_of(&view);
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save), n++)
		if (regexec(&regex, line, 0, NULL, 0) != 0)
			fail_msg("%s", line);
	assert_true(n > 60);
	regfree(&regex);
	free(text);
}

static void
histograms_grow_to_their_count(void **state)
{
	struct collect_view view = view_of_all(no_domains);
	char *text, *at;
	long last = 0, n;
	int lines = 0;

	(void)state;
	stats_mark(stats);
	stats_request(stats, WIRE_READ, XS_OK);
	stats_request(stats, WIRE_READ, XS_OK);
	text = page_of(&view);
	for (at = text; (at = strstr(at, "_bucket{op=\"READ\"")) != NULL;
	     at++) {
		n = strtol(strchr(at, '}') + 1, NULL, 10);
		assert_true(n >= last);
		last = n;
		lines++;
	}
	assert_int_equal(lines, STATS_BUCKETS);
	assert_int_equal(last, 2);
	assert_non_null(
	    strstr(text, "duration_seconds_count{op=\"READ\"} 2\n"));
	assert_null(strstr(text, "op=\"WRITE\""));
	free(text);
}

static void
domains_show_what_they_use_and_were_refused(void **state)
{
	static struct collect_domain *domains[DOMID_FIRST_RESERVED];
	struct collect_domain three = { .conflicts = 4, .denied = 5 };
	struct collect_view view = view_of_all(domains);
	struct conn *s = h_socket(&h), *guest = h_guest(&h, s, 3);
	char *text;

	(void)state;
	three.refused[QUOTA_NODES] = 6;
	domains[3] = &three;
	h_write(&h, guest, 0, "a", "1");
	text = page_of(&view);
	assert_non_null(strstr(
	    text, "xenstored_quota_used{domid=\"3\",quota=\"nodes\"} 2\n"));
	assert_non_null(strstr(
	    text, "xenstored_quota_limit{domid=\"3\",quota=\"nodes\"} 1000\n"));
	assert_non_null(
	    strstr(text, "xenstored_conflicts_total{domid=\"3\"} 4\n"));
	assert_non_null(strstr(
	    text, "xenstored_refusals_total{domid=\"3\",why=\"nodes\"} 6\n"));
	assert_non_null(strstr(
	    text, "xenstored_refusals_total{domid=\"3\",why=\"rights\"} 5\n"));
	domains[3] = NULL;
	free(text);
}

static void
without_a_daemon_it_says_so(void **state)
{
	struct collect_view view = { .domain = no_domains };
	char *text = page_of(&view);

	(void)state;
	assert_non_null(strstr(text, "\nxenstored_up 0\n"));
	assert_null(strstr(text, "probe"));
	assert_null(strstr(text, "log"));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_line_is_one_of_the_format),
		TEST(histograms_grow_to_their_count),
		TEST(domains_show_what_they_use_and_were_refused),
		TEST(without_a_daemon_it_says_so),
	};

	h_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
