/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests on the store ring of a real guest of the hosted core, whose kernel
 * (storebench) measures them: real event channels, a granted page.
 *
 * bench_guest floor - KERNEL BATCH TIMES
 *     This process is at the other end, and only answers.
 * bench_guest daemon SOCKET KERNEL BATCH TIMES
 *     The daemon at SOCKET is.
 * Prints the median of a request's round trip and what it took of who serves:
 * two figures in microseconds.
 */
#include "../benchscale/wire.h"

#include <sys/mman.h>

#include "tools/xl/build.h"
#include "xenevtchn.h"
#include "xengnttab.h"

enum {
	OP_INTRODUCE = 8,
	STORE_GRANT = 1,
	GUEST_KIB = 16 << 10,
	RING = 1024,
	WAIT_S = 60,
};
#define VALUE "0123456789abcdef"

struct ring {
	char req[RING], rsp[RING];
	uint32_t req_cons, req_prod, rsp_cons, rsp_prod;
};

static struct hvctl *hv;
static uint32_t domid;
static struct nodes_rings rings;

/* A domain that runs KERNEL once it is unpaused. */
static void
make_domain(const char *kernel, const char *cmdline)
{
	static const uint8_t uuid[16];
	const struct domcfg config = {
		.name = "storebench",
		.type = DOMCFG_PVH,
		.kernel = kernel,
		.cmdline = cmdline,
		.memory_kib = GUEST_KIB,
		.max_memory_kib = GUEST_KIB,
		.vcpus = 1,
		.max_vcpus = 1,
	};
	struct arena *mem = arena_new();
	struct build_images images;
	const char *why = "";

	hv = hvctl_open();
	if (hv == NULL)
		die("no hypervisor: %s", strerror(errno));
	if (build_load(mem, &config, &images, &why) != 0 ||
	    hvctl_create(hv, uuid, 1, &domid) != 0 ||
	    build_domain(mem, hv, domid, &config, &images, &rings, &why) != 0)
		die("a domain: %s %s", why, strerror(errno));
	build_unload(&images);
}

static void
say(double ns, double batch, double cpu_us, double times)
{
	printf("%.3f %.3f\n", ns / 1e3 / batch, cpu_us / batch / times);
}

/* --- the floor --- */

/* The result, when there is one. */
static double result;

/* Takes a request if it is whole; false: there is none. */
static bool
answer(struct ring *r)
{
	uint32_t cons = r->req_cons, prod = r->rsp_prod, i;
	uint32_t have = __atomic_load_n(&r->req_prod, __ATOMIC_ACQUIRE) - cons;
	char in[RING], out[64];
	struct head h;

	for (i = 0; i < have && i < RING; i++)
		in[i] = r->req[(cons + i) % RING];
	if (have < sizeof(h))
		return false;
	memcpy(&h, in, sizeof(h));
	if (have < sizeof(h) + h.len || h.len >= RING - sizeof(h))
		return false;
	if (h.type == OP_WRITE) {
		in[sizeof(h) + h.len] = '\0';
		result = strtod(in + sizeof(h) + sizeof("result"), NULL);
	}
	r->req_cons = cons + (uint32_t)sizeof(h) + h.len;
	h.len = h.type == OP_READ ? sizeof(VALUE) - 1 : sizeof("OK");
	memcpy(out, &h, sizeof(h));
	memcpy(
	    out + sizeof(h), h.type == OP_READ ? VALUE : "OK", (size_t)h.len);
	for (i = 0; i < sizeof(h) + h.len; i++)
		r->rsp[(prod + i) % RING] = out[i];
	__atomic_store_n(&r->rsp_prod, prod + i, __ATOMIC_RELEASE);
	return true;
}

static double
own_cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
be_floor(double batch, double times)
{
	xenevtchn_handle *xce = xenevtchn_open(NULL, 0);
	xengnttab_handle *xgt = xengnttab_open(NULL, 0);
	struct pollfd p = { .events = POLLIN };
	struct ring *ring;
	double cpu;
	int port;

	if (xce == NULL || xgt == NULL)
		die("no hypervisor: %s", strerror(errno));
	p.fd = xenevtchn_fd(xce);
	port = xenevtchn_bind_interdomain(xce, domid, rings.store_port);
	ring = xengnttab_map_grant_ref(
	    xgt, domid, STORE_GRANT, PROT_READ | PROT_WRITE);
	if (port < 0 || ring == NULL || hvctl_unpause(hv, domid) != 0)
		die("its ring: %s", strerror(errno));
	cpu = own_cpu_us();
	while (result <= 0) {
		if (poll(&p, 1, WAIT_S * 1000) != 1)
			die("the guest says nothing");
		port = xenevtchn_pending(xce);
		if (port < 0)
			continue;
		(void)xenevtchn_unmask(xce, (evtchn_port_t)port);
		if (!answer(ring))
			continue;
		while (answer(ring))
			;
		(void)xenevtchn_notify(xce, (evtchn_port_t)port);
	}
	say(result, batch, own_cpu_us() - cpu, times);
}

/* --- the daemon --- */

/* The node NAME of the domain. */
static const char *
node(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u%s%s", domid,
	    name[0] != '\0' ? "/" : "", name);
	return path;
}

static void
ask_daemon(const char *socket, double batch, double times)
{
	struct client *c = client_open(socket);
	struct family daemon_ = family_of(c);
	char id[3][16], owner[16];
	double end = now_us() + WAIT_S * 1e6;

	snprintf(owner, sizeof(owner), "n%u", domid);
	snprintf(id[0], sizeof(id[0]), "%u", domid);
	snprintf(
	    id[1], sizeof(id[1]), "%llu", (unsigned long long)rings.store_gfn);
	snprintf(id[2], sizeof(id[2]), "%u", rings.store_port);
	client_ask(c, OP_MKDIR, 0, node(""), NULL);
	client_ask(c, OP_SET_PERMS, 0, node(""), owner, NULL);
	client_write(c, 0, node("data"), VALUE);
	client_ask(c, OP_SET_PERMS, 0, node("data"), owner, NULL);
	client_ask(c, (enum op)OP_INTRODUCE, 0, id[0], id[1], id[2], NULL);
	if (!client_ok(c))
		die("the domain was refused: %s", c->reply);
	family_start(&daemon_);
	if (hvctl_unpause(hv, domid) != 0)
		die("the domain does not run: %s", strerror(errno));
	do {
		if (now_us() > end)
			die("the guest says nothing");
		usleep(20000);
		client_ask(c, OP_READ, 0, node("result"), NULL);
	} while (!client_ok(c));
	say(strtod(c->reply, NULL), batch, family_cpu(&daemon_), times);
	client_ask(c, OP_RM, 0, node(""), NULL);
	client_sync(c);
}

int
main(int argc, char **argv)
{
	char cmdline[64];

	if (argc != 6) {
		fprintf(stderr, "usage: bench_guest floor|daemon SOCKET KERNEL "
				"BATCH TIMES\n");
		return 2;
	}
	snprintf(
	    cmdline, sizeof(cmdline), "batch=%s times=%s", argv[4], argv[5]);
	make_domain(argv[3], cmdline);
	if (strcmp(argv[1], "floor") == 0)
		be_floor(atof(argv[4]), atof(argv[5]));
	else
		ask_daemon(argv[2], atof(argv[4]), atof(argv[5]));
	(void)hvctl_destroy(hv, domid);
	return 0;
}
