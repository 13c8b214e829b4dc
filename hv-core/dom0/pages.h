/*
 * Granted pages for the short time of a batch: what the data paths need of the
 * grant library, so that tests can stand in for it.
 */
#ifndef HV_DOM0_PAGES_H
#define HV_DOM0_PAGES_H

#include <stdint.h>

enum pages_access {
	PAGES_READ,  /* we read what the guest wrote */
	PAGES_WRITE, /* we write (and may read) */
};

struct pages {
	/*
	 * Maps REFS[0..COUNT) of the one guest: page i at PAGES_OUT[i], named
	 * HANDLES_OUT[i]. A page that cannot be mapped is NULL. COUNT > 0.
	 */
	void (*map)(void *arg, uint32_t count, const uint32_t *refs,
	    enum pages_access access, void **pages_out, uint32_t *handles_out);
	/* Ends mappings of map; those of pages that were NULL are allowed. */
	void (*unmap)(void *arg, uint32_t count, const uint32_t *handles);
	void *arg;
};

struct xengntdev_handle;

/* The real ones: grants of DOMID through XGT. */
struct pages_grants {
	struct xengntdev_handle *xgt;
	uint32_t domid;
};
struct pages pages_from_grants(struct pages_grants *grants);

#define PAGES_KEPT 512 /* a power of two */

/*
 * Mappings that outlive their batch, so that a ring's buffers cost nothing but
 * the first time. For a guest that promised that a reference means the same
 * page as long as it is connected. References that find their place taken are
 * mapped and unmapped as ever. All-zero but FROM is empty.
 */
struct pages_kept {
	struct pages from;
	struct {
		void *page; /* NULL: free */
		uint32_t ref;
		enum pages_access access;
	} slot[PAGES_KEPT];
};
/* Nothing is ever unmapped: that is left to the end of the process. */
struct pages pages_keep(struct pages_kept *kept);

#endif
