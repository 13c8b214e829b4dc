/*
 * nettest: the smallest neighbour on a network. It answers ARP and ping for one
 * IPv4 address and sends UDP datagrams to port 7 back.
 *
 * Command line: ip=A.B.C.D (10.0.0.2), vif=N (0); flood=A.B.C.D sends UDP
 * datagrams of size=N bytes (1400) to port=N (9) there as fast as the ring
 * takes them, count=N of them (for ever).
 *
 * Store: data/net/{mac,link}, and twice a second data/net/{rx,tx,sent,errors}.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/control.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/netfront.h"
#include "hv-core/guest/xenbus.h"

#define STORE_TIMEOUT (30 * GUEST_NS_PER_S)
#define LINK_TIMEOUT (60 * GUEST_NS_PER_S)
#define REPORT_NS (GUEST_NS_PER_S / 2)
#define ASK_NS GUEST_NS_PER_S
#define BURST 64

#define ETHER 14u
#define TYPE_IP 0x0800u
#define TYPE_ARP 0x0806u
#define ARP_SIZE 28u
#define IP_SIZE 20u
#define UDP_SIZE 8u
#define PROTO_ICMP 1
#define PROTO_UDP 17
#define PORT_ECHO 7u

static struct xenbus *xb;
static struct netfront *nf;
static uint8_t our_ip[4];

static struct {
	int wanted, known;
	uint8_t ip[4], mac[6];
	uint16_t port;
	size_t size;
	uint64_t left, sent, asked;
} flood;

static unsigned int
get16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void
put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The Internet checksum of LEN bytes, with SUM added in. */
static unsigned int
checksum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	if (len > 0)
		sum += (uint32_t)p[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static int
send_frame(const uint8_t *frame, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)frame, len };

	return netfront_send(nf, &iov, 1);
}

static void
put_ether(uint8_t *frame, const uint8_t *to, unsigned int type)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, netfront_mac(nf), 6);
	put16(frame + 12, type);
}

/* OP 1 asks who has IP, 2 answers MAC and IP. */
static void
send_arp(unsigned int op, const uint8_t *mac, const uint8_t *ip)
{
	static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };
	uint8_t frame[60] = { 0 }, *arp = frame + ETHER;

	put_ether(frame, op == 1 ? everybody : mac, TYPE_ARP);
	put16(arp, 1);
	put16(arp + 2, TYPE_IP);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, op);
	memcpy(arp + 8, netfront_mac(nf), 6);
	memcpy(arp + 14, our_ip, 4);
	if (op == 2)
		memcpy(arp + 18, mac, 6);
	memcpy(arp + 24, ip, 4);
	(void)send_frame(frame, sizeof(frame));
}

static void
take_arp(const uint8_t *arp, size_t len)
{
	if (len < ARP_SIZE || get16(arp) != 1 || get16(arp + 2) != TYPE_IP)
		return;
	if (flood.wanted && memcmp(arp + 14, flood.ip, 4) == 0) {
		memcpy(flood.mac, arp + 8, 6);
		flood.known = 1;
	}
	if (get16(arp + 6) == 1 && memcmp(arp + 24, our_ip, 4) == 0)
		send_arp(2, arp + 8, arp + 14);
}

/* Swaps the ends of an IP packet; its header checksum stays right. */
static void
turn_round(uint8_t *frame)
{
	uint8_t *ip = frame + ETHER;

	put_ether(frame, frame + 6, TYPE_IP);
	memcpy(ip + 16, ip + 12, 4);
	memcpy(ip + 12, our_ip, 4);
}

/* FRAME is our copy of an IP packet for us; its header has HLEN bytes, the
 * packet TOTAL. */
static void
take_ip(uint8_t *frame, size_t hlen, size_t total)
{
	uint8_t *ip = frame + ETHER, *body = ip + hlen, port[2];
	size_t len = total - hlen;

	if (ip[9] == PROTO_ICMP && len >= 8 && body[0] == 8) {
		turn_round(frame);
		body[0] = 0;
		put16(body + 2, 0);
		put16(body + 2, checksum(body, len, 0));
	} else if (ip[9] == PROTO_UDP && len >= UDP_SIZE &&
		   get16(body + 2) == PORT_ECHO) {
		turn_round(frame);
		memcpy(port, body, 2);
		memcpy(body, body + 2, 2);
		memcpy(body + 2, port, 2);
		put16(body + 6, 0); /* no checksum */
	} else {
		return;
	}
	(void)send_frame(frame, ETHER + total);
}

static void
receive(void *arg, const uint8_t *frame, size_t len, int csum_ok)
{
	uint8_t copy[NETFRONT_FRAME_MAX];
	const uint8_t *ip = frame + ETHER;
	size_t hlen, total;

	(void)arg;
	(void)csum_ok;
	if (len > sizeof(copy))
		return;
	if (get16(frame + 12) == TYPE_ARP)
		take_arp(ip, len - ETHER);
	if (get16(frame + 12) != TYPE_IP || len < ETHER + IP_SIZE)
		return;
	hlen = (ip[0] & 15u) * 4u;
	total = get16(ip + 2);
	if (ip[0] >> 4 != 4 || hlen < IP_SIZE || total < hlen ||
	    total > len - ETHER || memcmp(ip + 16, our_ip, 4) != 0 ||
	    (get16(ip + 6) & 0x3fff) != 0 || checksum(ip, hlen, 0) != 0)
		return;
	memcpy(copy, frame, len);
	take_ip(copy, hlen, total);
}

/* --- flooding ----------------------------------------------------------- */

static size_t
make_datagram(uint8_t *frame)
{
	uint8_t *ip = frame + ETHER, *udp = ip + IP_SIZE;
	size_t total = IP_SIZE + UDP_SIZE + flood.size;

	memset(frame, 0, ETHER + total);
	put_ether(frame, flood.mac, TYPE_IP);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned int)total);
	ip[8] = 64;
	ip[9] = PROTO_UDP;
	memcpy(ip + 12, our_ip, 4);
	memcpy(ip + 16, flood.ip, 4);
	put16(ip + 10, checksum(ip, IP_SIZE, 0));
	put16(udp, 9);
	put16(udp + 2, flood.port);
	put16(udp + 4, (unsigned int)(UDP_SIZE + flood.size));
	memcpy(udp + UDP_SIZE, &flood.sent,
	    flood.size < 8 ? flood.size : sizeof(flood.sent));
	return ETHER + total;
}

/* Non-zero if there is more to send and room for it. */
static int
flood_some(void)
{
	uint8_t frame[NETFRONT_FRAME_MAX];
	unsigned int i;

	if (!flood.wanted || flood.left == 0 || !netfront_link(nf))
		return 0;
	if (!flood.known) {
		if (guest_now() >= flood.asked + ASK_NS) {
			flood.asked = guest_now();
			send_arp(1, NULL, flood.ip);
		}
		return 0;
	}
	for (i = 0; i < BURST && flood.left > 0; i++) {
		if (send_frame(frame, make_datagram(frame)) != 0)
			return 0;
		flood.sent++;
		flood.left--;
	}
	return flood.left > 0;
}

/* --- the rest ----------------------------------------------------------- */

static void
parse_ip(
    const char *cmdline, const char *name, const char *fallback, uint8_t out[4])
{
	char text[32];

	if (guest_option(cmdline, name, text, sizeof(text)) == NULL)
		(void)snprintf(text, sizeof(text), "%s", fallback);
	if (inet_pton(AF_INET, text, out) != 1)
		guest_panic("%s=%s is no address", name, text);
}

static void
parse(const char *cmdline)
{
	char text[32];

	parse_ip(cmdline, "ip", "10.0.0.2", our_ip);
	flood.port = (uint16_t)guest_option_num(cmdline, "port", 9);
	flood.size = (size_t)guest_option_num(cmdline, "size", 1400);
	flood.left = guest_option_num(cmdline, "count", UINT64_MAX);
	if (flood.size > NETFRONT_MTU - IP_SIZE - UDP_SIZE)
		flood.size = NETFRONT_MTU - IP_SIZE - UDP_SIZE;
	if (guest_option(cmdline, "flood", text, sizeof(text)) == NULL)
		return;
	parse_ip(cmdline, "flood", "", flood.ip);
	flood.wanted = 1;
}

static void
report_num(const char *node, uint64_t n)
{
	(void)xenbus_printf(
	    xb, XENBUS_NO_TX, "data/net", node, "%llu", (unsigned long long)n);
}

static void
report(void)
{
	static struct netfront_stats last;
	static uint64_t last_sent = UINT64_MAX;
	struct netfront_stats now;

	netfront_stats(nf, &now);
	if (last_sent == flood.sent && memcmp(&now, &last, sizeof(now)) == 0)
		return;
	last = now;
	last_sent = flood.sent;
	report_num("rx", now.rx_packets);
	report_num("tx", now.tx_packets);
	report_num("sent", flood.sent);
	report_num("errors", now.rx_errors + now.tx_errors + now.nonsense);
}

static void
link_changed(void *arg, struct netfront *changed)
{
	(void)arg;
	guest_printf(
	    "nettest: link %s\n", netfront_link(changed) ? "up" : "down");
	report_num("link", (uint64_t)netfront_link(changed));
}

static void
find_vif(unsigned int index)
{
	const uint8_t *mac;
	int rc;

	netfront_set_change(link_changed, NULL);
	rc = frontend_start(xb, frontend_drivers);
	if (rc == 0)
		rc = netfront_wait(index, guest_now() + LINK_TIMEOUT, &nf);
	if (rc != 0)
		guest_panic("no network: %d", rc);
	netfront_set_receive(nf, receive, NULL);
	mac = netfront_mac(nf);
	(void)xenbus_printf(xb, XENBUS_NO_TX, "data/net", "mac",
	    "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
	    mac[4], mac[5]);
}

int
guest_main(const struct guest_boot *boot)
{
	uint64_t next = 0;
	int rc;

	parse(boot->cmdline);
	rc = guest_store(STORE_TIMEOUT, &xb);
	if (rc != 0)
		guest_panic("no store: %d", rc);
	(void)control_start(xb, control_obey, NULL);
	find_vif((unsigned int)guest_option_num(boot->cmdline, "vif", 0));
	(void)xenbus_printf(xb, XENBUS_NO_TX, "data", "ready", "1");
	for (;;) {
		int busy = netfront_poll(nf, BURST) == BURST;

		busy |= flood_some();
		if (guest_now() >= next) {
			report();
			next = guest_now() + REPORT_NS;
		}
		(void)guest_step(busy ? 0 : next);
	}
}
