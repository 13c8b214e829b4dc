/*
 * The file server's block cache over a disk of bytes: what libext2fs reads is
 * what it wrote, whatever the disk has yet, and the disk has it all after a
 * flush.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/guest/blkfront.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/kernels/fileserver/disk.h"

#define BLOCK 1024
#define BLOCKS 2048

/* --- the disk ----------------------------------------------------------- */

static uint8_t medium[BLOCKS * BLOCK];
static unsigned int reads, writes, flushes;
static int broken; /* writes fail */
static int there;

struct blkfront *
blkfront_get(unsigned int index)
{
	return index == 0 ? (struct blkfront *)(void *)&there : NULL;
}

int
blkfront_info(const struct blkfront *dev, struct blkfront_info *out)
{
	(void)dev;
	*out = (struct blkfront_info){
		.sectors = sizeof(medium) / BLKFRONT_SECTOR,
		.sector_size = BLKFRONT_SECTOR,
	};
	return 0;
}

int
blkfront_rw(struct blkfront *dev, uint64_t sector, void *buf, size_t nsectors,
    enum blkfront_dir dir)
{
	uint8_t *at = medium + sector * BLKFRONT_SECTOR;
	size_t bytes = nsectors * BLKFRONT_SECTOR;

	(void)dev;
	assert_true(sector * BLKFRONT_SECTOR + bytes <= sizeof(medium));
	if (dir == BLKFRONT_READ) {
		reads++;
		memcpy(buf, at, bytes);
		return 0;
	}
	writes++;
	if (broken)
		return -5;
	memcpy(at, buf, bytes);
	return 0;
}

int
blkfront_flush(struct blkfront *dev)
{
	(void)dev;
	flushes++;
	return 0;
}

void *
guest_alloc_pages(size_t count)
{
	return aligned_alloc(GUEST_PAGE_SIZE, count * GUEST_PAGE_SIZE);
}

void
guest_free_pages(void *p, size_t count)
{
	(void)count;
	free(p);
}

static int
open_disk(void **state)
{
	io_channel ch;

	for (size_t i = 0; i < sizeof(medium); i++)
		medium[i] = (uint8_t)(i / BLOCK * 7 + i);
	broken = 0;
	assert_int_equal(disk_io_manager->open("xbd0", IO_FLAG_RW, &ch), 0);
	assert_int_equal(io_channel_set_blksize(ch, BLOCK), 0);
	reads = writes = flushes = 0;
	*state = ch;
	return 0;
}

static int
close_disk(void **state)
{
	broken = 0;
	return io_channel_close((io_channel)*state) == 0 ? 0 : -1;
}

static void
write_block(io_channel ch, unsigned long long block, uint8_t with)
{
	uint8_t data[BLOCK];

	memset(data, with, sizeof(data));
	assert_int_equal(io_channel_write_blk64(ch, block, 1, data), 0);
}

static void
assert_medium(unsigned long long block, uint8_t with)
{
	for (size_t i = 0; i < BLOCK; i++)
		assert_int_equal(medium[block * BLOCK + i], with);
}

/* --- claims ------------------------------------------------------------- */

static void
a_block_reaches_the_disk_at_the_flush(void **state)
{
	uint8_t before[BLOCK];

	memcpy(before, medium + 5 * BLOCK, BLOCK);
	write_block(*state, 5, 0x55);
	assert_memory_equal(medium + 5 * BLOCK, before, BLOCK);
	assert_int_equal(io_channel_flush((io_channel)*state), 0);
	assert_medium(5, 0x55);
	assert_int_equal(flushes, 1);
}

static void
neighbours_go_out_in_one_transfer(void **state)
{
	for (unsigned int b = 20; b < 120; b++)
		write_block(*state, b, (uint8_t)b);
	assert_int_equal(writes, 0);
	assert_int_equal(reads, 0);
	assert_int_equal(io_channel_flush((io_channel)*state), 0);
	assert_int_equal(writes, 1);
	for (unsigned int b = 20; b < 120; b++)
		assert_medium(b, (uint8_t)b);
}

static void
a_long_file_leaves_in_long_runs(void **state)
{
	for (unsigned int b = 1; b < 1900; b++)
		write_block(*state, b, (uint8_t)b);
	assert_int_equal(io_channel_flush((io_channel)*state), 0);
	assert_true(writes < 20);
	for (unsigned int b = 1; b < 1900; b++)
		assert_medium(b, (uint8_t)b);
}

static void
what_was_written_is_read_before_and_after(void **state)
{
	uint8_t got[4 * BLOCK];

	write_block(*state, 9, 0x99);
	assert_int_equal(
	    io_channel_read_blk64((io_channel)*state, 9, 1, got), 0);
	assert_int_equal(got[17], 0x99);
	assert_int_equal(
	    io_channel_read_blk64((io_channel)*state, 8, 4, got), 0);
	assert_int_equal(got[BLOCK + 17], 0x99);
	assert_int_equal(got[0], medium[8 * BLOCK]);
	/* Another block wants the slot. */
	write_block(*state, 9 + 256, 0x11);
	assert_int_equal(
	    io_channel_read_blk64((io_channel)*state, 9, 1, got), 0);
	assert_int_equal(got[17], 0x99);
}

static void
a_run_overtakes_what_was_cached(void **state)
{
	uint8_t run[3 * BLOCK], got[BLOCK];

	write_block(*state, 31, 0x01);
	memset(run, 0x02, sizeof(run));
	assert_int_equal(
	    io_channel_write_blk64((io_channel)*state, 30, 3, run), 0);
	assert_int_equal(
	    io_channel_read_blk64((io_channel)*state, 31, 1, got), 0);
	assert_int_equal(got[0], 0x02);
	assert_int_equal(io_channel_flush((io_channel)*state), 0);
	assert_medium(31, 0x02);
}

static void
bytes_change_just_themselves(void **state)
{
	uint8_t before[2 * BLOCK], bytes[6] = { 1, 2, 3, 4, 5, 6 };

	memcpy(before, medium + 2 * BLOCK, sizeof(before));
	assert_int_equal(
	    io_channel_write_byte((io_channel)*state, 3 * BLOCK - 2, 6, bytes),
	    0);
	assert_int_equal(io_channel_flush((io_channel)*state), 0);
	memcpy(before + BLOCK - 2, bytes, 6);
	assert_memory_equal(medium + 2 * BLOCK, before, sizeof(before));
}

static void
a_failed_write_is_told_and_tried_again(void **state)
{
	uint8_t got[BLOCK];

	write_block(*state, 40, 0x40);
	broken = 1;
	assert_int_not_equal(io_channel_flush((io_channel)*state), 0);
	/* The slot is not given away. */
	assert_int_not_equal(
	    io_channel_read_blk64((io_channel)*state, 40 + 256, 1, got), 0);
	assert_int_equal(
	    io_channel_read_blk64((io_channel)*state, 40, 1, got), 0);
	assert_int_equal(got[0], 0x40);
	broken = 0;
	assert_int_equal(io_channel_flush((io_channel)*state), 0);
	assert_medium(40, 0x40);
}

static void
closing_flushes(void **state)
{
	write_block(*state, 7, 0x77);
	assert_int_equal(io_channel_close((io_channel)*state), 0);
	assert_medium(7, 0x77);
	assert_int_equal(flushes, 1);
	assert_int_equal(open_disk(state), 0);
}

int
main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, open_disk, close_disk)
	const struct CMUnitTest tests[] = {
		CLAIM(a_block_reaches_the_disk_at_the_flush),
		CLAIM(neighbours_go_out_in_one_transfer),
		CLAIM(a_long_file_leaves_in_long_runs),
		CLAIM(what_was_written_is_read_before_and_after),
		CLAIM(a_run_overtakes_what_was_cached),
		CLAIM(bytes_change_just_themselves),
		CLAIM(a_failed_write_is_told_and_tried_again),
		CLAIM(closing_flushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
