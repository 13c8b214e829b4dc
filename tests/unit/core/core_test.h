/* What every test of the core begins with. */
#ifndef TEST_CORE_TEST_H
#define TEST_CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv-core/sim/sim.h"

/* A machine with domain 0 and two running domains. */
struct world3 {
	struct sim *s;
	domid_t a, b;
};

static inline int
world3_setup(void **state)
{
	struct world3 *w = calloc(1, sizeof(*w));

	w->s = sim_new(NULL);
	w->a = sim_domain_running(w->s, 16);
	w->b = sim_domain_running(w->s, 16);
	*state = w;
	return 0;
}

/* Every test ends with a clean bill of health and nothing left over. */
static inline int
world3_teardown(void **state)
{
	struct world3 *w = *state;
	const char *bad = core_audit(w->s->hv);

	if (bad != NULL)
		print_error("%s\n", bad);
	sim_free(w->s);
	free(w);
	return bad != NULL;
}

#define world3_test(fn)                                                        \
	cmocka_unit_test_setup_teardown(fn, world3_setup, world3_teardown)

/* Everything about a domain's ports that anybody can see. */
struct ports_view {
	struct hv_port_info port[64];
	uint64_t pending, mask;
};

static inline struct ports_view
ports_view(const struct sim *s, domid_t domid)
{
	struct ports_view v;
	uint32_t p;

	memset(&v, 0, sizeof(v));
	for (p = 0; p < 64; p++)
		(void)hv_port_info(s->hv, domid, p, &v.port[p]);
	v.pending = s->domain[domid]->shared_info->evtchn_pending[0];
	v.mask = s->domain[domid]->shared_info->evtchn_mask[0];
	return v;
}

static inline void
assert_same_ports(
    const struct ports_view *before, const struct sim *s, domid_t domid)
{
	struct ports_view now = ports_view(s, domid);

	assert_memory_equal(before, &now, sizeof(now));
}

#endif
