/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/hvlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "abi/xen.h"
#include "tools/common/log.h"
#include "tools/xenconsoled/logfile.h"
#include "xenevtchn.h"

enum { CHUNK = 16384 };

struct hvlog {
	struct shared *shared;
	struct logfile *file;
	xenevtchn_handle *xce;
	evtchn_port_t port;
	struct event *readable;
	uint32_t index;
};

static void
copy_all(struct hvlog *hl)
{
	static char buf[CHUNK];
	long n;

	while ((n = hvinfo_console_read(
		    hl->shared->hv, &hl->index, buf, sizeof(buf))) > 0)
		logfile_write(hl->file, buf, (size_t)n);
	if (n < 0)
		log_warn("cannot read the hypervisor's console ring");
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct hvlog *hl = arg;
	int port = xenevtchn_pending(hl->xce);

	(void)fd;
	(void)what;
	if (port < 0 && errno != EFBIG)
		return;
	xenevtchn_unmask(hl->xce, hl->port);
	copy_all(hl);
}

static int
open_channel(struct hvlog *hl)
{
	int port, fd;

	hl->xce = xenevtchn_open(NULL, 0);
	if (hl->xce == NULL)
		return -1;
	port = xenevtchn_bind_virq(hl->xce, VIRQ_CON_RING);
	if (port < 0)
		return -1;
	hl->port = (evtchn_port_t)port;
	fd = xenevtchn_fd(hl->xce);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return -1;
	hl->readable = event_new(
	    hl->shared->base, fd, EV_READ | EV_PERSIST, on_readable, hl);
	if (hl->readable == NULL || event_add(hl->readable, NULL) != 0) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

struct hvlog *
hvlog_start(struct shared *shared)
{
	const struct config *cfg = shared->cfg;
	struct hvlog *hl = calloc(1, sizeof(*hl));
	char path[512];
	unsigned flags = 0;
	int err;

	if (hl == NULL)
		return NULL;
	hl->shared = shared;
	if (cfg->time_hv)
		flags |= LOGFILE_TIME;
	if (cfg->replace_escape)
		flags |= LOGFILE_ESCAPE;
	snprintf(path, sizeof(path), "%s/hypervisor.log", cfg->log_dir);
	hl->file = logfile_open(path, flags);
	if (hl->file != NULL && open_channel(hl) == 0) {
		copy_all(hl);
		return hl;
	}
	err = errno;
	hvlog_stop(hl);
	errno = err;
	return NULL;
}

void
hvlog_reopen(struct hvlog *hl)
{
	if (hl != NULL)
		logfile_reopen(hl->file);
}

void
hvlog_stop(struct hvlog *hl)
{
	if (hl == NULL)
		return;
	if (hl->readable != NULL)
		event_free(hl->readable);
	if (hl->xce != NULL)
		xenevtchn_close(hl->xce);
	logfile_close(hl->file);
	free(hl);
}
