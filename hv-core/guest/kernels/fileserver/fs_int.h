/* What fs.c (mounts, names, reading) and fs_write.c share. */
#ifndef FILESERVER_FS_INT_H
#define FILESERVER_FS_INT_H

#include <stdbool.h>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "fs.h"

#define PATH_LIMIT 1024

struct mount {
	char where[PATH_LIMIT]; /* no '/' at its end, but for "/" itself */
	unsigned int unit;
	enum fs_mode mode;
	ext2_filsys fs;
	/* It was not clean when mounted, or a change failed halfway: it must
	 * not be called clean at the end. */
	bool damaged;
};

struct fs_file {
	struct fs_file *next; /* all that are open */
	struct mount *m;
	ext2_ino_t ino;
	struct ext2_inode inode;
	bool nameless; /* its blocks go when nobody has it open any more */
};

/* The errno for libext2fs's ERR, negative, or 0. */
int fs_error(errcode_t err);

/* fs_stat()'s errors. */
int fs_resolve(const char *path, struct mount **m_out, ext2_ino_t *ino_out);
int fs_stat_inode(struct mount *m, ext2_ino_t ino, struct fs_stat *out);

/* One of those who have inode INO of M open, or NULL. */
struct fs_file *fs_find_open(const struct mount *m, ext2_ino_t ino);

/* Frees INO, whose contents are INODE and which has no name: its blocks and
 * itself. What cannot be freed is lost, and M is damaged. */
void fs_release_inode(
    struct mount *m, ext2_ino_t ino, const struct ext2_inode *inode);

#endif
