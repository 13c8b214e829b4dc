#include <errno.h>
#include <stddef.h>

#include "xenmanage.h"

#include "hv-core/dom0/domstate.h"

enum domstate
domstate_get(uint32_t domid)
{
	xenmanage_handle *h = xenmanage_open(NULL, 0);
	unsigned state = 0;
	enum domstate is = DOMSTATE_RUNS;

	if (h == NULL)
		return DOMSTATE_RUNS;
	if (xenmanage_get_domain_info(h, domid, &state, NULL, NULL) != 0) {
		if (errno == ESRCH)
			is = DOMSTATE_GONE;
	} else if ((state & XENMANAGE_GETDOMSTATE_STATE_EXIST) == 0 ||
		   (state & (XENMANAGE_GETDOMSTATE_STATE_DYING |
				XENMANAGE_GETDOMSTATE_STATE_DEAD)) != 0) {
		is = DOMSTATE_GONE;
	} else if ((state & XENMANAGE_GETDOMSTATE_STATE_SHUTDOWN) != 0) {
		is = DOMSTATE_SHUT;
	}
	xenmanage_close(h);
	return is;
}
