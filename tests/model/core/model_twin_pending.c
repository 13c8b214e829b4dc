#include "hv-core/core/evtchn_2l.h"
#define evtchn_2l_clear_pending(si, port) ((void)(si), (void)(port))
#include "hv-core/core/evtchn.c"

#include "twin.h"

int
main(void)
{
	return twin_main("closing a port clears its pending bit");
}
