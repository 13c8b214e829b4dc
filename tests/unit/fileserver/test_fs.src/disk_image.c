#include "disk_image.h"

#include "hv-core/guest/kernels/fileserver/disk.h"

static const char *file;
static unsigned int writes, fail_at;
static struct struct_io_manager manager;

io_manager disk_io_manager = &manager;

void
disk_image_use(const char *image)
{
	file = image;
	disk_image_fail(0);
}

void
disk_image_fail(unsigned int n)
{
	writes = 0;
	fail_at = n;
}

unsigned int
disk_image_writes(void)
{
	return writes;
}

bool
disk_exists(unsigned int index)
{
	return index == 0;
}

bool
disk_readonly(unsigned int index)
{
	return index != 0;
}

static errcode_t
image_write(io_channel ch, unsigned long long block, int count, const void *buf)
{
	if (++writes == fail_at)
		return EXT2_ET_SHORT_WRITE;
	return unix_io_manager->write_blk64(ch, block, count, buf);
}

static errcode_t
image_write_blk(io_channel ch, unsigned long block, int count, const void *buf)
{
	return image_write(ch, block, count, buf);
}

static errcode_t
image_open(const char *name, int flags, io_channel *out)
{
	errcode_t err = unix_io_manager->open(file, flags, out);

	(void)name;
	if (err == 0)
		(*out)->manager = &manager;
	return err;
}

/* Before main(): fs.c takes the manager as it is. */
static void __attribute__((constructor)) image_init(void)
{
	manager = *unix_io_manager;
	manager.open = image_open;
	manager.write_blk = image_write_blk;
	manager.write_blk64 = image_write;
	manager.write_byte = NULL;
}
