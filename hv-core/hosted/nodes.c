/*
 * $HV_ROOT: the folders and files by which the machine is found.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

#define PATH_SIZE 4096
#define SOCKET_NODE "/" HV_SOCKET_NAME

static int lock_fd = -1;

static const char *const folders[] = { "", "/dev", "/kern", "/kern/xen" };

/* Everything that is taken away at the end; two are dom0's, one hv-kernfs's. */
static const char *const files[] = { SOCKET_NODE, "/hvd.pid",
	"/kern/xen/boot_id", "/kern/xen/privcmd", "/kern/xen/version",
	"/kern/xen/xsd_port", "/dev/xsd_kva", "/dev/xenevt" };

static void
node_path(const struct hvd *h, const char *name, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s%s", h->config->root, name);
}

static int
make_folder(const char *path)
{
	char part[PATH_SIZE];
	size_t n = 0;

	/* With its parents, as mkdir -p. */
	do {
		n += 1 + strcspn(path + n + 1, "/");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		if (mkdir(part, 0755) != 0 && errno != EEXIST) {
			log_loud("%s: %s", part, strerror(errno));
			return -1;
		}
	} while (path[n] != '\0');
	return 0;
}

static int
write_file(const char *path, mode_t mode, const char *text)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	ssize_t n;

	if (fd < 0) {
		log_loud("%s: %s", path, strerror(errno));
		return -1;
	}
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* The one before us may have removed PATH after we had opened it. */
static bool
same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
take_lock(const char *path)
{
	char pid[24];
	int len;

	do {
		if (lock_fd >= 0)
			close(lock_fd);
		lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		if (lock_fd < 0) {
			log_loud("%s: %s", path, strerror(errno));
			return -1;
		}
		if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
			log_loud("%s: another hvd runs here", path);
			close(lock_fd);
			lock_fd = -1;
			return -1;
		}
	} while (!same_file(lock_fd, path));
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(lock_fd, 0) != 0 ||
	    write(lock_fd, pid, (size_t)len) != len)
		log_line("%s: %s", path, strerror(errno));
	return 0;
}

static void
remove_files(const struct hvd *h)
{
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		node_path(h, files[i], path);
		unlink(path);
	}
}

/* A number of this run's own, as the kernel writes its own. */
static int
write_boot_id(const char *path)
{
	uint8_t id[16];
	char text[40];
	size_t len = 0;

	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -1;
	for (size_t i = 0; i < sizeof(id); i++)
		len += (size_t)sprintf(text + len, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
	text[len] = '\n';
	text[len + 1] = '\0';
	return write_file(path, 0444, text);
}

int
nodes_create(struct hvd *h)
{
	char path[PATH_SIZE];
	int err;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		node_path(h, folders[i], path);
		if (make_folder(path) != 0)
			return -1;
	}
	node_path(h, "/hvd.pid", path);
	if (take_lock(path) != 0)
		return -1;
	/* Leftovers of a machine that did not go down in order. */
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		node_path(h, files[i], path);
		if (strcmp(files[i], "/hvd.pid") != 0)
			unlink(path);
	}
	node_path(h, "/kern/xen/version", path);
	if (write_file(path, 0444, "Xen 4.17 (kernbus hosted)\n") != 0)
		return -1;
	node_path(h, "/kern/xen/boot_id", path);
	if (write_boot_id(path) != 0)
		return -1;
	node_path(h, "/kern/xen/privcmd", path);
	if (write_file(path, 0400, "") != 0)
		return -1;
	node_path(h, SOCKET_NODE, path);
	err = channels_listen(h, path);
	if (err != 0)
		log_loud("%s: %s", path, strerror(-err));
	return err == 0 ? 0 : -1;
}

void
nodes_remove(struct hvd *h)
{
	char path[PATH_SIZE];

	if (lock_fd < 0)
		return; /* they are another one's */
	if (h->listener.fd >= 0)
		close(h->listener.fd);
	remove_files(h);
	/* Folders go if nobody has put anything there. */
	for (size_t i = sizeof(folders) / sizeof(*folders); i-- > 0;) {
		node_path(h, folders[i], path);
		rmdir(path);
	}
	close(lock_fd);
	lock_fd = -1;
}
