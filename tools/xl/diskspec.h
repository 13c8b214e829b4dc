/*
 * diskspec: one entry of a configuration's disk list.
 *
 * Knows the two spellings, positional ("file:/d/root,0x0,w", "/d/root,raw,
 * xvda,rw") and key=value ("vdev=xvda, access=rw, target=/d/root"), which may
 * be mixed. Looks at no file.
 */
#ifndef XL_DISKSPEC_H
#define XL_DISKSPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

enum disk_access {
	DISK_READ_ONLY,
	DISK_READ_WRITE,
	DISK_SHARED, /* "w!": writable though somebody else may write as well */
};

struct diskspec {
	const char *target; /* "" if there is no medium in the drive */
	const char *vdev;   /* as written */
	uint32_t number;    /* what vdev stands for */
	enum disk_access access;
	bool cdrom;
	const char *script; /* NULL is the usual one */
};

/*
 * Parses TEXT. Relative targets are taken from CWD; a bare name after "phy:"
 * from /dev. Strings live in MEM. 0; or -1 and in *WHY_OUT a line in MEM.
 */
int diskspec_parse(struct arena *mem, const char *text, const char *cwd,
    struct diskspec *out, const char **why_out);

/* D in the key=value spelling, in MEM; diskspec_parse gives D back. */
char *diskspec_print(struct arena *mem, const struct diskspec *d);

#endif
