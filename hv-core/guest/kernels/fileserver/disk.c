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

static void
cache_drop(struct disk *d)
{
	for (size_t i = 0; i < CACHE_BLOCKS; i++)
		d->cached[i] = CACHE_EMPTY;
}

static errcode_t
disk_set_blksize(io_channel ch, int blksize)
{
	struct disk *d = ch->private_data;

	guest_free_pages(d->cache, d->cache_pages);
	ch->block_size = blksize;
	d->cache_pages = (size_t)blksize * CACHE_BLOCKS / GUEST_PAGE_SIZE;
	d->cache = guest_alloc_pages(d->cache_pages);
	cache_drop(d);
	return d->cache == NULL ? EXT2_ET_NO_MEMORY : 0;
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
	err = blkfront_flush(d->dev) == 0 ? 0 : EXT2_ET_SHORT_WRITE;
	guest_free_pages(d->cache, d->cache_pages);
	free(d);
	free(ch->name);
	free(ch);
	return err;
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

static errcode_t
disk_read_blk64(io_channel ch, unsigned long long block, int count, void *buf)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;
	size_t slot = (size_t)(block % CACHE_BLOCKS);

	d->stats.bytes_read += count_bytes(ch, count);
	if (count != 1)
		return transfer(ch, block * bs, buf, count_bytes(ch, count),
			   BLKFRONT_READ) == 0
			   ? 0
			   : EXT2_ET_SHORT_READ;
	if (d->cached[slot] != block) {
		d->cached[slot] = CACHE_EMPTY;
		if (transfer(ch, block * bs, d->cache + slot * bs, bs,
			BLKFRONT_READ) != 0)
			return EXT2_ET_SHORT_READ;
		d->cached[slot] = block;
	}
	memcpy(buf, d->cache + slot * bs, bs);
	return 0;
}

static errcode_t
disk_write_blk64(
    io_channel ch, unsigned long long block, int count, const void *buf)
{
	struct disk *d = ch->private_data;
	size_t bs = (size_t)ch->block_size;
	size_t bytes = count_bytes(ch, count);
	void *data = (void *)(uintptr_t)buf; /* blkfront only reads it */

	d->stats.bytes_written += bytes;
	for (size_t i = 0; i < (bytes + bs - 1) / bs; i++) {
		size_t slot = (size_t)((block + i) % CACHE_BLOCKS);

		if (d->cached[slot] == block + i)
			d->cached[slot] = CACHE_EMPTY;
	}
	if (count == 1) {
		size_t slot = (size_t)(block % CACHE_BLOCKS);

		data = memcpy(d->cache + slot * bs, buf, bs);
		d->cached[slot] = CACHE_EMPTY;
		if (transfer(ch, block * bs, data, bs, BLKFRONT_WRITE) != 0)
			return EXT2_ET_SHORT_WRITE;
		d->cached[slot] = block;
		return 0;
	}
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

	cache_drop(d);
	return transfer(ch, offset, (void *)(uintptr_t)buf, (size_t)size,
		   BLKFRONT_WRITE) == 0
		   ? 0
		   : EXT2_ET_SHORT_WRITE;
}

static errcode_t
disk_flush(io_channel ch)
{
	struct disk *d = ch->private_data;

	return blkfront_flush(d->dev) == 0 ? 0 : EXT2_ET_SHORT_WRITE;
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
