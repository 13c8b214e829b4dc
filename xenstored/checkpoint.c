/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tdb.h>

#include "xenstored/crash_point.h"
#include "xenstored/image_io.h"

#define CHECKPOINT_MAGIC UINT64_C(0x316b68637362726b) /* "krbschk1" */

enum {
	CHECKPOINT_VERSION = 1,
	PIECE_SIZE = 64 * 1024,
	FILES = 2,
	HASH_SIZE = 131,
	/* No mapping: a file that is cut while it is read is an error and no
	 * signal. No locks: there is one writer. The host's end is the
	 * hypervisor's, so that nothing has to reach a disk. */
	TDB_FLAGS = TDB_NOMMAP | TDB_NOLOCK | TDB_NOSYNC,
};

/* The record that says what the pieces are; it is written last. */
struct summary {
	uint64_t generation;
	uint64_t len;
	struct boot_id boot;
	uint32_t version;
};

struct checkpoint {
	struct tdb_context *tdb[FILES];
	uint64_t generation; /* of the newest */
};

static void __attribute__((format(printf, 2, 3)))
say(char why[IMAGE_WHY_SIZE], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, IMAGE_WHY_SIZE, format, ap);
	va_end(ap);
}

/* --- files --- */

/* What the library has to say is said by its results, too. */
static void
quiet(struct tdb_context *tdb, enum tdb_debug_level level, const char *format,
    ...)
{
	(void)tdb;
	(void)level;
	(void)format;
}

/* File I of PATH; NULL with errno. */
static struct tdb_context *
file_open(const char *path, unsigned i, int tdb_flags, int flags)
{
	struct tdb_logging_context logging = { .log_fn = quiet };
	struct tdb_context *tdb;
	char name[4096];

	if ((size_t)snprintf(name, sizeof(name), "%s.%u", path, i) >=
	    sizeof(name)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	errno = 0;
	tdb = tdb_open_ex(name, HASH_SIZE, TDB_FLAGS | tdb_flags,
	    flags | O_CLOEXEC, 0600, &logging, NULL);
	if (tdb == NULL && errno == 0)
		errno = EIO; /* the library knows the file's format is wrong */
	return tdb;
}

static TDB_DATA
summary_key(void)
{
	static unsigned char name[] = "summary";

	return (TDB_DATA){ .dptr = name, .dsize = sizeof(name) };
}

static TDB_DATA
piece_key(unsigned char key[4], size_t i)
{
	key[0] = (unsigned char)(i & 0xff);
	key[1] = (unsigned char)(i >> 8 & 0xff);
	key[2] = (unsigned char)(i >> 16 & 0xff);
	key[3] = (unsigned char)(i >> 24 & 0xff);
	return (TDB_DATA){ .dptr = key, .dsize = 4 };
}

/* --- the summary --- */

static bool
summary_put(struct tdb_context *tdb, const struct summary *s)
{
	struct image bytes = { NULL, 0, 0, false };
	TDB_DATA data;
	bool ok;

	put_u64(&bytes, CHECKPOINT_MAGIC);
	put_u32(&bytes, s->version);
	put_u64(&bytes, s->generation);
	put_u64(&bytes, s->len);
	put_bytes(&bytes, s->boot.byte, sizeof(s->boot.byte));
	put_u64(&bytes, bytes_sum(bytes.data, bytes.len));
	data.dptr = (unsigned char *)bytes.data;
	data.dsize = bytes.len;
	ok = !bytes.failed &&
	     tdb_store(tdb, summary_key(), data, TDB_REPLACE) == 0;
	image_free(&bytes);
	return ok;
}

/* What TDB has; false: nothing that was written whole. */
static bool
summary_get(struct tdb_context *tdb, struct summary *s)
{
	TDB_DATA data = tdb_fetch(tdb, summary_key());
	struct image_in in = { data.dptr, 0, NULL };
	const char *boot;
	uint64_t sum;
	bool ok;

	if (data.dptr != NULL) /* else the length means nothing */
		in.left = data.dsize;
	ok = get_u64(&in) == CHECKPOINT_MAGIC;
	s->version = get_u32(&in);
	s->generation = get_u64(&in);
	s->len = get_u64(&in);
	boot = get_bytes(&in, sizeof(s->boot.byte));
	if (boot != NULL)
		memcpy(s->boot.byte, boot, sizeof(s->boot.byte));
	if (ok) {
		sum = get_u64(&in);
		ok = in.wrong == NULL && in.left == 0 &&
		     sum == bytes_sum(data.dptr, data.dsize - 8);
	}
	free(data.dptr);
	return ok;
}

/* --- writing --- */

struct checkpoint *
checkpoint_open(const char *path, char why[IMAGE_WHY_SIZE])
{
	struct checkpoint *cp = calloc(1, sizeof(*cp));
	struct summary s;
	unsigned i;

	if (cp == NULL) {
		say(why, "checkpoint: no memory");
		return NULL;
	}
	for (i = 0; i < FILES; i++) {
		cp->tdb[i] = file_open(path, i, 0, O_RDWR | O_CREAT);
		if (cp->tdb[i] == NULL) /* whatever it was, it is no tdb */
			cp->tdb[i] =
			    file_open(path, i, 0, O_RDWR | O_CREAT | O_TRUNC);
		if (cp->tdb[i] == NULL) {
			say(why, "checkpoint: %s.%u cannot be opened: %s", path,
			    i, strerror(errno));
			checkpoint_close(cp);
			return NULL;
		}
		if (summary_get(cp->tdb[i], &s) &&
		    s.generation > cp->generation)
			cp->generation = s.generation;
	}
	return cp;
}

void
checkpoint_close(struct checkpoint *cp)
{
	unsigned i;

	if (cp == NULL)
		return;
	for (i = 0; i < FILES; i++)
		if (cp->tdb[i] != NULL)
			tdb_close(cp->tdb[i]);
	free(cp);
}

static bool
put_pieces(struct tdb_context *tdb, const struct image *image)
{
	unsigned char key[4];
	size_t at, n, i = 0;
	TDB_DATA data;

	for (at = 0; at < image->len; at += n, i++) {
		n = image->len - at;
		if (n > PIECE_SIZE)
			n = PIECE_SIZE;
		data.dptr = (unsigned char *)image->data + at;
		data.dsize = n;
		if (tdb_store(tdb, piece_key(key, i), data, TDB_INSERT) != 0)
			return false;
	}
	return true;
}

bool
checkpoint_put(struct checkpoint *cp, const struct boot_id *boot,
    const struct image *image, char why[IMAGE_WHY_SIZE])
{
	struct summary s = {
		.version = CHECKPOINT_VERSION,
		.generation = cp->generation + 1,
		.len = image->len,
		.boot = *boot,
	};
	struct tdb_context *tdb = cp->tdb[s.generation % FILES];

	errno = 0;
	CRASH_POINT(); /* and at each piece that the library writes */
	if (tdb_wipe_all(tdb) != 0 || !put_pieces(tdb, image) ||
	    !summary_put(tdb, &s)) {
		say(why, "checkpoint: %s cannot be written: %s", tdb_name(tdb),
		    errno != 0 ? strerror(errno) : tdb_errorstr(tdb));
		return false;
	}
	CRASH_POINT();
	cp->generation = s.generation;
	return true;
}

/* --- reading --- */

/* The image that S tells of, whole. False: it is not. */
static bool
get_pieces(
    struct tdb_context *tdb, const struct summary *s, struct image *image)
{
	unsigned char key[4];
	size_t i, n;
	TDB_DATA data;

	for (i = 0; image->len < s->len && !image->failed; i++) {
		n = s->len - image->len;
		if (n > PIECE_SIZE)
			n = PIECE_SIZE;
		data = tdb_fetch(tdb, piece_key(key, i));
		if (data.dptr == NULL || data.dsize != n) {
			free(data.dptr);
			return false;
		}
		put_bytes(image, data.dptr, data.dsize);
		free(data.dptr);
	}
	return !image->failed;
}

/* One of the two files, as it was found. */
struct found_file {
	struct tdb_context *tdb;
	int error; /* errno of the opening, or 0 */
	bool whole;
	struct summary s;
};

static void
look_at(const char *path, unsigned i, struct found_file *f)
{
	memset(f, 0, sizeof(*f));
	f->tdb = file_open(path, i, 0, O_RDONLY);
	if (f->tdb == NULL)
		f->error = errno;
	else
		f->whole = summary_get(f->tdb, &f->s);
}

/* What F is to one who wants an image of BOOT. */
static enum checkpoint_status
judge(const struct found_file *f, const struct boot_id *boot,
    struct image *image, char why[IMAGE_WHY_SIZE])
{
	if (f->error == ENOENT) {
		say(why, "checkpoint: there is none");
		return CHECKPOINT_NONE;
	}
	if (f->error == EACCES || f->error == EPERM || f->error == ENOMEM) {
		say(why, "checkpoint: it cannot be read: %s",
		    strerror(f->error));
		return CHECKPOINT_ERROR;
	}
	if (!f->whole) {
		say(why, "checkpoint: it is damaged or was never finished");
		return CHECKPOINT_BAD;
	}
	if (f->s.version != CHECKPOINT_VERSION) {
		say(why, "checkpoint: its version %u is " NOT_KNOWN,
		    (unsigned)f->s.version);
		return CHECKPOINT_LATER;
	}
	if (boot != NULL && memcmp(boot, &f->s.boot, sizeof(*boot)) != 0) {
		say(why, "checkpoint: it is of another life of the hypervisor");
		return CHECKPOINT_FOREIGN;
	}
	why[0] = '\0';
	if (!get_pieces(f->tdb, &f->s, image) ||
	    !image_whole(image->data, image->len, NULL, why)) {
		image_free(image);
		if (image_is_not_known(why))
			return CHECKPOINT_LATER;
		say(why, "checkpoint: its image is damaged");
		return CHECKPOINT_BAD;
	}
	return CHECKPOINT_OK;
}

enum checkpoint_status
checkpoint_load(const char *path, const struct boot_id *boot,
    struct image *image_out, char why[IMAGE_WHY_SIZE])
{
	struct found_file file[FILES];
	char why_not[IMAGE_WHY_SIZE];
	enum checkpoint_status status, second;
	unsigned newest, i;

	memset(image_out, 0, sizeof(*image_out));
	for (i = 0; i < FILES; i++)
		look_at(path, i, &file[i]);
	newest = file[1].whole && (!file[0].whole || file[1].s.generation >
							 file[0].s.generation);
	why[0] = '\0';
	status = judge(&file[newest], boot, image_out, why);
	if (status != CHECKPOINT_OK && status != CHECKPOINT_FOREIGN &&
	    status != CHECKPOINT_LATER) {
		second = judge(&file[1 - newest], boot, image_out, why_not);
		if (second == CHECKPOINT_OK || status == CHECKPOINT_NONE) {
			if (second != CHECKPOINT_OK)
				memcpy(why, why_not, IMAGE_WHY_SIZE);
			status = second;
		}
	}
	for (i = 0; i < FILES; i++)
		if (file[i].tdb != NULL)
			tdb_close(file[i].tdb);
	return status;
}
