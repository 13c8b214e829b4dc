/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What is recorded of what a state machine did, and what not.
 */
#include "world.h"

static struct w w;

static int
setup(void **state)
{
	(void)state;
	w_start(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	w_stop(&w);
	return 0;
}

static void
a_write_is_recorded_with_who_and_what_was_before(void **state)
{
	struct conn *s = h_socket(&w.h), *guest = h_guest(&w.h, s, 3);

	(void)state;
	assert_int_equal(h_write(&w.h, guest, 0, "a", "1"), XS_OK);
	assert_int_equal(h_write(&w.h, guest, 0, "a", "2"), XS_OK);
	assert_true(w_record(&w));
	assert_string_equal(w_last(&w, 2),
	    "ring3 WRITE /local/domain/3/a /local/domain/3/a made '1' n3\n"
	    "ring3 WRITE /local/domain/3/a /local/domain/3/a written '2' was "
	    "'1' n3\n");
}

static void
reads_leave_nothing(void **state)
{
	struct conn *s = h_socket(&w.h);
	int64_t before, after;

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	w_record(&w);
	assert_true(history_last_act(w.history, &before));
	assert_string_equal(h_read(&w.h, s, 0, "/a"), "1");
	assert_string_equal(h_read(&w.h, s, 0, "/b"), "ENOENT");
	assert_string_equal(h_read(&w.h, s, h_begin(&w.h, s), "/b"), "ENOENT");
	assert_false(w_record(&w));
	assert_true(history_last_act(w.history, &after));
	assert_int_equal(before, after);
}

static void
a_transaction_is_one_act_with_all_its_changes(void **state)
{
	struct conn *s = h_socket(&w.h);
	uint32_t tx;

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a/b", "1"), XS_OK);
	tx = h_begin(&w.h, s);
	assert_int_equal(h_one(&w.h, s, WIRE_RM, tx, "/a/b"), XS_OK);
	assert_int_equal(h_write(&w.h, s, tx, "/a", "x"), XS_OK);
	assert_int_equal(h_write(&w.h, s, tx, "/c", "2"), XS_OK);
	assert_int_equal(h_perms(&w.h, s, tx, "/c", "n0", "r4", NULL), XS_OK);
	assert_int_equal(h_end(&w.h, s, tx, "T"), XS_OK);
	w_record(&w);
	assert_string_equal(w_last(&w, 1),
	    "socket0 TRANSACTION_END /a written 'x' was '' n0 /a/b removed was "
	    "'1' /c made '2' n0,r4\n");
}

static void
a_node_made_anew_in_a_transaction_is_removed_and_made(void **state)
{
	struct conn *s = h_socket(&w.h);
	uint32_t tx;

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	tx = h_begin(&w.h, s);
	assert_int_equal(h_one(&w.h, s, WIRE_RM, tx, "/a"), XS_OK);
	assert_int_equal(h_write(&w.h, s, tx, "/a", "2"), XS_OK);
	assert_int_equal(h_end(&w.h, s, tx, "T"), XS_OK);
	w_record(&w);
	assert_string_equal(w_last(&w, 1),
	    "socket0 TRANSACTION_END /a removed was '1' /a made '2' n0\n");
}

static void
a_conflict_names_the_request_and_who_changed_it(void **state)
{
	struct conn *s = h_socket(&w.h), *guest = h_guest(&w.h, s, 3);
	uint32_t tx;

	(void)state;
	assert_int_equal(h_write(&w.h, guest, 0, "a", "1"), XS_OK);
	tx = h_begin(&w.h, s);
	h_read(&w.h, s, tx, "/local/domain/3/a");
	assert_int_equal(h_write(&w.h, s, tx, "/b", "1"), XS_OK);
	assert_int_equal(h_write(&w.h, guest, 0, "a", "2"), XS_OK);
	assert_int_equal(h_end(&w.h, s, tx, "T"), XS_EAGAIN);
	w_record(&w);
	assert_string_equal(w_last(&w, 1),
	    "socket0 TRANSACTION_END EAGAIN READ /local/domain/3/a by "
	    "ring3\n");
}

static void
a_conflict_over_children_names_who_made_one(void **state)
{
	struct conn *s = h_socket(&w.h), *guest = h_guest(&w.h, s, 3);
	uint32_t tx;

	(void)state;
	tx = h_begin(&w.h, s);
	h_text(&w.h, s, WIRE_DIRECTORY, tx, "/local/domain/3");
	assert_int_equal(h_write(&w.h, s, tx, "/b", "1"), XS_OK);
	assert_int_equal(h_write(&w.h, guest, 0, "a", "2"), XS_OK);
	assert_int_equal(h_end(&w.h, s, tx, "T"), XS_EAGAIN);
	w_record(&w);
	assert_string_equal(w_last(&w, 1),
	    "socket0 TRANSACTION_END EAGAIN DIRECTORY /local/domain/3 by "
	    "ring3\n");
}

static void
a_limit_that_was_met_is_recorded_with_numbers(void **state)
{
	struct conn *s = h_socket(&w.h), *guest = h_guest(&w.h, s, 3);
	struct h_message m;

	(void)state;
	assert_int_equal(
	    h_strings(&w.h, s, WIRE_SET_QUOTA, 0, &m, "3", "nodes", "1", NULL),
	    XS_OK);
	assert_int_equal(h_write(&w.h, guest, 0, "a", "1"), XS_ENOSPC);
	w_record(&w);
	assert_string_equal(w_last(&w, 2),
	    "socket0 SET_QUOTA (3 nodes 1)\n"
	    "ring3 WRITE /local/domain/3/a ENOSPC nodes of 3: 2 over 1\n");
}

static void
a_refusal_for_want_of_rights_says_which_there_are(void **state)
{
	struct conn *s = h_socket(&w.h), *guest = h_guest(&w.h, s, 3);

	(void)state;
	assert_int_equal(h_write(&w.h, guest, 0, "/x/y", "1"), XS_EACCES);
	w_record(&w);
	assert_string_equal(
	    w_last(&w, 1), "ring3 WRITE /x/y EACCES (/ has n0)\n");
}

static void
a_domains_end_is_the_hypervisors_act(void **state)
{
	struct conn *s = h_socket(&w.h), *guest = h_guest(&w.h, s, 3);
	struct domain_info gone = { .exists = false };

	(void)state;
	assert_int_equal(h_write(&w.h, guest, 0, "a", "1"), XS_OK);
	w.h.domain[3] = gone;
	state_domain_changed(w.h.st, 3, &gone);
	w_record(&w);
	assert_string_equal(w_last(&w, 1),
	    "hypervisor3 DEATH /local/domain/3 removed was '' "
	    "/local/domain/3/a removed was '1'\n");
}

static void
long_values_leave_their_size_and_digest(void **state)
{
	struct conn *s = h_socket(&w.h);

	(void)state;
	assert_int_equal(
	    h_write(&w.h, s, 0, "/a", "a value of 24 characters"), XS_OK);
	w_record(&w);
	assert_string_equal(w_last(&w, 1), "socket0 WRITE /a /a made n0\n");
}

static void
the_logs_own_time_counts(void **state)
{
	struct record time = { .type = RECORD_TIME, .a = 777 };
	struct conn *s = h_socket(&w.h);
	int64_t act = 0;

	(void)state;
	log_append(w.log, &time);
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	w_record(&w);
	assert_true(history_position(w.history, "@0", &act));
	/* ... .999 of the second */
	assert_string_equal(w_last(&w, 1), "socket0 WRITE /a /a made '1' n0\n");
	assert_true(act > 1);
}

static void
who_is_written_again_after_tidying(void **state)
{
	struct conn *s = h_socket(&w.h);
	struct history_filter all = { .domid = -1 };
	int64_t n;

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	assert_int_equal(h_one(&w.h, s, WIRE_RM, 0, "/a"), XS_OK);
	w_record(&w);
	assert_true(history_begin(w.history));
	assert_true(history_forget(w.history, INT64_MAX, 100, &n));
	assert_true(history_commit(w.history));
	recorder_tidy(w.recorder);
	assert_int_equal(h_write(&w.h, s, 0, "/a", "2"), XS_OK);
	w_record(&w);
	assert_string_equal(w_last(&w, 1), "socket0 WRITE /a /a made '2' n0\n");
	w.text[0] = '\0';
	assert_true(history_acts(w.history, &all, w_add_act, &w));
	assert_non_null(strstr(w.text, "made '2'"));
}

/* --- gaps --- */

static void
a_second_recorder_goes_on_without_a_gap(void **state)
{
	struct conn *s = h_socket(&w.h);

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	w_record(&w);
	w_end_recorder(&w);
	assert_int_equal(h_write(&w.h, s, 0, "/a", "2"), XS_OK);
	w_recorder(&w);
	/* the log still has its first record */
	assert_true(w_record(&w));
	assert_string_equal(w_last(&w, 2),
	    "socket0 WRITE /a /a made '1' n0\n"
	    "socket0 WRITE /a /a written '2' was '1' n0\n");
}

static void
its_image_lets_it_go_on_when_the_log_has_lost_its_beginning(void **state)
{
	char why[REPLICA_WHY_SIZE] = "";
	struct conn *s = h_socket(&w.h);
	char path[128];
	FILE *file;
	int i;

	(void)state;
	snprintf(path, sizeof(path), "%s/state", w.dir);
	for (i = 0; i < 2000; i++) {
		assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
		if (i % 100 == 0)
			w_record(&w);
	}
	w_record(&w);
	file = fopen(path, "w+");
	assert_non_null(file);
	assert_true(recorder_save(w.recorder, fileno(file)));
	w_end_recorder(&w);
	assert_int_equal(h_write(&w.h, s, 0, "/a", "2"), XS_OK);
	w_recorder(&w);
	assert_true(recorder_load(w.recorder, fileno(file), why));
	fclose(file);
	assert_false(w_record(&w));
	assert_string_equal(w_last(&w, 2),
	    "socket0 WRITE /a /a written '1' was '1' n0\n"
	    "socket0 WRITE /a /a written '2' was '1' n0\n");
}

static void
what_was_overwritten_is_no_history(void **state)
{
	char why[REPLICA_WHY_SIZE] = "";
	struct conn *s = h_socket(&w.h);
	int i;

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	w_record(&w);
	for (i = 0; i < 2000; i++)
		assert_int_equal(h_write(&w.h, s, 0, "/a", "2"), XS_OK);
	/* nobody is there to ask for a snapshot */
	assert_int_equal(recorder_step(w.recorder, w.now, why), REPLICA_AWAY);
	assert_non_null(strstr(why, "no snapshot"));
	assert_string_equal(w_last(&w, 1), "socket0 WRITE /a /a made '1' n0\n");
}

static void
a_new_log_is_a_gap_with_what_differs(void **state)
{
	struct conn *s = h_socket(&w.h);

	(void)state;
	assert_int_equal(h_write(&w.h, s, 0, "/a", "1"), XS_OK);
	assert_int_equal(h_write(&w.h, s, 0, "/tool/xenstored", "1"), XS_OK);
	w_record(&w);
	/* another daemon, with an empty store */
	state_free(w.h.st);
	log_close(w.log);
	w.h.st = state_new(&w.h.config, &w.h.env);
	assert_non_null(w.h.st);
	w_log(&w, 64 * 1024, 12);
	s = h_socket(&w.h);
	assert_int_equal(h_write(&w.h, s, 0, "/b", "1"), XS_OK);
	assert_true(w_record(&w));
	assert_string_equal(w_last(&w, 2),
	    "unknown-1 GAP (another store daemon has begun a new log) "
	    "/a removed was '1' /tool/xenstored written '' was '1' n0\n"
	    "socket0 WRITE /b /b made '1' n0\n");
}

static void
a_record_that_does_not_fit_ends_the_state(void **state)
{
	struct record wrong = { .type = RECORD_CLOSE, .a = 4711 };
	char why[REPLICA_WHY_SIZE] = "";

	(void)state;
	w_record(&w);
	log_append(w.log, &wrong);
	/* that record would meet it again: only a snapshot can help */
	assert_int_equal(recorder_step(w.recorder, w.now, why), REPLICA_AWAY);
	assert_non_null(strstr(why, "no snapshot"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_write_is_recorded_with_who_and_what_was_before),
		TEST(reads_leave_nothing),
		TEST(a_transaction_is_one_act_with_all_its_changes),
		TEST(a_node_made_anew_in_a_transaction_is_removed_and_made),
		TEST(a_conflict_names_the_request_and_who_changed_it),
		TEST(a_conflict_over_children_names_who_made_one),
		TEST(a_limit_that_was_met_is_recorded_with_numbers),
		TEST(a_refusal_for_want_of_rights_says_which_there_are),
		TEST(a_domains_end_is_the_hypervisors_act),
		TEST(long_values_leave_their_size_and_digest),
		TEST(the_logs_own_time_counts),
		TEST(who_is_written_again_after_tidying),
		TEST(a_second_recorder_goes_on_without_a_gap),
		TEST(
		    its_image_lets_it_go_on_when_the_log_has_lost_its_beginning),
		TEST(what_was_overwritten_is_no_history),
		TEST(a_new_log_is_a_gap_with_what_differs),
		TEST(a_record_that_does_not_fit_ends_the_state),
	};

	w_use_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
