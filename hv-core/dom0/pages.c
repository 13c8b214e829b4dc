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

/* --- mappings that are kept --------------------------------------------- */

#define KEEP_BATCH 64u

/* At most KEEP_BATCH of them. */
static void
keep_some(struct pages_kept *k, uint32_t count, const uint32_t *refs,
    enum pages_access access, void **pages_out, uint32_t *handles_out)
{
	uint32_t want[KEEP_BATCH], at[KEEP_BATCH], handles[KEEP_BATCH];
	void *pages[KEEP_BATCH];
	uint32_t missing = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t s = refs[i] % PAGES_KEPT;

		pages_out[i] = NULL;
		handles_out[i] = KBGNTTAB_NO_HANDLE;
		if (k->slot[s].page != NULL && k->slot[s].ref == refs[i] &&
		    k->slot[s].access == access) {
			pages_out[i] = k->slot[s].page;
		} else {
			at[missing] = i;
			want[missing++] = refs[i];
		}
	}
	if (missing == 0)
		return;
	k->from.map(k->from.arg, missing, want, access, pages, handles);
	for (uint32_t m = 0; m < missing; m++) {
		uint32_t s = want[m] % PAGES_KEPT;

		pages_out[at[m]] = pages[m];
		if (pages[m] == NULL)
			continue;
		if (k->slot[s].page != NULL) {
			handles_out[at[m]] = handles[m];
			continue;
		}
		k->slot[s].page = pages[m];
		k->slot[s].ref = want[m];
		k->slot[s].access = access;
	}
}

static void
keep_map(void *arg, uint32_t count, const uint32_t *refs,
    enum pages_access access, void **pages_out, uint32_t *handles_out)
{
	for (uint32_t n, done = 0; done < count; done += n) {
		n = count - done < KEEP_BATCH ? count - done : KEEP_BATCH;
		keep_some(arg, n, refs + done, access, pages_out + done,
		    handles_out + done);
	}
}

static void
keep_unmap(void *arg, uint32_t count, const uint32_t *handles)
{
	struct pages_kept *k = arg;

	for (uint32_t i = 0; i < count; i++) {
		if (handles[i] == KBGNTTAB_NO_HANDLE)
			continue;
		k->from.unmap(k->from.arg, count, handles);
		return;
	}
}

struct pages
pages_keep(struct pages_kept *kept)
{
	return (
	    struct pages){ .map = keep_map, .unmap = keep_unmap, .arg = kept };
}
