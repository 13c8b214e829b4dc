/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct peers *
peers_make(const char *path)
{
	void *memory = MAP_FAILED;
	int fd, saved;

	if (unlink(path) != 0 && errno != ENOENT)
		return NULL;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	saved = posix_fallocate(fd, 0, sizeof(struct peers));
	if (saved == 0) {
		memory = mmap(NULL, sizeof(struct peers),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		saved = errno;
	}
	close(fd);
	errno = saved;
	return memory != MAP_FAILED ? memory : NULL;
}

/* What is at PATH, opened as FLAGS and mapped as PROT say; NULL. */
static struct peers *
map(const char *path, int flags, int prot)
{
	int fd = open(path, flags | O_CLOEXEC);
	void *memory = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size == sizeof(struct peers))
		memory =
		    mmap(NULL, sizeof(struct peers), prot, MAP_SHARED, fd, 0);
	close(fd);
	return memory != MAP_FAILED ? memory : NULL;
}

struct peers *
peers_again(const char *path)
{
	return map(path, O_RDWR, PROT_READ | PROT_WRITE);
}

const struct peers *
peers_map(const char *path)
{
	return map(path, O_RDONLY, PROT_READ);
}

void
peers_unmap(const struct peers *peers)
{
	if (peers != NULL)
		munmap((void *)(uintptr_t)peers, sizeof(*peers));
}

void
peers_note(struct peers *peers, uint64_t sock, pid_t pid, const char *name)
{
	struct peer *slot = &peers->slot[sock % PEERS_SLOTS];

	/* none, while it is written */
	__atomic_store_n(&slot->sock, 0, __ATOMIC_SEQ_CST);
	slot->pid = (uint64_t)pid;
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	__atomic_store_n(&slot->sock, sock, __ATOMIC_SEQ_CST);
}

bool
peers_find(const struct peers *peers, uint64_t sock, pid_t pid,
    char name_out[PEERS_NAME])
{
	const struct peer *slot;
	struct peer copy;

	if (peers == NULL || sock == 0)
		return false;
	slot = &peers->slot[sock % PEERS_SLOTS];
	if (__atomic_load_n(&slot->sock, __ATOMIC_SEQ_CST) != sock)
		return false;
	memcpy(&copy, slot, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&slot->sock, __ATOMIC_SEQ_CST) != sock ||
	    copy.pid != (uint64_t)pid || copy.name[0] == '\0')
		return false;
	copy.name[PEERS_NAME - 1] = '\0';
	memcpy(name_out, copy.name, PEERS_NAME);
	return true;
}
