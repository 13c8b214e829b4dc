#include "fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "disk.h"
#include "fs_int.h"

#define MOUNTS_MAX 8

static struct mount mounts[MOUNTS_MAX];
static size_t n_mounts;
static struct fs_file *open_files;

int
fs_error(errcode_t err)
{
	switch (err) {
	case 0:
		return 0;
	case EXT2_ET_FILE_NOT_FOUND:
		return -ENOENT;
	case EXT2_ET_NO_DIRECTORY:
		return -ENOTDIR;
	case EXT2_ET_BLOCK_ALLOC_FAIL:
	case EXT2_ET_INODE_ALLOC_FAIL:
	case EXT2_ET_DIR_NO_SPACE:
		return -ENOSPC;
	case EXT2_ET_FILE_TOO_BIG:
		return -EFBIG;
	case EXT2_ET_NO_MEMORY:
		return -ENOMEM;
	case EXT2_ET_RO_FILSYS:
		return -EROFS;
	case EXT2_ET_BAD_MAGIC:
	case EXT2_ET_UNSUPP_FEATURE:
	case EXT2_ET_RO_UNSUPP_FEATURE:
	case EXT2_ET_CORRUPT_SUPERBLOCK:
	case EXT2_ET_SHORT_READ:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

int
fs_mount(unsigned int unit, const char *where, enum fs_mode mode)
{
	struct mount *m = &mounts[n_mounts];
	char name[16];
	size_t where_len = strlen(where);
	errcode_t err;
	int flags = EXT2_FLAG_64BITS;

	while (where_len > 1 && where[where_len - 1] == '/')
		where_len--;
	for (size_t i = 0; i < n_mounts; i++)
		if (mounts[i].unit == unit ||
		    (strlen(mounts[i].where) == where_len &&
			memcmp(mounts[i].where, where, where_len) == 0))
			return -EBUSY;
	if (n_mounts == MOUNTS_MAX)
		return -ENFILE;
	if (where_len >= sizeof(m->where) || where[0] != '/')
		return -EINVAL;
	if (!disk_exists(unit))
		return -ENODEV;
	if (mode == FS_READWRITE) {
		if (disk_readonly(unit))
			return -EROFS;
		flags |= EXT2_FLAG_RW;
	}

	snprintf(name, sizeof(name), "xbd%u", unit);
	err = ext2fs_open(name, flags, 0, 0, disk_io_manager, &m->fs);
	if (err != 0)
		return fs_error(err);
	if (mode == FS_READWRITE &&
	    ext2fs_has_feature_journal_needs_recovery(m->fs->super))
		err = EXT2_ET_UNSUPP_FEATURE; /* its journal must run first */
	if (err == 0)
		err = ext2fs_read_bitmaps(m->fs);
	if (err == 0 && mode == FS_READWRITE) {
		m->damaged = (m->fs->super->s_state & EXT2_VALID_FS) == 0;
		m->fs->super->s_state &= (__u16)~EXT2_VALID_FS;
		m->fs->super->s_mnt_count++;
		m->fs->super->s_mtime = (__u32)time(NULL);
		ext2fs_mark_super_dirty(m->fs);
		err = ext2fs_flush(m->fs);
	}
	if (err != 0) {
		ext2fs_free(m->fs);
		return fs_error(err);
	}

	snprintf(m->where, sizeof(m->where), "%.*s", (int)where_len, where);
	m->unit = unit;
	m->mode = mode;
	n_mounts++;
	return 0;
}

int
fs_unmount_all(void)
{
	int result = 0;

	while (n_mounts > 0) {
		struct mount *m = &mounts[--n_mounts];
		errcode_t err = 0, e;

		/* All else first: then it can be called clean. */
		if (m->mode == FS_READWRITE)
			err = ext2fs_flush(m->fs);
		if (m->mode == FS_READWRITE && err == 0 && !m->damaged) {
			m->fs->super->s_state |= EXT2_VALID_FS;
			ext2fs_mark_super_dirty(m->fs);
		}
		e = ext2fs_close_free(&m->fs);
		if (err == 0)
			err = e;
		if (err != 0 && result == 0)
			result = fs_error(err);
		if (m->mode == FS_READWRITE && m->damaged && result == 0)
			result = -EUCLEAN;
	}
	return result;
}

void
fs_mounts(void (*each)(void *arg, unsigned int unit, const char *where,
	      enum fs_mode mode, uint64_t bytes, uint64_t bytes_free),
    void *arg)
{
	for (size_t i = 0; i < n_mounts; i++) {
		struct mount *m = &mounts[i];
		uint64_t bs = m->fs->blocksize;

		each(arg, m->unit, m->where, m->mode,
		    bs * ext2fs_blocks_count(m->fs->super),
		    bs * ext2fs_free_blocks_count(m->fs->super));
	}
}

/* The mount that PATH lies on, and the rest of PATH below it. */
static struct mount *
find_mount(const char *path, const char **rest_out)
{
	struct mount *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < n_mounts; i++) {
		size_t len = strlen(mounts[i].where);

		if (len == 1)
			len = 0; /* "/" is a prefix of everything */
		if (strncmp(path, mounts[i].where, len) != 0 ||
		    (path[len] != '\0' && path[len] != '/'))
			continue;
		if (best == NULL || len >= best_len) {
			best = &mounts[i];
			best_len = len;
			*rest_out = path + len;
		}
	}
	return best;
}

/* Copies the next component of *P into NAME and steps over it. 1: there was
 * one, 0: the end, negative: it is too long, "." or "..". */
static int
next_component(const char **p, char name[FS_NAME_MAX + 1])
{
	size_t len;

	while (**p == '/')
		(*p)++;
	len = strcspn(*p, "/");
	if (len == 0)
		return 0;
	if (len > FS_NAME_MAX)
		return -ENOENT;
	memcpy(name, *p, len);
	name[len] = '\0';
	*p += len;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -ENOENT;
	return 1;
}

int
fs_resolve(const char *path, struct mount **m_out, ext2_ino_t *ino_out)
{
	char name[FS_NAME_MAX + 1];
	struct mount *m;
	ext2_ino_t ino = EXT2_ROOT_INO;
	int more;

	if (path[0] != '/')
		return -ENOENT;
	m = find_mount(path, &path);
	if (m == NULL)
		return -ENOENT;
	while ((more = next_component(&path, name)) > 0) {
		errcode_t err = ext2fs_lookup(
		    m->fs, ino, name, (int)strlen(name), NULL, &ino);

		if (err != 0)
			return fs_error(err);
	}
	if (more < 0)
		return more;
	*m_out = m;
	*ino_out = ino;
	return 0;
}

static enum fs_type
type_of(const struct ext2_inode *inode)
{
	if (LINUX_S_ISREG(inode->i_mode))
		return FS_FILE;
	if (LINUX_S_ISDIR(inode->i_mode))
		return FS_DIR;
	return FS_OTHER;
}

int
fs_stat_inode(struct mount *m, ext2_ino_t ino, struct fs_stat *out)
{
	struct ext2_inode inode;
	errcode_t err = ext2fs_read_inode(m->fs, ino, &inode);

	if (err != 0)
		return fs_error(err);
	out->type = type_of(&inode);
	out->size = EXT2_I_SIZE(&inode);
	out->mtime = inode.i_mtime;
	return 0;
}

int
fs_stat(const char *path, struct fs_stat *out)
{
	struct mount *m;
	ext2_ino_t ino;
	int err = fs_resolve(path, &m, &ino);

	if (err != 0)
		return err;
	return fs_stat_inode(m, ino, out);
}

struct list_walk {
	struct mount *m;
	void (*each)(void *arg, const char *name, const struct fs_stat *st);
	void *arg;
};

static int
list_entry(
    struct ext2_dir_entry *de, int offset, int blocksize, char *buf, void *priv)
{
	struct list_walk *w = priv;
	int len = ext2fs_dirent_name_len(de);
	char name[FS_NAME_MAX + 1];
	struct fs_stat st;

	(void)offset;
	(void)blocksize;
	(void)buf;
	memcpy(name, de->name, (size_t)len);
	name[len] = '\0';
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (fs_stat_inode(w->m, de->inode, &st) == 0)
		w->each(w->arg, name, &st);
	return 0;
}

int
fs_list(const char *path,
    void (*each)(void *arg, const char *name, const struct fs_stat *st),
    void *arg)
{
	struct list_walk w = { .each = each, .arg = arg };
	struct fs_stat st;
	ext2_ino_t ino;
	int err = fs_resolve(path, &w.m, &ino);

	if (err == 0)
		err = fs_stat_inode(w.m, ino, &st);
	if (err != 0)
		return err;
	if (st.type != FS_DIR)
		return -ENOTDIR;
	return fs_error(
	    ext2fs_dir_iterate(w.m->fs, ino, 0, NULL, list_entry, &w));
}

int
fs_open(const char *path, struct fs_file **out)
{
	struct fs_file *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL)
		return -ENOMEM;
	err = fs_resolve(path, &f->m, &f->ino);
	if (err == 0)
		err = fs_error(ext2fs_read_inode(f->m->fs, f->ino, &f->inode));
	if (err == 0 && type_of(&f->inode) == FS_DIR)
		err = -EISDIR;
	else if (err == 0 && type_of(&f->inode) != FS_FILE)
		err = -EINVAL;
	if (err != 0) {
		free(f);
		return err;
	}
	f->next = open_files;
	open_files = f;
	*out = f;
	return 0;
}

uint64_t
fs_size(const struct fs_file *f)
{
	return EXT2_I_SIZE(&f->inode);
}

/* How many blocks from BLK on, at most MAX, lie together; *PHYS_OUT is where
 * the first one lies, 0 for a hole. */
static long
find_run(struct fs_file *f, blk64_t blk, size_t max, blk64_t *phys_out)
{
	size_t n = 0;
	blk64_t phys;

	while (n < max) {
		if (ext2fs_bmap2(f->m->fs, f->ino, &f->inode, NULL, 0, blk + n,
			NULL, &phys) != 0)
			return -EIO;
		if (n == 0)
			*phys_out = phys;
		else if (phys != (*phys_out == 0 ? 0 : *phys_out + n))
			break;
		n++;
	}
	return (long)n;
}

/* Reads whole blocks; LEN is a multiple of the block size. */
static int
read_blocks(struct fs_file *f, uint8_t *buf, size_t len, blk64_t blk)
{
	size_t bs = f->m->fs->blocksize;

	while (len > 0) {
		blk64_t phys = 0;
		long n = find_run(f, blk, len / bs, &phys);

		if (n < 0)
			return (int)n;
		if (phys == 0)
			memset(buf, 0, (size_t)n * bs);
		else if (io_channel_read_blk64(
			     f->m->fs->io, phys, (int)n, buf) != 0)
			return -EIO;
		buf += (size_t)n * bs;
		len -= (size_t)n * bs;
		blk += (blk64_t)n;
	}
	return 0;
}

long
fs_pread(struct fs_file *f, void *buf, size_t len, uint64_t offset)
{
	size_t bs = f->m->fs->blocksize;
	uint8_t *out = buf;
	uint8_t *bounce;
	size_t done = 0;
	int err = 0;

	if (offset >= fs_size(f))
		return 0;
	if (len > fs_size(f) - offset)
		len = (size_t)(fs_size(f) - offset);
	bounce = malloc(bs);
	if (bounce == NULL)
		return -ENOMEM;

	while (done < len && err == 0) {
		uint64_t at = offset + done;
		size_t skip = (size_t)(at % bs);
		size_t whole = (len - done) / bs * bs;
		size_t n;

		if (skip == 0 && whole > 0) {
			err = read_blocks(f, out + done, whole, at / bs);
			done += whole;
			continue;
		}
		n = bs - skip < len - done ? bs - skip : len - done;
		err = read_blocks(f, bounce, bs, at / bs);
		if (err == 0)
			memcpy(out + done, bounce + skip, n);
		done += n;
	}
	free(bounce);
	return err != 0 ? err : (long)len;
}

struct fs_file *
fs_find_open(const struct mount *m, ext2_ino_t ino)
{
	struct fs_file *f = open_files;

	while (f != NULL && (f->m != m || f->ino != ino))
		f = f->next;
	return f;
}

void
fs_close(struct fs_file *f)
{
	struct fs_file **at = &open_files;
	struct fs_file *other;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	other = fs_find_open(f->m, f->ino);
	if (f->nameless && other != NULL)
		other->nameless = true;
	else if (f->nameless)
		fs_release_inode(f->m, f->ino, &f->inode);
	free(f);
}
