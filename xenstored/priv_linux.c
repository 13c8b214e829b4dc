/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/priv.h"

#include <sys/prctl.h>

#include "xenstored/msg.h"

void
priv_drop(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		msg_warn("cannot give up new privileges");
}
