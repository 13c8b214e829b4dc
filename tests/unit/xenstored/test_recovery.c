/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cold start: a checkpoint and the log behind it give the state that was. A
 * log that is damaged or cut anywhere gives a state that once was, and says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "xenstored/apply.h"
#include "xenstored/checkpoint.h"
#include "xenstored/image.h"
#include "xenstored/image_io.h"
#include "xenstored/log.h"

enum { SIZE = 8192, RECORDS = 64, FILE_SIZE = LOG_HEADER_SIZE + SIZE };

static const struct boot_id boot = { { 1 } };

/* A daemon that was, and all states that it had. */
struct past {
	struct h h;
	char name[64], log_path[96], path[96];
	struct log *log;
	char bytes[FILE_SIZE];		 /* the log's file */
	unsigned n;			 /* records */
	struct image image[RECORDS + 1]; /* after so many */
};

static void
tap(void *ctx, const struct record *record)
{
	struct past *p = ctx;

	log_append(p->log, record);
	p->n++;
}

static void
a_history(struct h *h)
{
	struct conn *s = h_socket(h), *g = h_guest(h, s, 1);
	uint32_t tx;

	assert_int_equal(h_write(h, s, 0, "/a/b", "1"), XS_OK);
	assert_int_equal(h_watch(h, s, "/a", "t"), XS_OK);
	tx = h_begin(h, g);
	assert_int_equal(h_write(h, g, tx, "x", "2"), XS_OK);
	assert_int_equal(h_write(h, s, 0, "/a/b", "3"), XS_OK);
	assert_int_equal(h_end(h, g, tx, "T"), XS_OK);
	assert_int_equal(h_one(h, s, WIRE_RM, 0, "/a"), XS_OK);
}

/* Follows P's log and keeps an image of the state after each record. */
static void
keep_all_states(struct past *p)
{
	const struct log_header *header = log_header(p->log);
	struct apply *apply = apply_new(NULL);
	struct log_pos pos = { 0, 0 };
	char buf[WIRE_MESSAGE_MAX];
	struct log_entry entry;
	struct image_mark mark;
	struct record record;
	unsigned i = 0;

	while (
	    log_read(header, &pos, &entry, buf, sizeof(buf)) == LOG_READ_OK) {
		record = apply_entry(&entry, buf);
		assert_null(apply_record(apply, &record));
		mark = (struct image_mark){ header->epoch, pos };
		assert_true(i < RECORDS);
		if (apply_is_between(apply))
			assert_true(image_export(
			    apply_state(apply), &mark, &p->image[i]));
		i++;
	}
	p->n = i;
	apply_free(apply);
}

static void
past_make(struct past *p)
{
	struct record_start data;
	struct record start;
	struct log_pos zero = { 0, 0 };
	int fd;

	h_use_all();
	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "%s/recovery-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(p->name));
	snprintf(p->log_path, sizeof(p->log_path), "%s/log", p->name);
	snprintf(p->path, sizeof(p->path), "%s/checkpoint", p->name);
	fd = log_make(p->log_path, SIZE, 77, boot.byte);
	assert_true(fd >= 0);
	p->log = log_map(fd);
	assert_non_null(p->log);
	close(fd);
	h_start(&p->h);
	log_resume(p->log, &zero);
	start = apply_start(&p->h.config, &data);
	log_append(p->log, &start);
	p->h.tap = tap;
	p->h.tap_ctx = p;
	a_history(&p->h);
	keep_all_states(p);
	memcpy(p->bytes, log_header(p->log), FILE_SIZE);
}

static void
past_end(struct past *p)
{
	char name[112];
	unsigned i;

	for (i = 0; i < p->n; i++)
		image_free(&p->image[i]);
	log_close(p->log);
	unlink(p->log_path);
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s.%u", p->path, i);
		unlink(name);
	}
	assert_int_equal(rmdir(p->name), 0);
	h_stop(&p->h);
}

static void
checkpoint(struct past *p, unsigned after)
{
	char why[IMAGE_WHY_SIZE];
	struct checkpoint *cp = checkpoint_open(p->path, why);

	assert_non_null(cp);
	assert_true(checkpoint_put(cp, &boot, &p->image[after], why));
	checkpoint_close(cp);
}

/* What a cold start from P's checkpoint and the log with LEN bytes at BYTES
 * finds. */
enum outcome {
	FOUND_NOTHING, /* it is refused */
	FOUND_ALL,
	FOUND_PART,   /* and it is known that there was more */
	FOUND_UNSAID, /* a record less, as if it had never been published */
	FOUND_WRONG,
};

static enum outcome
compare(const struct past *p, const struct state *st, bool complete)
{
	enum outcome found = FOUND_WRONG;
	struct image img;
	unsigned i;

	assert_true(image_export(st, NULL, &img));
	for (i = 0; i < p->n && found == FOUND_WRONG; i++) {
		/* where in the log that is does not matter */
		if (img.len != p->image[i].len ||
		    memcmp(img.data + IMAGE_HEADER_SIZE,
			p->image[i].data + IMAGE_HEADER_SIZE,
			img.len - IMAGE_HEADER_SIZE) != 0)
			continue;
		found = i + 1 == p->n ? FOUND_ALL
			: complete    ? FOUND_UNSAID
				      : FOUND_PART;
	}
	image_free(&img);
	return found;
}

/* As the daemon does it: to the log's end, or to where it is damaged. */
static enum outcome
follow(const struct past *p, struct apply *apply,
    const struct log_header *header, struct log_pos pos)
{
	char buf[WIRE_MESSAGE_MAX];
	struct log_entry entry;
	struct record record;
	enum log_read result;

	while ((result = log_read(header, &pos, &entry, buf, sizeof(buf))) ==
	       LOG_READ_OK) {
		record = apply_entry(&entry, buf);
		if (apply_record(apply, &record) != NULL)
			return FOUND_NOTHING;
	}
	if (apply_state(apply) == NULL)
		return FOUND_NOTHING;
	return compare(p, apply_state(apply),
	    result == LOG_READ_NONE && (pos.seq == header->next_seq ||
					   pos.seq + 1 == header->next_seq));
}

static enum outcome
cold_start(const struct past *p, const char *bytes, size_t len)
{
	enum outcome found = FOUND_NOTHING;
	char why[IMAGE_WHY_SIZE];
	struct image_mark mark;
	struct apply *apply;
	struct state *st;
	struct image img;
	struct log *log;
	int fd;

	fd = open(p->log_path, O_RDWR | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	log = log_map(fd);
	close(fd);
	if (log == NULL)
		return FOUND_NOTHING;
	apply = apply_new(NULL);
	assert_int_equal(
	    checkpoint_load(p->path, &boot, &img, why), CHECKPOINT_OK);
	st = image_import(img.data, img.len, apply_env(apply), &mark, why);
	assert_non_null(st);
	image_free(&img);
	apply_set_state(apply, st);
	if (log_header(log)->epoch == mark.epoch &&
	    log_header(log)->first <= mark.pos.offset)
		found = follow(p, apply, log_header(log), mark.pos);
	log_close(log);
	apply_free(apply);
	return found;
}

/* --- */

static void
a_checkpoint_and_the_log_give_the_state_that_was(void **unused)
{
	static struct past p;
	unsigned i;

	(void)unused;
	past_make(&p);
	for (i = 0; i < p.n; i++) {
		if (p.image[i].data == NULL)
			continue; /* between an answer and who asked */
		checkpoint(&p, i);
		assert_int_equal(cold_start(&p, p.bytes, FILE_SIZE), FOUND_ALL);
	}
	past_end(&p);
}

static void
a_damaged_log_gives_a_state_that_once_was_and_says_so(void **unused)
{
	unsigned found[FOUND_WRONG + 1] = { 0 };
	static struct past p;
	size_t i, used;

	(void)unused;
	past_make(&p);
	checkpoint(&p, 10);
	used = LOG_HEADER_SIZE + (size_t)log_header(p.log)->end;
	for (i = 0; i < used; i++) {
		if (i == sizeof(struct log_header)) /* nothing is there */
			i = LOG_HEADER_SIZE;
		p.bytes[i] ^= (char)(1 << (i % 8));
		found[cold_start(&p, p.bytes, FILE_SIZE)]++;
		p.bytes[i] ^= (char)(1 << (i % 8));
	}
	printf("%zu positions: %u refused, %u unharmed, %u cut short and "
	       "said, %u by the last record\n",
	    used - LOG_HEADER_SIZE + sizeof(struct log_header),
	    found[FOUND_NOTHING], found[FOUND_ALL], found[FOUND_PART],
	    found[FOUND_UNSAID]);
	assert_int_equal(found[FOUND_WRONG], 0);
	assert_true(found[FOUND_PART] > 100);
	assert_true(found[FOUND_UNSAID] <= 1);
	past_end(&p);
}

static void
a_log_that_is_cut_anywhere_is_refused(void **unused)
{
	static struct past p;
	size_t i;

	(void)unused;
	past_make(&p);
	checkpoint(&p, 10);
	for (i = 0; i < FILE_SIZE; i++)
		assert_int_equal(cold_start(&p, p.bytes, i), FOUND_NOTHING);
	past_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_checkpoint_and_the_log_give_the_state_that_was),
		cmocka_unit_test(
		    a_damaged_log_gives_a_state_that_once_was_and_says_so),
		cmocka_unit_test(a_log_that_is_cut_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
