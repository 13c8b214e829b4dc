/*
 * domcfg: what a configuration says about a domain, as a struct.
 *
 * Knows every key and its meaning; does not look at files, at the store or at
 * the hypervisor. domcfg_keys.c holds the list of the keys.
 */
#ifndef XL_DOMCFG_H
#define XL_DOMCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "cfg.h"
#include "diskspec.h"
#include "vifspec.h"

enum domcfg_type {
	DOMCFG_PV,
	DOMCFG_PVH,
	DOMCFG_HVM,
};

enum domcfg_action {
	DOMCFG_DESTROY,
	DOMCFG_RESTART,
	DOMCFG_RENAME_RESTART,
	DOMCFG_PRESERVE,
};

/* Why a domain ended; the order is that of SHUTDOWN_* of the ABI. */
enum domcfg_reason {
	DOMCFG_ON_POWEROFF,
	DOMCFG_ON_REBOOT,
	DOMCFG_ON_SUSPEND,
	DOMCFG_ON_CRASH,
	DOMCFG_ON_WATCHDOG,
	DOMCFG_REASONS
};

struct domcfg {
	const char *name;
	uint8_t uuid[16];
	bool has_uuid;
	enum domcfg_type type;
	const char *kernel;  /* a path, absolute */
	const char *ramdisk; /* a path, absolute; NULL if none */
	const char *cmdline; /* never NULL */
	uint64_t memory_kib;
	uint64_t max_memory_kib;
	unsigned vcpus;
	unsigned max_vcpus;
	enum domcfg_action on[DOMCFG_REASONS];
	struct diskspec *disk;
	size_t disks;
	struct vifspec *vif;
	size_t vifs;
};

/* What a configuration leaves unsaid. */
struct domcfg_defaults {
	const char *name; /* NULL if there is no sensible one */
	const char *cwd;  /* what relative paths start from */
	const char *bridge;
	const char *vif_script;
};

/* The keys of which each command-line assignment adds one entry. */
extern const char *const domcfg_list_keys[];

/*
 * Reads C into *OUT; strings live in C's memory. Problems go to C's diag.
 * Returns 0; or -1 if that added errors, and then *OUT is not to be used.
 */
int domcfg_read(
    struct cfg *c, const struct domcfg_defaults *dflt, struct domcfg *out);

/*
 * Gives everything that was left to chance a value: the uuid, MAC addresses
 * and handles. RANDOM(ARG, BUF, LEN) fills BUF.
 */
void domcfg_complete(struct domcfg *d,
    void (*random)(void *arg, void *buf, size_t len), void *arg);

/*
 * Writes name, uuid, paths, disks and vifs of D back to C, so that reading C
 * again gives D whatever the defaults and the working directory are by then.
 */
void domcfg_seal(const struct domcfg *d, struct cfg *c);

/* 0 if a domain may be called NAME; or -1 and a static text in *WHY_OUT. */
int domcfg_check_name(const char *name, const char **why_out);

/* The text of a uuid, 36 bytes and a NUL; and back (0, or -1). */
#define DOMCFG_UUID_TEXT 37
void domcfg_format_uuid(const uint8_t uuid[16], char buf[DOMCFG_UUID_TEXT]);
int domcfg_parse_uuid(const char *text, uint8_t uuid_out[16]);

/* Complains about the keys of C that do not exist or are not supported. */
void domcfg_check_keys(struct cfg *c);

#endif
