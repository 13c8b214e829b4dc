#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#include "abi/grant_table.h"
#include "abi/hvm.h"

/* Frame numbers. The first page stays free: address 0 means "none". */
#define START_INFO_GFN 1u
#define STORE_GFN 2u
#define CONSOLE_GFN 3u
#define FIRST_FREE_GFN 4u
#define IMAGE_GFN 16u

/* The start info's page. */
struct start_page {
	struct hvm_start_info info;
	struct hvm_modlist_entry module[2]; /* kernel, ramdisk */
	struct hvm_memmap_table_entry map[4];
	char cmdline[];
};

static uint64_t
pages_of(uint64_t bytes)
{
	return (bytes + HVCTL_PAGE_SIZE - 1) / HVCTL_PAGE_SIZE;
}

static uint64_t
address(uint64_t gfn)
{
	return gfn * HVCTL_PAGE_SIZE;
}

int
build_load(struct arena *mem, const struct domcfg *d, struct build_images *out,
    const char **why_out)
{
	const char *why;

	memset(out, 0, sizeof(*out));
	if (kernel_read(mem, d->kernel, &out->kernel.bytes, &out->kernel.size,
		&why) != 0 ||
	    kernel_check(mem, out->kernel.bytes, out->kernel.size, &why) != 0) {
		*why_out = arena_printf(mem, "kernel %s: %s", d->kernel, why);
		return -1;
	}
	if (d->ramdisk != NULL &&
	    kernel_read(mem, d->ramdisk, &out->ramdisk.bytes,
		&out->ramdisk.size, &why) != 0) {
		*why_out = arena_printf(mem, "ramdisk %s: %s", d->ramdisk, why);
		return -1;
	}
	return 0;
}

void
build_unload(struct build_images *images)
{
	free(images->kernel.bytes);
	free(images->ramdisk.bytes);
	memset(images, 0, sizeof(*images));
}

uint64_t
build_needs_kib(const struct build_images *images)
{
	return (IMAGE_GFN + pages_of(images->kernel.size) +
		   pages_of(images->ramdisk.size)) *
	       (HVCTL_PAGE_SIZE / 1024);
}

/* Copies IMAGE to frames from GFN on. */
static int
place(struct hvctl *hv, uint32_t domid, uint64_t gfn,
    const struct build_image *image)
{
	size_t pages = (size_t)pages_of(image->size);
	void *to;

	if (image->size == 0)
		return 0;
	to = hvctl_map(hv, domid, gfn, pages);
	if (to == NULL)
		return -1;
	memcpy(to, image->bytes, image->size);
	hvctl_unmap(hv, to, pages);
	return 0;
}

static void
map_entry(struct start_page *page, uint64_t from, uint64_t to, uint32_t type)
{
	struct hvm_memmap_table_entry *e;

	if (from == to)
		return;
	e = &page->map[page->info.memmap_entries++];
	e->addr = address(from);
	e->size = address(to - from);
	e->type = type;
}

/* The kernel's image is plain memory: it is taken out before the start. */
static void
fill_start_page(struct start_page *page, const struct domcfg *d,
    const struct build_images *images)
{
	uint64_t at = address(START_INFO_GFN), end = d->memory_kib / 4;
	uint64_t disk = IMAGE_GFN + pages_of(images->kernel.size);
	uint64_t disk_end = disk + pages_of(images->ramdisk.size);
	struct hvm_start_info *info = &page->info;

	memset(page, 0, HVCTL_PAGE_SIZE);
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->nr_modules = images->ramdisk.size > 0 ? 2 : 1;
	info->modlist_paddr = at + offsetof(struct start_page, module);
	info->cmdline_paddr = at + offsetof(struct start_page, cmdline);
	info->memmap_paddr = at + offsetof(struct start_page, map);
	page->module[0].paddr = address(IMAGE_GFN);
	page->module[0].size = images->kernel.size;
	page->module[1].paddr = address(disk);
	page->module[1].size = images->ramdisk.size;
	map_entry(page, 0, FIRST_FREE_GFN, XEN_HVM_MEMMAP_TYPE_RESERVED);
	map_entry(page, FIRST_FREE_GFN, disk, XEN_HVM_MEMMAP_TYPE_RAM);
	map_entry(page, disk, disk_end, XEN_HVM_MEMMAP_TYPE_RESERVED);
	map_entry(page, disk_end, end, XEN_HVM_MEMMAP_TYPE_RAM);
	strncpy(page->cmdline, d->cmdline,
	    HVCTL_PAGE_SIZE - offsetof(struct start_page, cmdline) - 1);
}

static int
fill_memory(struct hvctl *hv, uint32_t domid, const struct domcfg *d,
    const struct build_images *images)
{
	struct start_page *page;

	if (place(hv, domid, IMAGE_GFN, &images->kernel) != 0 ||
	    place(hv, domid, IMAGE_GFN + pages_of(images->kernel.size),
		&images->ramdisk) != 0)
		return -1;
	page = hvctl_map(hv, domid, START_INFO_GFN, 1);
	if (page == NULL)
		return -1;
	fill_start_page(page, d, images);
	hvctl_unmap(hv, page, 1);
	return 0;
}

static int
make_rings(struct hvctl *hv, uint32_t domid, struct nodes_rings *rings)
{
	rings->store_gfn = STORE_GFN;
	rings->console_gfn = CONSOLE_GFN;
	if (hvctl_alloc_port(hv, domid, &rings->store_port) != 0 ||
	    hvctl_alloc_port(hv, domid, &rings->console_port) != 0)
		return -1;
	if (hvctl_set_param(hv, domid, HVM_PARAM_STORE_PFN, STORE_GFN) != 0 ||
	    hvctl_set_param(
		hv, domid, HVM_PARAM_STORE_EVTCHN, rings->store_port) != 0 ||
	    hvctl_set_param(hv, domid, HVM_PARAM_CONSOLE_PFN, CONSOLE_GFN) !=
		0 ||
	    hvctl_set_param(
		hv, domid, HVM_PARAM_CONSOLE_EVTCHN, rings->console_port) != 0)
		return -1;
	if (hvctl_grant(hv, domid, GNTTAB_RESERVED_CONSOLE, CONSOLE_GFN) != 0)
		return -1;
	return hvctl_grant(hv, domid, GNTTAB_RESERVED_XENSTORE, STORE_GFN);
}

int
build_domain(struct arena *mem, struct hvctl *hv, uint32_t domid,
    const struct domcfg *d, const struct build_images *images,
    struct nodes_rings *rings_out, const char **why_out)
{
	const char *step = "set its memory limit";
	bool ok;

	ok = hvctl_max_memory(hv, domid, d->max_memory_kib) == 0;
	if (ok) {
		step = "set its number of vcpus";
		ok = hvctl_max_vcpus(hv, domid, d->max_vcpus) == 0;
	}
	if (ok) {
		step = "give it memory";
		ok = hvctl_populate(hv, domid, d->memory_kib / 4) == 0;
	}
	if (ok) {
		step = "put the kernel into its memory";
		ok = fill_memory(hv, domid, d, images) == 0;
	}
	if (ok) {
		step = "set up its store and console";
		ok = make_rings(hv, domid, rings_out) == 0;
	}
	if (ok) {
		step = "say where it starts";
		ok = hvctl_start_at(hv, domid, address(START_INFO_GFN)) == 0;
	}
	if (!ok)
		*why_out =
		    arena_printf(mem, "cannot %s: %s", step, strerror(errno));
	return ok ? 0 : -1;
}
