#include "fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "disk.h"

#define MOUNTS_MAX 8
#define PATH_LIMIT 1024

struct mount {
	char where[PATH_LIMIT];
	unsigned int unit;
	enum fs_mode mode;
	ext2_filsys fs;
};

struct fs_file {
	struct mount *m;
	ext2_ino_t ino;
	struct ext2_inode inode;
};

struct fs_writer {
	struct mount *m;
	ext2_ino_t dir;
	ext2_ino_t ino;
	ext2_file_t file;
	char name[FS_NAME_MAX + 1];
};

static struct mount mounts[MOUNTS_MAX];
static size_t n_mounts;

static int
err_to_errno(errcode_t err)
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
	errcode_t err;
	int flags = EXT2_FLAG_64BITS;

	for (size_t i = 0; i < n_mounts; i++)
		if (mounts[i].unit == unit ||
		    strcmp(mounts[i].where, where) == 0)
			return -EBUSY;
	if (n_mounts == MOUNTS_MAX)
		return -ENFILE;
	if (strlen(where) >= sizeof(m->where) || where[0] != '/')
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
		return err_to_errno(err);
	err = ext2fs_read_bitmaps(m->fs);
	if (err == 0 && mode == FS_READWRITE) {
		m->fs->super->s_state &= (__u16)~EXT2_VALID_FS;
		m->fs->super->s_mnt_count++;
		m->fs->super->s_mtime = (__u32)time(NULL);
		ext2fs_mark_super_dirty(m->fs);
		err = ext2fs_flush(m->fs);
	}
	if (err != 0) {
		ext2fs_free(m->fs);
		return err_to_errno(err);
	}

	snprintf(m->where, sizeof(m->where), "%s", where);
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
		errcode_t err;

		if (m->mode == FS_READWRITE) {
			m->fs->super->s_state |= EXT2_VALID_FS;
			ext2fs_mark_super_dirty(m->fs);
		}
		err = ext2fs_close_free(&m->fs);
		if (err != 0 && result == 0)
			result = err_to_errno(err);
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

static int
resolve(const char *path, struct mount **m_out, ext2_ino_t *ino_out)
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
			return err_to_errno(err);
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

static int
stat_inode(struct mount *m, ext2_ino_t ino, struct fs_stat *out)
{
	struct ext2_inode inode;
	errcode_t err = ext2fs_read_inode(m->fs, ino, &inode);

	if (err != 0)
		return err_to_errno(err);
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
	int err = resolve(path, &m, &ino);

	if (err != 0)
		return err;
	return stat_inode(m, ino, out);
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
	if (stat_inode(w->m, de->inode, &st) == 0)
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
	int err = resolve(path, &w.m, &ino);

	if (err == 0)
		err = stat_inode(w.m, ino, &st);
	if (err != 0)
		return err;
	if (st.type != FS_DIR)
		return -ENOTDIR;
	return err_to_errno(
	    ext2fs_dir_iterate(w.m->fs, ino, 0, NULL, list_entry, &w));
}

int
fs_open(const char *path, struct fs_file **out)
{
	struct fs_file *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL)
		return -ENOMEM;
	err = resolve(path, &f->m, &f->ino);
	if (err == 0)
		err = err_to_errno(
		    ext2fs_read_inode(f->m->fs, f->ino, &f->inode));
	if (err == 0 && type_of(&f->inode) == FS_DIR)
		err = -EISDIR;
	else if (err == 0 && type_of(&f->inode) != FS_FILE)
		err = -EINVAL;
	if (err != 0) {
		free(f);
		return err;
	}
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

void
fs_close(struct fs_file *f)
{
	free(f);
}

/* Splits PATH into its directory's inode and its last name. */
static int
resolve_parent(const char *path, struct fs_writer *w)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_LIMIT];
	struct fs_stat st;
	ext2_ino_t old;
	int err;

	if (slash == NULL || slash[1] == '\0' ||
	    strlen(slash + 1) > FS_NAME_MAX || strcmp(slash, "/.") == 0 ||
	    strcmp(slash, "/..") == 0)
		return -EINVAL;
	if ((size_t)(slash - path) >= sizeof(dir))
		return -ENOENT;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	if (dir[0] == '\0')
		strcpy(dir, "/");
	snprintf(w->name, sizeof(w->name), "%s", slash + 1);

	err = resolve(dir, &w->m, &w->dir);
	if (err == 0)
		err = stat_inode(w->m, w->dir, &st);
	if (err != 0)
		return err;
	if (st.type != FS_DIR)
		return -ENOTDIR;
	if (w->m->mode != FS_READWRITE)
		return -EROFS;
	if (ext2fs_lookup(w->m->fs, w->dir, w->name, (int)strlen(w->name), NULL,
		&old) == 0 &&
	    stat_inode(w->m, old, &st) == 0 && st.type == FS_DIR)
		return -EISDIR;
	return 0;
}

int
fs_create(const char *path, struct fs_writer **out)
{
	struct fs_writer *w = calloc(1, sizeof(*w));
	struct ext2_inode inode = { .i_mode = LINUX_S_IFREG | 0644,
		.i_links_count = 0 };
	errcode_t e = 0;
	int err;

	if (w == NULL)
		return -ENOMEM;
	err = resolve_parent(path, w);
	if (err == 0) {
		e = ext2fs_new_inode(
		    w->m->fs, w->dir, LINUX_S_IFREG | 0644, 0, &w->ino);
		if (e == 0) {
			inode.i_atime = inode.i_ctime = inode.i_mtime =
			    (__u32)time(NULL);
			ext2fs_inode_alloc_stats2(w->m->fs, w->ino, +1, 0);
			e = ext2fs_write_new_inode(w->m->fs, w->ino, &inode);
		}
		if (e == 0)
			e = ext2fs_file_open(
			    w->m->fs, w->ino, EXT2_FILE_WRITE, &w->file);
		if (e != 0 && w->ino != 0)
			ext2fs_inode_alloc_stats2(w->m->fs, w->ino, -1, 0);
		err = err_to_errno(e);
	}
	if (err != 0) {
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

int
fs_append(struct fs_writer *w, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len > 0) {
		unsigned int done = 0;
		unsigned int want = len > 1u << 20 ? 1u << 20 : (unsigned)len;
		errcode_t err = ext2fs_file_write(w->file, p, want, &done);

		if (err != 0)
			return err_to_errno(err);
		if (done == 0)
			return -EIO;
		p += done;
		len -= done;
	}
	return 0;
}

/* Frees an inode without a name: its blocks and itself. */
static void
release_inode(struct mount *m, ext2_ino_t ino)
{
	struct ext2_inode inode;

	if (ext2fs_read_inode(m->fs, ino, &inode) != 0)
		return;
	if (ext2fs_inode_has_valid_blocks2(m->fs, &inode))
		ext2fs_punch(m->fs, ino, &inode, NULL, 0, ~0ULL);
	inode.i_links_count = 0;
	inode.i_dtime = (__u32)time(NULL);
	ext2fs_write_inode(m->fs, ino, &inode);
	ext2fs_inode_alloc_stats2(m->fs, ino, -1, 0);
}

/* Takes the name away from a file that has it. */
static errcode_t
unlink_old(struct mount *m, ext2_ino_t dir, const char *name)
{
	struct ext2_inode inode;
	ext2_ino_t old;
	errcode_t err =
	    ext2fs_lookup(m->fs, dir, name, (int)strlen(name), NULL, &old);

	if (err == EXT2_ET_FILE_NOT_FOUND)
		return 0;
	if (err == 0)
		err = ext2fs_unlink(m->fs, dir, name, old, 0);
	if (err == 0)
		err = ext2fs_read_inode(m->fs, old, &inode);
	if (err != 0)
		return err;
	if (inode.i_links_count > 1) {
		inode.i_links_count--;
		return ext2fs_write_inode(m->fs, old, &inode);
	}
	release_inode(m, old);
	return 0;
}

int
fs_commit(struct fs_writer *w)
{
	struct mount *m = w->m;
	struct ext2_inode inode;
	errcode_t err = ext2fs_file_close(w->file);

	if (err == 0)
		err = ext2fs_read_inode(m->fs, w->ino, &inode);
	if (err == 0) {
		inode.i_links_count = 1;
		err = ext2fs_write_inode(m->fs, w->ino, &inode);
	}
	if (err == 0)
		err = unlink_old(m, w->dir, w->name);
	if (err == 0)
		err = ext2fs_link(
		    m->fs, w->dir, w->name, w->ino, EXT2_FT_REG_FILE);
	if (err == EXT2_ET_DIR_NO_SPACE) {
		err = ext2fs_expand_dir(m->fs, w->dir);
		if (err == 0)
			err = ext2fs_link(
			    m->fs, w->dir, w->name, w->ino, EXT2_FT_REG_FILE);
	}
	if (err != 0)
		release_inode(m, w->ino);
	free(w);
	if (err == 0)
		err = ext2fs_flush(m->fs);
	return err_to_errno(err);
}

void
fs_abort(struct fs_writer *w)
{
	ext2fs_file_close(w->file);
	release_inode(w->m, w->ino);
	free(w);
}
