#include "vifspec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

#define DEFAULT_RATE_USEC 50000

/* An interface while it is being read. */
struct reader {
	struct arena *mem;
	struct vifspec *vif;
	const char *why;
};

static int
refuse(struct reader *r, const char *text)
{
	r->why = text;
	return -1;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
vifspec_parse_mac(const char *text, uint8_t mac_out[6])
{
	uint8_t mac[6];

	for (int i = 0; i < 6; i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return -1;
		mac[i] = (uint8_t)(high << 4 | low);
		text += 3;
	}
	if ((mac[0] & 1) != 0)
		return -1;
	memcpy(mac_out, mac, sizeof(mac));
	return 0;
}

void
vifspec_format_mac(const uint8_t mac[6], char buf[VIFSPEC_MAC_TEXT])
{
	snprintf(buf, VIFSPEC_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
	    mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void
vifspec_make_mac(const uint8_t random[3], uint8_t mac_out[6])
{
	const uint8_t mac[6] = { 0x00, 0x16, 0x3e, random[0] & 0x7f, random[1],
		random[2] };

	memcpy(mac_out, mac, sizeof(mac));
}

static int
number(struct reader *r, const char *key, const char *text, unsigned long max,
    uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*text < '0' || *text > '9' || *end != '\0' || n > max)
		return refuse(r,
		    arena_printf(r->mem, "%s '%s' must be a number up to %lu",
			key, text, max));
	*out = (uint32_t)n;
	return 0;
}

static int
set_mac(struct reader *r, const char *text)
{
	if (vifspec_parse_mac(text, r->vif->mac) != 0)
		return refuse(r,
		    arena_printf(r->mem,
			"mac '%s' must be six pairs of hex digits, and not a "
			"group address",
			text));
	r->vif->has_mac = true;
	return 0;
}

/* A word for the host's tools: nothing that a shell could trip over. */
static int
plain_word(struct reader *r, const char *key, const char *text, size_t max,
    const char **out)
{
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || strchr("'\"\\$`;&|<>*?", *p))
			break;
	}
	if (*text == '\0' || *text == '-' || *p != '\0' ||
	    (size_t)(p - text) > max)
		return refuse(r, arena_printf(r->mem,
				     "%s '%s' is not a valid name", key, text));
	*out = text;
	return 0;
}

#define IFNAME_LEN 15

static int
set_bridge(struct reader *r, const char *text)
{
	return plain_word(r, "bridge", text, IFNAME_LEN, &r->vif->bridge);
}

static int
set_vifname(struct reader *r, const char *text)
{
	return plain_word(r, "vifname", text, IFNAME_LEN, &r->vif->vifname);
}

static int
set_gatewaydev(struct reader *r, const char *text)
{
	return plain_word(
	    r, "gatewaydev", text, IFNAME_LEN, &r->vif->gatewaydev);
}

static int
set_script(struct reader *r, const char *text)
{
	return plain_word(r, "script", text, 1024, &r->vif->script);
}

static int
set_ip(struct reader *r, const char *text)
{
	if (strspn(text, "0123456789abcdefABCDEF:./ ") != strlen(text))
		return refuse(
		    r, arena_printf(r->mem,
			   "ip '%s' must be addresses with blanks between them",
			   text));
	r->vif->ip = *text == '\0' ? NULL : text;
	return 0;
}

static int
set_handle(struct reader *r, const char *text)
{
	return number(r, "devid", text, 65535, &r->vif->handle);
}

static int
set_mtu(struct reader *r, const char *text)
{
	if (number(r, "mtu", text, 65535, &r->vif->mtu) != 0)
		return -1;
	if (r->vif->mtu < 68)
		return refuse(r, "mtu must be at least 68");
	return 0;
}

/* "10Mb/s": bits (b) or bytes (B) a second, with k, M or G before it. */
static bool
rate_value(const char *text, const char *end, uint64_t *bytes_out)
{
	static const struct {
		const char *unit;
		uint64_t bits;
	} units[] = {
		{ "b/s", 1 },
		{ "kb/s", 1000 },
		{ "Mb/s", 1000000 },
		{ "Gb/s", 1000000000 },
		{ "B/s", 8 },
		{ "KB/s", 8000 },
		{ "kB/s", 8000 },
		{ "MB/s", 8000000 },
		{ "GB/s", 8000000000 },
		{ "Kb/s", 1000 },
	};
	char *unit;
	unsigned long long n = strtoull(text, &unit, 10);

	if (*text < '0' || *text > '9' || n == 0 || n > 1000000000)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].unit);

		if ((size_t)(end - unit) == len &&
		    memcmp(unit, units[i].unit, len) == 0) {
			*bytes_out = n * units[i].bits / 8;
			/* So much that nothing below can overflow. */
			return *bytes_out > 0 && *bytes_out <= 1000000000000;
		}
	}
	return false;
}

/* "20ms", "1s", "500us". */
static bool
rate_interval(const char *text, uint32_t *usec_out)
{
	char *unit;
	unsigned long n = strtoul(text, &unit, 10);
	unsigned long scale;

	if (*text < '0' || *text > '9' || n == 0 || n > 4000000)
		return false;
	if (strcmp(unit, "us") == 0)
		scale = 1;
	else if (strcmp(unit, "ms") == 0)
		scale = 1000;
	else if (strcmp(unit, "s") == 0)
		scale = 1000000;
	else
		return false;
	if (n > 4000000000ul / scale)
		return false;
	*usec_out = (uint32_t)(n * scale);
	return true;
}

static int
set_rate(struct reader *r, const char *text)
{
	const char *at = strchr(text, '@');
	const char *end = at != NULL ? at : text + strlen(text);
	uint32_t usec = DEFAULT_RATE_USEC;
	uint64_t bytes;

	if (!rate_value(text, end, &bytes) ||
	    (at != NULL && !rate_interval(at + 1, &usec)))
		return refuse(r,
		    arena_printf(r->mem,
			"rate '%s' must look like 10Mb/s or 1MB/s@20ms", text));
	/* First whole seconds, so that nothing overflows. */
	r->vif->rate_bytes =
	    bytes / 1000000 * usec + bytes % 1000000 * usec / 1000000;
	r->vif->rate_usec = usec;
	r->vif->rate = text;
	if (r->vif->rate_bytes == 0 || r->vif->rate_bytes > UINT32_MAX)
		return refuse(
		    r, arena_printf(r->mem, "rate '%s' is out of range", text));
	return 0;
}

static int
set_type(struct reader *r, const char *text)
{
	if (strcmp(text, "vif") == 0 || strcmp(text, "netfront") == 0)
		return 0;
	return refuse(r,
	    arena_printf(r->mem,
		"type '%s' is not supported: it needs a device model", text));
}

static int
set_backend(struct reader *r, const char *text)
{
	if (strcmp(text, "0") == 0 || strcmp(text, "Domain-0") == 0)
		return 0;
	return refuse(r, "backends other than domain 0 are not supported");
}

/* Old or for device models; means nothing here. */
static int
ignore(struct reader *r, const char *text)
{
	(void)r;
	(void)text;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct reader *r, const char *text);
} keys[] = {
	{ "mac", set_mac },
	{ "bridge", set_bridge },
	{ "script", set_script },
	{ "ip", set_ip },
	{ "vifname", set_vifname },
	{ "gatewaydev", set_gatewaydev },
	{ "netdev", set_gatewaydev },
	{ "devid", set_handle },
	{ "mtu", set_mtu },
	{ "rate", set_rate },
	{ "type", set_type },
	{ "backend", set_backend },
	{ "model", ignore },
	{ "accel", ignore },
	{ "trusted", ignore },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static int
field(struct reader *r, const char *text)
{
	const char *equals = strchr(text, '='), *names[KEYS + 1] = { NULL };
	size_t len;

	if (equals == NULL &&
	    (strcmp(text, "trusted") == 0 || strcmp(text, "untrusted") == 0))
		return 0;
	if (equals == NULL)
		return refuse(
		    r, arena_printf(
			   r->mem, "'%s' is not of the form key=value", text));
	len = (size_t)(equals - text);
	while (len > 0 && text[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < KEYS; i++) {
		names[i] = keys[i].key;
		if (strlen(names[i]) == len && memcmp(text, names[i], len) == 0)
			return keys[i].set(
			    r, equals + 1 + strspn(equals + 1, " "));
	}
	text = arena_strndup(r->mem, text, len);
	names[0] = diag_nearest(text, names);
	return refuse(r, arena_printf(r->mem, "unknown key '%s'%s%s%s", text,
			     names[0] != NULL ? " (did you mean '" : "",
			     names[0] != NULL ? names[0] : "",
			     names[0] != NULL ? "'?)" : ""));
}

int
vifspec_parse(struct arena *mem, const char *text, struct vifspec *out,
    const char **why_out)
{
	struct vifspec vif = { .handle = VIFSPEC_NO_HANDLE };
	struct reader r = { .mem = mem, .vif = &vif };
	const char *end;

	for (;; text = end + 1) {
		size_t len;

		text += strspn(text, " \t");
		end = text + strcspn(text, ",");
		len = (size_t)(end - text);
		while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
			len--;
		if (len > 0 && field(&r, arena_strndup(mem, text, len)) != 0) {
			*why_out = r.why;
			return -1;
		}
		if (*end == '\0')
			break;
	}
	*out = vif;
	return 0;
}

static char *
append(struct arena *mem, char *text, const char *key, const char *value)
{
	if (value == NULL)
		return text;
	return arena_printf(
	    mem, "%s%s%s=%s", text, *text == '\0' ? "" : ",", key, value);
}

char *
vifspec_print(struct arena *mem, const struct vifspec *v)
{
	char mac[VIFSPEC_MAC_TEXT], *text = arena_strdup(mem, "");

	vifspec_format_mac(v->mac, mac);
	text = append(mem, text, "mac", v->has_mac ? mac : NULL);
	text = append(mem, text, "bridge", v->bridge);
	text = append(mem, text, "script", v->script);
	text = append(mem, text, "ip", v->ip);
	text = append(mem, text, "vifname", v->vifname);
	text = append(mem, text, "gatewaydev", v->gatewaydev);
	if (v->handle != VIFSPEC_NO_HANDLE)
		text = append(
		    mem, text, "devid", arena_printf(mem, "%u", v->handle));
	if (v->mtu != 0)
		text =
		    append(mem, text, "mtu", arena_printf(mem, "%u", v->mtu));
	return append(mem, text, "rate", v->rate);
}
