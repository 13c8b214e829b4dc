/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "xenstored/apply.h"
#include "xenstored/checkpoint.h"
#include "xenstored/image_io.h"

static const struct boot_id boot = { { 1, 2, 3 } };

struct dir {
	char name[64], path[96], file[2][112];
};

static void
dir_make(struct dir *d)
{
	h_use_all();
	/* as /run is; elsewhere the many small changes take long */
	snprintf(d->name, sizeof(d->name), "%s/checkpoint-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(d->name));
	snprintf(d->path, sizeof(d->path), "%s/cp", d->name);
	for (int i = 0; i < 2; i++)
		snprintf(d->file[i], sizeof(d->file[i]), "%s.%d", d->path, i);
}

static void
dir_remove(struct dir *d)
{
	unlink(d->file[0]);
	unlink(d->file[1]);
	assert_int_equal(rmdir(d->name), 0);
}

/* LEN bytes, each of which is known, in the form of an image. */
static struct image
some_image(char fill, size_t len)
{
	struct image img = { NULL, 0, 0, false };

	put_u64(&img, IMAGE_MAGIC);
	put_u32(&img, IMAGE_VERSION);
	put_u32(&img, IMAGE_HEADER_SIZE);
	put_u64(&img, len);
	while (img.len < len)
		put_u8(&img, (uint8_t)fill);
	memset(img.data + IMAGE_HEADER_SIZE - 8, 0, 8);
	uint64_t sum = image_sum(img.data, img.len);
	memcpy(img.data + IMAGE_HEADER_SIZE - 8, &sum, 8);
	return img;
}

static void
put(struct checkpoint *cp, char fill, size_t len)
{
	char why[IMAGE_WHY_SIZE];
	struct image img = some_image(fill, len);

	if (!checkpoint_put(cp, &boot, &img, why))
		fail_msg("%s", why);
	image_free(&img);
}

/* What is loaded: the fill of its image, or '!' with the status. */
static char
load(const struct dir *d, enum checkpoint_status *status_out)
{
	char why[IMAGE_WHY_SIZE], fill = '!';
	struct image img;

	*status_out = checkpoint_load(d->path, &boot, &img, why);
	if (*status_out == CHECKPOINT_OK) {
		fill = img.data[img.len - 1];
		for (size_t i = IMAGE_HEADER_SIZE; i < img.len; i++)
			assert_int_equal(img.data[i], fill);
		image_free(&img);
	} else {
		assert_null(img.data);
		assert_true(strncmp(why, "checkpoint: ", 12) == 0);
	}
	return fill;
}

static void
what_was_written_last_is_loaded(void **unused)
{
	static const size_t len[] = { 57, 65536, 65537, 1000000, 100 };
	char why[IMAGE_WHY_SIZE];
	enum checkpoint_status status;
	struct checkpoint *cp;
	struct stat info;
	struct dir d;

	(void)unused;
	dir_make(&d);
	assert_int_equal(load(&d, &status), '!');
	assert_int_equal(status, CHECKPOINT_NONE);
	checkpoint_close(checkpoint_open(d.path, why));
	assert_int_equal(load(&d, &status), '!');
	for (size_t i = 0; i < 5; i++) {
		cp = checkpoint_open(d.path, why);
		assert_non_null(cp);
		if (i == 3)
			for (size_t j = 0; j < 10; j++)
				put(cp, 'x', 1000 * j + 100);
		put(cp, (char)('a' + i), len[i]);
		checkpoint_close(cp);
		assert_int_equal(load(&d, &status), 'a' + i);
	}
	assert_int_equal(stat(d.file[0], &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	dir_remove(&d);
}

static void
a_checkpoint_of_another_boot_is_not_used(void **unused)
{
	const struct boot_id other = { { 9 } };
	char why[IMAGE_WHY_SIZE];
	struct checkpoint *cp;
	struct image img;
	struct dir d;

	(void)unused;
	dir_make(&d);
	cp = checkpoint_open(d.path, why);
	put(cp, 'a', 1000);
	checkpoint_close(cp);
	assert_int_equal(
	    checkpoint_load(d.path, &other, &img, why), CHECKPOINT_FOREIGN);
	assert_string_equal(
	    why, "checkpoint: it is of another life of the hypervisor");
	assert_null(img.data);
	assert_int_equal(
	    checkpoint_load(d.path, NULL, &img, why), CHECKPOINT_OK);
	image_free(&img);
	dir_remove(&d);
}

/* --- damage --- */

static size_t
size_of(const char *file)
{
	struct stat info;

	assert_int_equal(stat(file, &info), 0);
	return (size_t)info.st_size;
}

/* Changes the byte at I of the file by BITS. */
static void
flip(const char *file, size_t i, int bits)
{
	int fd = open(file, O_RDWR);
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)i), 1);
	byte ^= (char)bits;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
	close(fd);
}

/* Every flip and every cut of the newer file: the older one is loaded, or the
 * newer one where the damage is where nothing is. */
static void
damage_of_the_newer_file_leaves_the_older_one(void **unused)
{
	char why[IMAGE_WHY_SIZE], got;
	enum checkpoint_status status;
	struct checkpoint *cp;
	size_t len, i, older = 0;
	struct dir d;

	(void)unused;
	dir_make(&d);
	cp = checkpoint_open(d.path, why);
	put(cp, 'a', 90);
	put(cp, 'b', 100);
	checkpoint_close(cp);
	len = size_of(d.file[0]); /* that of generation 2 */
	for (i = 0; i < len; i++) {
		flip(d.file[0], i, 1 << (i % 8));
		got = load(&d, &status);
		flip(d.file[0], i, 1 << (i % 8));
		assert_true(got == 'a' || got == 'b');
		older += got == 'a';
	}
	printf("%zu positions, %zu flips noticed\n", len, older);
	assert_true(older >= 100);
	while (i > 0) {
		assert_int_equal(truncate(d.file[0], (off_t)--i), 0);
		got = load(&d, &status);
		assert_true(got == 'a' || got == 'b');
	}
	dir_remove(&d);
}

static void
damage_of_the_only_file_is_refused(void **unused)
{
	char why[IMAGE_WHY_SIZE], got;
	enum checkpoint_status status;
	struct checkpoint *cp;
	size_t len, i;
	struct dir d;

	(void)unused;
	dir_make(&d);
	cp = checkpoint_open(d.path, why);
	put(cp, 'a', 90);
	checkpoint_close(cp);
	unlink(d.file[0]);
	len = size_of(d.file[1]);
	for (i = 0; i < len; i++) {
		flip(d.file[1], i, 1 << (i % 8));
		got = load(&d, &status);
		flip(d.file[1], i, 1 << (i % 8));
		assert_true(got == 'a' || status == CHECKPOINT_BAD);
	}
	while (i > 0) {
		assert_int_equal(truncate(d.file[1], (off_t)--i), 0);
		got = load(&d, &status);
		assert_true(got == 'a' || status == CHECKPOINT_BAD);
	}
	dir_remove(&d);
}

static void
a_damaged_file_can_be_written_again(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	enum checkpoint_status status;
	struct checkpoint *cp;
	struct dir d;
	size_t i;

	(void)unused;
	dir_make(&d);
	cp = checkpoint_open(d.path, why);
	put(cp, 'a', 90);
	checkpoint_close(cp);
	for (i = 0; i < size_of(d.file[i % 2]); i += 5) {
		flip(d.file[0], i % size_of(d.file[0]), 0x55);
		flip(d.file[1], i % size_of(d.file[1]), 0x55);
		cp = checkpoint_open(d.path, why);
		if (cp == NULL)
			fail_msg("%s", why);
		put(cp, 'c', 700);
		checkpoint_close(cp);
		assert_int_equal(load(&d, &status), 'c');
	}
	dir_remove(&d);
}

static void
a_writer_killed_at_any_moment_leaves_a_whole_one(void **unused)
{
	char why[IMAGE_WHY_SIZE], got;
	enum checkpoint_status status;
	struct checkpoint *cp;
	unsigned kills = 0, i;
	struct dir d;
	pid_t child;

	(void)unused;
	dir_make(&d);
	cp = checkpoint_open(d.path, why);
	put(cp, 'a', 300000);
	checkpoint_close(cp);
	for (i = 0; i < 40; i++) {
		child = fork();
		if (child == 0) {
			cp = checkpoint_open(d.path, why);
			if (cp == NULL)
				_exit(1);
			for (char c = 'a';; c ^= 3) {
				struct image img = some_image(c, 300000);

				checkpoint_put(cp, &boot, &img, why);
				image_free(&img);
			}
		}
		usleep(1000 + i * 700);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		got = load(&d, &status);
		assert_true(got == 'a' || got == 'b');
		kills++;
	}
	assert_int_equal(kills, 40);
	dir_remove(&d);
}

/* --- a cold start --- */

static void
a_large_checkpoint_is_loaded_fast(void **unused)
{
	char why[IMAGE_WHY_SIZE];
	struct checkpoint *cp;
	struct state *other;
	struct image img;
	double start, out, in;
	struct dir d;
	struct h h;

	(void)unused;
	dir_make(&d);
	h_start(&h);
	h_fill(&h);
	cp = checkpoint_open(d.path, why);
	start = h_cpu_ms();
	assert_true(image_export(h.st, NULL, &img));
	assert_true(checkpoint_put(cp, &boot, &img, why));
	out = h_cpu_ms() - start;
	checkpoint_close(cp);
	image_free(&img);
	start = h_cpu_ms();
	assert_int_equal(
	    checkpoint_load(d.path, &boot, &img, why), CHECKPOINT_OK);
	other = image_import(img.data, img.len, &h.env, NULL, why);
	in = h_cpu_ms() - start;
	assert_non_null(other);
	printf("%zu nodes: %.0f ms of CPU out, %.0f ms in\n", h.st->heap.live,
	    out, in);
	assert_true(in < 2000);
	image_free(&img);
	state_free(other);
	h_stop(&h);
	dir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_last_is_loaded),
		cmocka_unit_test(a_checkpoint_of_another_boot_is_not_used),
		cmocka_unit_test(damage_of_the_newer_file_leaves_the_older_one),
		cmocka_unit_test(damage_of_the_only_file_is_refused),
		cmocka_unit_test(a_damaged_file_can_be_written_again),
		cmocka_unit_test(
		    a_writer_killed_at_any_moment_leaves_a_whole_one),
		cmocka_unit_test(a_large_checkpoint_is_loaded_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
