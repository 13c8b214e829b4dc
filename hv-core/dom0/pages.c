#include <stddef.h>
#include <sys/mman.h>

#include "kbgnttab.h"

#include "hv-core/dom0/pages.h"

static void
map(void *arg, uint32_t count, const uint32_t *refs, enum pages_access access,
    void **pages_out, uint32_t *handles_out)
{
	struct pages_grants *g = arg;
	int prot = access == PAGES_READ ? PROT_READ : PROT_READ | PROT_WRITE;

	if (kbgnttab_map_pages(g->xgt, g->domid, count, refs, prot, pages_out,
		handles_out) >= 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		pages_out[i] = NULL;
		handles_out[i] = KBGNTTAB_NO_HANDLE;
	}
}

static void
unmap(void *arg, uint32_t count, const uint32_t *handles)
{
	struct pages_grants *g = arg;

	(void)kbgnttab_unmap_pages(g->xgt, count, handles);
}

struct pages
pages_from_grants(struct pages_grants *grants)
{
	return (struct pages){ .map = map, .unmap = unmap, .arg = grants };
}
