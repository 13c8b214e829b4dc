/*
 * The floor of the virtual disks: one process moves a file to or from its
 * memory with pread() or pwrite(), as much at a time as the guest does.
 *
 * bench_blk read|write FILE KIB MIB: prints the bytes moved and nanoseconds.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int
main(int argc, char **argv)
{
	size_t chunk, total, done = 0;
	uint64_t start;
	char *buf;
	int fd, writing;

	if (argc != 5) {
		fprintf(stderr, "usage: bench_blk read|write FILE KIB MIB\n");
		return 2;
	}
	writing = strcmp(argv[1], "write") == 0;
	chunk = strtoul(argv[3], NULL, 10) << 10;
	total = strtoul(argv[4], NULL, 10) << 20;
	fd = open(argv[2], writing ? O_WRONLY : O_RDONLY);
	buf = aligned_alloc(4096, chunk);
	if (fd < 0 || buf == NULL || chunk == 0) {
		perror("bench_blk");
		return 1;
	}
	memset(buf, 0xa5, chunk);
	start = now_ns();
	while (done + chunk <= total) {
		ssize_t n = writing ? pwrite(fd, buf, chunk, (off_t)done)
				    : pread(fd, buf, chunk, (off_t)done);

		if (n != (ssize_t)chunk) {
			perror("bench_blk: short transfer");
			return 1;
		}
		done += chunk;
	}
	if (writing)
		fdatasync(fd);
	printf("%zu %llu\n", done, (unsigned long long)(now_ns() - start));
	return 0;
}
