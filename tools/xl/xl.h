/*
 * xl: what every subcommand works with: its connections, opened when they are
 * first needed, its settings, and finding domains.
 *
 * Knows xl.conf and the environment. Functions that return int give 0, or -1
 * after having written one line to stderr (or to the log, in a supervisor).
 */
#ifndef XL_XL_H
#define XL_XL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "hvctl.h"
#include "store.h"
#include "tools/common/hvinfo.h"

struct xl_settings {
	const char *bridge;	/* of vifs that name none */
	const char *vif_script; /* of vifs that name none; NULL: the usual */
	int hotplug_timeout_ms;
	int destroy_timeout_ms;
	int shutdown_timeout_ms;
};

struct xl {
	struct arena *mem; /* lives as long as the program */
	const char *prog;  /* "xl" or "xm" */
	struct xl_settings set;
	struct hvinfo *info; /* these three are NULL until needed */
	struct hvctl *hv;
	struct store *st;
};

/* Reads xl.conf, if there is one, and the environment. PROG outlives *OUT. */
int xl_init(struct xl *out, const char *prog);

/* Ends the connections and frees everything. */
void xl_done(struct xl *xl);

/* Forgets the connections of the parent, after a fork. */
void xl_forget_connections(struct xl *xl);

/* Open what is not open yet. */
int xl_need_info(struct xl *xl);
int xl_need_hv(struct xl *xl);
int xl_need_store(struct xl *xl);

/* Where the log of a domain's supervisor, and of other messages, goes: one
 * line "xl: text" on stderr until log_to_file(). */
void xl_error(struct xl *xl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* All domains, ended by one with domid UINT32_MAX, in the arena of XL. */
int xl_domains(
    struct xl *xl, struct hvinfo_domain **domains_out, size_t *count_out);

/* The name of a domain as the store has it, or NULL. */
char *xl_domain_name(struct xl *xl, struct arena *mem, uint32_t domid);

/* The domain that TEXT, a name or a number, stands for. */
int xl_find_domain(struct xl *xl, const char *text, uint32_t *domid_out);

/* The same without a message: -1 with errno ESRCH if there is none, or
 * another errno if that could not be found out. */
int xl_lookup_domain(struct xl *xl, const char *text, uint32_t *domid_out);

/* Refuses domain 0. */
int xl_find_guest(struct xl *xl, const char *text, uint32_t *domid_out);

/* The file that keeps the configuration a domain was created with. */
char *xl_config_path(struct arena *mem, uint32_t domid);

#endif
