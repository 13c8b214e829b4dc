/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/stream_copy.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/plat.h"

enum { BLOCK = 512 }; /* bytes, of st_blocks */

static bool
is_sane(const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_size > STREAM_COPY_MAX)
		return false;
	return st->st_size <= STREAM_COPY_HOLES ||
	       st->st_blocks >= st->st_size / BLOCK;
}

int
stream_copy(int fd)
{
	static char buf[64 * 1024];
	struct stat st;
	ssize_t n;
	off_t at;
	int copy;

	if (fd < 0 || fstat(fd, &st) != 0 || !is_sane(&st))
		return -1;
	copy = plat_memory_file("xenstored-stream");
	if (copy < 0)
		return -1;
	for (at = 0; at < st.st_size; at += n) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n <= 0 || write(copy, buf, (size_t)n) != n) {
			close(copy);
			return -1;
		}
	}
	return copy;
}
