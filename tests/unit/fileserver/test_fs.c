/* The file server's name space on a real ext2 image: a file is there whole or
 * not at all, whatever fails, and e2fsck agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "hv-core/guest/kernels/fileserver/fs.h"
#include "tests/unit/fileserver/test_fs.src/disk_image.h"

#define PIECE 3000

static char dir[32], image[64];

static void
run(const char *fmt, const char *arg)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), fmt, image, arg);
	assert_int_equal(system(cmd), 0);
}

static int
is_clean(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "e2fsck -fn %s >%s/out 2>&1", image, dir);
	return system(cmd) == 0;
}

static int
says_clean(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd),
	    "dumpe2fs -h %s 2>/dev/null | grep -q '^Filesystem state: *clean$'",
	    image);
	return system(cmd) == 0;
}

/* A file system of 256 blocks of 1 KiB, with the file /old in it. */
static int
make(void **state)
{
	FILE *f;
	char name[96];

	(void)state;
	strcpy(dir, "/tmp/test_fs.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(image, sizeof(image), "%s/image", dir);
	snprintf(name, sizeof(name), "%s/old", dir);
	f = fopen(name, "w");
	assert_non_null(f);
	for (int i = 0; i < 20000; i++)
		fputc('o', f);
	fclose(f);
	run("mke2fs -q -F -t ext2 -b 1024 -m 0 %s 256 >/dev/null 2>&1", "");
	run("debugfs -w -R 'write %2$s/old old' %1$s >/dev/null 2>&1", dir);
	disk_image_use(image);
	return 0;
}

static int
drop(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

/* Writes SIZE bytes of C as PATH; the first error. */
static int
put(const char *path, size_t size, char c)
{
	char buf[PIECE];
	struct fs_writer *w;
	int err = fs_create(path, &w);

	if (err != 0)
		return err;
	memset(buf, c, sizeof(buf));
	while (size > 0) {
		size_t n = size < sizeof(buf) ? size : sizeof(buf);

		err = fs_append(w, buf, n);
		if (err != 0) {
			fs_abort(w);
			return err;
		}
		size -= n;
	}
	return fs_commit(w);
}

/* F is SIZE bytes of C. */
static int
holds(struct fs_file *f, size_t size, char c)
{
	char buf[PIECE];
	size_t at = 0;
	long n;

	if (fs_size(f) != size)
		return 0;
	while ((n = fs_pread(f, buf, sizeof(buf), at)) > 0) {
		for (long i = 0; i < n; i++)
			if (buf[i] != c)
				return 0;
		at += (size_t)n;
	}
	return n == 0 && at == size;
}

static int
file_is(const char *path, size_t size, char c)
{
	struct fs_file *f;
	int ok;

	if (fs_open(path, &f) != 0)
		return 0;
	ok = holds(f, size, c);
	fs_close(f);
	return ok;
}

static void
a_file_is_there_when_it_is_whole(void **state)
{
	struct fs_writer *w;
	struct fs_stat st;

	(void)state;
	assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
	assert_int_equal(fs_create("/new", &w), 0);
	assert_int_equal(fs_append(w, "abc", 3), 0);
	assert_int_equal(fs_stat("/new", &st), -ENOENT);
	assert_int_equal(fs_commit(w), 0);
	assert_int_equal(fs_stat("/new", &st), 0);
	assert_int_equal(st.size, 3);
	assert_int_equal(fs_unmount_all(), 0);
	assert_true(says_clean());
	assert_true(is_clean());
}

static void
who_reads_a_file_reads_it_to_its_end_though_it_is_replaced(void **state)
{
	struct fs_file *first, *second;

	(void)state;
	assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
	assert_int_equal(fs_open("/old", &first), 0);
	assert_int_equal(fs_open("/old", &second), 0);
	assert_int_equal(put("/old", 15000, 'n'), 0);
	/* Takes every block there is. */
	assert_int_equal(put("/more", 1000000, 'm'), -ENOSPC);
	assert_int_equal(put("/more", 100000, 'm'), 0);
	assert_true(holds(first, 20000, 'o'));
	fs_close(first);
	assert_int_equal(put("/more2", 30000, 'p'), 0);
	assert_true(holds(second, 20000, 'o'));
	fs_close(second);
	assert_true(file_is("/old", 15000, 'n'));
	assert_true(file_is("/more", 100000, 'm'));
	assert_int_equal(fs_unmount_all(), 0);
	assert_true(is_clean());
}

static void
a_full_disk_keeps_what_it_had_and_gives_all_room_back(void **state)
{
	(void)state;
	/* Ends at the first data block, at indirect blocks and between. */
	for (size_t fill = 150000; fill < 230000; fill += 1024) {
		assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
		(void)put("/fill", fill, 'f');
		for (size_t size = 1; size < 400000; size = size * 3 + 1000)
			(void)put("/new", size, 'n');
		assert_int_equal(put("/old", 400000, 'x'), -ENOSPC);
		assert_true(file_is("/old", 20000, 'o'));
		assert_int_equal(fs_unmount_all(), 0);
		assert_true(says_clean());
		assert_true(is_clean());
	}
}

static void
an_aborted_file_leaves_nothing(void **state)
{
	struct fs_writer *w;
	char buf[PIECE] = { 0 };
	struct fs_stat st;

	(void)state;
	assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
	assert_int_equal(fs_create("/new", &w), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(fs_append(w, buf, sizeof(buf)), 0);
	fs_abort(w);
	assert_int_equal(fs_stat("/new", &st), -ENOENT);
	assert_int_equal(fs_unmount_all(), 0);
	assert_true(is_clean());
}

static void
what_was_not_clean_stays_so(void **state)
{
	(void)state;
	run("debugfs -w -R 'ssv state 0' %s >/dev/null 2>&1", "");
	assert_false(says_clean());
	assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
	assert_int_equal(put("/new", 10, 'n'), 0);
	assert_int_equal(fs_unmount_all(), -EUCLEAN);
	assert_false(says_clean());
}

static void
a_journal_to_be_replayed_is_not_written_over(void **state)
{
	(void)state;
	run("mke2fs -q -F -t ext3 -b 1024 %s 4096 >/dev/null 2>&1", "");
	run("debugfs -w -R 'feature needs_recovery' %s >/dev/null 2>&1", "");
	assert_int_equal(fs_mount(0, "/", FS_READWRITE), -EUCLEAN);
}

static void
a_replaced_file_takes_its_attributes_along(void **state)
{
	(void)state;
	run("mke2fs -q -F -t ext2 -b 1024 -I 128 %s 256 >/dev/null 2>&1", "");
	run("debugfs -w -R 'write %2$s/old old' %1$s >/dev/null 2>&1", dir);
	run("debugfs -w -R 'ea_set old user.a b' %s >/dev/null 2>&1", "");
	assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
	assert_int_equal(put("/old", 10, 'n'), 0);
	assert_int_equal(fs_unmount_all(), 0);
	assert_true(is_clean());
}

/* Whichever write fails: an error says so, the name has one file or the other,
 * and a file system that calls itself clean is. */
static void
no_failed_write_is_hidden(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1;; n++) {
		int err, un;

		drop(state);
		make(state);
		assert_int_equal(fs_mount(0, "/", FS_READWRITE), 0);
		disk_image_fail(n);
		err = put("/old", 50000, 'n');
		assert_true(
		    file_is("/old", 20000, 'o') || file_is("/old", 50000, 'n'));
		un = fs_unmount_all();
		if (disk_image_writes() < n)
			break;
		assert_true(err != 0 || un != 0);
		assert_true(is_clean() || !says_clean());
	}
	assert_true(n > 20);
	assert_true(says_clean() && is_clean());
}

static void
a_mount_point_may_end_in_a_slash(void **state)
{
	struct fs_stat st;

	(void)state;
	assert_int_equal(fs_mount(0, "/data/", FS_READONLY), 0);
	assert_int_equal(fs_stat("/data/old", &st), 0);
	assert_int_equal(fs_stat("/data", &st), 0);
	assert_int_equal(fs_stat("/database", &st), -ENOENT);
	assert_int_equal(fs_unmount_all(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, drop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_there_when_it_is_whole),
		TEST(
		    who_reads_a_file_reads_it_to_its_end_though_it_is_replaced),
		TEST(a_full_disk_keeps_what_it_had_and_gives_all_room_back),
		TEST(an_aborted_file_leaves_nothing),
		TEST(what_was_not_clean_stays_so),
		TEST(a_journal_to_be_replayed_is_not_written_over),
		TEST(a_replaced_file_takes_its_attributes_along),
		TEST(no_failed_write_is_hidden),
		TEST(a_mount_point_may_end_in_a_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
