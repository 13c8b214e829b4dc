/*
 * storebench: measures requests on the domain's store ring, by the ring itself,
 * so that no client is measured. Asks READ "data", "batch=N" (1) of them per
 * event, "times=N" (1000) times, and writes the median time of a batch, in ns,
 * to "result". Then it idles.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/io/xs_wire.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"

enum { TIMES_MAX = 100000, BATCH_MAX = 16 };
enum { READ = 2, WRITE = 11 }; /* of the store's protocol */

/* Before each request and reply. */
struct head {
	uint32_t type, req_id, tx_id, len;
};

static struct xenstore_domain_interface *page;
static uint32_t port;
static uint64_t took[TIMES_MAX];

static void
woken(void *arg, uint32_t p)
{
	(void)arg;
	(void)p;
}

static void
put(const void *bytes, size_t len)
{
	uint32_t prod = page->req_prod;
	size_t i;

	for (i = 0; i < len; i++)
		page->req[(prod + i) % XENSTORE_RING_SIZE] =
		    ((const char *)bytes)[i];
	__atomic_store_n(
	    &page->req_prod, prod + (uint32_t)len, __ATOMIC_RELEASE);
}

static void
put_request(uint32_t type, const char *body, size_t len)
{
	char msg[sizeof(struct head) + 64];
	struct head head = { .type = type, .len = (uint32_t)len };

	memcpy(msg, &head, sizeof(head));
	memcpy(msg + sizeof(head), body, len);
	put(msg, sizeof(head) + len);
}

/* Takes the N bytes behind those that were taken, when they are there. */
static void
take(void *out, size_t n)
{
	uint32_t cons = page->rsp_cons;
	size_t i;

	while (__atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE) - cons < n)
		(void)guest_wait(GUEST_FOREVER);
	for (i = 0; i < n; i++)
		((char *)out)[i] = page->rsp[(cons + i) % XENSTORE_RING_SIZE];
	__atomic_store_n(&page->rsp_cons, cons + (uint32_t)n, __ATOMIC_RELEASE);
}

/* One reply, which has to be one of TYPE. */
static void
take_reply(uint32_t type)
{
	struct head head;
	char body[XENSTORE_RING_SIZE];

	take(&head, sizeof(head));
	if (head.type != type || head.len > sizeof(body))
		guest_panic("storebench: reply %u of %u bytes\n",
		    (unsigned)head.type, (unsigned)head.len);
	take(body, head.len);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int
guest_main(const struct guest_boot *boot)
{
	uint64_t batch = guest_option_num(boot->cmdline, "batch", 1), k, i;
	uint64_t times = guest_option_num(boot->cmdline, "times", 1000);
	char text[40] = "result";
	uint64_t start;
	int len;

	page = guest_page(boot->store_gfn);
	port = boot->store_port;
	if (batch == 0 || batch > BATCH_MAX || times == 0 ||
	    times > TIMES_MAX || guest_evtchn_handle(port, woken, NULL) != 0)
		guest_panic("storebench: %s\n", boot->cmdline);
	for (i = 0; i < times; i++) {
		start = guest_now();
		for (k = 0; k < batch; k++)
			put_request(READ, "data", sizeof("data"));
		(void)guest_evtchn_notify(port);
		for (k = 0; k < batch; k++)
			take_reply(READ);
		took[i] = guest_now() - start;
	}
	qsort(took, times, sizeof(took[0]), by_value);
	len = snprintf(text + sizeof("result"), sizeof(text) - sizeof("result"),
	    "%llu", (unsigned long long)took[times / 2]);
	put_request(WRITE, text, sizeof("result") + (size_t)len);
	(void)guest_evtchn_notify(port);
	take_reply(WRITE);
	for (;;)
		(void)guest_wait(GUEST_FOREVER);
}
