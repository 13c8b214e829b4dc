/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network backend against a guest that does what the bytes say, and its
 * successor where the bytes let it die. Nothing is mapped when it has answered,
 * and what leaves for the wire is a frame.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"
#include "hv-core/dom0/netio.h"

static struct netio io;
static int wire;

/* Something like a packet at REQ's place, for a checksum to be filled in. */
static void
make_packet(const struct netif_tx_request *req)
{
	static const uint8_t protocols[] = { 6, 17, 1, 0 };
	uint8_t how = script_byte(&script), *ip;
	uint16_t len = (uint16_t)(req->size - 14 - (how >> 6));

	if (req->gref >= GUEST_PAGES || req->offset > 4000)
		return;
	ip = guest.page[req->gref] + req->offset + 14;
	memset(ip - 14, 0, 56);
	ip[-2] = how & 1 ? 0x86 : 0x08;
	ip[-1] = how & 1 ? 0xdd : 0;
	if (how & 1) {
		len = (uint16_t)(len - 40);
		ip[4] = (uint8_t)(len >> 8);
		ip[5] = (uint8_t)len;
		ip[6] = protocols[how >> 1 & 3];
	} else {
		ip[0] = (uint8_t)(0x45 + (how >> 5 & 1));
		ip[2] = (uint8_t)(len >> 8);
		ip[3] = (uint8_t)len;
		ip[9] = protocols[how >> 1 & 3];
	}
}

static void
request_tx(void)
{
	RING_IDX *prod = guest_word(0, 0);
	struct netif_tx_request req;
	uint8_t how = script_byte(&script);

	memset(&req, 0, sizeof(req));
	req.flags = how & 15;
	req.size = (uint16_t)(how >> 4 & 3 ? script_byte(&script) * 7u
					   : script_short(&script));
	req.offset =
	    (uint16_t)(how >> 6 & 1 ? script_short(&script) : how * 4u);
	req.gref = script_byte(&script) % (GUEST_PAGES + 4);
	req.id = (uint16_t)*prod;
	if (req.flags & NETTXF_csum_blank)
		make_packet(&req);
	memcpy(guest_ring[0] + 64 +
		   (*prod & (NETIO_SLOTS - 1)) * sizeof(union netif_tx_slot),
	    &req, sizeof(req));
	++*prod;
}

static void
request_rx(void)
{
	RING_IDX *prod = guest_word(1, 0);
	struct netif_rx_request req;

	memset(&req, 0, sizeof(req));
	req.gref = script_byte(&script) % (GUEST_PAGES + 4);
	req.id = (uint16_t)*prod;
	memcpy(guest_ring[1] + 64 +
		   (*prod & (NETIO_SLOTS - 1)) * sizeof(union netif_rx_slot),
	    &req, sizeof(req));
	++*prod;
}

static void
request(void)
{
	if (script_byte(&script) & 1)
		request_rx();
	else
		request_tx();
}

static void
attach(struct backring_journal *journal)
{
	backring_init(
	    &io.tx, guest_ring[0], sizeof(union netif_tx_slot), &journal[0]);
	backring_init(
	    &io.rx, guest_ring[1], sizeof(union netif_rx_slot), &journal[1]);
}

/* Takes what was sent, and sends a frame. */
static void
wire_acts(void)
{
	static uint8_t frame[4096];
	ssize_t n;

	while ((n = recv(wire, frame, sizeof(frame), 0)) > 0)
		must(n >= (ssize_t)NETIO_FRAME_MIN &&
		     n <= (ssize_t)NETIO_FRAME_MAX);
	n = script_byte(&script) * 8;
	if (n > 0)
		(void)!send(wire, frame, (size_t)n, 0); /* it may be full */
}

static int
turn(void)
{
	int notify = 0, n;

	guest_acts();
	wire_acts();
	n = netio_tx(&io, &notify);
	must(guest.mapped == 0 && io.held_count <= NETIO_SLOTS);
	if (n < 0)
		return n;
	n = netio_rx(&io, &notify);
	must(guest.mapped == 0);
	(void)backring_final_check(&io.tx);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct backring_journal *journal = calloc(2, sizeof(*journal));
	int sv[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv) == 0);
	guest_ring[0] = calloc(1, 4096);
	guest_ring[1] = calloc(1, 4096);
	must(journal != NULL && guest_ring[0] != NULL && guest_ring[1] != NULL);
	guest_request = request;
	guest_reset(data, size);
	memset(&io, 0, sizeof(io));
	io.tap = sv[0];
	wire = sv[1];
	io.pages = guest_pages();
	attach(journal);
	while (script.left > 0 && turn() >= 0)
		if (script_byte(&script) == 'x') {
			io.held_count = 0;
			attach(journal);
		}
	close(sv[0]);
	close(sv[1]);
	free(guest_ring[0]);
	free(guest_ring[1]);
	free(journal);
	return 0;
}
