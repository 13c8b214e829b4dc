/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Granted pages as pointers into a view of the granter's memory, and copies
 * through such pointers: no system call but one hypercall a batch to pin, and
 * one to unpin.
 */
#include "hosted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STACK_PINS 64u /* a ring's worth of pages without malloc() */

static void
view_free(struct gnttab_hosted *g, struct gnttab_view *v)
{
	struct gnttab_view **link = &g->views;

	while (*link != v)
		link = &(*link)->next;
	*link = v->next;
	if (v->readonly != NULL)
		munmap(v->readonly, v->window->size);
	hv_window_put(v->window);
	free(v);
}

/*
 * The view of DOMID's present memory; older ones that nobody points into are
 * dropped. NULL and *ERR_OUT.
 */
static struct gnttab_view *
view_get(struct gnttab_hosted *g, uint32_t domid, int *err_out)
{
	struct hv_window *w =
	    hv_client_ram(g->client, (uint16_t)domid, err_out);
	struct gnttab_view *v, *next, *found = NULL;

	for (v = g->views; v != NULL; v = next) {
		next = v->next;
		if (v->window == w)
			found = v;
		else if (v->window->domid == domid && v->pages == 0)
			view_free(g, v);
	}
	if (w == NULL)
		return NULL;
	if (found != NULL) {
		hv_window_put(w); /* the view has its own */
		return found;
	}
	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		hv_window_put(w);
		*err_out = -ENOMEM;
		return NULL;
	}
	v->window = w;
	v->next = g->views;
	g->views = v;
	return v;
}

/* Where PIN's page is in V, writable or not as it was pinned; NULL: nowhere. */
static uint8_t *
view_page(struct gnttab_view *v, const struct gnttab_pin *pin)
{
	struct hv_window *w = v->window;

	if (pin->addr % GNTTAB_PAGE != 0 || pin->addr >= w->size ||
	    w->size - pin->addr < GNTTAB_PAGE)
		return NULL;
	if (!pin->readonly) {
		if (v->writable == NULL)
			v->writable = hv_window_base(w);
		return v->writable != NULL ? v->writable + pin->addr : NULL;
	}
	if (v->readonly == NULL) {
		void *p = mmap(NULL, w->size, PROT_READ,
		    MAP_SHARED | MAP_NORESERVE, w->fd, 0);

		if (p == MAP_FAILED)
			return NULL;
		v->readonly = p;
	}
	return v->readonly + pin->addr;
}

/* Have at least COUNT free entries in the table. False: no memory. */
static bool
table_reserve(struct gnttab_hosted *g, uint32_t count)
{
	uint32_t size, i, nr_free = 0;
	struct gnttab_page *p;

	for (i = g->free_page; i != KBGNTTAB_NO_HANDLE && nr_free < count;
	     i = g->pages[i].handle)
		nr_free++;
	if (nr_free == count)
		return true;
	if (count > UINT32_MAX / 2 - g->nr_pages)
		return false;
	size = g->nr_pages + (count > g->nr_pages ? count : g->nr_pages);
	p = realloc(g->pages, size * sizeof(*p));
	if (p == NULL)
		return false;
	g->pages = p;
	for (i = size; i-- > g->nr_pages;) {
		p[i].view = NULL;
		p[i].handle = g->free_page;
		g->free_page = i;
	}
	g->nr_pages = size;
	return true;
}

/*
 * Enter what has been pinned into the table and give it addresses; what has
 * none is unpinned. The number of failures.
 */
static int
pages_enter(struct gnttab_hosted *g, struct gnttab_view *v,
    struct gnttab_pin *pins, uint32_t count, void **pages_out,
    uint32_t *handles_out)
{
	int failures = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint32_t slot = g->free_page;

		pages_out[i] = NULL;
		handles_out[i] = KBGNTTAB_NO_HANDLE;
		if (pins[i].status == GNTST_okay) {
			pages_out[i] = view_page(v, &pins[i]);
			if (pages_out[i] == NULL)
				hosted_unpin(g, &pins[i], 1);
		}
		if (pages_out[i] == NULL) {
			failures++;
			continue;
		}
		g->free_page = g->pages[slot].handle;
		g->pages[slot].view = v;
		g->pages[slot].handle = pins[i].handle;
		handles_out[i] = slot;
		v->pages++;
		g->used++;
	}
	return failures;
}

/* hosted_map_pages() with PINS for working memory; negative errno on error. */
static int
map_with(struct gnttab_hosted *g, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, struct gnttab_pin *pins, void **pages_out,
    uint32_t *handles_out)
{
	struct gnttab_view *v;
	uint32_t i;
	int err = 0;

	for (i = 0; i < count; i++)
		pins[i] = (struct gnttab_pin){
			.domid = domid,
			.ref = refs[i],
			.readonly = (prot & PROT_WRITE) == 0,
		};
	if (count > g->max - g->used)
		return -ENOSPC;
	if (!table_reserve(g, count))
		return -ENOMEM;
	err = hosted_pin(g, pins, count);
	if (err < 0)
		return err;
	/* Asked for after pinning: what is pinned cannot go away meanwhile. */
	v = view_get(g, domid, &err);
	if (v == NULL) {
		hosted_unpin(g, pins, count);
		return err == -ENOENT ? -ESRCH : err;
	}
	return pages_enter(g, v, pins, count, pages_out, handles_out);
}

/* COUNT pins in *HEAP or, if they are few, in STACK. NULL: no memory. */
static struct gnttab_pin *
pins_alloc(uint32_t count, struct gnttab_pin *stack, struct gnttab_pin **heap)
{
	*heap = NULL;
	if (count <= STACK_PINS)
		return stack;
	*heap = calloc(count, sizeof(**heap));
	return *heap;
}

int
hosted_map_pages(struct xengntdev_handle *h, uint32_t domid, uint32_t count,
    const uint32_t *refs, int prot, void **pages_out, uint32_t *handles_out)
{
	struct gnttab_pin stack[STACK_PINS], *heap;
	struct gnttab_pin *pins = pins_alloc(count, stack, &heap);
	int ret;

	if (pins == NULL)
		return -1;
	ret = map_with(
	    h->hosted, domid, count, refs, prot, pins, pages_out, handles_out);
	free(heap);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

int
hosted_unmap_pages(
    struct xengntdev_handle *h, uint32_t count, const uint32_t *handles)
{
	struct gnttab_hosted *g = h->hosted;
	struct gnttab_pin pins[STACK_PINS];
	uint32_t i, n = 0;
	int ret = 0;

	for (i = 0; i < count; i++) {
		uint32_t slot = handles[i];

		if (slot == KBGNTTAB_NO_HANDLE)
			continue;
		if (slot >= g->nr_pages || g->pages[slot].view == NULL) {
			errno = EINVAL;
			ret = -1;
			continue;
		}
		pins[n].status = GNTST_okay;
		pins[n].handle = g->pages[slot].handle;
		g->pages[slot].view->pages--;
		g->pages[slot].view = NULL;
		g->pages[slot].handle = g->free_page;
		g->free_page = slot;
		g->used--;
		if (++n == STACK_PINS) {
			hosted_unpin(g, pins, n);
			n = 0;
		}
	}
	hosted_unpin(g, pins, n);
	return ret;
}

void
hosted_pages_free(struct gnttab_hosted *g)
{
	while (g->views != NULL)
		view_free(g, g->views);
	free(g->pages);
}

/* ------------------------------------------------------------------ copy -- */

#define COPY_BATCH (STACK_PINS / 2) /* segments; each pins one or two pages */

/* Describe the granted end P of a copy to PIN. */
static void
copy_pin(struct gnttab_pin *pin, const union xengnttab_copy_ptr *p, bool write)
{
	*pin = (struct gnttab_pin){
		.domid = p->foreign.domid,
		.ref = p->foreign.ref,
		.readonly = !write,
	};
}

/*
 * The address of a copy's end P: local, or OFFSET bytes into the page that PIN
 * pinned. NULL: none, and *STATUS says why.
 */
static uint8_t *
copy_end(struct gnttab_hosted *g, const union xengnttab_copy_ptr *p,
    const struct gnttab_pin *pin, uint16_t len, int16_t *status)
{
	struct gnttab_view *v;
	uint8_t *page;
	int err;

	if (pin == NULL)
		return p->virt;
	*status = pin->status;
	if (*status != GNTST_okay)
		return NULL;
	if (p->foreign.offset + len > GNTTAB_PAGE) {
		*status = GNTST_bad_copy_arg;
		return NULL;
	}
	v = view_get(g, pin->domid, &err);
	page = v == NULL ? NULL : view_page(v, pin);
	if (page == NULL) {
		*status = GNTST_bad_page;
		return NULL;
	}
	return page + p->foreign.offset;
}

/* Copy up to COPY_BATCH segments. 0 or a negative errno number. */
static int
copy_batch(struct gnttab_hosted *g, uint32_t count,
    struct xengnttab_grant_copy_segment *segs)
{
	struct gnttab_pin pins[COPY_BATCH * 2];
	uint32_t i, n = 0;
	int err;

	for (i = 0; i < count; i++) {
		if ((segs[i].flags & GNTCOPY_source_gref) != 0)
			copy_pin(&pins[n++], &segs[i].source, false);
		if ((segs[i].flags & GNTCOPY_dest_gref) != 0)
			copy_pin(&pins[n++], &segs[i].dest, true);
	}
	err = hosted_pin(g, pins, n);
	if (err < 0)
		return err;
	n = 0;
	for (i = 0; i < count; i++) {
		struct xengnttab_grant_copy_segment *s = &segs[i];
		struct gnttab_pin *from = NULL, *to = NULL;
		uint8_t *src, *dst = NULL;

		if ((s->flags & GNTCOPY_source_gref) != 0)
			from = &pins[n++];
		if ((s->flags & GNTCOPY_dest_gref) != 0)
			to = &pins[n++];
		s->status = GNTST_okay;
		src = copy_end(g, &s->source, from, s->len, &s->status);
		if (s->status == GNTST_okay)
			dst = copy_end(g, &s->dest, to, s->len, &s->status);
		if (s->status == GNTST_okay && s->len > 0)
			memmove(dst, src, s->len);
	}
	hosted_unpin(g, pins, n);
	return 0;
}

int
hosted_copy(struct xengntdev_handle *h, uint32_t count,
    struct xengnttab_grant_copy_segment *segs)
{
	uint32_t done, n;

	for (done = 0; done < count; done += n) {
		int err;

		n = count - done < COPY_BATCH ? count - done : COPY_BATCH;
		err = copy_batch(h->hosted, n, segs + done);
		if (err < 0) {
			errno = -err;
			return -1;
		}
	}
	return 0;
}
