#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/prot/ip4.h>
#include <lwip/raw.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "arch/cc.h"
#include "fs.h"
#include "guest.h"

#define RX_BATCH 64
#define RX_TURNS 4 /* before others have theirs */
#define PING_ID 0x4b42
#define PING_TIMEOUT_NS GUEST_NS_PER_S

static struct netif xennet0;
static struct netfront *front;

static struct {
	struct raw_pcb *pcb;
	void (*done)(const char *to, long us);
	char to[16];
	uint64_t sent;
	uint16_t seq;
} ping;

/* lwIP's clock, in milliseconds. */
u32_t
sys_now(void)
{
	return (u32_t)(guest_now() / GUEST_NS_PER_MS);
}

unsigned int
lwip_port_rand(void)
{
	unsigned int r;

	guest_random(&r, sizeof(r));
	return r;
}

static err_t
send_frame(struct netif *nif, struct pbuf *p)
{
	struct iovec iov[16];
	int n = 0;
	int err;

	(void)nif;
	for (struct pbuf *q = p; q != NULL; q = q->next) {
		if (n == 16)
			return ERR_BUF;
		iov[n++] = (struct iovec){ q->payload, q->len };
	}
	err = netfront_send(front, iov, n);
	if (err == -ENOBUFS)
		return ERR_MEM; /* lwIP keeps the segment and tries again */
	return err == 0 ? ERR_OK : ERR_IF;
}

static void
receive_frame(void *arg, const uint8_t *frame, size_t len, int csum_ok)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);

	(void)csum_ok;
	if (p == NULL)
		return; /* as a full interface does: TCP sends it again */
	pbuf_take(p, frame, (u16_t)len);
	if (xennet0.input(p, arg) != ERR_OK)
		pbuf_free(p);
}

static err_t
netif_setup(struct netif *nif)
{
	nif->name[0] = 'x';
	nif->name[1] = 'n';
	nif->output = etharp_output;
	nif->linkoutput = send_frame;
	nif->mtu = NETFRONT_MTU;
	nif->hwaddr_len = 6;
	memcpy(nif->hwaddr, netfront_mac(front), 6);
	nif->flags =
	    NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
	return ERR_OK;
}

/* The contents of a small text file, or NULL. The caller frees it. */
static char *
read_text(const char *path)
{
	struct fs_file *f;
	char *text = calloc(1, 1024);
	long n;

	if (text == NULL || fs_open(path, &f) != 0) {
		free(text);
		return NULL;
	}
	n = fs_pread(f, text, 1023, 0);
	fs_close(f);
	if (n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int
parse_ifconfig(const char *text, ip4_addr_t *ip, ip4_addr_t *mask)
{
	char a[20], m[20];
	unsigned int bits;

	if (sscanf(text, "inet %15[0-9.]/%2u", a, &bits) == 2 && bits <= 32) {
		mask->addr =
		    bits == 0 ? 0 : lwip_htonl(0xffffffffu << (32 - bits));
		return ip4addr_aton(a, ip) ? 0 : -EINVAL;
	}
	if (sscanf(text, "inet %15[0-9.] netmask %15[0-9.]", a, m) == 2 &&
	    ip4addr_aton(a, ip) && ip4addr_aton(m, mask))
		return 0;
	return -EINVAL;
}

int
net_start(struct netfront *nf)
{
	char *text = read_text("/etc/ifconfig.xennet0");
	ip4_addr_t ip, mask, gate = { 0 };
	char *gate_text;
	int err;

	if (text == NULL) {
		guest_printf("xennet0: no /etc/ifconfig.xennet0\n");
		return -ENOENT;
	}
	err = parse_ifconfig(text, &ip, &mask);
	if (err != 0)
		guest_printf("xennet0: /etc/ifconfig.xennet0: want "
			     "\"inet ADDRESS netmask MASK\", not: %s\n",
		    text);
	free(text);
	if (err != 0)
		return err;
	gate_text = read_text("/etc/mygate");
	if (gate_text != NULL) {
		gate_text[strcspn(gate_text, " \t\r\n")] = '\0';
		if (!ip4addr_aton(gate_text, &gate))
			guest_printf("/etc/mygate: not an address\n");
	}
	free(gate_text);

	front = nf;
	lwip_init();
	if (netif_add(&xennet0, &ip, &mask, &gate, NULL, netif_setup,
		ethernet_input) == NULL)
		return -ENOMEM;
	netif_set_default(&xennet0);
	netfront_set_receive(nf, receive_frame, &xennet0);
	netif_set_link_up(&xennet0);
	netif_set_up(&xennet0);
	return 0;
}

static void
ping_end(long us)
{
	if (ping.pcb == NULL)
		return;
	raw_remove(ping.pcb);
	ping.pcb = NULL;
	ping.done(ping.to, us);
}

int
net_poll(void)
{
	unsigned int turns = 0;
	unsigned int n;

	if (front == NULL)
		return 0;
	do {
		n = netfront_poll(front, RX_BATCH);
		sys_check_timeouts();
	} while (n == RX_BATCH && ++turns < RX_TURNS);
	if (ping.pcb != NULL && guest_now() - ping.sent > PING_TIMEOUT_NS)
		ping_end(-1);
	return n == RX_BATCH;
}

uint64_t
net_deadline(void)
{
	u32_t ms;

	if (front == NULL)
		return GUEST_FOREVER;
	ms = sys_timeouts_sleeptime();
	if (ping.pcb != NULL && ms > 100)
		ms = 100;
	return ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE
		   ? GUEST_FOREVER
		   : guest_now() + ms * GUEST_NS_PER_MS;
}

void
net_ifconfig(void (*line)(const char *text))
{
	struct netfront_stats st;
	const uint8_t *mac;
	char buf[160];

	if (front == NULL) {
		line("no interface");
		return;
	}
	mac = netfront_mac(front);
	netfront_stats(front, &st);
	snprintf(buf, sizeof(buf), "xennet0: mtu %u, link %s", NETFRONT_MTU,
	    netfront_link(front) ? "up" : "down");
	line(buf);
	snprintf(buf, sizeof(buf), "\taddress: %02x:%02x:%02x:%02x:%02x:%02x",
	    mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	line(buf);
	snprintf(buf, sizeof(buf), "\tinet %s", ip4addr_ntoa(&xennet0.ip_addr));
	snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf), " netmask %s",
	    ip4addr_ntoa(&xennet0.netmask));
	line(buf);
	snprintf(buf, sizeof(buf),
	    "\tin %llu packets, %llu bytes; out %llu packets, %llu bytes",
	    (unsigned long long)st.rx_packets, (unsigned long long)st.rx_bytes,
	    (unsigned long long)st.tx_packets, (unsigned long long)st.tx_bytes);
	line(buf);
}

static u8_t
ping_reply(
    void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	struct icmp_echo_hdr echo;
	uint16_t header = (uint16_t)(IPH_HL((struct ip_hdr *)p->payload) * 4);

	(void)arg;
	(void)pcb;
	(void)from;
	if (pbuf_copy_partial(p, &echo, sizeof(echo), header) != sizeof(echo) ||
	    ICMPH_TYPE(&echo) != ICMP_ER || echo.id != lwip_htons(PING_ID) ||
	    echo.seqno != lwip_htons(ping.seq))
		return 0;
	pbuf_free(p);
	ping_end((long)((guest_now() - ping.sent) / 1000));
	return 1;
}

int
net_ping(const char *to, void (*done)(const char *to, long us))
{
	struct icmp_echo_hdr *echo;
	ip_addr_t dst;
	struct pbuf *p;
	err_t err;

	if (front == NULL)
		return -ENETDOWN;
	if (!ip4addr_aton(to, &dst) || strlen(to) >= sizeof(ping.to))
		return -EINVAL;
	if (ping.pcb != NULL)
		return -EBUSY;
	p = pbuf_alloc(PBUF_IP, sizeof(*echo) + 56, PBUF_RAM);
	ping.pcb = raw_new(IP_PROTO_ICMP);
	if (p == NULL || ping.pcb == NULL) {
		if (p != NULL)
			pbuf_free(p);
		if (ping.pcb != NULL)
			raw_remove(ping.pcb);
		ping.pcb = NULL;
		return -ENOMEM;
	}
	echo = p->payload;
	memset(echo, 0, sizeof(*echo) + 56);
	ICMPH_TYPE_SET(echo, ICMP_ECHO);
	echo->id = lwip_htons(PING_ID);
	echo->seqno = lwip_htons(++ping.seq);
	echo->chksum = inet_chksum(echo, sizeof(*echo) + 56);
	snprintf(ping.to, sizeof(ping.to), "%s", to);
	ping.done = done;
	ping.sent = guest_now();
	raw_recv(ping.pcb, ping_reply, NULL);
	raw_bind(ping.pcb, IP_ADDR_ANY);
	err = raw_sendto(ping.pcb, p, &dst);
	pbuf_free(p);
	if (err != ERR_OK)
		ping_end(-1);
	return 0;
}
