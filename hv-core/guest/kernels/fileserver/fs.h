/* The file server's name space: ext2 file systems (libext2fs) on block devices,
 * mounted on paths.
 *
 * Knows mounts, paths and files; knows nothing of HTTP or of rings (disk.c is
 * its way to blkfront). Paths are absolute, '/'-separated; "." and ".." are not
 * interpreted: a path with such a component does not exist. All calls block
 * until the device has answered; none may be made from an event handler.
 * Errors are negative errno values. */
#ifndef FILESERVER_FS_H
#define FILESERVER_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_NAME_MAX 255

enum fs_type { FS_FILE, FS_DIR, FS_OTHER };
enum fs_mode { FS_READONLY, FS_READWRITE };

struct fs_stat {
	enum fs_type type;
	uint64_t size;	/* bytes */
	uint64_t mtime; /* seconds since 1970 */
};

struct fs_file;	  /* a file open for reading */
struct fs_writer; /* a file being made; invisible until it is committed */

/* Mounts block device UNIT (xbd<UNIT>) on WHERE. -ENODEV: no such device;
 * -EROFS: FS_READWRITE of a read-only device; -EUCLEAN: not an ext2 file system
 * that libext2fs will open, or FS_READWRITE of one whose journal has not been
 * replayed; -EBUSY: WHERE or UNIT is mounted already. A file system that was
 * not clean can be mounted and stays so. */
int fs_mount(unsigned int unit, const char *where, enum fs_mode mode);

/* Unmounts everything, last mounted first; returns the first error. -EUCLEAN: a
 * file system stays marked as not clean, since it was not when mounted or
 * because a change failed halfway. Open files and writers must be closed
 * before. */
int fs_unmount_all(void);

/* Calls EACH for every mount, in mount order. */
void fs_mounts(void (*each)(void *arg, unsigned int unit, const char *where,
		   enum fs_mode mode, uint64_t bytes, uint64_t bytes_free),
    void *arg);

/* -ENOENT, -ENOTDIR, -EIO. */
int fs_stat(const char *path, struct fs_stat *out);

/* Calls EACH for every entry of directory PATH but "." and "..", in the
 * directory's order. -ENOENT, -ENOTDIR, -EIO. */
int fs_list(const char *path,
    void (*each)(void *arg, const char *name, const struct fs_stat *st),
    void *arg);

/* Opens a regular file: as it is now, also if another one takes its name while
 * it is open. -ENOENT, -EISDIR, -EINVAL (not a regular file), -EIO.
 */
int fs_open(const char *path, struct fs_file **out);
uint64_t fs_size(const struct fs_file *f);
/* Reads up to LEN bytes at OFFSET; returns how many (0 at the end), or -EIO. */
long fs_pread(struct fs_file *f, void *buf, size_t len, uint64_t offset);
void fs_close(struct fs_file *f);

/* Begins a new file that will be PATH. -ENOENT: no such directory; -EISDIR;
 * -EROFS; -EINVAL: bad name; -ENOSPC; -EIO. */
int fs_create(const char *path, struct fs_writer **out);
/* Appends; all or an error. -ENOSPC, -EFBIG, -EIO: only fs_abort may follow. */
int fs_append(struct fs_writer *w, const void *buf, size_t len);
/* Gives the file its name, in place of a file that had it, and flushes the
 * device. W is gone afterwards whatever the result. */
int fs_commit(struct fs_writer *w);
/* Gives back the blocks; nothing has changed. W is gone. */
void fs_abort(struct fs_writer *w);

#endif
