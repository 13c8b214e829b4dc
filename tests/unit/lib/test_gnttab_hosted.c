/* SPDX-License-Identifier: BSD-2-Clause */
/* libxengnttab and kbgnttab on a running hvd; the test plays the granter. */
#include "fixture.h"

#include "kbgnttab.h"
#include "xenevtchn.h"
#include "xengnttab.h"

#define RW (PROT_READ | PROT_WRITE)
#define IN_USE (GTF_reading | GTF_writing)

struct world {
	struct guest g;
	xengnttab_handle *xgt;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	guest_create(&w->g);
	w->xgt = xengnttab_open(NULL, 0);
	assert_non_null(w->xgt);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	xengnttab_close(w->xgt);
	guest_destroy(&w->g);
	free(w);
	return 0;
}

static uint8_t *
frame(struct world *w, unsigned n)
{
	return w->g.ram + (size_t)n * PAGE;
}

static unsigned
in_use(struct world *w, unsigned ref)
{
	return w->g.grants[ref].flags & IN_USE;
}

/* True if touching P (reading, or writing to it) ends in SIGSEGV. */
static int
faults(volatile uint8_t *p, int write_it)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		if (write_it)
			*p = 1;
		else
			(void)*p;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* a sanitizer turns the signal into an exit status */
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void
a_mapped_page_is_the_granters_page(void **state)
{
	struct world *w = *state;
	uint8_t *p;

	guest_grant(&w->g, 8, 5, GTF_permit_access);
	strcpy((char *)frame(w, 5), "hello");
	p = xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, RW);
	assert_non_null(p);
	assert_string_equal((char *)p, "hello");
	strcpy((char *)p, "world");
	assert_string_equal((char *)frame(w, 5), "world");
	assert_int_equal(in_use(w, 8), IN_USE);
	assert_int_equal(xengnttab_unmap(w->xgt, p, 1), 0);
	assert_int_equal(in_use(w, 8), 0);
	assert_true(faults(p, 0));
}

static void
a_read_only_mapping_cannot_be_written(void **state)
{
	struct world *w = *state;
	uint8_t *p;

	guest_grant(&w->g, 8, 5, GTF_permit_access | GTF_readonly);
	frame(w, 5)[0] = 42;
	assert_null(xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, RW));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(in_use(w, 8), 0);
	p = xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, PROT_READ);
	assert_non_null(p);
	assert_int_equal(p[0], 42);
	assert_int_equal(in_use(w, 8), GTF_reading);
	assert_true(faults(p, 1));
	assert_int_equal(xengnttab_unmap(w->xgt, p, 1), 0);
}

static void
scattered_frames_become_consecutive_addresses(void **state)
{
	struct world *w = *state;
	uint32_t refs[] = { 8, 9, 10, 11, 12 };
	const uint32_t frames[] = { 30, 7, 8, 9, 2 };
	uint8_t *p;
	int i;

	for (i = 0; i < 5; i++) {
		guest_grant(&w->g, refs[i], frames[i], GTF_permit_access);
		memset(frame(w, frames[i]), 'a' + i, PAGE);
	}
	p = xengnttab_map_domain_grant_refs(w->xgt, 5, w->g.domid, refs, RW);
	assert_non_null(p);
	for (i = 0; i < 5; i++) {
		assert_int_equal(p[i * (int)PAGE], 'a' + i);
		assert_int_equal(p[(i + 1) * (int)PAGE - 1], 'a' + i);
	}
	p[2 * PAGE] = 'x';
	assert_int_equal(frame(w, 8)[0], 'x');
	/* part of a mapping is not a mapping */
	assert_int_equal(xengnttab_unmap(w->xgt, p, 2), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xengnttab_unmap(w->xgt, p + PAGE, 4), -1);
	assert_int_equal(p[4 * PAGE], 'e');
	assert_int_equal(xengnttab_unmap(w->xgt, p, 5), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(in_use(w, refs[i]), 0);
}

static void
one_bad_reference_fails_all_and_leaves_nothing_mapped(void **state)
{
	struct world *w = *state;
	uint32_t domids[] = { w->g.domid, w->g.domid, w->g.domid };
	uint32_t refs[] = { 8, 9, 10 };

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	guest_grant(&w->g, 10, 3, GTF_permit_access);
	assert_null(xengnttab_map_grant_refs(w->xgt, 3, domids, refs, RW));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(in_use(w, 8) | in_use(w, 10), 0);
	domids[1] = 999;
	assert_null(xengnttab_map_grant_refs(w->xgt, 3, domids, refs, RW));
	assert_int_equal(in_use(w, 8) | in_use(w, 10), 0);
	guest_grant(&w->g, 9, 2, GTF_permit_access);
	w->g.grants[9].domid = 5; /* granted to somebody else */
	domids[1] = w->g.domid;
	assert_null(xengnttab_map_grant_refs(w->xgt, 3, domids, refs, RW));
	assert_int_equal(in_use(w, 8) | in_use(w, 9) | in_use(w, 10), 0);
}

static void
bad_arguments_are_refused(void **state)
{
	struct world *w = *state;
	uint32_t ref = 8;

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	assert_null(xengnttab_map_grant_ref(w->xgt, 999, 8, RW));
	assert_int_equal(errno, ESRCH);
	assert_null(
	    xengnttab_map_grant_ref(w->xgt, 0x10000u + w->g.domid, 8, RW));
	assert_int_equal(errno, ESRCH);
	assert_null(xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, PROT_EXEC));
	assert_int_equal(errno, EINVAL);
	assert_null(
	    xengnttab_map_domain_grant_refs(w->xgt, 0, w->g.domid, &ref, RW));
	assert_int_equal(errno, EINVAL);
	assert_null(xengnttab_map_grant_ref(w->xgt, w->g.domid, 4000000, RW));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(xengnttab_unmap(w->xgt, w, 1), -1);
	assert_int_equal(errno, EINVAL);
	assert_null(xengnttab_open(NULL, 1));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(in_use(w, 8), 0);
}

static void
the_limit_of_mappings_holds_and_comes_before_the_first(void **state)
{
	struct world *w = *state;
	void *p;

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	assert_int_equal(xengnttab_set_max_grants(w->xgt, 0), -1);
	assert_int_equal(xengnttab_set_max_grants(w->xgt, 1), 0);
	p = xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, RW);
	assert_non_null(p);
	assert_null(xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, RW));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(xengnttab_set_max_grants(w->xgt, 9), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(xengnttab_unmap(w->xgt, p, 1), 0);
}

static void
unmapping_clears_the_byte_and_sends_the_event(void **state)
{
	struct world *w = *state;
	xenevtchn_handle *xce = xenevtchn_open(NULL, 0);
	int a = xenevtchn_bind_unbound_port(xce, 0);
	int b = xenevtchn_bind_interdomain(xce, 0, (evtchn_port_t)a);
	uint8_t *p;

	assert_true(a > 0 && b > 0);
	assert_int_equal(xenevtchn_pending(xce), b);
	guest_grant(&w->g, 8, 1, GTF_permit_access);
	memset(frame(w, 1), 1, PAGE);
	p = xengnttab_map_grant_ref_notify(
	    w->xgt, w->g.domid, 8, RW, 100, (evtchn_port_t)b);
	assert_non_null(p);
	assert_int_equal(frame(w, 1)[100], 1);
	assert_int_equal(xengnttab_unmap(w->xgt, p, 1), 0);
	assert_int_equal(frame(w, 1)[99], 1);
	assert_int_equal(frame(w, 1)[100], 0);
	assert_int_equal(frame(w, 1)[101], 1);
	alarm(60);
	assert_int_equal(xenevtchn_pending(xce), a);
	alarm(0);
	xenevtchn_close(xce);
}

static void
a_notification_that_cannot_be_set_up_maps_nothing(void **state)
{
	struct world *w = *state;
	xengnttab_handle *x = w->xgt;
	uint32_t d = w->g.domid;

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	assert_null(
	    xengnttab_map_grant_ref_notify(x, d, 8, RW, 4096, UINT32_MAX));
	assert_int_equal(errno, EINVAL);
	assert_null(
	    xengnttab_map_grant_ref_notify(x, d, 8, PROT_READ, 0, UINT32_MAX));
	assert_int_equal(errno, EPERM);
	assert_null(
	    xengnttab_map_grant_ref_notify(x, d, 8, RW, UINT32_MAX, 4000));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(in_use(w, 8), 0);
}

static void
closing_the_handle_unmaps_and_notifies(void **state)
{
	struct world *w = *state;
	uint8_t *p, *q;

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	guest_grant(&w->g, 9, 2, GTF_permit_access);
	frame(w, 1)[7] = 9;
	p = xengnttab_map_grant_ref_notify(
	    w->xgt, w->g.domid, 8, RW, 7, UINT32_MAX);
	q = xengnttab_map_grant_ref(w->xgt, w->g.domid, 9, RW);
	assert_true(p != NULL && q != NULL);
	xengnttab_close(w->xgt);
	w->xgt = NULL;
	assert_int_equal(frame(w, 1)[7], 0);
	assert_int_equal(in_use(w, 8) | in_use(w, 9), 0);
	assert_true(faults(p, 0));
	assert_true(faults(q, 0));
}

static void
a_forked_child_closes_without_unmapping_for_its_parent(void **state)
{
	struct world *w = *state;
	pid_t child;
	uint8_t *p;
	int status;

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	frame(w, 1)[7] = 9;
	p = xengnttab_map_grant_ref_notify(
	    w->xgt, w->g.domid, 8, RW, 7, UINT32_MAX);
	assert_non_null(p);
	child = fork();
	if (child == 0)
		_exit(xengnttab_close(w->xgt));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(frame(w, 1)[7], 9);
	assert_int_equal(in_use(w, 8), IN_USE);
	p[7] = 8;
	assert_int_equal(xengnttab_unmap(w->xgt, p, 1), 0);
	assert_int_equal(frame(w, 1)[7], 0);
}

/* A process that maps REF, says so by WORD and waits to be killed. */
static pid_t
mapper_start(struct world *w, unsigned ref, volatile uint8_t *word)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		xengnttab_handle *xgt = xengnttab_open(NULL, 0);
		uint8_t *p = NULL;

		if (xgt != NULL)
			p = xengnttab_map_grant_ref(xgt, w->g.domid, ref, RW);
		if (p == NULL)
			_exit(1);
		p[1]++;
		*word = 1;
		for (;;)
			pause();
	}
	while (*word == 0 && kill(pid, 0) == 0)
		fixture_sleep_ms(1);
	*word = 0;
	return pid;
}

static void
mapper_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* A daemon's successor maps what the one before it still has, or had. */
static void
processes_map_a_grant_at_once_and_the_last_ones_death_frees_it(void **state)
{
	struct world *w = *state;
	uint8_t *word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t first, second;
	int ms;

	assert_true(word != MAP_FAILED);
	guest_grant(&w->g, 8, 5, GTF_permit_access);
	frame(w, 5)[1] = 0;
	first = mapper_start(w, 8, word);
	second = mapper_start(w, 8, word);
	assert_int_equal(frame(w, 5)[1], 2);
	mapper_kill(first);
	fixture_sleep_ms(20);
	assert_int_equal(in_use(w, 8), IN_USE); /* of the second */
	first = mapper_start(w, 8, word);
	assert_int_equal(frame(w, 5)[1], 3);
	mapper_kill(second);
	mapper_kill(first);
	for (ms = 0; in_use(w, 8) != 0 && ms < 60000; ms++)
		fixture_sleep_ms(1);
	assert_int_equal(in_use(w, 8), 0); /* the guest may revoke it */
	munmap(word, PAGE);
}

static void
a_mapping_outlives_its_granter(void **state)
{
	struct world *w = *state;
	uint8_t *p;

	guest_grant(&w->g, 8, 1, GTF_permit_access);
	frame(w, 1)[0] = 77;
	p = xengnttab_map_grant_ref(w->xgt, w->g.domid, 8, RW);
	assert_non_null(p);
	guest_destroy(&w->g);
	assert_int_equal(p[0], 77);
	p[0] = 78;
	assert_int_equal(p[0], 78);
	assert_int_equal(xengnttab_unmap(w->xgt, p, 1), 0);
}

/* -- kbgnttab -- */

static void
a_batch_gives_pages_and_marks_those_that_fail(void **state)
{
	struct world *w = *state;
	const uint32_t refs[] = { 8, 9, 10, 11 };
	uint32_t handles[4];
	void *pages[4];

	guest_grant(&w->g, 8, 20, GTF_permit_access);
	guest_grant(&w->g, 10, 3, GTF_permit_access | GTF_readonly);
	guest_grant(&w->g, 11, 4, GTF_permit_access);
	frame(w, 20)[1] = 5;
	assert_int_equal(
	    kbgnttab_map_pages(w->xgt, w->g.domid, 4, refs, RW, pages, handles),
	    2);
	assert_true(pages[0] != NULL && pages[3] != NULL);
	assert_null(pages[1]);
	assert_null(pages[2]);
	assert_int_equal(handles[1], KBGNTTAB_NO_HANDLE);
	assert_int_equal(handles[2], KBGNTTAB_NO_HANDLE);
	assert_int_equal(((uint8_t *)pages[0])[1], 5);
	((uint8_t *)pages[3])[0] = 9;
	assert_int_equal(frame(w, 4)[0], 9);
	assert_int_equal(in_use(w, 8), IN_USE);
	assert_int_equal(kbgnttab_unmap_pages(w->xgt, 4, handles), 0);
	assert_int_equal(in_use(w, 8) | in_use(w, 11), 0);
	/* and they are nobody's handles now */
	assert_int_equal(kbgnttab_unmap_pages(w->xgt, 4, handles), -1);
	assert_int_equal(errno, EINVAL);
}

static void
a_read_only_batch_cannot_be_written(void **state)
{
	struct world *w = *state;
	uint32_t ref = 8, handle;
	void *page;

	guest_grant(&w->g, 8, 20, GTF_permit_access);
	frame(w, 20)[0] = 3;
	assert_int_equal(kbgnttab_map_pages(w->xgt, w->g.domid, 1, &ref,
			     PROT_READ, &page, &handle),
	    0);
	assert_int_equal(*(uint8_t *)page, 3);
	assert_true(faults(page, 1));
	assert_int_equal(in_use(w, 8), GTF_reading);
	assert_int_equal(kbgnttab_unmap_pages(w->xgt, 1, &handle), 0);
}

static void
a_batch_with_nobody_to_ask_fails_as_a_whole(void **state)
{
	struct world *w = *state;
	uint32_t ref = 8, handle = 1;
	void *page = w;

	assert_int_equal(
	    kbgnttab_map_pages(w->xgt, 999, 1, &ref, RW, &page, &handle), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(
	    kbgnttab_map_pages(w->xgt, w->g.domid, 0, &ref, RW, &page, &handle),
	    -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    kbgnttab_map_pages(w->xgt, w->g.domid, 1, &ref, 0, &page, &handle),
	    -1);
	assert_int_equal(errno, EINVAL);
}

static void
handles_of_many_batches_mix_freely(void **state)
{
	enum { N = 300, ROUNDS = 20 };
	struct world *w = *state;
	uint32_t refs[N], handles[2][N];
	void *pages[2][N];
	int i, round;

	for (i = 0; i < N; i++) {
		refs[i] = 8 + (uint32_t)i;
		guest_grant(&w->g, refs[i], (uint32_t)i % GUEST_PAGES,
		    GTF_permit_access);
		frame(w, (unsigned)i % GUEST_PAGES)[0] =
		    (uint8_t)(i % GUEST_PAGES);
	}
	for (round = 0; round < ROUNDS; round++) {
		assert_int_equal(kbgnttab_map_pages(w->xgt, w->g.domid, N, refs,
				     RW, pages[0], handles[0]),
		    0);
		assert_int_equal(kbgnttab_map_pages(w->xgt, w->g.domid, N, refs,
				     RW, pages[1], handles[1]),
		    0);
		for (i = 0; i < N; i++) {
			uint32_t h = handles[0][i];

			assert_int_equal(
			    *(uint8_t *)pages[1][i], i % (int)GUEST_PAGES);
			if (i % 2 == 0) {
				handles[0][i] = handles[1][i];
				handles[1][i] = h;
			}
		}
		assert_int_equal(
		    kbgnttab_unmap_pages(w->xgt, N, handles[0]), 0);
		assert_true(in_use(w, 8) != 0);
		assert_int_equal(
		    kbgnttab_unmap_pages(w->xgt, N, handles[1]), 0);
	}
	for (i = 0; i < N; i++)
		assert_int_equal(in_use(w, refs[i]), 0);
}

/* -- copy -- */

static void
copies_go_in_out_and_between(void **state)
{
	struct world *w = *state;
	char local[3 * PAGE] = "", from[] = "from here";
	xengnttab_grant_copy_segment_t s[3] = { 0 };

	guest_grant(&w->g, 8, 1, GTF_permit_access | GTF_readonly);
	guest_grant(&w->g, 9, 2, GTF_permit_access);
	strcpy((char *)frame(w, 1) + 4090, "guest");
	s[0].source.foreign.ref = 8;
	s[0].source.foreign.offset = 4090;
	s[0].source.foreign.domid = w->g.domid;
	s[0].dest.virt = local + PAGE - 3; /* across a page's border */
	s[0].len = 6;
	s[0].flags = GNTCOPY_source_gref;
	s[1].source.virt = from;
	s[1].dest.foreign.ref = 9;
	s[1].dest.foreign.offset = 16;
	s[1].dest.foreign.domid = w->g.domid;
	s[1].len = sizeof(from);
	s[1].flags = GNTCOPY_dest_gref;
	s[2].source.foreign = s[0].source.foreign;
	s[2].dest.foreign.ref = 9;
	s[2].dest.foreign.offset = 100;
	s[2].dest.foreign.domid = w->g.domid;
	s[2].len = 6;
	s[2].flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
	assert_int_equal(xengnttab_grant_copy(w->xgt, 3, s), 0);
	assert_int_equal(s[0].status | s[1].status | s[2].status, 0);
	assert_string_equal(local + PAGE - 3, "guest");
	assert_string_equal((char *)frame(w, 2) + 16, "from here");
	assert_string_equal((char *)frame(w, 2) + 100, "guest");
	assert_int_equal(in_use(w, 8) | in_use(w, 9), 0);
}

static void
a_bad_copy_fails_alone(void **state)
{
	struct world *w = *state;
	char local[64] = "untouched";
	xengnttab_grant_copy_segment_t s[4] = { 0 };
	int i;

	guest_grant(&w->g, 8, 1, GTF_permit_access | GTF_readonly);
	strcpy((char *)frame(w, 1), "good");
	for (i = 0; i < 4; i++) {
		s[i].source.foreign.ref = 8;
		s[i].source.foreign.domid = w->g.domid;
		s[i].dest.virt = local + 16;
		s[i].len = 5;
		s[i].flags = GNTCOPY_source_gref;
	}
	s[0].dest.virt = local;
	s[0].source.foreign.ref = 9; /* not granted */
	s[1].dest.virt = local;
	s[1].source.foreign.offset = 4093; /* beyond the page */
	s[2].flags = GNTCOPY_dest_gref;	   /* granted for reading only */
	s[2].source.virt = local;
	s[2].dest.foreign.ref = 8;
	s[2].dest.foreign.offset = 0;
	s[2].dest.foreign.domid = w->g.domid;
	assert_int_equal(xengnttab_grant_copy(w->xgt, 4, s), 0);
	assert_int_equal(s[0].status, GNTST_general_error);
	assert_int_equal(s[1].status, GNTST_bad_copy_arg);
	assert_int_equal(s[2].status, GNTST_general_error);
	assert_int_equal(s[3].status, GNTST_okay);
	assert_string_equal(local, "untouched");
	assert_string_equal(local + 16, "good");
	assert_string_equal((char *)frame(w, 1), "good");
	assert_int_equal(in_use(w, 8), 0);
	s[0].flags = 0;
	assert_int_equal(xengnttab_grant_copy(w->xgt, 1, s), -1);
	assert_int_equal(errno, EINVAL);
}

static void
many_copies_at_once_arrive(void **state)
{
	enum { N = 150 };
	struct world *w = *state;
	uint8_t local[N][32];
	xengnttab_grant_copy_segment_t s[N];
	int i;

	memset(s, 0, sizeof(s));
	for (i = 0; i < N; i++) {
		guest_grant(&w->g, 8 + (uint32_t)i, (uint32_t)i % GUEST_PAGES,
		    GTF_permit_access);
		memset(frame(w, (unsigned)i % GUEST_PAGES),
		    i % (int)GUEST_PAGES, 32);
		s[i].source.foreign.ref = 8 + (uint32_t)i;
		s[i].source.foreign.domid = w->g.domid;
		s[i].dest.virt = local[i];
		s[i].len = 32;
		s[i].flags = GNTCOPY_source_gref;
		s[i].status = -1;
	}
	assert_int_equal(xengnttab_grant_copy(w->xgt, N, s), 0);
	for (i = 0; i < N; i++) {
		assert_int_equal(s[i].status, 0);
		assert_int_equal(local[i][31], i % (int)GUEST_PAGES);
	}
}

static void
what_cannot_be_done_here_says_so(void **state)
{
	struct world *w = *state;
	uint32_t x = 0;

	assert_null(xengntshr_open(NULL, 0));
	assert_int_equal(errno, ENOSYS);
	assert_int_equal(
	    xengnttab_dmabuf_exp_from_refs(w->xgt, 1, 0, 1, &x, &x), -1);
	assert_int_equal(errno, ENOSYS);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mapped_page_is_the_granters_page),
		T(a_read_only_mapping_cannot_be_written),
		T(scattered_frames_become_consecutive_addresses),
		T(one_bad_reference_fails_all_and_leaves_nothing_mapped),
		T(bad_arguments_are_refused),
		T(the_limit_of_mappings_holds_and_comes_before_the_first),
		T(unmapping_clears_the_byte_and_sends_the_event),
		T(a_notification_that_cannot_be_set_up_maps_nothing),
		T(closing_the_handle_unmaps_and_notifies),
		T(a_forked_child_closes_without_unmapping_for_its_parent),
		T(processes_map_a_grant_at_once_and_the_last_ones_death_frees_it),
		T(a_mapping_outlives_its_granter),
		T(a_batch_gives_pages_and_marks_those_that_fail),
		T(a_read_only_batch_cannot_be_written),
		T(a_batch_with_nobody_to_ask_fails_as_a_whole),
		T(handles_of_many_batches_mix_freely),
		T(copies_go_in_out_and_between),
		T(a_bad_copy_fails_alone),
		T(many_copies_at_once_arrive),
		T(what_cannot_be_done_here_says_so),
	};
	int ret;

	if (!fixture_start())
		return 0;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_stop();
	return ret;
}
