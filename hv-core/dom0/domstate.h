/*
 * What the hypervisor says of a domain. Knows libxenmanage and nothing else.
 */
#ifndef HV_DOM0_DOMSTATE_H
#define HV_DOM0_DOMSTATE_H

#include <stdint.h>

enum domstate {
	DOMSTATE_RUNS, /* also when it cannot be found out */
	DOMSTATE_SHUT, /* it has shut itself down and will answer nothing */
	DOMSTATE_GONE, /* being destroyed, or not there at all */
};

enum domstate domstate_get(uint32_t domid);

#endif
