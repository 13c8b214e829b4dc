/*
 * One message of a client, decided, done and answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/event_channel.h"
#include "abi/memory.h"
#include "hv-core/hosted/hvd.h"

static struct hv_caller
caller_of(struct channel *c)
{
	struct hv_caller caller = { 0 };

	if (c->domain != NULL)
		caller.domid = c->domain->domid;
	else
		caller.channel = c; /* what it makes goes with it */
	return caller;
}

/* -------------------------------------------------------------- attaching --
 */

static int
attach_check(const struct channel *c, const struct hv_msg_attach *a)
{
	if (a->version != HV_PROTO_VERSION)
		return -EPROTONOSUPPORT;
	if (c->kind != 0 &&
	    (c->kind != HV_CHAN_EVTCHN || a->kind != HV_CHAN_EVTCHN))
		return -EBUSY;
	if (c->domain != NULL)
		return a->kind == HV_CHAN_GUEST ? 0 : -EPERM;
	if (a->kind == HV_CHAN_GUEST)
		return -EPERM;
	if (a->kind == HV_CHAN_CALL && a->arena_base == HV_ARENA_NONE)
		return 0;
	if (a->kind < HV_CHAN_CALL || a->kind > HV_CHAN_MANAGE ||
	    a->arena_base == 0 || a->arena_base % HV_PAGE_SIZE != 0 ||
	    a->arena_base > HVD_SEND_ADDR - HV_ARENA_SIZE)
		return -EINVAL;
	return 0;
}

static void
attach_guest(struct channel *c, struct hv_msg *re, int *fd)
{
	struct hvd_domain *d = c->domain;
	struct hv_msg_attached *a = &re->u.attached;

	a->domid = d->domid;
	a->ram_size = d->ram_size;
	a->xen_size = d->xen_size;
	a->grant_offset = HV_PAGE_SIZE;
	a->grant_frames_max = d->max_grant_frames;
	a->start_info = d->start_info;
	fd[0] = d->ram_fd;
	fd[1] = d->xen_fd;
}

static int
attach_control(struct channel *c, struct hv_msg *re, int *fd)
{
	void *arena;

	fd[0] = ram_memfd("arena", HV_ARENA_SIZE,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, &arena);
	if (fd[0] < 0)
		return fd[0];
	/* A successor gets one that nobody has written to. */
	if (c->arena != NULL)
		munmap(c->arena, HV_ARENA_SIZE);
	c->arena = arena;
	re->u.attached.flags = HV_ATTACH_CONTROL;
	re->u.attached.arena_size = HV_ARENA_SIZE;
	return 0;
}

/* The descriptors of C's event endpoint. 0 or -ENOMEM. */
static int
attach_endpoint(struct channel *c, struct endpoint_fds *ev)
{
	if (c->endpoint == NULL)
		return endpoint_create(c, ev);
	channel_discard(c);
	endpoint_down(c, ev);
	return 0;
}

/* The client's descriptors in their order; their number or -errno. */
static int
attach_fill(struct channel *c, const struct hv_msg_attach *a, struct hv_msg *re,
    int *fd)
{
	uint32_t kind = a->kind;
	struct endpoint_fds ev;
	int n = 1, err = 0;

	if (a->arena_base == HV_ARENA_NONE) {
		re->u.attached.flags = HV_ATTACH_CONTROL;
		return 0;
	}
	if (kind == HV_CHAN_GUEST) {
		attach_guest(c, re, fd);
		n = 2;
	} else {
		err = attach_control(c, re, fd);
	}
	if (err != 0 || (kind != HV_CHAN_GUEST && kind != HV_CHAN_EVTCHN))
		return err != 0 ? err : n;
	err = attach_endpoint(c, &ev);
	if (err != 0) {
		if (kind != HV_CHAN_GUEST)
			close(fd[0]);
		return err;
	}
	fd[n++] = ev.table;
	fd[n++] = ev.pair;
	fd[n++] = ev.bell;
	return n;
}

static void
do_attach(struct channel *c, const struct hv_msg_attach *a)
{
	struct hv_msg re = { .type = HV_MSG_ATTACH };
	bool again = c->kind != 0;
	int fd[HV_MSG_FDS];
	int n = attach_check(c, a);

	re.u.attached.version = HV_PROTO_VERSION;
	re.u.attached.ports = HV_PORTS;
	re.u.attached.cookie = a->cookie;
	if (n == 0)
		n = attach_fill(c, a, &re, fd);
	if (n < 0) {
		re.u.attached.err = n;
		channel_send(c, &re, NULL, 0);
		return;
	}
	c->kind = a->kind;
	c->arena_base = a->arena_base;
	if (c->hvd->config->strict)
		re.u.attached.flags |= HV_ATTACH_STRICT;
	channel_send(c, &re, fd, n);
	/* Ours is mapped. */
	if (c->arena != NULL)
		close(fd[0]);
	if (again)
		endpoint_up_again(c);
	else if (c->endpoint != NULL)
		endpoint_up(c);
}

/* ------------------------------------------------------------- hypercalls --
 */

static void
call_answer(struct channel *c, long ret)
{
	struct hv_msg re = {
		.type = c->busy_send ? HV_MSG_SEND : HV_MSG_HYPERCALL,
		.u.ret = { ret },
	};

	c->busy_send = false;
	channel_send(c, &re, NULL, 0);
}

void
request_run_call(struct channel *c)
{
	struct hv_caller caller = caller_of(c);
	long ret;

	ret = c->call.nr <= UINT32_MAX ? hv_hypercall(c->hvd->hv, &caller,
					     (unsigned)c->call.nr, c->call.arg)
				       : -XEN_ENOSYS;
	if (c->closed)
		return;
	if (ret == -XEN_ERESTART) {
		if (!c->busy)
			c->hvd->nr_busy++;
		c->busy = true;
		return;
	}
	if (c->busy)
		c->hvd->nr_busy--;
	c->busy = false;
	call_answer(c, ret);
}

static void
do_call(struct channel *c, const struct hv_msg_call *call)
{
	c->call = *call;
	request_run_call(c);
}

static void
do_send(struct channel *c, const struct hv_msg_send *s)
{
	c->busy_send = true;
	c->send_port = s->port;
	c->call = (struct hv_msg_call){ .nr = __HYPERVISOR_event_channel_op,
		.arg = { EVTCHNOP_send, HVD_SEND_ADDR } };
	request_run_call(c);
}

/* ----------------------------------------------------------------- memory --
 */

/* Remember that C has to hear of the end of D's memory. 0 or -ENOMEM. */
static int
see_ram(struct channel *c, const struct hvd_domain *d)
{
	struct seen_ram *s;

	for (s = c->seen; s != NULL; s = s->next)
		if (s->serial == d->serial)
			return 0;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	*s = (struct seen_ram){ c->seen, d->domid, d->serial };
	c->seen = s;
	return 0;
}

static void
do_get_ram(struct channel *c, const struct hv_msg_ram *ask)
{
	struct hv_msg re = { .type = HV_MSG_GET_RAM };
	struct hv_msg_ram_is *is = &re.u.ram_is;
	struct hvd_domain *d = NULL;

	is->domid = ask->domid;
	if (c->domain != NULL)
		is->err = -EPERM;
	else if (ask->domid >= DOMID_FIRST_RESERVED ||
		 (d = guest_find(c->hvd, (domid_t)ask->domid)) == NULL)
		is->err = -ESRCH;
	else if (d->ram == NULL)
		is->err = -ENOENT;
	else
		is->err = see_ram(c, d);
	if (is->err != 0) {
		channel_send(c, &re, NULL, 0);
		return;
	}
	is->size = c->hvd->ram_max;
	is->serial = d->serial;
	channel_send(c, &re, &d->ram_fd, 1);
}

static int
resource_check(struct channel *c, const struct hv_msg_resource *ask)
{
	struct hv_caller caller = caller_of(c);

	if (c->domain != NULL)
		return -EPERM;
	if (ask->domid >= DOMID_FIRST_RESERVED)
		return -ESRCH;
	if (ask->type != XENMEM_resource_grant_table ||
	    ask->id != XENMEM_resource_grant_table_id_shared)
		return -EOPNOTSUPP;
	if (ask->nr_frames == 0)
		return -EINVAL;
	return hv_grant_frames(c->hvd->hv, &caller, (domid_t)ask->domid,
	    ask->frame, ask->nr_frames);
}

static void
do_get_resource(struct channel *c, const struct hv_msg_resource *ask)
{
	struct hv_msg re = { .type = HV_MSG_GET_RESOURCE };
	struct hv_msg_resource_is *is = &re.u.resource_is;
	struct hvd_domain *d;

	is->err = resource_check(c, ask);
	d = is->err == 0 ? guest_find(c->hvd, (domid_t)ask->domid) : NULL;
	if (is->err == 0 && (d == NULL || d->xen == NULL))
		is->err = -EINVAL;
	if (is->err != 0) {
		channel_send(c, &re, NULL, 0);
		return;
	}
	is->nr_frames = ask->nr_frames;
	is->offset = (1 + (uint64_t)ask->frame) * HV_PAGE_SIZE;
	channel_send(c, &re, &d->xen_fd, 1);
}

/* ------------------------------------------------------------ dispatching --
 */

static void
audit(struct hvd *h)
{
	const char *broken = core_audit(h->hv);

	if (broken == NULL)
		return;
	log_loud("the core's state is broken: %s", broken);
	abort();
}

/* C does not speak our language; the loop sees it go. */
static void
hang_up(struct channel *c)
{
	shutdown(c->source.fd, SHUT_RDWR);
}

void
request_handle(struct channel *c, const struct hv_msg *m)
{
	if (c->kind == 0 && m->type != HV_MSG_ATTACH) {
		hang_up(c);
		return;
	}
	switch (m->type) {
	case HV_MSG_ATTACH:
		do_attach(c, &m->u.attach);
		break;
	case HV_MSG_HYPERCALL:
		do_call(c, &m->u.call);
		break;
	case HV_MSG_SEND:
		do_send(c, &m->u.send);
		break;
	case HV_MSG_GET_RAM:
		do_get_ram(c, &m->u.ram);
		break;
	case HV_MSG_GET_RESOURCE:
		do_get_resource(c, &m->u.resource);
		break;
	case HV_MSG_PAIR_READY:
		endpoint_ready(c, m->u.slot.slot, m->u.slot.gen);
		break;
	default:
		hang_up(c);
		break;
	}
	if (c->hvd->config->audit)
		audit(c->hvd);
}
