/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_accept.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xenstored/flight.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/priv.h"

enum {
	ACCEPT_BATCH = 64,
	FULL_MS = 1000,	  /* until somebody is accepted again */
	SPARE_FILES = 48, /* descriptors that are not for clients */
};

static void
note_peer(struct supervisor *s, const struct sup_sock *sock)
{
	char name[PEERS_NAME];
	uid_t uid;
	pid_t pid;

	priv_peer(sock->fd, &uid, &pid);
	plat_process_name(pid, name);
	peers_note(s->peers, sock->id, pid, name);
}

/* Whether clients have all descriptors but those that the next standby, which
 * has them as well, needs. */
static bool
is_full(const struct supervisor *s)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       s->socks.n + SPARE_FILES >= limit.rlim_cur;
}

/* Whoever waits is served when others have gone. */
static void
accept_later(struct supervisor *s)
{
	if (!s->told_full)
		msg_warn("cannot accept a client");
	s->told_full = true;
	s->full = mono_ms() + FULL_MS;
}

void
sup_accept(struct supervisor *s)
{
	size_t n_new = 0;
	int i, fd;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		if (is_full(s)) {
			errno = EMFILE;
			break;
		}
		fd = accept4(
		    s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			break;
		if (!sup_socks_add(&s->socks, fd)) {
			msg_warnx("no memory for a client");
			close(fd);
			continue;
		}
		s->told_full = false;
		n_new++;
	}
	if (i < ACCEPT_BATCH && errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != EINTR)
		accept_later(s);
	s->store.flight->last_sock = s->socks.last_id;
	if (s->primary.pid != 0)
		(void)sup_child_pump(&s->primary, &s->socks);
	if (s->standby.pid != 0)
		(void)sup_child_pump(&s->standby, &s->socks);
	/* after that: their first request need not wait for it */
	for (; n_new > 0 && s->peers != NULL; n_new--)
		note_peer(s, &s->socks.sock[s->socks.n - n_new]);
}
