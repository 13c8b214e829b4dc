/*
 * From the process's entry to guest_main(): the machine, its memory and what
 * the builder put there, events, grants, console.
 */
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/console.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/memory.h"
#include "hv-core/guest/port.h"
#include "hv-core/guest/runtime.h"

#include "abi/grant_table.h"
#include "abi/hvm.h"

/* Frames of grant table to ask for: 512 entries each. */
#define GRANT_FRAMES 8u
#define CMDLINE_MAX 4096u
#define MAP_ENTRIES_MAX 128u

static struct guest_boot boot = { .cmdline = "" };

/* A NUL-terminated copy of at most CMDLINE_MAX bytes at guest-physical ADDR. */
static const char *
copy_string(uint64_t addr)
{
	static char text[CMDLINE_MAX + 1];
	size_t i;

	for (i = 0; i < CMDLINE_MAX; i++) {
		const char *c = memory_at(addr + i, 1);

		if (c == NULL || *c == '\0')
			break;
		text[i] = *c;
	}
	text[i] = '\0';
	memory_reserve(addr, i + 1);
	return text;
}

/* Keeps away from everything that the memory map calls something else. */
static void
reserve_by_map(const struct hvm_start_info *info)
{
	uint64_t size = info->memmap_entries *
			(uint64_t)sizeof(struct hvm_memmap_table_entry);
	const struct hvm_memmap_table_entry *map;
	uint32_t i;

	if (info->version < 1 || info->memmap_entries > MAP_ENTRIES_MAX)
		return;
	map = memory_at(info->memmap_paddr, size);
	if (map == NULL)
		return;
	memory_reserve(info->memmap_paddr, size);
	for (i = 0; i < info->memmap_entries; i++)
		if (map[i].type != XEN_HVM_MEMMAP_TYPE_RAM)
			memory_reserve(map[i].addr, map[i].size);
}

/*
 * Module 0 is the kernel's image and not kept: the hypervisor has taken it out
 * already. Module 1, if there is one, is the ramdisk.
 */
static void
read_modules(const struct hvm_start_info *info)
{
	const struct hvm_modlist_entry *list =
	    memory_at(info->modlist_paddr, 2 * sizeof(*list));

	if (info->nr_modules < 2 || list == NULL)
		return;
	boot.ramdisk = memory_at(list[1].paddr, list[1].size);
	if (boot.ramdisk == NULL)
		return;
	boot.ramdisk_size = (size_t)list[1].size;
	memory_reserve(list[1].paddr, list[1].size);
}

static void
read_start_info(uint64_t addr)
{
	const struct hvm_start_info *at =
	    memory_at(addr, sizeof(struct hvm_start_info));
	struct hvm_start_info info;

	memory_reserve(0, 1); /* address 0 means "none" in many places */
	if (addr == 0 || at == NULL || at->magic != XEN_HVM_START_MAGIC_VALUE)
		return;
	info = *at;
	memory_reserve(addr, sizeof(info));
	reserve_by_map(&info);
	read_modules(&info);
	if (info.cmdline_paddr != 0)
		boot.cmdline = copy_string(info.cmdline_paddr);
}

/* The page and port of a ring; GUEST_NO_GFN if the domain has none. */
static void
find_ring(
    uint32_t pfn_param, uint32_t port_param, uint64_t *gfn, uint32_t *port)
{
	uint64_t pfn = 0, number = 0;

	*gfn = GUEST_NO_GFN;
	*port = 0;
	if (guest_hvm_param(pfn_param, &pfn) != 0 ||
	    guest_hvm_param(port_param, &number) != 0 || pfn == 0 ||
	    number == 0 || number >= EVTCHN_2L_NR_CHANNELS ||
	    guest_page(pfn) == NULL)
		return;
	memory_reserve(pfn << GUEST_PAGE_SHIFT, GUEST_PAGE_SIZE);
	*gfn = pfn;
	*port = (uint32_t)number;
}

/* Grows the grant table and returns the frames that are there. */
static uint32_t
grow_grants(uint32_t max)
{
	struct gnttab_query_size query = { .dom = DOMID_SELF };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF };
	uint64_t *list = guest_alloc_pages(1);

	if (list != NULL) {
		setup.nr_frames = max < GRANT_FRAMES ? max : GRANT_FRAMES;
		setup.frame_list = guest_gfn(list) << GUEST_PAGE_SHIFT;
		(void)guest_hypercall_arg(__HYPERVISOR_grant_table_op,
		    GNTTABOP_setup_table, &setup, sizeof(setup));
		guest_free_pages(list, 1);
	}
	if (guest_hypercall_arg(__HYPERVISOR_grant_table_op,
		GNTTABOP_query_size, &query, sizeof(query)) != 0 ||
	    query.status != GNTST_okay)
		return 0;
	return query.nr_frames < max ? query.nr_frames : max;
}

static void
console_notify(void *arg)
{
	(void)arg;
	(void)guest_evtchn_notify(boot.console_port);
}

/* Input and backlog are moved by console_poll() in guest_step(). */
static void
console_event(void *arg, uint32_t port)
{
	(void)arg;
	(void)port;
}

static void
start_console(void)
{
	if (boot.console_gfn == GUEST_NO_GFN)
		return;
	console_init(guest_page(boot.console_gfn), console_notify, NULL);
	(void)guest_evtchn_handle(boot.console_port, console_event, NULL);
}

static void
start(void)
{
	struct port_machine machine;
	uint32_t frames;

	if (port_start(&machine) != 0)
		exit(2); /* not a domain: there is nobody to tell */
	if (memory_init(machine.ram, machine.ram_size) != 0)
		exit(2);
	read_start_info(machine.start_info);
	guest_evtchn_init(machine.shared);
	find_ring(HVM_PARAM_STORE_PFN, HVM_PARAM_STORE_EVTCHN, &boot.store_gfn,
	    &boot.store_port);
	find_ring(HVM_PARAM_CONSOLE_PFN, HVM_PARAM_CONSOLE_EVTCHN,
	    &boot.console_gfn, &boot.console_port);
	frames = grow_grants(machine.grant_frames_max);
	if (gnttab_init(machine.grants,
		frames * (GUEST_PAGE_SIZE /
			     (uint32_t)sizeof(struct grant_entry_v1))) != 0)
		guest_panic("no memory for the grant table's books");
	start_console();
	runtime_set_store(&boot);
	boot.ram_pages = memory_pages();
	boot.free_pages = guest_pages_free();
}

int
main(void)
{
	int rc;

	start();
	rc = guest_main(&boot);
	(void)guest_shutdown(rc == 0 ? GUEST_POWEROFF : GUEST_CRASH);
	port_stop();
}
