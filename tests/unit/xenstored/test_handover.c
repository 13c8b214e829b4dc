/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xenstored/handover.h"
#include "xenstored/image_io.h"

static char *old_words[] = { "xenstored", "-N", "", NULL };
static char *new_words[] = { "/new", "--quota", "nodes=7", NULL };
static struct sup_sock socks[] = { { 3, 30 }, { 4, 40 }, { 90, 5 } };

static struct handover
sample(void)
{
	return (struct handover){
		.program = 11,
		.words = old_words,
		.lock = 12,
		.listener = 13,
		.evtchn = -1,
		.store = { .log_fd = 14,
		    .flight_fd = 15,
		    .image_fd = -1,
		    .image_at = UINT64_C(1) << 60,
		    .writer = 777,
		    .written_fd = 16,
		    .written_at = 5,
		    .reserved = 6 },
		.primary = { .pid = 100,
		    .fd = 17,
		    .files_fd = 18,
		    .written_fd = -1,
		    .loading = true,
		    .serving = true,
		    .promoted = true,
		    .updated = true,
		    .sent = 90,
		    .born = 1234 },
		.standby = { .pid = 0 },
		.socks = { .sock = socks, .n = 3, .room = 3, .last_id = 91 },
		.retry = 8,
		.image_due = 9,
		.child_program = "/new",
		.child_words = new_words,
	};
}

/* The bytes of FD. */
static char *
bytes_of(int fd, size_t *len)
{
	struct stat st;
	char *bytes;

	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len);
	assert_int_equal(pread(fd, bytes, *len, 0), *len);
	return bytes;
}

static int
file_of(const char *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

static void
drop(struct handover *h)
{
	free(h->words);
	free(h->child_words);
	free(h->child_program);
	free(h->socks.sock);
}

static void
all_of_it_comes_back(void **unused)
{
	struct handover h = sample(), got;
	char why[HANDOVER_WHY];
	int fd = handover_write(&h);

	(void)unused;
	assert_true(fd >= 0);
	assert_true(handover_read(fd, &got, why));
	close(fd);
	assert_int_equal(got.program, 11);
	assert_string_equal(got.words[1], "-N");
	assert_string_equal(got.words[2], "");
	assert_null(got.words[3]);
	assert_int_equal(got.lock, 12);
	assert_int_equal(got.listener, 13);
	assert_int_equal(got.evtchn, -1);
	assert_int_equal(got.store.log_fd, 14);
	assert_int_equal(got.store.flight_fd, 15);
	assert_int_equal(got.store.image_fd, -1);
	assert_int_equal(got.store.image_at, UINT64_C(1) << 60);
	assert_int_equal(got.store.writer, 777);
	assert_int_equal(got.store.written_fd, 16);
	assert_int_equal(got.store.written_at, 5);
	assert_int_equal(got.store.reserved, 6);
	assert_int_equal(got.primary.pid, 100);
	assert_int_equal(got.primary.fd, 17);
	assert_int_equal(got.primary.files_fd, 18);
	assert_int_equal(got.primary.written_fd, -1);
	assert_true(got.primary.loading && got.primary.serving);
	assert_true(got.primary.promoted && got.primary.updated);
	assert_false(got.primary.ready || got.primary.promote);
	assert_int_equal(got.primary.sent, 90);
	assert_int_equal(got.primary.born, 1234);
	assert_int_equal(got.standby.pid, 0);
	assert_int_equal(got.socks.n, 3);
	assert_int_equal(got.socks.last_id, 91);
	assert_memory_equal(got.socks.sock, socks, sizeof(socks));
	assert_int_equal(got.retry, 8);
	assert_int_equal(got.image_due, 9);
	assert_string_equal(got.child_program, "/new");
	assert_string_equal(got.child_words[2], "nodes=7");
	assert_null(got.child_words[3]);
	drop(&got);
}

/* The sample with a part more, of KIND; the file. */
static int
with_part(uint32_t kind)
{
	struct image part = { NULL, 0, 0, false };
	struct handover h = sample();
	int fd = handover_write(&h);
	uint64_t sum;
	size_t len;
	char *bytes = bytes_of(fd, &len);

	close(fd);
	put_bytes(&part, bytes, len);
	put_u32(&part, kind);
	put_string(&part, "news", 4);
	sum = bytes_sum(part.data, 16) * 31 +
	      bytes_sum(part.data + 24, part.len - 24);
	memcpy(part.data + 16, &sum, sizeof(sum)); /* little-endian */
	fd = file_of(part.data, part.len);
	image_free(&part);
	free(bytes);
	return fd;
}

static void
a_part_that_is_not_known_is_skipped_if_it_may_be(void **unused)
{
	char why[HANDOVER_WHY] = "";
	struct handover got;
	int fd = with_part(77 | HANDOVER_OPTIONAL);

	(void)unused;
	assert_true(handover_read(fd, &got, why));
	assert_int_equal(got.socks.n, 3);
	drop(&got);
	close(fd);
	fd = with_part(77);
	assert_false(handover_read(fd, &got, why));
	assert_string_equal(why, "what was handed over: a part is of a kind "
				 "that is not known here");
	close(fd);
	fd = with_part(2);
	assert_false(handover_read(fd, &got, why));
	close(fd);
}

static void
every_damage_is_found(void **unused)
{
	struct handover h = sample(), got;
	int fd = handover_write(&h), bad;
	char why[HANDOVER_WHY];
	size_t len, i;
	char *bytes = bytes_of(fd, &len);

	(void)unused;
	close(fd);
	for (i = 0; i < len; i++) {
		bytes[i] ^= 0x41;
		bad = file_of(bytes, len);
		assert_false(handover_read(bad, &got, why));
		close(bad);
		bytes[i] ^= 0x41;
		bad = file_of(bytes, i);
		assert_false(handover_read(bad, &got, why));
		close(bad);
	}
	free(bytes);
}

/* Whatever else a later version has. */
static void
the_way_back_is_found_in_any_version(void **unused)
{
	struct handover h = sample(), got;
	int fd = handover_write(&h);
	char why[HANDOVER_WHY], **words;
	size_t len;
	char *bytes = bytes_of(fd, &len);

	(void)unused;
	close(fd);
	bytes[8]++; /* the version */
	memset(bytes + len - 8, 0xee, 8);
	fd = file_of(bytes, len);
	assert_false(handover_read(fd, &got, why));
	assert_string_equal(
	    why, "what was handed over: its version is not known here");
	assert_int_equal(handover_way_back(fd, &words), 11);
	assert_string_equal(words[0], "xenstored");
	assert_string_equal(words[1], "-N");
	assert_null(words[3]);
	free(words);
	close(fd);
	bytes[0]++;
	fd = file_of(bytes, len);
	assert_int_equal(handover_way_back(fd, &words), -1);
	assert_null(words);
	close(fd);
	free(bytes);
}

static void
descriptors_are_kept_for_an_exec_or_not(void **unused)
{
	struct sup_sock sock = { 1, dup(0) };
	struct handover h = sample();

	(void)unused;

	h.program = dup(0);
	h.lock = dup(0);
	h.listener = dup(0);
	h.store.log_fd = dup(0);
	h.store.flight_fd = dup(0);
	h.store.written_fd = dup(0);
	h.primary.fd = dup(0);
	h.primary.files_fd = dup(0);
	h.socks.sock = &sock;
	h.socks.n = 1;
	assert_true(handover_is_there(&h));
	handover_keep(&h, false);
	assert_int_equal(fcntl(sock.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(h.primary.files_fd, F_GETFD), FD_CLOEXEC);
	handover_keep(&h, true);
	assert_int_equal(fcntl(sock.fd, F_GETFD), 0);
	assert_int_equal(fcntl(h.lock, F_GETFD), 0);
	close(sock.fd);
	assert_false(handover_is_there(&h));
	close(h.program);
	close(h.lock);
	close(h.listener);
	close(h.store.log_fd);
	close(h.store.flight_fd);
	close(h.store.written_fd);
	close(h.primary.fd);
	close(h.primary.files_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back),
		cmocka_unit_test(
		    a_part_that_is_not_known_is_skipped_if_it_may_be),
		cmocka_unit_test(every_damage_is_found),
		cmocka_unit_test(the_way_back_is_found_in_any_version),
		cmocka_unit_test(descriptors_are_kept_for_an_exec_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
