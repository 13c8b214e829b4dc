#include "fs_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than any file has, and far from where the counter wraps. */
#define MANY_SECTORS 0x7fffffffu

struct fs_writer {
	struct mount *m;
	ext2_ino_t dir;
	ext2_ino_t ino;
	ext2_file_t file;
	char name[FS_NAME_MAX + 1];
};

/* fs_error() of a change's result: one that failed for another reason than
 * want of room may have been done by half. */
static int
changed(struct mount *m, errcode_t err)
{
	int result = fs_error(err);

	if (result != 0 && result != -ENOSPC && result != -EFBIG)
		m->damaged = true;
	return result;
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

	err = fs_resolve(dir, &w->m, &w->dir);
	if (err == 0)
		err = fs_stat_inode(w->m, w->dir, &st);
	if (err != 0)
		return err;
	if (st.type != FS_DIR)
		return -ENOTDIR;
	if (w->m->mode != FS_READWRITE)
		return -EROFS;
	if (ext2fs_lookup(w->m->fs, w->dir, w->name, (int)strlen(w->name), NULL,
		&old) == 0 &&
	    fs_stat_inode(w->m, old, &st) == 0 && st.type == FS_DIR)
		return -EISDIR;
	return 0;
}

/* An inode for W without a name, open for writing. */
static errcode_t
new_file(struct fs_writer *w)
{
	ext2_filsys fs = w->m->fs;
	struct ext2_inode inode = { .i_mode = LINUX_S_IFREG | 0644 };
	errcode_t err =
	    ext2fs_new_inode(fs, w->dir, LINUX_S_IFREG | 0644, 0, &w->ino);

	if (err != 0)
		return err;
	inode.i_atime = inode.i_ctime = inode.i_mtime = (__u32)time(NULL);
	ext2fs_inode_alloc_stats2(fs, w->ino, +1, 0);
	err = ext2fs_write_new_inode(fs, w->ino, &inode);
	if (err == 0)
		err = ext2fs_file_open(fs, w->ino, EXT2_FILE_WRITE, &w->file);
	if (err != 0)
		fs_release_inode(w->m, w->ino, &inode);
	return err;
}

int
fs_create(const char *path, struct fs_writer **out)
{
	struct fs_writer *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return -ENOMEM;
	err = resolve_parent(path, w);
	if (err == 0)
		err = changed(w->m, new_file(w));
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
			return changed(w->m, err);
		if (done == 0)
			return -EIO;
		p += done;
		len -= done;
	}
	return 0;
}

void
fs_release_inode(
    struct mount *m, ext2_ino_t ino, const struct ext2_inode *inode)
{
	struct ext2_inode gone = *inode;
	errcode_t err = 0;

	/* An allocation that failed halfway has not been counted. */
	gone.i_blocks = MANY_SECTORS;
	if (ext2fs_inode_has_valid_blocks2(m->fs, &gone))
		err = ext2fs_punch(m->fs, ino, &gone, NULL, 0, ~0ULL);
	if (err == 0)
		err = ext2fs_free_ext_attr(m->fs, ino, (void *)&gone);
	gone.i_blocks = 0;
	gone.i_links_count = 0;
	gone.i_dtime = (__u32)time(NULL);
	if (err == 0)
		err = ext2fs_write_inode(m->fs, ino, &gone);
	if (changed(m, err) == 0)
		ext2fs_inode_alloc_stats2(m->fs, ino, -1, 0);
	else
		m->damaged = true;
}

/* INO has one name less. */
static errcode_t
drop_link(struct mount *m, ext2_ino_t ino)
{
	struct fs_file *reader = fs_find_open(m, ino);
	struct ext2_inode inode;
	errcode_t err = ext2fs_read_inode(m->fs, ino, &inode);

	if (err != 0)
		return err;
	if (inode.i_links_count > 1) {
		inode.i_links_count--;
		return ext2fs_write_inode(m->fs, ino, &inode);
	}
	if (reader != NULL)
		reader->nameless = true;
	else
		fs_release_inode(m, ino, &inode);
	return 0;
}

struct renaming {
	ext2_ino_t from, to;
	const char *name;
	bool done;
};

static int
rename_entry(
    struct ext2_dir_entry *de, int offset, int blocksize, char *buf, void *priv)
{
	struct renaming *r = priv;

	(void)offset;
	(void)blocksize;
	(void)buf;
	if (de->inode != r->from ||
	    (size_t)ext2fs_dirent_name_len(de) != strlen(r->name) ||
	    memcmp(de->name, r->name, strlen(r->name)) != 0)
		return 0;
	de->inode = r->to;
	if (ext2fs_dirent_file_type(de) != EXT2_FT_UNKNOWN)
		ext2fs_dirent_set_file_type(de, EXT2_FT_REG_FILE);
	r->done = true;
	return DIRENT_CHANGED | DIRENT_ABORT;
}

/* Lets the name of W, which is OLD's, be W's: one block is written, so that
 * the name is there at every moment. */
static errcode_t
take_name(struct fs_writer *w, ext2_ino_t old)
{
	struct renaming r = { .from = old, .to = w->ino, .name = w->name };
	errcode_t err =
	    ext2fs_dir_iterate(w->m->fs, w->dir, 0, NULL, rename_entry, &r);

	return err == 0 && !r.done ? EXT2_ET_FILE_NOT_FOUND : err;
}

static errcode_t
new_name(struct fs_writer *w)
{
	ext2_filsys fs = w->m->fs;
	errcode_t err =
	    ext2fs_link(fs, w->dir, w->name, w->ino, EXT2_FT_REG_FILE);

	if (err != EXT2_ET_DIR_NO_SPACE)
		return err;
	err = ext2fs_expand_dir(fs, w->dir);
	if (err != 0)
		return err;
	return ext2fs_link(fs, w->dir, w->name, w->ino, EXT2_FT_REG_FILE);
}

/* Ends the writing. INODE is what the file has come to, whatever the result. */
static errcode_t
close_file(struct fs_writer *w, struct ext2_inode *inode)
{
	errcode_t err = ext2fs_file_flush(w->file);

	*inode = *ext2fs_file_get_inode(w->file);
	ext2fs_file_close(w->file);
	return err;
}

int
fs_commit(struct fs_writer *w)
{
	struct mount *m = w->m;
	struct ext2_inode inode;
	ext2_ino_t old = 0;
	errcode_t err = close_file(w, &inode);
	int result;

	inode.i_links_count = 1;
	if (err == 0)
		err = ext2fs_write_inode(m->fs, w->ino, &inode);
	if (err == 0)
		err = io_channel_flush(m->fs->io); /* the name comes last */
	if (err == 0) {
		err = ext2fs_lookup(
		    m->fs, w->dir, w->name, (int)strlen(w->name), NULL, &old);
		if (err == 0)
			err = take_name(w, old);
		else if (err == EXT2_ET_FILE_NOT_FOUND)
			err = new_name(w);
	}
	if (err != 0)
		fs_release_inode(m, w->ino, &inode);
	else if (old != 0)
		err = drop_link(m, old);
	if (err == 0)
		err = ext2fs_flush(m->fs);
	result = changed(m, err);
	free(w);
	return result;
}

void
fs_abort(struct fs_writer *w)
{
	struct ext2_inode inode;

	(void)close_file(w, &inode);
	fs_release_inode(w->m, w->ino, &inode);
	free(w);
}
