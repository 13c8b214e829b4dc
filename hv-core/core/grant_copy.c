#include "grant.h"
#include "p2m.h"
#include "policy.h"

/* One side of a copy while its frame is held. */
struct side {
	struct domain *d;
	bool by_ref;
	grant_ref_t ref;
	uint64_t gfn;
	enum grant_pin kind;
	uint8_t *frame;
};

/* Whose frame it is. */
static int16_t
find_domain(struct call *c, const struct gnttab_copy_ptr *p, struct side *s)
{
	if (p->domid != DOMID_SELF && !s->by_ref)
		return GNTST_permission_denied;
	s->d = call_domain(c, p->domid);
	if (s->d == NULL || s->d->state != DOMAIN_ALIVE)
		return GNTST_bad_domain;
	if (policy_check(c->d, s->d, POLICY_GRANT_COPY) < 0)
		return GNTST_permission_denied;
	return GNTST_okay;
}

static int16_t
hold(struct call *c, const struct gnttab_copy_ptr *p, struct side *s)
{
	void *frame;
	int16_t status;

	if (s->by_ref) {
		s->ref = p->u.ref;
		status = grant_pin(s->d, s->ref, c->d, s->kind, &frame);
		if (status != GNTST_okay)
			return status;
	} else {
		s->gfn = p->u.gmfn;
		frame = p2m_pin(s->d, s->gfn);
		if (frame == NULL)
			return GNTST_bad_page;
	}
	s->frame = frame;
	return GNTST_okay;
}

static void
let_go(struct side *s)
{
	if (s->by_ref)
		grant_unpin(s->d, s->ref, s->kind);
	else
		p2m_unpin(s->d, s->gfn);
}

int16_t
grant_copy(struct call *c, const struct gnttab_copy *op)
{
	struct side from = { .by_ref = (op->flags & GNTCOPY_source_gref) != 0,
		.kind = GRANT_PIN_READ };
	struct side to = { .by_ref = (op->flags & GNTCOPY_dest_gref) != 0,
		.kind = GRANT_PIN_WRITE };
	int16_t status;

	status = find_domain(c, &op->source, &from);
	if (status == GNTST_okay)
		status = find_domain(c, &op->dest, &to);
	if (status != GNTST_okay)
		return status;
	status = hold(c, &op->source, &from);
	if (status != GNTST_okay)
		return status;
	status = hold(c, &op->dest, &to);
	if (status != GNTST_okay) {
		let_go(&from);
		return status;
	}

	if ((uint32_t)op->source.offset + op->len > XEN_PAGE_SIZE ||
	    (uint32_t)op->dest.offset + op->len > XEN_PAGE_SIZE)
		status = GNTST_bad_copy_arg;
	else
		memmove(to.frame + op->dest.offset,
		    from.frame + op->source.offset, op->len);
	let_go(&to);
	let_go(&from);
	return status;
}
