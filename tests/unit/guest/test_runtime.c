/* Pages, grants, events, console, options, requests of the toolstack. */
#include "tests/unit/guest/fake_world.h"

#include "abi/io/console.h"
#include "hv-core/guest/console.h"
#include "hv-core/guest/control.h"

static int
setup(void **state)
{
	(void)state;
	return 0;
}

/* --- pages -------------------------------------------------------------- */

static void
pages_are_zeroed_contiguous_and_counted(void **state)
{
	size_t before = guest_pages_free();
	uint8_t *a = guest_alloc_pages(3), *b = guest_alloc_pages(1);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(guest_pages_free(), before - 4);
	assert_int_equal((uintptr_t)a % GUEST_PAGE_SIZE, 0);
	assert_true(b >= a + 3 * GUEST_PAGE_SIZE || b < a);
	memset(a, 1, 3 * GUEST_PAGE_SIZE);
	guest_free_pages(a, 3);
	guest_free_pages(b, 1);
	assert_int_equal(guest_pages_free(), before);
	a = guest_alloc_pages(before + 1);
	assert_null(a);
	/* Wherever the run comes from, it is clean. */
	for (int i = 0; i < 1000; i++) {
		a = guest_alloc_pages(7);
		for (size_t k = 0; k < 7 * GUEST_PAGE_SIZE; k += 512)
			assert_int_equal(a[k], 0);
		memset(a, 0xff, 7 * GUEST_PAGE_SIZE);
		guest_free_pages(a, 7);
	}
}

static void
frame_numbers_and_pointers_agree(void **state)
{
	uint8_t *a = guest_alloc_pages(2);
	int local;

	(void)state;
	assert_ptr_equal(guest_page(guest_gfn(a)), a);
	assert_int_equal(guest_gfn(a + GUEST_PAGE_SIZE + 5), guest_gfn(a) + 1);
	assert_int_equal(guest_gfn(&local), GUEST_NO_GFN);
	assert_null(guest_page(WORLD_PAGES));
	assert_null(guest_page(GUEST_NO_GFN));
	assert_true(guest_is_ram(a, 2 * GUEST_PAGE_SIZE));
	assert_false(guest_is_ram(a, SIZE_MAX));
	assert_false(
	    guest_is_ram(world.ram + WORLD_PAGES * GUEST_PAGE_SIZE - 1, 2));
	guest_free_pages(a, 2);
}

static void
reserved_pages_are_never_given_out(void **state)
{
	void *p[WORLD_PAGES];
	size_t n = 0, all = guest_pages_free();

	(void)state;
	memory_reserve(100 * GUEST_PAGE_SIZE + 4095, 2);
	memory_reserve(UINT64_MAX - 10, 10);
	memory_reserve((WORLD_PAGES - 1) * GUEST_PAGE_SIZE, UINT64_MAX / 2);
	assert_int_equal(guest_pages_free(), all - 3);
	while ((p[n] = guest_alloc_pages(1)) != NULL) {
		uint64_t gfn = guest_gfn(p[n++]);

		assert_true(gfn > WORLD_STORE_GFN && gfn < WORLD_PAGES - 1);
		assert_true(gfn != 100 && gfn != 101);
	}
	assert_int_equal(n, all - 3);
	while (n > 0)
		guest_free_pages(p[--n], 1);
}

/* --- grants ------------------------------------------------------------- */

static void
a_grant_says_who_may_do_what_with_which_frame(void **state)
{
	uint32_t rw, ro;

	(void)state;
	assert_int_equal(gnttab_grant(7, 33, GNTTAB_RW, &rw), 0);
	assert_int_equal(gnttab_grant(8, 34, GNTTAB_RO, &ro), 0);
	assert_true(rw >= GNTTAB_NR_RESERVED_ENTRIES && rw != ro);
	assert_int_equal(world.grants[rw].flags, GTF_permit_access);
	assert_int_equal(world.grants[rw].domid, 7);
	assert_int_equal(world.grants[rw].frame, 33);
	assert_int_equal(
	    world.grants[ro].flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(gnttab_end(rw), 0);
	assert_int_equal(gnttab_end(ro), 0);
	assert_int_equal(world.grants[rw].flags, 0);
	assert_int_equal(gnttab_end(rw), -EINVAL); /* once is enough */
	assert_int_equal(gnttab_end(0), -EINVAL);
	assert_int_equal(gnttab_end(1), -EINVAL);
	assert_int_equal(gnttab_end(WORLD_GRANTS), -EINVAL);
	assert_int_equal(gnttab_end(UINT32_MAX), -EINVAL);
	assert_int_equal(
	    gnttab_grant(7, UINT64_C(1) << 32, GNTTAB_RW, &rw), -EINVAL);
}

static void
a_full_table_says_so(void **state)
{
	uint32_t free_refs = gnttab_free_refs(), i, n;
	static uint32_t ref[WORLD_GRANTS];

	(void)state;
	assert_int_equal(free_refs, WORLD_GRANTS - GNTTAB_NR_RESERVED_ENTRIES);
	for (n = 0; n < free_refs; n++)
		assert_int_equal(gnttab_grant(1, n, GNTTAB_RW, &ref[n]), 0);
	assert_int_equal(gnttab_grant(1, 0, GNTTAB_RW, &i), -ENOSPC);
	assert_int_equal(gnttab_free_refs(), 0);
	for (i = 0; i < GNTTAB_NR_RESERVED_ENTRIES; i++)
		assert_int_equal(world.grants[i].flags, 0);
	while (n > 0)
		assert_int_equal(gnttab_end(ref[--n]), 0);
	assert_int_equal(gnttab_free_refs(), free_refs);
}

static void
a_busy_grant_stays_until_it_is_let_go(void **state)
{
	size_t pages = guest_pages_free();
	uint32_t refs = gnttab_free_refs(), ref, other;
	void *page = guest_alloc_pages(1);

	(void)state;
	assert_int_equal(gnttab_grant(3, guest_gfn(page), GNTTAB_RW, &ref), 0);
	assert_int_equal(gnttab_grant(3, 5, GNTTAB_RW, &other), 0);
	world.grants[ref].flags |= GTF_reading | GTF_writing;
	world.grants[other].flags |= GTF_writing;
	assert_int_equal(gnttab_end(ref), -EBUSY);
	assert_int_equal(world.grants[ref].flags,
	    GTF_permit_access | GTF_reading | GTF_writing);
	gnttab_end_later(ref, page);
	gnttab_end_later(other, NULL);
	assert_int_equal(gnttab_end(ref), -EINVAL); /* not ours any more */
	assert_int_equal(gnttab_retry(), 2);
	assert_int_equal(guest_pages_free(), pages - 1);
	world.grants[ref].flags &= (uint16_t) ~(GTF_reading | GTF_writing);
	assert_int_equal(gnttab_retry(), 1);
	assert_int_equal(guest_pages_free(), pages);
	world.grants[other].flags &= (uint16_t)~GTF_writing;
	assert_int_equal(gnttab_retry(), 0);
	assert_int_equal(gnttab_free_refs(), refs);
}

/* --- events ------------------------------------------------------------- */

struct heard {
	int count;
	uint32_t port;
	int close;
};

static void
hear(void *arg, uint32_t port)
{
	struct heard *h = arg;

	h->count++;
	h->port = port;
	if (h->close)
		assert_int_equal(guest_evtchn_close(port), 0);
}

static void
events_before_the_handler_are_kept_for_it(void **state)
{
	struct heard h = { 0, 0, 0 };
	uint32_t port;

	(void)state;
	assert_int_equal(guest_evtchn_alloc_unbound(0, NULL, NULL, &port), 0);
	guest_evtchn_raise(port);
	assert_int_equal(guest_wait(0), 0);
	assert_int_equal(guest_evtchn_handle(port, hear, &h), 0);
	assert_int_equal(guest_wait(0), 1);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.port, port);
	guest_evtchn_raise(port);
	guest_evtchn_raise(port);
	assert_int_equal(guest_wait(0), 1); /* one bit */
	assert_int_equal(guest_evtchn_close(port), 0);
	guest_evtchn_raise(port);
	assert_int_equal(guest_wait(0), 0);
	assert_int_equal(guest_evtchn_close(port), -EINVAL);
}

static void
a_handler_may_close_its_port(void **state)
{
	struct heard h = { 0, 0, 1 };
	uint32_t port;

	(void)state;
	assert_int_equal(guest_evtchn_alloc_unbound(0, hear, &h, &port), 0);
	guest_evtchn_raise(port);
	assert_int_equal(guest_wait(0), 1);
	assert_int_equal(world.open[port], 0);
}

static void
impossible_ports_are_refused(void **state)
{
	(void)state;
	assert_int_equal(guest_evtchn_handle(0, hear, NULL), -EINVAL);
	assert_int_equal(guest_evtchn_handle(4096, hear, NULL), -EINVAL);
	assert_int_equal(guest_evtchn_close(UINT32_MAX), -EINVAL);
	assert_int_equal(guest_evtchn_notify(60), -EINVAL);
	guest_evtchn_raise(4096);
	guest_evtchn_raise(UINT32_MAX);
	assert_int_equal(guest_wait(0), 0);
}

static void
a_sleep_ends_at_its_deadline(void **state)
{
	uint64_t start = guest_now();

	(void)state;
	assert_int_equal(guest_wait(start + 5000), 0);
	assert_int_equal(guest_now(), start + 5000);
	assert_int_equal(guest_step(start + 9000), 0);
	assert_int_equal(guest_now(), start + 9000);
	assert_int_equal(guest_step(0), 0);
	assert_int_equal(guest_now(), start + 9000);
}

static void
a_kick_ends_the_next_step(void **state)
{
	uint64_t start = guest_now();

	(void)state;
	runtime_kick();
	assert_int_equal(guest_step(start + 5000), 1);
	assert_int_equal(guest_now(), start);
	assert_int_equal(guest_step(start + 5000), 0);
}

/* --- console ------------------------------------------------------------ */

static struct {
	struct xencons_interface page;
	unsigned int notified;
	char typed[64];
} con;

static void
con_notify(void *arg)
{
	(void)arg;
	con.notified++;
}

static void
con_input(void *arg, int c)
{
	size_t n = strlen(con.typed);

	(void)arg;
	con.typed[n] = (char)c;
	con.typed[n + 1] = '\0';
}

/* Takes at most MAX bytes of output, as the console daemon does. */
static size_t
con_take(char *out, size_t max)
{
	size_t n = 0;

	for (; n < max && con.page.out_cons != con.page.out_prod; n++)
		out[n] = con.page.out[con.page.out_cons++ % 2048];
	out[n] = '\0';
	return n;
}

static void
con_start(uint32_t index)
{
	memset(&con, 0, sizeof(con));
	con.page.in_cons = con.page.in_prod = index;
	con.page.out_cons = con.page.out_prod = index;
	console_init(&con.page, con_notify, NULL);
}

static void
output_comes_out_with_carriage_returns(void **state)
{
	char out[64];

	(void)state;
	con_start(0xfffffffeu);
	guest_printf("a%d\nb", 1);
	assert_int_equal(con_take(out, 60), 5);
	assert_string_equal(out, "a1\r\nb");
	assert_true(con.notified > 0);
}

static void
a_console_nobody_reads_does_not_stop_the_guest(void **state)
{
	static char out[CONSOLE_BACKLOG + 4096];
	size_t n = 0;

	(void)state;
	con_start(7);
	for (int i = 0; i < 30000; i++)
		console_putchar('a' + i % 26);
	assert_int_equal(con.page.out_prod - con.page.out_cons, 2048);
	assert_int_equal(console_room(), 0);
	for (int i = 0; i < 20; i++) {
		n += con_take(out + n, 2048);
		console_poll();
	}
	assert_true(n > 2048 + CONSOLE_BACKLOG && n < 30000);
	assert_memory_equal(out, "abcdefghijklm", 13);
	assert_non_null(strstr(out, "bytes lost]"));
	assert_int_equal(console_room(), CONSOLE_BACKLOG);
	console_write("end", 3);
	n = con_take(out, 100);
	assert_string_equal(out, "end");
}

static void
input_is_had_by_asking_or_by_callback(void **state)
{
	(void)state;
	con_start(0xffffffffu);
	assert_int_equal(console_getchar(), -1);
	con.page.in[0xffffffffu % 1024] = 'x';
	con.page.in[0] = (char)0xe4;
	con.page.in[1] = 'z';
	con.page.in_prod += 3;
	assert_int_equal(console_getchar(), 'x');
	assert_int_equal(console_getchar(), 0xe4);
	console_set_input(con_input, NULL);
	console_poll();
	assert_string_equal(con.typed, "z");
	assert_int_equal(con.page.in_cons, con.page.in_prod);
	assert_int_equal(console_getchar(), -1);
}

static void
impossible_console_indexes_are_harmless(void **state)
{
	(void)state;
	con_start(0);
	con.page.in_prod = 5000;
	con.page.out_cons = 9000;
	assert_int_equal(console_getchar(), -1);
	console_set_input(con_input, NULL);
	console_write("abc", 3);
	console_poll();
	assert_string_equal(con.typed, "");
	assert_int_equal(con.page.out_prod, 0);
	con.page.out_cons = 0;
	console_poll();
	assert_int_equal(con.page.out_prod, 3);
}

/* --- command line ------------------------------------------------------- */

static void
options_are_found_as_whole_words(void **state)
{
	static const char line[] = "  root=/dev/xbd0a mode=x quiet\tn=12 "
				   "bad=1x big=99999999999999999999 e=";
	char buf[16];

	(void)state;
	assert_string_equal(guest_option(line, "mode", buf, sizeof(buf)), "x");
	assert_string_equal(guest_option(line, "quiet", buf, sizeof(buf)), "");
	assert_string_equal(guest_option(line, "e", buf, sizeof(buf)), "");
	assert_null(guest_option(line, "roo", buf, sizeof(buf)));
	assert_null(guest_option(line, "ode", buf, sizeof(buf)));
	assert_null(guest_option(line, "root", buf, 10)); /* no room */
	assert_null(guest_option("", "x", buf, sizeof(buf)));
	assert_int_equal(guest_option_num(line, "n", 5), 12);
	assert_int_equal(guest_option_num(line, "bad", 5), 5);
	assert_int_equal(guest_option_num(line, "big", 5), 5);
	assert_int_equal(guest_option_num(line, "quiet", 5), 5);
	assert_int_equal(guest_option_num(line, "none", 5), 5);
}

/* --- the toolstack's requests ------------------------------------------- */

static struct {
	int count;
	enum control_request last;
} asked;

static void
on_request(void *arg, enum control_request request)
{
	(void)arg;
	asked.count++;
	asked.last = request;
}

static void
settle(void)
{
	while (guest_step(0) > 0)
		;
}

static void
a_shutdown_request_is_taken_once(void **state)
{
	static const struct {
		const char *word;
		enum control_request request;
	} words[] = {
		{ "poweroff", CONTROL_POWEROFF },
		{ "halt", CONTROL_HALT },
		{ "reboot", CONTROL_REBOOT },
		{ "suspend", CONTROL_SUSPEND },
		{ "crash", CONTROL_CRASH },
	};

	(void)state;
	con_start(0);
	fake_set(&world.store, "control/shutdown", "");
	assert_int_equal(control_start(world.xb, on_request, NULL), 0);
	settle();
	assert_int_equal(asked.count, 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		asked.count = 0;
		fake_set(&world.store, "control/shutdown", words[i].word);
		settle();
		assert_int_equal(asked.count, 1);
		assert_int_equal(asked.last, words[i].request);
		assert_null(fake_find(&world.store, "control/shutdown"));
	}
	asked.count = 0;
	fake_set(&world.store, "control/shutdown", "dance");
	settle();
	fake_set(&world.store, "control/shutdown",
	    "a request that is far too long for anybody to mean it");
	settle();
	assert_int_equal(asked.count, 0);
	assert_null(fake_find(&world.store, "control/shutdown"));
}

static void
obeying_ends_the_domain_as_asked(void **state)
{
	static const struct {
		enum control_request request;
		uint32_t reason;
	} cases[] = {
		{ CONTROL_POWEROFF, SHUTDOWN_poweroff },
		{ CONTROL_HALT, SHUTDOWN_poweroff },
		{ CONTROL_REBOOT, SHUTDOWN_reboot },
		{ CONTROL_CRASH, SHUTDOWN_crash },
	};

	(void)state;
	world.may_stop = 1;
	for (volatile size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world.shutdown_reason = 99;
		if (setjmp(world.end) == 0) {
			control_obey(NULL, cases[i].request);
			fail_msg("it lives");
		}
		assert_int_equal(world.shutdown_reason, cases[i].reason);
	}
	control_obey(NULL, CONTROL_SUSPEND); /* returns */
	assert_int_equal(world.shutdown_reason, SHUTDOWN_suspend);
	world.may_stop = 0;
}

static int
start_world(void **state)
{
	(void)state;
	world_start();
	(void)guest_hypercall_arg(99, 0, &(int){ 0 }, sizeof(int));
	return 0;
}

static int
end_world(void **state)
{
	(void)state;
	world_end();
	return 0;
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(pages_are_zeroed_contiguous_and_counted),
		T(frame_numbers_and_pointers_agree),
		T(reserved_pages_are_never_given_out),
		T(a_grant_says_who_may_do_what_with_which_frame),
		T(a_full_table_says_so),
		T(a_busy_grant_stays_until_it_is_let_go),
		T(events_before_the_handler_are_kept_for_it),
		T(a_handler_may_close_its_port),
		T(impossible_ports_are_refused),
		T(a_sleep_ends_at_its_deadline),
		T(a_kick_ends_the_next_step),
		T(output_comes_out_with_carriage_returns),
		T(a_console_nobody_reads_does_not_stop_the_guest),
		T(input_is_had_by_asking_or_by_callback),
		T(impossible_console_indexes_are_harmless),
		T(options_are_found_as_whole_words),
		T(a_shutdown_request_is_taken_once),
		T(obeying_ends_the_domain_as_asked),
	};

	return cmocka_run_group_tests(tests, start_world, end_world);
}
