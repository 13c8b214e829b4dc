/* SPDX-License-Identifier: BSD-2-Clause */
/* xs_open and its kin. */
#include <errno.h>

#include "handle.h"

struct xs_handle *
xs_open(unsigned long flags)
{
	struct conn conn;

	if (conn_open(&conn) != 0)
		return NULL;
	return handle_new(&conn, flags);
}

struct xs_handle *
xs_daemon_open(void)
{
	return xs_open(0);
}

struct xs_handle *
xs_daemon_open_readonly(void)
{
	return xs_open(0);
}

struct xs_handle *
xs_domain_open(void)
{
	return xs_open(0);
}

void
xs_close(struct xs_handle *h)
{
	if (h != NULL)
		handle_free(h);
}

void
xs_daemon_close(struct xs_handle *h)
{
	xs_close(h);
}

void
xs_daemon_destroy_postfork(struct xs_handle *h)
{
	if (h != NULL)
		handle_forget(h);
}

bool
xs_restrict(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	(void)domid;
	errno = ENOSYS;
	return false;
}
