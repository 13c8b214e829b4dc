/*
 * A domain's memory: a memfd whose offsets are guest-physical addresses, mapped
 * here once. The file grows with the highest frame that is populated, and is
 * sealed against growing when the domain starts, so a guest cannot use more.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"

int
ram_memfd(const char *name, uint64_t size, int seals, void **map_out)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int late = seals & F_SEAL_FUTURE_WRITE;
	void *map;

	if (fd < 0)
		return -ENOMEM;
	if (ftruncate(fd, (off_t)size) != 0 ||
	    fcntl(fd, F_ADD_SEALS, seals & ~late) != 0)
		goto fail;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	if (late != 0 && fcntl(fd, F_ADD_SEALS, late | F_SEAL_SEAL) != 0) {
		munmap(map, size);
		goto fail;
	}
	*map_out = map;
	return fd;
fail:
	close(fd);
	return -ENOMEM;
}

int
ram_init(struct hvd_domain *d)
{
	int fd = memfd_create("guest-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;

	if (fd < 0)
		return -ENOMEM;
	/* More is mapped than the file has; ram_at() never goes there. */
	map = mmap(NULL, d->hvd->ram_max, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0) {
		if (map != MAP_FAILED)
			munmap(map, d->hvd->ram_max);
		close(fd);
		return -ENOMEM;
	}
	d->ram_fd = fd;
	d->ram = map;
	return 0;
}

void
ram_fini(struct hvd_domain *d)
{
	if (d->ram == NULL)
		return;
	munmap(d->ram, d->hvd->ram_max);
	close(d->ram_fd);
	d->ram = NULL;
	d->ram_fd = -1;
}

void *
ram_at(struct hvd_domain *d, uint64_t addr, uint64_t len)
{
	if (addr > d->ram_size || len > d->ram_size - addr)
		return NULL;
	return d->ram + addr;
}

int
ram_populate(void *world, domid_t domid, uint64_t gfn, uint64_t nr)
{
	struct hvd_domain *d = guest_find(world, domid);
	uint64_t max;

	if (d == NULL || d->ram == NULL)
		return -XEN_EINVAL;
	max = d->hvd->ram_max / HV_PAGE_SIZE;
	if (gfn > max || nr > max - gfn)
		return -XEN_EINVAL;
	/* Frames that were here before may have been written since. */
	if (d->released_any &&
	    fallocate(d->ram_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)(gfn * HV_PAGE_SIZE), (off_t)(nr * HV_PAGE_SIZE)) != 0)
		return -XEN_ENOMEM;
	if ((gfn + nr) * HV_PAGE_SIZE > d->ram_size) {
		if (ftruncate(d->ram_fd, (off_t)((gfn + nr) * HV_PAGE_SIZE)) !=
		    0)
			return d->process == PROCESS_NONE ? -XEN_ENOMEM
							  : -XEN_EINVAL;
		d->ram_size = (gfn + nr) * HV_PAGE_SIZE;
	}
	d->pages += nr;
	return 0;
}

void
ram_release(void *world, domid_t domid, uint64_t gfn, uint64_t nr)
{
	struct hvd_domain *d = guest_find(world, domid);

	if (d == NULL || d->ram == NULL)
		return;
	d->released_any = true;
	d->pages -= nr;
	fallocate(d->ram_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	    (off_t)(gfn * HV_PAGE_SIZE), (off_t)(nr * HV_PAGE_SIZE));
}

void *
ram_frame(void *world, domid_t domid, uint64_t gfn)
{
	struct hvd_domain *d = guest_find(world, domid);

	if (d == NULL || d->ram == NULL || gfn > UINT64_MAX / HV_PAGE_SIZE)
		return NULL;
	return ram_at(d, gfn * HV_PAGE_SIZE, HV_PAGE_SIZE);
}
