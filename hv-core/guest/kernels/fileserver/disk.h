/* libext2fs's way to a virtual disk: an I/O manager over blkfront.
 *
 * Knows sectors and libext2fs's block interface, no files. A channel is opened
 * by the name "xbd<INDEX>". Single blocks go through a small cache and reach
 * the disk when their slot is wanted, when the channel is flushed or closed,
 * and in runs: flush where the order of writes matters. Runs of blocks go
 * straight to the ring. */
#ifndef FILESERVER_DISK_H
#define FILESERVER_DISK_H

#include <stdbool.h>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

extern io_manager disk_io_manager;

bool disk_exists(unsigned int index);
bool disk_readonly(unsigned int index);

#endif
