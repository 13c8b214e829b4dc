/*
 * What a request costs the daemon on a ring, of many that say nothing: the
 * server with a hypervisor of a few lines, whose events cost next to nothing.
 * The floor moves the same bytes through the same page without a store.
 *
 * bench_ring       prints lines "what TAB whose TAB us"
 */
#define FAKE_DOMS 4001
#include "../../unit/xenstored/fakehv.h"

#include <time.h>

static struct t t;
static const char path[] = "/tool";
static char request[64], reply[4096];
static size_t request_len;

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Answers what is in the page, as a server without a store would. */
static void
floor_turn(int dom)
{
	struct wire_ring *page = fake.page[dom];
	char bytes[1024], out[1024];
	uint32_t n = page->req_prod - page->req_cons, i, done;
	size_t len = 0;
	uint64_t one;

	if (read(fake.fd, &one, sizeof(one)) < 0)
		return;
	for (i = 0; i < n; i++)
		bytes[i] =
		    (char)page->req[(page->req_cons + i) % WIRE_RING_SIZE];
	for (done = 0; done < n; done += (uint32_t)request_len) {
		memcpy(out + len, bytes + done, sizeof(struct wire_header));
		len += sizeof(struct wire_header);
	}
	for (i = 0; i < len; i++)
		page->rsp[(page->rsp_prod + i) % WIRE_RING_SIZE] =
		    (uint8_t)out[i];
	page->rsp_prod += (uint32_t)len;
	page->req_cons += n;
}

/* Microseconds of CPU for a request of DOM, BATCH of them per event. */
static double
cost(int dom, int batch, int times, bool bare)
{
	uint64_t one = 1;
	double start = now_us();
	int i, k;

	for (i = 0; i < times; i++) {
		for (k = 0; k < batch; k++)
			put(dom, request, request_len);
		fake.pending[dom] = true;
		if (write(fake.fd, &one, sizeof(one)) < 0)
			return 0;
		if (bare)
			floor_turn(dom);
		else
			while (server_turn(t.server, false))
				;
		assert_true(get(dom, reply) >=
			    (size_t)batch * sizeof(struct wire_header));
	}
	return (now_us() - start) / times / batch;
}

static void
say(const char *what, const char *whose, double us)
{
	printf("%s\t%s\t%.3f\n", what, whose, us);
}

int
main(void)
{
	static const struct {
		int rings, batch, times;
		const char *what;
	} rows[] = {
		{ 1, 1, 20000, "ring: READ, one ring" },
		{ 1, 16, 3000, "ring: READ, 16 per event, one ring" },
		{ 4000, 1, 20000, "ring: READ, beside 4000 idle rings" },
		{ 4000, 16, 3000,
		    "ring: READ, 16 per event, beside 4000 idle rings" },
	};
	int dom = 1;
	size_t i;

	begin(&t);
	request_len = make(request, WIRE_READ, path, sizeof(path));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (; dom <= rows[i].rings; dom++)
			if (introduce(&t, dom) != XS_OK)
				return 1;
		turns(&t);
		say(rows[i].what, "a page and an event, no store",
		    cost(0, rows[i].batch, rows[i].times, true));
		say(rows[i].what, "our xenstored",
		    cost(1, rows[i].batch, rows[i].times, false));
	}
	(void)ask(&t, 1, WIRE_READ, path, sizeof(path));
	end(&t);
	return 0;
}
