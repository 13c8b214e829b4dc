/*
 * evil: a domain that attacks its neighbours with what it legitimately shares
 * with them. Nothing but itself may come to harm.
 *
 * Command line: mode=M, rounds=N (100; 0: for ever), seed=N (1; what it does is
 * a function of that), pause=MS (5, after each burst).
 *   ring-index     impossible and random indexes in its store ring
 *   ring-garbage   well-formed ring, nonsense in it: headers, lengths, bodies
 *   grant-garbage  random grant table entries, device nodes with random refs
 *   flood          events on every port, store requests and watches
 *   blk-garbage    a connected vbd, then nonsense requests and indexes
 *   net-garbage    the same with a vif
 *   sandbox        asks the system below for what a guest must not have
 *
 * It says "evil: MODE done" on its console when its rounds are over, then sits
 * there; with a store that still works also data/evil/done=1, and for sandbox
 * data/evil/<call> = the errno, or "allowed".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hv-core/guest/control.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/gnttab.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/guest_evtchn.h"
#include "hv-core/guest/xenbus.h"

#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/io/blkif.h"
#include "abi/io/netif.h"
#include "abi/io/ring.h"
#include "abi/io/xs_wire.h"

#define STORE_TIMEOUT (30 * GUEST_NS_PER_S)
#define DEVICE_TIMEOUT (30 * GUEST_NS_PER_S)
#define BURST 64

static const struct guest_boot *boot;
static struct xenbus *xb;
static uint64_t state, pause_ns;
static int wild; /* the last quarter of the rounds */

static uint32_t
noise(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* A number that is 0, small, near a power of two, or anything. */
static uint32_t
nasty(void)
{
	switch (noise() % 5) {
	case 0:
		return 0;
	case 1:
		return noise() % 16;
	case 2:
		return (1u << noise() % 32) - 1 + noise() % 3;
	case 3:
		return UINT32_MAX - noise() % 8;
	default:
		return noise();
	}
}

static void
scribble(void *to, size_t len)
{
	uint8_t *p = to;

	while (len-- > 0)
		*p++ = (uint8_t)noise();
}

static void
rest(void)
{
	uint64_t end = guest_now() + pause_ns;

	while (guest_now() < end)
		(void)guest_wait(end);
}

static void
need_store(void)
{
	int rc = guest_store(STORE_TIMEOUT, &xb);

	if (rc != 0)
		guest_panic("evil: no store: %d", rc);
}

/* --- the store ring ----------------------------------------------------- */

static struct xenstore_domain_interface *
store_page(void)
{
	struct xenstore_domain_interface *page = guest_page(boot->store_gfn);

	if (page == NULL)
		guest_panic("evil: no store page");
	return page;
}

static void
ring_index(void)
{
	struct xenstore_domain_interface *page = store_page();
	uint32_t *const words[] = { &page->req_cons, &page->req_prod,
		&page->rsp_cons, &page->rsp_prod, &page->server_features,
		&page->connection, &page->error };
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		scribble(page->req, sizeof(page->req));
		*(volatile uint32_t *)words[noise() % 7] = nasty();
		*(volatile uint32_t *)&page->req_prod = nasty();
		(void)guest_evtchn_notify(boot->store_port);
	}
}

static void
put_bytes(struct xenstore_domain_interface *page, const void *from, size_t len)
{
	const char *p = from;
	uint32_t prod = __atomic_load_n(&page->req_prod, __ATOMIC_RELAXED);

	while (len-- > 0) {
		if (prod - __atomic_load_n(&page->req_cons, __ATOMIC_ACQUIRE) >=
		    sizeof(page->req))
			return;
		page->req[MASK_XENSTORE_IDX(prod)] = *p++;
		__atomic_store_n(&page->req_prod, ++prod, __ATOMIC_RELEASE);
	}
}

static void
ring_garbage(void)
{
	struct xenstore_domain_interface *page = store_page();
	uint32_t header[4];
	char body[300];
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		header[0] = noise() % 30; /* type */
		header[1] = noise();
		header[2] = noise() % 4;
		/* Mostly lengths that keep the connection alive. */
		header[3] = noise() % 8 == 0 ? nasty() : noise() % sizeof(body);
		scribble(body, sizeof(body));
		memcpy(body, "device/x", 9);
		put_bytes(page, header, sizeof(header));
		put_bytes(page, body, header[3] % sizeof(body));
		/* Whatever is answered is thrown away. */
		__atomic_store_n(&page->rsp_cons,
		    __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE),
		    __ATOMIC_RELEASE);
		(void)guest_evtchn_notify(boot->store_port);
	}
}

/* --- grants and nodes --------------------------------------------------- */

static void
grant_garbage(void)
{
	static const char *const nodes[] = { "device/vbd", "device/vif" };
	uint32_t entries;
	volatile struct grant_entry_v1 *table = gnttab_table(&entries);
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		uint32_t ref = 8 + noise() % (entries - 8);

		table[ref].domid = (uint16_t)(noise() % 3);
		table[ref].frame = nasty();
		table[ref].flags = (uint16_t)nasty();
	}
	for (i = 0; i < 2; i++) {
		char **names;
		size_t count, k;

		if (xenbus_directory(
			xb, XENBUS_NO_TX, nodes[i], NULL, &names, &count) != 0)
			continue;
		for (k = 0; k < count; k++) {
			char dir[64];

			(void)snprintf(
			    dir, sizeof(dir), "%s/%.32s", nodes[i], names[k]);
			(void)xenbus_printf(xb, XENBUS_NO_TX, dir, "ring-ref",
			    "%u", nasty() % 600);
			(void)xenbus_printf(xb, XENBUS_NO_TX, dir,
			    "tx-ring-ref", "%u", nasty() % 600);
			(void)xenbus_printf(xb, XENBUS_NO_TX, dir,
			    "rx-ring-ref", "%u", nasty());
			(void)xenbus_printf(xb, XENBUS_NO_TX, dir,
			    "event-channel", "%u", nasty() % 5000);
			(void)xenbus_printf(xb, XENBUS_NO_TX, dir, "state",
			    "%u", 3 + noise() % 2);
		}
		free(names);
	}
}

/* --- floods ------------------------------------------------------------- */

static void
seen(void *arg, const char *path)
{
	(void)path;
	++*(uint64_t *)arg;
}

static void
flood(void)
{
	static uint64_t events;
	uint32_t tx;
	unsigned int i;

	for (i = 0; i < 20000; i++)
		(void)guest_evtchn_notify(
		    i % 2 ? boot->store_port : boot->console_port);
	for (i = 0; i < 1024; i++)
		(void)guest_evtchn_notify(i);
	for (i = 0; i < BURST; i++) {
		char node[32];

		(void)snprintf(node, sizeof(node), "flood/%u", noise());
		(void)xenbus_printf(
		    xb, XENBUS_NO_TX, "data", node, "%u", noise());
		(void)xenbus_watch(xb, "data", node, seen, &events, NULL);
		(void)xenbus_tx_start(xb, &tx);
	}
	(void)xenbus_poll(xb);
}

/* --- devices ------------------------------------------------------------ */

/* A device whose rings we fill by hand. */
static struct victim {
	struct frontend *fe;
	int connected;
	void *ring[2];
	uint32_t ref[2];
	uint32_t port;
	uint32_t data_ref;
	void *data;
} victim;

static void
no_event(void *arg, uint32_t port)
{
	(void)arg;
	(void)port;
}

static int
publish(struct xenbus *store, uint32_t tx, void *arg)
{
	static const struct {
		const char *name;
		int ring; /* -1: the number 1 */
	} nodes[] = {
		{ "ring-ref", 0 },
		{ "tx-ring-ref", 0 },
		{ "rx-ring-ref", 1 },
		{ "request-rx-copy", -1 },
		{ "feature-sg", -1 },
	};
	const struct victim *v = arg;
	const char *dir = v->fe->path;
	unsigned int i;
	int rc;

	rc = xenbus_printf(store, tx, dir, "event-channel", "%u", v->port);
	if (rc == 0)
		rc = xenbus_printf(store, tx, dir, "protocol", "x86_64-abi");
	for (i = 0; rc == 0 && i < sizeof(nodes) / sizeof(nodes[0]); i++)
		rc = xenbus_printf(store, tx, dir, nodes[i].name, "%u",
		    nodes[i].ring < 0 ? 1 : v->ref[nodes[i].ring]);
	return rc;
}

static int
victim_attach(struct frontend *fe)
{
	uint16_t domid = fe->backend.domid;
	unsigned int i;
	int rc;

	victim.fe = fe;
	for (i = 0; i < 2; i++) {
		struct ring_front f;

		victim.ring[i] = guest_alloc_pages(1);
		if (victim.ring[i] == NULL)
			return -ENOMEM;
		ring_front_init(&f, victim.ring[i], GUEST_PAGE_SIZE, 8);
		rc = gnttab_grant(domid, guest_gfn(victim.ring[i]), GNTTAB_RW,
		    &victim.ref[i]);
		if (rc != 0)
			return rc;
	}
	victim.data = guest_alloc_pages(1);
	if (victim.data == NULL)
		return -ENOMEM;
	rc = gnttab_grant(
	    domid, guest_gfn(victim.data), GNTTAB_RW, &victim.data_ref);
	if (rc == 0)
		rc = guest_evtchn_alloc_unbound(
		    domid, no_event, NULL, &victim.port);
	return rc;
}

static void
victim_changed(struct frontend *fe, enum xenbus_state backend)
{
	if (backend == XenbusStateConnected)
		victim.connected = 1;
	if (backend != XenbusStateInitWait && backend != XenbusStateConnected)
		return;
	(void)xenbus_transaction(fe->xb, publish, &victim);
	(void)xenbus_switch_state(fe->xb, XENBUS_NO_TX, fe->path,
	    backend == XenbusStateConnected ? XenbusStateConnected
					    : XenbusStateInitialised);
}

static void
victim_detach(struct frontend *fe)
{
	(void)fe;
	victim.connected = 0;
	victim.fe = NULL;
}

static const struct frontend_driver evil_vbd = { "vbd", victim_attach,
	victim_changed, victim_detach };
static const struct frontend_driver evil_vif = { "vif", victim_attach,
	victim_changed, victim_detach };
static const struct frontend_driver *const vbd_only[] = { &evil_vbd, NULL };
static const struct frontend_driver *const vif_only[] = { &evil_vif, NULL };

/*
 * As many requests as the ring of SLOTS has room for, so that they are looked
 * at; towards the end of the rounds with impossible indexes as well.
 */
static void
push(struct ring_shared *ring, uint32_t slots)
{
	uint32_t prod = ring->req_prod;
	uint32_t used =
	    prod - __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE);

	if (wild && noise() % 8 == 0)
		prod += nasty();
	else if (used < slots)
		prod += noise() % (slots - used + 1);
	__atomic_store_n(&ring->req_prod, prod, __ATOMIC_RELEASE);
	if (wild && noise() % 16 == 0)
		ring->rsp_prod = nasty();
	ring->rsp_event = noise();
	if (victim.port != 0)
		(void)guest_evtchn_notify(victim.port);
}

static uint32_t
some_ref(void)
{
	return noise() % 2 ? victim.data_ref : nasty();
}

static void
blk_garbage(void)
{
	union blkif_slot *slots =
	    (void *)((uint8_t *)victim.ring[0] + RING_HEADER_SIZE);
	unsigned int i, k;

	for (i = 0; i < 32; i++) {
		struct blkif_request *req = &slots[i].req;

		scribble(req, sizeof(*req));
		req->operation = (uint8_t)(noise() % 8);
		req->nr_segments = (uint8_t)(noise() % 14);
		if (noise() % 2)
			req->sector_number = noise() % 64;
		for (k = 0; k < BLKIF_MAX_SEGMENTS_PER_REQUEST; k++)
			req->seg[k] = (struct blkif_request_segment){
				.gref = some_ref(),
				.first_sect = (uint8_t)(noise() % 10),
				.last_sect = (uint8_t)(noise() % 10),
			};
	}
	push(victim.ring[0], 32);
}

static void
net_garbage(void)
{
	union netif_tx_slot *tx =
	    (void *)((uint8_t *)victim.ring[0] + RING_HEADER_SIZE);
	union netif_rx_slot *rx =
	    (void *)((uint8_t *)victim.ring[1] + RING_HEADER_SIZE);
	unsigned int i;

	scribble(victim.data, GUEST_PAGE_SIZE);
	for (i = 0; i < 256; i++) {
		tx[i].req = (struct netif_tx_request){
			.gref = some_ref(),
			.offset = (uint16_t)nasty(),
			.flags = (uint16_t)(noise() % 16),
			.id = (uint16_t)noise(),
			.size = (uint16_t)nasty(),
		};
		rx[i].req = (struct netif_rx_request){
			.id = (uint16_t)noise(),
			.gref = some_ref(),
		};
	}
	push(victim.ring[0], 256);
	push(victim.ring[1], 256);
}

static void
need_device(const struct frontend_driver *const *drivers)
{
	uint64_t deadline = guest_now() + DEVICE_TIMEOUT;

	if (frontend_start(xb, drivers) != 0)
		guest_panic("evil: no devices");
	while (!victim.connected && guest_now() < deadline)
		(void)guest_step(deadline);
	if (!victim.connected)
		guest_panic("evil: the backend did not connect");
}

/* --- the sandbox -------------------------------------------------------- */

static void
verdict(const char *call, long rc)
{
	char text[32];

	if (rc == -1)
		(void)snprintf(text, sizeof(text), "%d", errno);
	else
		(void)snprintf(text, sizeof(text), "allowed");
	guest_printf("evil: %s: %s\n", call, text);
	(void)xenbus_printf(xb, XENBUS_NO_TX, "data/evil", call, "%s", text);
}

static void
sandbox(void)
{
	static char *const argv[] = { (char *)(uintptr_t) "/bin/sh", NULL };
	char buf[8];
	long pid;

	verdict("open", open("/etc/passwd", O_RDONLY));
	verdict("openat", syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY));
	verdict("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	verdict("socket-inet", socket(AF_INET, SOCK_STREAM, 0));
	verdict("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	verdict("execve", execve(argv[0], argv, argv + 1));
	verdict("kill", kill(1, 0));
	verdict("tgkill", syscall(SYS_tgkill, 1, 1, 0));
	pid = syscall(SYS_fork);
	if (pid == 0)
		_exit(0);
	verdict("fork", pid);
	verdict("clone", syscall(SYS_clone3, NULL, 0));
	verdict("mount", syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL));
	verdict("unshare", syscall(SYS_unshare, 0));
	verdict("setuid", syscall(SYS_setuid, 0));
	verdict("memfd", syscall(SYS_memfd_create, "x", 0));
	verdict(
	    "vm-readv", syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
	verdict("bpf", syscall(SYS_bpf, 0, NULL, 0));
	verdict("exec-memory",
	    syscall(SYS_mmap, NULL, 4096, 7 /* rwx */, 0x22, -1, 0) == -1 ? -1
									  : 0);
	verdict("fd-4", read(4, buf, 0));
}

/* --- main --------------------------------------------------------------- */

static const struct mode {
	const char *name;
	void (*burst)(void);
	int store; /* needs it, and leaves it in order */
	const struct frontend_driver *const *drivers;
	int once;
} modes[] = {
	{ "ring-index", ring_index, 0, NULL, 0 },
	{ "ring-garbage", ring_garbage, 0, NULL, 0 },
	{ "grant-garbage", grant_garbage, 1, NULL, 0 },
	{ "flood", flood, 1, NULL, 0 },
	{ "blk-garbage", blk_garbage, 1, vbd_only, 0 },
	{ "net-garbage", net_garbage, 1, vif_only, 0 },
	{ "sandbox", sandbox, 1, NULL, 1 },
};

static const struct mode *
find_mode(const char *cmdline)
{
	char name[24];
	size_t i;

	if (guest_option(cmdline, "mode", name, sizeof(name)) != NULL)
		for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (strcmp(name, modes[i].name) == 0)
				return &modes[i];
	guest_panic("evil: mode= is missing or unknown");
}

int
guest_main(const struct guest_boot *guest_boot)
{
	const struct mode *mode = find_mode(guest_boot->cmdline);
	uint64_t rounds, i;

	boot = guest_boot;
	rounds = guest_option_num(boot->cmdline, "rounds", 100);
	state = guest_option_num(boot->cmdline, "seed", 1) *
		    UINT64_C(0x9e3779b97f4a7c15) +
		1;
	pause_ns =
	    guest_option_num(boot->cmdline, "pause", 5) * GUEST_NS_PER_MS;
	if (mode->store) {
		need_store();
		(void)control_start(xb, control_obey, NULL);
	}
	if (mode->drivers != NULL)
		need_device(mode->drivers);
	if (mode->once)
		rounds = 1;
	guest_printf("evil: %s\n", mode->name);
	for (i = 0; rounds == 0 || i < rounds; i++) {
		wild = i >= rounds - rounds / 4;
		mode->burst();
		rest();
		if (mode->store)
			(void)guest_step(0);
	}
	guest_printf("evil: %s done\n", mode->name);
	if (mode->store)
		(void)xenbus_printf(xb, XENBUS_NO_TX, "data/evil", "done", "1");
	for (;;)
		(void)guest_step(GUEST_FOREVER);
}
