/*
 * The connection: bytes on the ring, one message at a time, replies matched to
 * requests. The page belongs to somebody else as well: every word of it is read
 * once into a local and judged before it is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/xenbus_int.h"

#include "common/error.h"

#define NOTHING INT64_C(-1) /* no reply is waited for */

static uint32_t
load(const volatile uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void
store(volatile uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

int
xenbus_break(struct xenbus *xb, const char *reason)
{
	if (xb->reason == NULL)
		xb->reason = reason;
	return -EIO;
}

/* Skips unread replies and starts counting afresh. */
static void
start_over(struct xenbus *xb)
{
	struct xenstore_domain_interface *page = xb->t.page;

	xb->reason = NULL;
	xb->oldest = xb->next = 1;
	xb->out_len = xb->out_sent = xb->in_len = 0;
	store(&page->rsp_cons, load(&page->rsp_prod));
}

struct xenbus *
xenbus_open(const struct xenbus_transport *transport)
{
	struct xenbus *xb = calloc(1, sizeof(*xb));

	if (xb == NULL)
		return NULL;
	xb->t = *transport;
	xb->timeout = XENBUS_FOREVER;
	xb->events_end = &xb->events;
	start_over(xb);
	return xb;
}

void
xenbus_close(struct xenbus *xb)
{
	if (xb == NULL)
		return;
	xenbus_drop_watches(xb);
	free(xb);
}

void
xenbus_set_timeout(struct xenbus *xb, uint64_t ns)
{
	xb->timeout = ns;
}

int
xenbus_error(const struct xenbus *xb)
{
	return xb->reason == NULL ? 0 : -EIO;
}

const char *
xenbus_reason(const struct xenbus *xb)
{
	return xb->reason;
}

int
xenbus_reset(struct xenbus *xb)
{
	if (xb->talking)
		return -EBUSY;
	start_over(xb);
	return xenbus_rewatch(xb);
}

/*
 * Puts as much of xb->out on the ring as there is room for. 1: all of it is
 * there; 0: the ring is full; -EIO.
 */
static int
put(struct xenbus *xb)
{
	struct xenstore_domain_interface *page = xb->t.page;
	uint32_t prod = load(&page->req_prod);
	uint32_t used = prod - load(&page->req_cons);
	size_t left = xb->out_len - xb->out_sent, room, n;

	if (left == 0)
		return 1;
	if (used > sizeof(page->req))
		return xenbus_break(xb, "impossible request indexes");
	room = sizeof(page->req) - used;
	if (room > left)
		room = left;
	if (room == 0)
		return 0;
	for (n = 0; n < room; n++)
		page->req[(prod + n) % sizeof(page->req)] =
		    (char)xb->out[xb->out_sent + n];
	xb->out_sent += room;
	store(&page->req_prod, prod + (uint32_t)room);
	xb->t.notify(xb->t.arg);
	return xb->out_sent == xb->out_len;
}

/* Copies at most WANT bytes off the ring to xb->in; the number, or -EIO. */
static int
get(struct xenbus *xb, size_t want)
{
	struct xenstore_domain_interface *page = xb->t.page;
	uint32_t cons = load(&page->rsp_cons);
	uint32_t there = load(&page->rsp_prod) - cons;
	size_t n;

	if (there > sizeof(page->rsp))
		return xenbus_break(xb, "impossible reply indexes");
	if (there < want)
		want = there;
	if (want == 0)
		return 0;
	for (n = 0; n < want; n++)
		xb->in[xb->in_len + n] =
		    (uint8_t)page->rsp[(cons + n) % sizeof(page->rsp)];
	xb->in_len += want;
	store(&page->rsp_cons, cons + (uint32_t)want);
	xb->t.notify(xb->t.arg);
	return (int)want;
}

static struct wire_header
header_of(const struct xenbus *xb)
{
	struct wire_header msg;

	memcpy(&msg, xb->in, sizeof(msg));
	return msg;
}

/*
 * Takes what lies on the ring up to the end of one message. 1: a complete
 * message is in xb->in; 0: not yet; -EIO: broken.
 */
static int
xenbus_take(struct xenbus *xb)
{
	for (;;) {
		size_t want = WIRE_HEADER_SIZE;
		int n;

		if (xb->in_len >= WIRE_HEADER_SIZE) {
			uint32_t len = header_of(xb).len;

			if (len > WIRE_PAYLOAD_MAX)
				return xenbus_break(xb, "a reply is too long");
			want += len;
			if (xb->in_len == want) {
				xb->in[xb->in_len] = '\0';
				return 1;
			}
		}
		n = get(xb, want - xb->in_len);
		if (n < 0)
			return n;
		if (n == 0)
			break;
	}
	if (load(&xb->t.page->error) != 0)
		return xenbus_break(xb, "the server refuses the ring");
	return 0;
}

/*
 * The message in xb->in is not an event. 1: it answers the request numbered
 * WANTED; 0: it answers one that was given up; -EIO.
 */
static int
match(struct xenbus *xb, int64_t wanted)
{
	struct wire_header msg = header_of(xb);

	if (xb->oldest == xb->next)
		return xenbus_break(xb, "a reply nobody asked for");
	if (msg.req_id != xb->oldest)
		return xenbus_break(xb, "a reply to another request");
	xb->oldest++;
	return (int64_t)msg.req_id == wanted;
}

/*
 * Takes messages until the reply to WANTED (or NOTHING) is in xb->in. 1: it is;
 * 0: nothing more on the ring; -EIO.
 */
static int
listen(struct xenbus *xb, int64_t wanted)
{
	int rc;

	while ((rc = xenbus_take(xb)) == 1) {
		if (header_of(xb).type == WIRE_WATCH_EVENT)
			rc = xenbus_queue_event(xb);
		else
			rc = match(xb, wanted);
		if (rc != 0)
			return rc;
		xb->in_len = 0;
	}
	return rc;
}

/* Puts a new message in xb->out, which must have been sent. */
static int
compose(struct xenbus *xb, uint32_t type, uint32_t tx,
    const struct xenbus_part *parts, size_t count)
{
	struct wire_header msg = { .type = type, .tx_id = tx };
	size_t i;

	for (i = 0; i < count; i++) {
		if (parts[i].len > WIRE_PAYLOAD_MAX - msg.len)
			return -E2BIG;
		msg.len += (uint32_t)parts[i].len;
	}
	msg.req_id = xb->next;
	memcpy(xb->out, &msg, sizeof(msg));
	xb->out_len = sizeof(msg);
	for (i = 0; i < count; i++) {
		if (parts[i].len > 0)
			memcpy(
			    xb->out + xb->out_len, parts[i].data, parts[i].len);
		xb->out_len += parts[i].len;
	}
	xb->out_sent = 0;
	return 0;
}

static uint64_t
deadline_of(const struct xenbus *xb)
{
	uint64_t now;

	if (xb->timeout == XENBUS_FOREVER)
		return XENBUS_FOREVER;
	now = xb->t.now(xb->t.arg);
	return xb->timeout > XENBUS_FOREVER - 1 - now ? XENBUS_FOREVER - 1
						      : now + xb->timeout;
}

/* Sleeps; 0 to look at the ring again. */
static int
doze(struct xenbus *xb, uint64_t deadline)
{
	int rc;

	if (deadline != XENBUS_FOREVER && xb->t.now(xb->t.arg) >= deadline)
		return -ETIMEDOUT;
	rc = xb->t.wait(xb->t.arg, deadline);
	if (rc != 0 && rc != -ETIMEDOUT)
		return xenbus_break(xb, "the transport failed");
	return 0;
}

/* Sends what xb->out still holds. */
static int
flush(struct xenbus *xb, uint64_t deadline)
{
	for (;;) {
		int rc = put(xb);

		if (rc != 0)
			return rc < 0 ? rc : 0;
		/* A server that is stuck in its replies takes no request. */
		rc = listen(xb, NOTHING);
		if (rc < 0)
			return rc;
		rc = doze(xb, deadline);
		if (rc != 0)
			return rc;
	}
}

/* Turns the reply in xb->in to a TYPE request into a result. */
static int
conclude(struct xenbus *xb, uint32_t type, struct xenbus_reply *reply)
{
	struct wire_header msg = header_of(xb);
	const char *text = (const char *)xb->in + WIRE_HEADER_SIZE;

	xb->in_len = 0;
	if (msg.type == WIRE_ERROR) {
		return -error_to_errno(error_from_name(text, msg.len));
	}
	if (msg.type != type)
		return xenbus_break(xb, "a reply of another kind");
	if (reply == NULL)
		return 0;
	reply->data = malloc(msg.len + 1u);
	if (reply->data == NULL)
		return -ENOMEM;
	memcpy(reply->data, text, msg.len);
	reply->data[msg.len] = '\0';
	reply->len = msg.len;
	return 0;
}

/* The request in xb->out was given up. If no byte is out, it never was. */
static void
withdraw(struct xenbus *xb)
{
	if (xb->out_sent > 0)
		return;
	xb->out_len = 0;
	xb->next--;
}

static int
exchange(struct xenbus *xb, uint32_t type, uint32_t tx,
    const struct xenbus_part *parts, size_t count, struct xenbus_reply *reply)
{
	uint64_t deadline = deadline_of(xb);
	uint32_t id;
	int rc;

	rc = flush(xb, deadline); /* the rest of one that was given up */
	if (rc != 0)
		return rc;
	rc = compose(xb, type, tx, parts, count);
	if (rc != 0)
		return rc;
	id = xb->next++;
	for (;;) {
		rc = put(xb);
		if (rc < 0)
			return rc;
		rc = listen(xb, id);
		if (rc < 0)
			return rc;
		if (rc == 1)
			return conclude(xb, type, reply);
		rc = doze(xb, deadline);
		if (rc != 0) {
			withdraw(xb);
			return rc;
		}
	}
}

int
xenbus_talk(struct xenbus *xb, uint32_t type, uint32_t tx,
    const struct xenbus_part *parts, size_t count, struct xenbus_reply *reply)
{
	int rc;

	if (xb->reason != NULL)
		return -EIO;
	if (xb->talking)
		return -EBUSY;
	xb->talking = 1;
	rc = exchange(xb, type, tx, parts, count, reply);
	xb->talking = 0;
	return rc;
}

/* Takes the events that lie on the ring, for xenbus_poll(). */
int
xenbus_hear(struct xenbus *xb)
{
	int rc;

	if (xb->reason != NULL)
		return -EIO;
	rc = put(xb);
	if (rc < 0)
		return rc;
	return listen(xb, NOTHING);
}
