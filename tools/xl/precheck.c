#include "precheck.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "tools/common/paths.h"

/* Two names of one image, or of one device. */
static bool
same_image(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) != 0 || stat(b, &y) != 0)
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether one use of an image stands in the way of another one. */
static bool
conflict(enum disk_access wanted, const char *other_mode)
{
	if (wanted == DISK_SHARED)
		return false;
	return wanted == DISK_READ_WRITE || *other_mode == 'w';
}

/* The name of a domain that uses DISK's image already, or NULL. */
static const char *
user_of(struct xl *xl, const struct diskspec *disk)
{
	size_t domains, disks;
	char **ids = store_list(xl->st, xl->mem, "/libxl", &domains);

	for (size_t i = 0; i < domains; i++) {
		uint32_t domid = (uint32_t)strtoul(ids[i], NULL, 10);
		struct device *dev =
		    device_list(xl->st, xl->mem, domid, DEVICE_VBD, &disks);

		for (size_t j = 0; j < disks; j++) {
			const char *dir = device_mirror(xl->mem, &dev[j]);
			const char *params =
			    store_read_in(xl->st, xl->mem, dir, "params");
			const char *mode =
			    store_read_in(xl->st, xl->mem, dir, "mode");

			if (params == NULL || mode == NULL ||
			    !same_image(params, disk->target) ||
			    !conflict(disk->access, mode))
				continue;
			dir = xl_domain_name(xl, xl->mem, domid);
			return dir != NULL ? dir : ids[i];
		}
	}
	return NULL;
}

/* What keeps DISK's image from being opened, or NULL. */
static const char *
image_fault(const struct diskspec *disk)
{
	struct stat st;
	int want = disk->access == DISK_READ_ONLY ? R_OK : R_OK | W_OK;

	if (stat(disk->target, &st) != 0)
		return strerror(errno);
	if (S_ISCHR(st.st_mode))
		return "a character device; give the block device";
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return "neither a file nor a block device";
	if (S_ISREG(st.st_mode) && st.st_size < 512)
		return "too small for a disk";
	if (access(disk->target, want) != 0)
		return strerror(errno);
	return NULL;
}

int
precheck_disk(struct xl *xl, const struct diskspec *disk, const char **why_out)
{
	const char *script =
	    nodes_vbd_script(xl->mem, disk, paths_dir(PATHS_SCRIPT));
	const char *why;

	if (disk->script != NULL) {
		if (access(script, X_OK) == 0)
			return 0;
		*why_out = arena_printf(xl->mem, "disk %s: script %s: %s",
		    disk->vdev, script, strerror(errno));
		return -1;
	}
	if (*disk->target == '\0')
		return 0;
	why = image_fault(disk);
	if (why == NULL) {
		const char *user = user_of(xl, disk);

		if (user == NULL)
			return 0;
		why = arena_printf(
		    xl->mem, "in use by domain %s (access w! shares it)", user);
	}
	*why_out = arena_printf(
	    xl->mem, "disk %s: %s: %s", disk->vdev, disk->target, why);
	return -1;
}

int
precheck_vif(struct xl *xl, const struct vifspec *vif, const char **why_out)
{
	const char *script =
	    nodes_vif_script(xl->mem, vif, paths_dir(PATHS_SCRIPT));

	if (access(script, X_OK) != 0) {
		*why_out = arena_printf(xl->mem, "vif %u: script %s: %s",
		    vif->handle, script, strerror(errno));
		return -1;
	}
	if (vif->bridge == NULL || strcmp(vif->bridge, "null") == 0 ||
	    strcmp(strrchr(script, '/') + 1, "vif-bridge") != 0 ||
	    if_nametoindex(vif->bridge) != 0)
		return 0;
	*why_out = arena_printf(xl->mem, "vif %u: bridge %s does not exist",
	    vif->handle, vif->bridge);
	return -1;
}

int
precheck_devices(struct xl *xl, const struct domcfg *d, const char **why_out)
{
	size_t i, j;

	for (i = 0; i < d->disks; i++) {
		const struct diskspec *disk = &d->disk[i];

		if (precheck_disk(xl, disk, why_out) != 0)
			return -1;
		for (j = 0; j < i; j++) {
			if (!same_image(disk->target, d->disk[j].target) ||
			    !conflict(disk->access,
				d->disk[j].access == DISK_READ_ONLY ? "r"
								    : "w"))
				continue;
			*why_out = arena_printf(xl->mem,
			    "disk %s: %s: given twice (access w! shares it)",
			    disk->vdev, disk->target);
			return -1;
		}
	}
	for (i = 0; i < d->vifs; i++) {
		if (precheck_vif(xl, &d->vif[i], why_out) != 0)
			return -1;
	}
	return 0;
}

static unsigned long long
mib_up(uint64_t kib)
{
	return (unsigned long long)((kib + 1023) / 1024);
}

int
precheck_memory(struct xl *xl, const struct domcfg *d,
    const struct build_images *images, const char **why_out)
{
	struct hvinfo_machine machine;
	uint64_t needs = build_needs_kib(images);

	if (needs > d->memory_kib) {
		*why_out = arena_printf(xl->mem,
		    "memory: the kernel alone needs %llu MiB, the domain has "
		    "%llu MiB",
		    mib_up(needs), mib_up(d->memory_kib));
		return -1;
	}
	if (hvinfo_physinfo(xl->info, &machine) != 0) {
		*why_out = arena_printf(xl->mem,
		    "cannot ask for the free memory: %s", strerror(errno));
		return -1;
	}
	if (d->memory_kib <= machine.free_kib)
		return 0;
	*why_out = arena_printf(xl->mem,
	    "not enough memory: need %llu MiB, %llu MiB free",
	    mib_up(d->memory_kib),
	    (unsigned long long)(machine.free_kib / 1024));
	return -1;
}

/* As the libraries choose it. */
static const char *
provider(void)
{
	const char *set = getenv("HV_PROVIDER");

	if (set != NULL && *set != '\0')
		return set;
	if (access("/dev/xen/evtchn", F_OK) == 0)
		return "linux";
	return access("/dev/xenevt", F_OK) == 0 ? "netbsd" : "hosted";
}

int
precheck_provider(struct xl *xl, const struct domcfg *d, const char **why_out)
{
	const char *name = provider();

	if (strcmp(name, "hosted") != 0) {
		*why_out = arena_printf(xl->mem,
		    "this machine runs Xen itself (provider %s): domains are "
		    "built by its own xl, not by this one",
		    name);
		return -1;
	}
	if (d->type == DOMCFG_HVM) {
		*why_out = "type hvm is not supported: it needs a device "
			   "model and an emulated machine; use pv or pvh";
		return -1;
	}
	return 0;
}
