/* SPDX-License-Identifier: BSD-2-Clause */
#include "repeat.h"

#include "common/wire.h"

bool
repeat_allowed(uint32_t type)
{
	switch (type) {
	case WIRE_DIRECTORY:
	case WIRE_DIRECTORY_PART:
	case WIRE_READ:
	case WIRE_GET_PERMS:
	case WIRE_GET_DOMAIN_PATH:
	case WIRE_IS_DOMAIN_INTRODUCED:
	case WIRE_GET_FEATURE:
	case WIRE_GET_QUOTA:
	case WIRE_TRANSACTION_START: /* a lost one ended with its connection */
	case WIRE_WATCH:	     /* so did a watch */
	case WIRE_WRITE:
	case WIRE_MKDIR:
	case WIRE_RM:
	case WIRE_SET_PERMS:
	case WIRE_SET_TARGET:
	case WIRE_SET_FEATURE:
	case WIRE_SET_QUOTA:
		return true;
	default:
		return false;
	}
}
