/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/priv.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include "xenstored/msg.h"

void
priv_drop(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		msg_warn("cannot give up new privileges");
}

void
priv_peer(int fd, uid_t *uid_out, pid_t *pid_out)
{
	struct ucred cred = { 0, 0, 0 };
	socklen_t len = sizeof(cred);

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	*uid_out = cred.uid;
	*pid_out = cred.pid;
}
