/*
 * vifspec: one entry of a configuration's vif list, "mac=..., bridge=...".
 * An empty entry is an interface with all defaults. Knows no interface of
 * this machine.
 */
#ifndef XL_VIFSPEC_H
#define XL_VIFSPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

#define VIFSPEC_NO_HANDLE UINT32_MAX

struct vifspec {
	uint8_t mac[6];
	bool has_mac;
	const char *bridge; /* the others are NULL if not given */
	const char *script;
	const char *ip; /* addresses, blanks between them */
	const char *vifname;
	const char *gatewaydev;
	uint32_t handle;     /* VIFSPEC_NO_HANDLE if not given */
	uint32_t mtu;	     /* 0 if not given */
	const char *rate;    /* as written; NULL is no limit */
	uint64_t rate_bytes; /* in each interval */
	uint32_t rate_usec;  /* the interval */
};

/* Parses TEXT. Strings live in MEM. 0; or -1 and a line in *WHY_OUT, in MEM. */
int vifspec_parse(struct arena *mem, const char *text, struct vifspec *out,
    const char **why_out);

/* V in the configuration's spelling, in MEM; vifspec_parse gives V back. */
char *vifspec_print(struct arena *mem, const struct vifspec *v);

/* Six pairs of hex digits. Refuses group addresses. 0, or -1. */
int vifspec_parse_mac(const char *text, uint8_t mac_out[6]);

/* "00:16:3e:12:34:56" and a NUL. */
#define VIFSPEC_MAC_TEXT 18
void vifspec_format_mac(const uint8_t mac[6], char buf[VIFSPEC_MAC_TEXT]);

/* A MAC address of Xen's range; RANDOM are three bytes from elsewhere. */
void vifspec_make_mac(const uint8_t random[3], uint8_t mac_out[6]);

#endif
