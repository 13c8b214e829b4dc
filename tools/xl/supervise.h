/*
 * supervise: what happens to a domain when it ends: on_poweroff, on_reboot,
 * on_crash. One process a domain, which `xl create` leaves behind.
 *
 * Knows the life of one domain and its successors; creating and removing it is
 * create.h's business.
 */
#ifndef XL_SUPERVISE_H
#define XL_SUPERVISE_H

#include <stdint.h>

#include "domcfg.h"
#include "xl.h"

/* What is to be followed. */
struct supervision {
	uint32_t domid;
	const struct domcfg *cfg;
	const char *config_text; /* sealed */
	int tell; /* a descriptor that is told each successor's domid, as four
		     bytes, and closed at the end; -1 for none */
};

/*
 * Follows the domain and its restarts until there is none left. Returns 0 when
 * the last one has been removed or is to be preserved, -1 after a message when
 * it had to give up.
 */
int supervise(struct xl *xl, const struct supervision *what);

/*
 * The same in a process of its own, which logs to xl-NAME.log. Returns in the
 * parent, once the supervisor watches: 0, or -1 after a message.
 */
int supervise_in_background(struct xl *xl, const struct supervision *what);

#endif
