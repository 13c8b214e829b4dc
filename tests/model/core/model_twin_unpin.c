#include "hv-core/core/p2m.h"
#define p2m_unpin(d, gfn) ((void)(d), (void)(gfn))
#include "hv-core/core/grant.c"

#include "twin.h"

int
main(void)
{
	return twin_main("the last pin of an entry lets its frame go");
}
