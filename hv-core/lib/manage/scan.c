/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domain states of a hypervisor that has only getdomaininfo (interface 0x15):
 * what changed is found by comparing all domains with those of the last scan.
 */
#include "manage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/domctl.h"

/*
 * A number that differs between domains: FNV-1a over domid and uuid. Never 0,
 * which means "unknown".
 */
static uint64_t
derive_unique_id(unsigned domid, const xen_domain_handle_t uuid)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < 2 + sizeof(xen_domain_handle_t); i++) {
		uint8_t byte =
		    i < 2 ? (uint8_t)(domid >> (8 * i)) : uuid[i - 2];

		hash = (hash ^ byte) * UINT64_C(0x100000001b3);
	}
	return hash != 0 ? hash : 1;
}

int
scan_next(
    struct xenmanage_handle *hdl, unsigned first, struct domain_state *out)
{
	struct xen_domctl *d = hdl->domctl;
	const struct xen_domctl_getdomaininfo *info = &d->u.getdomaininfo;

	memset(d, 0, sizeof(*d));
	d->cmd = XEN_DOMCTL_getdomaininfo;
	d->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	d->domain = (domid_t)first;
	if (xencall1(hdl->xcall, __HYPERVISOR_domctl, (uintptr_t)d) < 0)
		return -1;
	out->domid = info->domain;
	out->state = XENMANAGE_GETDOMSTATE_STATE_EXIST;
	if ((info->flags & XEN_DOMINF_shutdown) != 0)
		out->state |= XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN;
	if ((info->flags & XEN_DOMINF_dying) != 0)
		out->state |= XENMANAGE_GETDOMSTATE_STATE_DEAD;
	out->caps = 0;
	if (out->domid == 0)
		out->caps |= XENMANAGE_GETDOMSTATE_CAP_CONTROL |
			     XENMANAGE_GETDOMSTATE_CAP_HARDWARE;
	if ((info->flags & XEN_DOMINF_xs_domain) != 0)
		out->caps |= XENMANAGE_GETDOMSTATE_CAP_XENSTORE;
	out->unique_id = derive_unique_id(out->domid, info->handle);
	return 0;
}

size_t
scan_compare(const struct domain_state *old, size_t nr_old,
    const struct domain_state *now, size_t nr_now, struct domain_state *changed)
{
	size_t o = 0, n = 0, count = 0;

	while (o < nr_old || n < nr_now) {
		if (n == nr_now ||
		    (o < nr_old && old[o].domid < now[n].domid)) {
			changed[count] = old[o++];
			changed[count++].state = 0;
			continue;
		}
		if (o < nr_old && old[o].domid == now[n].domid) {
			if (old[o].state == now[n].state &&
			    old[o].unique_id == now[n].unique_id)
				n++;
			else
				changed[count++] = now[n++];
			o++;
			continue;
		}
		changed[count++] = now[n++];
	}
	return count;
}

/* Every domain there is, in *LIST_OUT (malloc). Their number, or -1 and errno.
 */
static ssize_t
list_all(struct xenmanage_handle *hdl, struct domain_state **list_out)
{
	struct domain_state *list = NULL, s;
	size_t nr = 0, room = 0;
	unsigned first = 0;

	while (first < DOMID_FIRST_RESERVED && scan_next(hdl, first, &s) == 0) {
		if (nr == room) {
			size_t more = room == 0 ? 16 : room * 2;
			void *p = realloc(list, more * sizeof(*list));

			if (p == NULL) {
				free(list);
				return -1;
			}
			list = p;
			room = more;
		}
		list[nr++] = s;
		first = s.domid + 1;
	}
	if (first < DOMID_FIRST_RESERVED && errno != ESRCH) {
		free(list);
		return -1;
	}
	*list_out = list;
	return (ssize_t)nr;
}

/* Make a scan and replace the last one's outcome. 0 or -1 and errno. */
static int
scan_again(struct xenmanage_handle *hdl)
{
	struct domain_scan *scan = &hdl->scan;
	struct domain_state *now, *changed;
	ssize_t nr = list_all(hdl, &now);

	if (nr < 0)
		return -1;
	changed = calloc(scan->nr_now + (size_t)nr + 1, sizeof(*changed));
	if (changed == NULL) {
		free(now);
		return -1;
	}
	scan->nr_changed =
	    scan_compare(scan->now, scan->nr_now, now, (size_t)nr, changed);
	scan->next_changed = 0;
	free(scan->changed);
	free(scan->now);
	scan->changed = changed;
	scan->now = now;
	scan->nr_now = (size_t)nr;
	return 0;
}

int
scan_poll(struct xenmanage_handle *hdl, struct domain_state *out)
{
	struct domain_scan *scan = &hdl->scan;

	if (!scan->round) {
		if (scan_again(hdl) < 0)
			return -1;
		scan->round = true;
	}
	if (scan->next_changed < scan->nr_changed) {
		*out = scan->changed[scan->next_changed++];
		return 0;
	}
	scan->round = false;
	errno = ENOENT;
	return -1;
}

void
scan_free(struct domain_scan *scan)
{
	free(scan->now);
	free(scan->changed);
}
