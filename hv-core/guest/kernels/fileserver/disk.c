#include "disk.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ext2fs/ext2_err.h>
#include <ext2fs/ext2fs.h>

#include "blkfront.h"
#include "guest.h"

#define CACHE_BLOCKS 256
#define CACHE_EMPTY UINT64_MAX

struct disk {
	struct blkfront *dev;
	struct struct_io_stats stats;
	uint64_t cached[CACHE_BLOCKS]; /* which block a slot holds */
	bool dirty[CACHE_BLOCKS];      /* and the disk does not have yet */
	uint8_t *cache; /* CACHE_BLOCKS blocks in guest memory, or NULL */
	size_t cache_pages;
};

bool
disk_exists(unsigned int index)
{
	struct blkfront_info info;
	struct blkfront *dev = blkfront_get(index);

	return dev != NULL && blkfront_info(dev, &info) == 0;
}

bool
disk_readonly(unsigned int index)
{
	struct blkfront_info info;
	struct blkfront *dev = blkfront_get(index);

	return dev == NULL || blkfront_info(dev, &info) != 0 || info.read_only;
}

/* COUNT as libext2fs means it: blocks, or bytes if negative. */
static size_t
count_bytes(io_channel ch, int count)
{
	return count < 0 ? (size_t)-count
			 : (size_t)count * (size_t)ch->block_size;
}

/* A transfer that need not be whole sectors, by way of a bounce buffer. */
static int
transfer(io_channel ch, uint64_t offset, void *buf, size_t bytes,
    enum blkfront_dir dir)
{
	struct disk *d = ch->private_data;
	uint64_t first = offset / BLKFRONT_SECTOR;
	size_t skip = (size_t)(offset % BLKFRONT_SECTOR);
	size_t sectors = (skip + bytes + BLKFRONT_SECTOR - 1) / BLKFRONT_SECTOR;
	uint8_t *bounce;
	int err;

	if (skip == 0 && bytes % BLKFRONT_SECTOR == 0)
		return blkfront_rw(d->dev, first, buf, sectors, dir);

	bounce = malloc(sectors * BLKFRONT_SECTOR);
	if (bounce == NULL)
		return -1;
	err = blkfront_rw(d->dev, first, bounce, sectors, BLKFRONT_READ);
	if (err == 0 && dir == BLKFRONT_READ) {
		memcpy(buf, bounce + skip, bytes);
	} else if (err == 0) {
		memcpy(bounce + skip, buf, bytes);
		err =
		    blkfront_rw(d->dev, first, bounce, sectors, BLKFRONT_WRITE);
	}
	free(bounce);
	return err;
}

/* --- the cache ----------------------------------------------------------
 * Block B lives in slot B % CACHE_BLOCKS, so neighbours on the disk are
 * neighbours in memory and go out in one transfer. What could not be written
 * stays dirty. */

static size_t
slot_of(uint64_t block)
{
	return (size_t)(block % CACHE_BLOCKS);
}

/* Writes the run of dirty blocks that SLOT belongs to, if it is dirty. */
static errcode_t
cache_clean(io_channel ch, size_t slot)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;
	size_t first = slot, end = slot + 1;

	if (!d->dirty[slot])
		return 0;
	while (first > 0 && d->dirty[first - 1] &&
	       d->cached[first - 1] + 1 == d->cached[first])
		first--;
	while (end < CACHE_BLOCKS && d->dirty[end] &&
	       d->cached[end] == d->cached[end - 1] + 1)
		end++;
	if (transfer(ch, d->cached[first] * bs, d->cache + first * bs,
		(end - first) * bs, BLKFRONT_WRITE) != 0)
		return EXT2_ET_SHORT_WRITE;
	memset(&d->dirty[first], 0, (end - first) * sizeof(d->dirty[0]));
	return 0;
}

/* Writes all that is dirty; the first error, after having tried everything. */
static errcode_t
cache_sync(io_channel ch)
{
	errcode_t err = 0;

	for (size_t slot = 0; slot < CACHE_BLOCKS; slot++) {
		errcode_t e = cache_clean(ch, slot);

		if (err == 0)
			err = e;
	}
	return err;
}

static void
cache_drop(struct disk *d)
{
	memset(d->dirty, 0, sizeof(d->dirty));
	for (size_t i = 0; i < CACHE_BLOCKS; i++)
		d->cached[i] = CACHE_EMPTY;
}

/* Of the blocks in BYTES bytes from BLOCK on, writes those that are dirty. */
static errcode_t
cache_clean_range(io_channel ch, uint64_t block, size_t bytes)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;

	for (size_t i = 0; i < (bytes + bs - 1) / bs; i++) {
		size_t slot = slot_of(block + i);
		errcode_t err = 0;

		if (d->cached[slot] == block + i)
			err = cache_clean(ch, slot);
		if (err != 0)
			return err;
	}
	return 0;
}

static void
cache_forget_range(io_channel ch, uint64_t block, size_t bytes)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;

	for (size_t i = 0; i < (bytes + bs - 1) / bs; i++)
		if (d->cached[slot_of(block + i)] == block + i)
			d->cached[slot_of(block + i)] = CACHE_EMPTY;
}

/* Makes BLOCK's slot its own; what it holds afterwards is up to the caller. */
static errcode_t
cache_claim(io_channel ch, uint64_t block)
{
	struct disk *d = ch->private_data;
	size_t slot = slot_of(block);
	errcode_t err;

	if (d->cached[slot] == block)
		return 0;
	err = cache_clean(ch, slot);
	if (err == 0)
		d->cached[slot] = block;
	return err;
}

/* BLOCK as it is on the disk or going to be, in *OUT. */
static errcode_t
cache_load(io_channel ch, uint64_t block, uint8_t **out)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;
	size_t slot = slot_of(block);
	bool there = d->cached[slot] == block;
	errcode_t err = cache_claim(ch, block);

	*out = d->cache + slot * bs;
	if (err != 0 || there)
		return err;
	if (transfer(ch, block * bs, *out, bs, BLKFRONT_READ) == 0)
		return 0;
	d->cached[slot] = CACHE_EMPTY;
	return EXT2_ET_SHORT_READ;
}

static errcode_t
disk_set_blksize(io_channel ch, int blksize)
{
	struct disk *d = ch->private_data;
	errcode_t err = cache_sync(ch);

	if (err != 0)
		return err;
	guest_free_pages(d->cache, d->cache_pages);
	ch->block_size = blksize;
	d->cache_pages = (size_t)blksize * CACHE_BLOCKS / GUEST_PAGE_SIZE;
	d->cache = guest_alloc_pages(d->cache_pages);
	cache_drop(d);
	return d->cache == NULL ? EXT2_ET_NO_MEMORY : 0;
}

/* --- libext2fs's calls -------------------------------------------------- */

static errcode_t
disk_read_blk64(io_channel ch, unsigned long long block, int count, void *buf)
{
	struct disk *d = ch->private_data;
	size_t bytes = count_bytes(ch, count);
	uint8_t *data;
	errcode_t err;

	d->stats.bytes_read += bytes;
	if (count == 1) {
		err = cache_load(ch, block, &data);
		if (err == 0)
			memcpy(buf, data, bytes);
		return err;
	}
	err = cache_clean_range(ch, block, bytes);
	if (err == 0 && transfer(ch, block * (size_t)ch->block_size, buf, bytes,
			    BLKFRONT_READ) != 0)
		err = EXT2_ET_SHORT_READ;
	return err;
}

static errcode_t
disk_write_blk64(
    io_channel ch, unsigned long long block, int count, const void *buf)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;
	size_t bytes = count_bytes(ch, count);
	void *data = (void *)(uintptr_t)buf; /* blkfront only reads it */
	errcode_t err;

	d->stats.bytes_written += bytes;
	if (count == 1) {
		err = cache_claim(ch, block);
		if (err != 0)
			return err;
		memcpy(d->cache + slot_of(block) * bs, buf, bs);
		d->dirty[slot_of(block)] = true;
		return 0;
	}
	err = cache_clean_range(ch, block, bytes);
	if (err != 0)
		return err;
	cache_forget_range(ch, block, bytes);
	return transfer(ch, block * bs, data, bytes, BLKFRONT_WRITE) == 0
		   ? 0
		   : EXT2_ET_SHORT_WRITE;
}

static errcode_t
disk_read_blk(io_channel ch, unsigned long block, int count, void *buf)
{
	return disk_read_blk64(ch, block, count, buf);
}

static errcode_t
disk_write_blk(io_channel ch, unsigned long block, int count, const void *buf)
{
	return disk_write_blk64(ch, block, count, buf);
}

static errcode_t
disk_write_byte(io_channel ch, unsigned long offset, int size, const void *buf)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;
	const uint8_t *from = buf;
	size_t left = (size_t)size;

	while (left > 0) {
		size_t skip = offset % bs;
		size_t n = left < bs - skip ? left : bs - skip;
		uint8_t *data;
		errcode_t err = cache_load(ch, offset / bs, &data);

		if (err != 0)
			return err;
		memcpy(data + skip, from, n);
		d->dirty[slot_of(offset / bs)] = true;
		from += n;
		offset += n;
		left -= n;
	}
	return 0;
}

static errcode_t
disk_flush(io_channel ch)
{
	struct disk *d = ch->private_data;
	errcode_t err = cache_sync(ch);

	if (blkfront_flush(d->dev) != 0 && err == 0)
		err = EXT2_ET_SHORT_WRITE;
	return err;
}

static errcode_t
disk_open(const char *name, int flags, io_channel *out)
{
	io_channel ch = calloc(1, sizeof(*ch));
	struct disk *d = calloc(1, sizeof(*d));
	unsigned int index;

	if (ch == NULL || d == NULL || sscanf(name, "xbd%u", &index) != 1 ||
	    !disk_exists(index)) {
		free(ch);
		free(d);
		return EXT2_ET_BAD_DEVICE_NAME;
	}
	if ((flags & IO_FLAG_RW) != 0 && disk_readonly(index)) {
		free(ch);
		free(d);
		return EXT2_ET_RO_FILSYS;
	}
	d->dev = blkfront_get(index);
	ch->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	ch->manager = disk_io_manager;
	ch->name = strdup(name);
	ch->private_data = d;
	ch->refcount = 1;
	*out = ch;
	return disk_set_blksize(ch, 1024);
}

static errcode_t
disk_close(io_channel ch)
{
	struct disk *d = ch->private_data;
	errcode_t err;

	if (--ch->refcount > 0)
		return 0;
	err = disk_flush(ch);
	guest_free_pages(d->cache, d->cache_pages);
	free(d);
	free(ch->name);
	free(ch);
	return err;
}

static errcode_t
disk_get_stats(io_channel ch, io_stats *stats)
{
	struct disk *d = ch->private_data;

	*stats = &d->stats;
	return 0;
}

static struct struct_io_manager manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "blkfront",
	.open = disk_open,
	.close = disk_close,
	.set_blksize = disk_set_blksize,
	.read_blk = disk_read_blk,
	.write_blk = disk_write_blk,
	.flush = disk_flush,
	.write_byte = disk_write_byte,
	.get_stats = disk_get_stats,
	.read_blk64 = disk_read_blk64,
	.write_blk64 = disk_write_blk64,
};

io_manager disk_io_manager = &manager;
