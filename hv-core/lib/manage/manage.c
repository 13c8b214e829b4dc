/* SPDX-License-Identifier: BSD-2-Clause */
#include "manage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/domctl.h"

xenmanage_handle *
xenmanage_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
	struct xenmanage_handle *hdl;

	if (open_flags != 0) {
		errno = EINVAL;
		return NULL;
	}
	hdl = calloc(1, sizeof(*hdl));
	if (hdl == NULL)
		return NULL;
	hdl->logger = logger;
	if (provider_find(logger, "xenmanage", &hdl->provider) == 0)
		hdl->xcall = xencall_open(logger, 0);
	if (hdl->xcall != NULL)
		hdl->domctl =
		    xencall_alloc_buffer(hdl->xcall, sizeof(*hdl->domctl));
	if (hdl->domctl == NULL) {
		int saved = errno;

		xencall_close(hdl->xcall);
		free(hdl);
		errno = saved;
		return NULL;
	}
	return hdl;
}

int
xenmanage_close(xenmanage_handle *hdl)
{
	if (hdl == NULL)
		return 0;
	xencall_free_buffer(hdl->xcall, hdl->domctl);
	xencall_close(hdl->xcall);
	scan_free(&hdl->scan);
	free(hdl);
	return 0;
}

/*
 * get_domain_state for DOMID; DOMID_INVALID: for any domain that changed. 0, or
 * -1 with errno. An older hypervisor sets hdl->old.
 */
static int
get_state(xenmanage_handle *hdl, unsigned domid, struct domain_state *out)
{
	struct xen_domctl *d = hdl->domctl;

	memset(d, 0, sizeof(*d));
	d->cmd = XEN_DOMCTL_get_domain_state;
	d->interface_version = 0; /* the call is stable */
	d->domain = (domid_t)domid;
	if (xencall1(hdl->xcall, __HYPERVISOR_domctl, (uintptr_t)d) < 0)
		return -1;
	out->domid = d->domain;
	out->state = d->u.get_domain_state.state;
	out->caps = d->u.get_domain_state.caps;
	out->unique_id = d->u.get_domain_state.unique_id;
	return 0;
}

/*
 * True if the hypervisor has no get_domain_state: it wants a version number
 * with every domctl (EACCES) and then does not know the number (ENOSYS). Found
 * out by a question that a new one answers: domain 0 exists.
 */
static bool
is_old(xenmanage_handle *hdl)
{
	struct domain_state state;

	return get_state(hdl, 0, &state) < 0 &&
	       (errno == EACCES || errno == ENOSYS || errno == EOPNOTSUPP);
}

/* get_state(), by a scan where the hypervisor is too old for it. */
static int
get_state_any(xenmanage_handle *hdl, unsigned domid, struct domain_state *out)
{
	int saved;

	if (!hdl->old && get_state(hdl, domid, out) == 0)
		return 0;
	saved = errno;
	if (!hdl->old &&
	    (errno == EACCES || errno == ENOSYS || errno == EOPNOTSUPP))
		hdl->old = is_old(hdl);
	errno = saved;
	if (!hdl->old)
		return -1;
	if (domid == DOMID_INVALID)
		return scan_poll(hdl, out);
	if (scan_next(hdl, domid, out) < 0)
		return -1;
	if (out->domid == domid)
		return 0;
	errno = ESRCH;
	return -1;
}

static int
tell(const struct domain_state *s, unsigned *state, unsigned *caps,
    uint64_t *unique_id)
{
	if (state != NULL)
		*state = s->state;
	if (caps != NULL)
		*caps = s->caps;
	if (unique_id != NULL)
		*unique_id = s->unique_id;
	return 0;
}

int
xenmanage_get_domain_info(xenmanage_handle *hdl, unsigned int domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id)
{
	struct domain_state s;

	if (domid >= DOMID_FIRST_RESERVED) {
		errno = EINVAL;
		return -1;
	}
	if (get_state_any(hdl, domid, &s) < 0)
		return -1;
	return tell(&s, state, caps, unique_id);
}

int
xenmanage_poll_changed_domain(xenmanage_handle *hdl, unsigned int *domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id)
{
	struct domain_state s;

	if (domid == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (get_state_any(hdl, DOMID_INVALID, &s) < 0)
		return -1;
	*domid = s.domid;
	return tell(&s, state, caps, unique_id);
}

int
xenmanage_get_changed_domain(xenmanage_handle *hdl, unsigned int *domid,
    unsigned int *state, unsigned int *caps, uint64_t *unique_id)
{
	return xenmanage_poll_changed_domain(
	    hdl, domid, state, caps, unique_id);
}
