/*
 * Taking a guest's kernel image out of its memory. The domain has not run yet:
 * only the toolstack has written there. All the same nothing is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/hvm.h"
#include "hv-core/hosted/hvd.h"

static int
image_copy(const uint8_t *from, uint64_t size)
{
	int fd = memfd_create("guest-kernel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -ENOMEM;
	while (size > 0) {
		ssize_t n = write(fd, from, size);

		if (n <= 0) {
			close(fd);
			return -ENOMEM;
		}
		from += n;
		size -= (uint64_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) !=
	    0) {
		close(fd);
		return -ENOMEM;
	}
	return fd;
}

int
image_take(struct hvd_domain *d, uint64_t addr, const char **why_out)
{
	struct hvm_start_info si;
	struct hvm_modlist_entry mod;
	const void *p;

	*why_out = "its start info lies outside of its memory";
	p = ram_at(d, addr, sizeof(si));
	if (addr == 0 || p == NULL)
		return -EINVAL;
	memcpy(&si, p, sizeof(si));
	*why_out = "its start info has no magic number";
	if (si.magic != XEN_HVM_START_MAGIC_VALUE)
		return -EINVAL;
	*why_out = "its start info names no module: module 0 is the kernel";
	p = ram_at(d, si.modlist_paddr, sizeof(mod));
	if (si.nr_modules == 0 || p == NULL)
		return -EINVAL;
	memcpy(&mod, p, sizeof(mod));
	*why_out = "its kernel image lies outside of its memory";
	p = ram_at(d, mod.paddr, mod.size);
	if (p == NULL || mod.size == 0)
		return -EINVAL;
	*why_out = "out of memory for its kernel image";
	return image_copy(p, mod.size);
}
