#include "hv-core/dom0/netcsum.h"

#define ETHER_HEADER 14u
#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define IPV6_HEADER 40u
#define PROTO_TCP 6u
#define PROTO_UDP 17u

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
sum(uint32_t acc, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		acc += get16(p + i);
	if (i < len)
		acc += (uint32_t)p[i] << 8;
	return acc;
}

/* The payload of PROTO at L4 with the addresses at ADDRS. */
static int
fill(uint8_t *l4, size_t len, unsigned proto, const uint8_t *addrs,
    size_t addrs_len)
{
	size_t at = proto == PROTO_TCP ? 16 : 6;
	size_t header = proto == PROTO_TCP ? 20 : 8;
	uint32_t acc;

	if ((proto != PROTO_TCP && proto != PROTO_UDP) || len < header)
		return -1;
	l4[at] = 0;
	l4[at + 1] = 0;
	acc = sum(proto + (uint32_t)len, addrs, addrs_len);
	acc = sum(acc, l4, len);
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	acc = ~acc & 0xffff;
	if (acc == 0 && proto == PROTO_UDP)
		acc = 0xffff; /* 0 says "no checksum" */
	l4[at] = (uint8_t)(acc >> 8);
	l4[at + 1] = (uint8_t)acc;
	return 0;
}

static int
fill_ipv4(uint8_t *ip, size_t len)
{
	size_t header, total;

	if (len < 20)
		return -1;
	header = (ip[0] & 0xfu) * 4u;
	total = get16(ip + 2);
	if (header < 20 || total < header || total > len)
		return -1;
	if ((get16(ip + 6) & 0x3fff) != 0)
		return -1; /* a fragment has no checksum of its own */
	return fill(ip + header, total - header, ip[9], ip + 12, 8);
}

static int
fill_ipv6(uint8_t *ip, size_t len)
{
	size_t payload;

	if (len < IPV6_HEADER)
		return -1;
	payload = get16(ip + 4);
	if (payload > len - IPV6_HEADER)
		return -1;
	return fill(ip + IPV6_HEADER, payload, ip[6], ip + 8, 32);
}

int
netcsum_fill(uint8_t *frame, size_t len)
{
	if (len < ETHER_HEADER)
		return -1;
	switch (get16(frame + 12)) {
	case TYPE_IPV4:
		return fill_ipv4(frame + ETHER_HEADER, len - ETHER_HEADER);
	case TYPE_IPV6:
		return fill_ipv6(frame + ETHER_HEADER, len - ETHER_HEADER);
	default:
		return -1;
	}
}
