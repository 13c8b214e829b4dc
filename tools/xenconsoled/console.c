/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenconsoled/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/grant_table.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/xenconsoled/channel.h"
#include "tools/xenconsoled/logfile.h"
#include "tools/xenconsoled/node.h"
#include "tools/xenconsoled/outbuf.h"
#include "tools/xenconsoled/pty.h"
#include "tools/xenconsoled/ring.h"

enum {
	CHUNK = 2048, /* at least the ring's output half */
	LIMIT_DEFAULT = 1 << 20,
	LINGER_STEP_MS = 50,
	LINGER_STEPS = 40,
};

struct console {
	struct shared *shared;
	uint32_t domid;
	uint8_t uuid[16];
	char path[64];

	struct ring ring; /* page is NULL while not connected */
	bool granted;	  /* page is a grant, not a foreign frame */
	bool broken;	  /* the guest wrote nonsense into the ring */
	uint64_t ring_ref;
	uint64_t remote_port;
	struct channel *channel;

	struct pty pty;
	struct event *from_pty;
	struct event *to_pty;
	struct outbuf out;
	struct logfile *log;

	struct event *linger;
	int linger_left;
	void (*done)(struct console *con, void *arg);
	void *done_arg;
};

static void on_pty_readable(evutil_socket_t fd, short what, void *arg);
static void on_pty_writable(evutil_socket_t fd, short what, void *arg);

/* ---- life ---- */

static struct logfile *
open_log(const struct console *con)
{
	const struct config *cfg = con->shared->cfg;
	char name[64];
	char path[512];
	struct logfile *log;
	unsigned flags = 0;

	if (!cfg->log_guest)
		return NULL;
	node_domain_name(con->shared->xs, con->domid, name, sizeof(name));
	if (snprintf(path, sizeof(path), "%s/guest-%s.log", cfg->log_dir,
		name) >= (int)sizeof(path))
		return NULL;
	if (cfg->time_guest)
		flags |= LOGFILE_TIME;
	if (cfg->replace_escape)
		flags |= LOGFILE_ESCAPE;
	log = logfile_open(path, flags);
	if (log == NULL)
		log_warn("%s", path);
	return log;
}

struct console *
console_new(struct shared *shared, uint32_t domid, const uint8_t uuid[16])
{
	struct console *con = calloc(1, sizeof(*con));

	if (con == NULL)
		return NULL;
	con->shared = shared;
	con->domid = domid;
	memcpy(con->uuid, uuid, sizeof(con->uuid));
	snprintf(
	    con->path, sizeof(con->path), "/local/domain/%u/console", domid);
	con->pty.master = con->pty.slave = -1;
	outbuf_init(&con->out, LIMIT_DEFAULT);
	return con;
}

uint32_t
console_domid(const struct console *con)
{
	return con->domid;
}

bool
console_is(const struct console *con, const struct hvinfo_domain *dom)
{
	return con->domid == dom->domid &&
	       memcmp(con->uuid, dom->uuid, sizeof(con->uuid)) == 0;
}

const char *
console_path(const struct console *con)
{
	return con->path;
}

static void
free_event(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
}

static void
disconnect(struct console *con)
{
	channel_close(con->channel);
	con->channel = NULL;
	if (con->ring.page == NULL)
		return;
	if (con->granted)
		xengnttab_unmap(con->shared->gnt, con->ring.page, 1);
	else
		xenforeignmemory_unmap(con->shared->fmem, con->ring.page, 1);
	con->ring.page = NULL;
}

void
console_free(struct console *con)
{
	if (con == NULL)
		return;
	disconnect(con);
	free_event(&con->from_pty);
	free_event(&con->to_pty);
	free_event(&con->linger);
	pty_close(&con->pty);
	outbuf_free(&con->out);
	logfile_close(con->log);
	free(con);
}

void
console_reopen_log(struct console *con)
{
	if (con->log == NULL)
		return;
	logfile_close(con->log);
	con->log = open_log(con);
}

/* ---- data ---- */

/* The guest does not keep to the protocol: it gets no service any more. */
static void
give_up(struct console *con)
{
	log_warnx("domain %u: the console ring's indexes make no sense; "
		  "it is not served any more",
	    con->domid);
	con->broken = true;
	disconnect(con);
	if (con->from_pty != NULL)
		event_del(con->from_pty);
}

/* Moves buffered output to the terminal as far as that takes it. */
static void
flush(struct console *con)
{
	size_t len;
	const char *data = outbuf_peek(&con->out, &len);
	ssize_t n;

	if (con->to_pty == NULL || len == 0)
		return;
	n = write(con->pty.master, data, len);
	if (n > 0)
		outbuf_consume(&con->out, (size_t)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		log_warn("domain %u: %s", con->domid, con->pty.name);
	else if ((size_t)(n > 0 ? n : 0) < len)
		event_add(con->to_pty, NULL);
}

/* Takes what the guest has written by now. Returns how many bytes. */
static int
take_output(struct console *con)
{
	char buf[CHUNK];
	size_t room = sizeof(buf);
	int n;

	if (con->ring.page == NULL)
		return 0;
	if (con->shared->cfg->keep && outbuf_room(&con->out) < room)
		room = outbuf_room(&con->out);
	n = ring_take(&con->ring, buf, room);
	if (n < 0) {
		give_up(con);
		return 0;
	}
	if (n > 0) {
		logfile_write(con->log, buf, (size_t)n);
		if (!outbuf_append(&con->out, buf, (size_t)n))
			log_warnx("domain %u: out of memory, output is lost",
			    con->domid);
	}
	return n;
}

/* Lets the terminal's input come just while the guest has room for it. */
static void
watch_input(struct console *con)
{
	int room;

	if (con->ring.page == NULL || con->from_pty == NULL)
		return;
	room = ring_room(&con->ring);
	if (room < 0)
		give_up(con);
	else if (room > 0)
		event_add(con->from_pty, NULL);
	else
		event_del(con->from_pty);
}

static void
on_channel(void *arg)
{
	struct console *con = arg;

	if (take_output(con) > 0)
		channel_notify(con->channel);
	flush(con);
	watch_input(con);
}

static void
on_pty_writable(evutil_socket_t fd, short what, void *arg)
{
	struct console *con = arg;

	(void)fd;
	(void)what;
	flush(con);
	/* what a full buffer made us leave in the ring */
	if (con->shared->cfg->keep && take_output(con) > 0) {
		channel_notify(con->channel);
		flush(con);
	}
}

static void
on_pty_readable(evutil_socket_t fd, short what, void *arg)
{
	struct console *con = arg;
	char buf[sizeof(con->ring.page->in)];
	int room;
	ssize_t n;

	(void)what;
	if (con->ring.page == NULL)
		return;
	room = ring_room(&con->ring);
	if (room > 0) {
		n = read(fd, buf, (size_t)room);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) { /* there is no terminal any more */
			log_warn("domain %u: %s", con->domid, con->pty.name);
			event_del(con->from_pty);
			return;
		}
		if (ring_give(&con->ring, buf, (size_t)n) > 0)
			channel_notify(con->channel);
	}
	watch_input(con);
}

/* ---- connecting ---- */

static bool
make_terminal(struct console *con)
{
	if (con->pty.master >= 0)
		return true;
	if (pty_open(&con->pty) != 0) {
		log_warn("domain %u: no pseudo terminal", con->domid);
		return false;
	}
	con->from_pty = event_new(con->shared->base, con->pty.master,
	    EV_READ | EV_PERSIST, on_pty_readable, con);
	con->to_pty = event_new(
	    con->shared->base, con->pty.master, EV_WRITE, on_pty_writable, con);
	if (con->from_pty != NULL && con->to_pty != NULL)
		return true;
	free_event(&con->from_pty);
	free_event(&con->to_pty);
	pty_close(&con->pty);
	return false;
}

/* Maps the ring: as the grant that toolstacks reserve for it, else the frame
 * that the store names. */
static bool
map_ring(struct console *con)
{
	struct xencons_interface *page;

	page = xengnttab_map_grant_ref(con->shared->gnt, con->domid,
	    GNTTAB_RESERVED_CONSOLE, PROT_READ | PROT_WRITE);
	con->granted = page != NULL;
	if (page == NULL && con->shared->fmem != NULL) {
		const xen_pfn_t frame = con->ring_ref;

		page = xenforeignmemory_map(con->shared->fmem, con->domid,
		    PROT_READ | PROT_WRITE, 1, &frame, NULL);
	}
	if (page == NULL)
		return false;
	ring_attach(&con->ring, page);
	return true;
}

/* Tells clients where the terminal is. The node is written even if it has this
 * value: an older terminal may have had the same name. */
static void
publish(struct console *con)
{
	if (!node_write_private(
		con->shared->xs, con->path, "tty", con->pty.name))
		log_warn("%s/tty", con->path);
}

static void
connect_to(struct console *con, uint64_t ring_ref, uint64_t port)
{
	con->ring_ref = ring_ref;
	con->remote_port = port;
	if (!make_terminal(con))
		return;
	if (!map_ring(con)) {
		log_warn("domain %u: cannot map its console ring", con->domid);
		return;
	}
	con->channel = channel_open(
	    con->shared->base, con->domid, (uint32_t)port, on_channel, con);
	if (con->channel == NULL) {
		log_warn("domain %u: cannot bind port %u of its console",
		    con->domid, (unsigned)port);
		disconnect(con);
		return;
	}
	if (con->log == NULL)
		con->log = open_log(con);
	publish(con);
	log_debug("domain %u: console on %s", con->domid, con->pty.name);
	on_channel(con);
}

void
console_update(struct console *con)
{
	struct xs_handle *xs = con->shared->xs;
	uint64_t ring_ref, port, limit;

	if (xs == NULL || con->linger != NULL || con->broken)
		return;
	if (!node_is_ours(xs, con->path))
		return;
	if (!node_number(xs, con->path, "ring-ref", UINT64_MAX, &ring_ref) ||
	    !node_number(xs, con->path, "port", UINT32_MAX, &port))
		return;
	if (con->ring.page != NULL && con->ring_ref == ring_ref &&
	    con->remote_port == port) {
		if (!node_is(xs, con->path, "tty", con->pty.name))
			publish(con);
		return;
	}
	if (node_number(xs, con->path, "limit", OUTBUF_LIMIT_MAX, &limit))
		con->out.limit =
		    limit > OUTBUF_LIMIT_MIN ? limit : OUTBUF_LIMIT_MIN;
	disconnect(con);
	connect_to(con, ring_ref, port);
}

/* ---- the end ---- */

static void
on_linger(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval step = { .tv_usec = LINGER_STEP_MS * 1000 };
	struct console *con = arg;
	size_t left;

	(void)fd;
	(void)what;
	flush(con);
	outbuf_peek(&con->out, &left);
	if (con->linger_left-- > 0 && con->pty.master >= 0 &&
	    (left > 0 || !pty_drained(&con->pty))) {
		event_add(con->linger, &step);
		return;
	}
	con->done(con, con->done_arg);
}

void
console_end(struct console *con, void (*done)(struct console *con, void *arg),
    void *arg)
{
	const struct timeval step = { .tv_usec = LINGER_STEP_MS * 1000 };

	if (con->linger != NULL)
		return;
	if (take_output(con) > 0)
		flush(con);
	disconnect(con);
	if (con->from_pty != NULL)
		event_del(con->from_pty);
	con->done = done;
	con->done_arg = arg;
	con->linger_left = LINGER_STEPS;
	con->linger = evtimer_new(con->shared->base, on_linger, con);
	if (con->linger == NULL || event_add(con->linger, &step) != 0)
		done(con, arg);
}
