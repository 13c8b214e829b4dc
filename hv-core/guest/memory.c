/*
 * A bitmap of the pages in use, next fit: a kernel allocates few runs of pages
 * and keeps most of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/guest.h"
#include "hv-core/guest/memory.h"

static struct {
	uint8_t *ram;
	size_t pages, free;
	uint8_t *used; /* a byte a page */
	size_t hint;   /* where to look first */
} mem;

int
memory_init(uint8_t *ram, uint64_t size)
{
	uint8_t *used = calloc(1, (size_t)(size >> GUEST_PAGE_SHIFT) + 1);

	if (used == NULL)
		return -ENOMEM;
	free(mem.used);
	mem.ram = ram;
	mem.pages = mem.free = (size_t)(size >> GUEST_PAGE_SHIFT);
	mem.used = used;
	mem.hint = 0;
	return 0;
}

void
memory_reserve(uint64_t addr, uint64_t size)
{
	uint64_t page = addr >> GUEST_PAGE_SHIFT, end;

	if (size == 0 || page >= mem.pages)
		return;
	end = mem.pages;
	if (size <= UINT64_MAX - GUEST_PAGE_SIZE - addr)
		end = (addr + size + GUEST_PAGE_SIZE - 1) >> GUEST_PAGE_SHIFT;
	for (; page < end && page < mem.pages; page++) {
		mem.free -= !mem.used[page];
		mem.used[page] = 1;
	}
}

void *
memory_at(uint64_t addr, uint64_t size)
{
	uint64_t bytes = (uint64_t)mem.pages << GUEST_PAGE_SHIFT;

	if (addr > bytes || size > bytes - addr)
		return NULL;
	return mem.ram + addr;
}

size_t
memory_pages(void)
{
	return mem.pages;
}

/* The first of COUNT free pages at FROM or later and before END, or END. */
static size_t
find_run(size_t from, size_t end, size_t count)
{
	size_t run = 0;

	for (; from < end; from++) {
		run = mem.used[from] ? 0 : run + 1;
		if (run == count)
			return from + 1 - count;
	}
	return end;
}

void *
guest_alloc_pages(size_t count)
{
	size_t at;
	void *pages;

	if (count == 0 || count > mem.free)
		return NULL;
	at = find_run(mem.hint, mem.pages, count);
	if (at == mem.pages)
		at = find_run(0, mem.pages, count);
	if (at == mem.pages)
		return NULL;
	memset(mem.used + at, 1, count);
	mem.free -= count;
	mem.hint = at + count;
	pages = mem.ram + (at << GUEST_PAGE_SHIFT);
	memset(pages, 0, count << GUEST_PAGE_SHIFT);
	return pages;
}

void
guest_free_pages(void *pages, size_t count)
{
	size_t at;

	if (pages == NULL)
		return;
	at = (size_t)guest_gfn(pages);
	if (at >= mem.pages || count > mem.pages - at)
		guest_panic("guest_free_pages: not a page of RAM");
	for (; count > 0; count--, at++) {
		if (!mem.used[at])
			guest_panic("guest_free_pages: freed twice");
		mem.used[at] = 0;
		mem.free++;
	}
}

size_t
guest_pages_free(void)
{
	return mem.free;
}

int
guest_is_ram(const void *ptr, size_t len)
{
	uintptr_t base = (uintptr_t)mem.ram, at = (uintptr_t)ptr;
	size_t bytes = mem.pages << GUEST_PAGE_SHIFT;

	return at >= base && at - base <= bytes && len <= bytes - (at - base);
}

uint64_t
guest_gfn(const void *ptr)
{
	if (!guest_is_ram(ptr, 1))
		return GUEST_NO_GFN;
	return ((uintptr_t)ptr - (uintptr_t)mem.ram) >> GUEST_PAGE_SHIFT;
}

void *
guest_page(uint64_t gfn)
{
	if (gfn >= mem.pages)
		return NULL;
	return mem.ram + (gfn << GUEST_PAGE_SHIFT);
}
