/*
 * Inflating images. zlib reads what is not gzipped as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "hv-core/hosted/boot/loader.h"

static int
write_all(int fd, const uint8_t *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n <= 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static const char *
inflate_into(gzFile gz, int fd)
{
	static uint8_t buf[65536];
	uint64_t total = 0;
	int n, err;

	while ((n = gzread(gz, buf, sizeof(buf))) > 0) {
		total += (uint64_t)n;
		if (total > LOADER_MAX)
			return "inflates to more than 1 GiB";
		if (write_all(fd, buf, (size_t)n) != 0)
			return strerror(errno);
	}
	gzerror(gz, &err);
	if (n < 0 || err == Z_BUF_ERROR)
		return "its gzip data are damaged or end too early";
	return total == 0 ? "is empty" : NULL;
}

/* Only regular files: reading anything else might never end. */
static int
open_regular(const char *path, const char **why_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	*why_out = fd < 0 ? strerror(errno) : "is not a regular file";
	if (fd >= 0)
		close(fd);
	return -1;
}

int
loader_inflate(const char *path, const char **why_out)
{
	int in = open_regular(path, why_out);
	int out = -1;
	gzFile gz;

	if (in < 0)
		return -1;
	out = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	gz = out >= 0 ? gzdopen(in, "rb") : NULL;
	if (gz == NULL) {
		*why_out = strerror(errno != 0 ? errno : ENOMEM);
		close(in);
		if (out >= 0)
			close(out);
		return -1;
	}
	*why_out = inflate_into(gz, out);
	gzclose(gz);
	if (*why_out == NULL && (fchmod(out, 0500) != 0 ||
				    fcntl(out, F_ADD_SEALS,
					F_SEAL_SHRINK | F_SEAL_GROW |
					    F_SEAL_WRITE | F_SEAL_SEAL) != 0))
		*why_out = strerror(errno);
	if (*why_out == NULL)
		return out;
	close(out);
	return -1;
}

int
loader_load(const char *path,
    const char *(*check)(const uint8_t *image, size_t size),
    const char **why_out)
{
	int fd = loader_inflate(path, why_out);
	off_t size;
	void *map;

	if (fd < 0)
		return -1;
	size = lseek(fd, 0, SEEK_END);
	map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		*why_out = strerror(errno);
	} else {
		*why_out = check(map, (size_t)size);
		munmap(map, (size_t)size);
	}
	if (*why_out == NULL)
		return fd;
	close(fd);
	return -1;
}
