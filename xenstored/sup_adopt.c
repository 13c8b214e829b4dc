/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xenstored/fates.h"
#include "xenstored/image.h"
#include "xenstored/log.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/stream.h"

struct adoption {
	struct fates *fates; /* NULL: there is no hypervisor */
	struct sup_socks *socks;
};

/* --- the world that the stream is read in --- */

static struct domain_info
domain_info(void *ctx, uint32_t domid)
{
	const struct adoption *a = ctx;

	if (a->fates == NULL)
		return (struct domain_info){ .exists = true };
	return fates_ask(a->fates, domid);
}

static void
record(void *ctx, const struct record *r)
{
	(void)ctx;
	(void)r;
}

static void
ignore_conn(void *ctx, struct conn *conn)
{
	(void)ctx;
	(void)conn;
}

/* Domains that have gone since the stream was written are released. */
static void
release_the_gone(struct adoption *a, struct state *st)
{
	struct conn *conn = state_next_conn(st, NULL), *next;
	struct domain_info info;
	uint32_t domid;

	for (; conn != NULL; conn = next) {
		next = state_next_conn(st, conn);
		domid = conn_domid(conn);
		if (!conn_is_ring(conn) || domid == 0)
			continue;
		info = domain_info(a, domid);
		state_domain_changed(st, domid, &info);
	}
}

static bool
keep_open(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
adopt_socket(void *ctx, int fd, struct stream_peer *peer_out)
{
	struct adoption *a = ctx;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (!keep_open(fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	if (!sup_socks_add(a->socks, fd))
		fatalx("no memory");
	*peer_out = (struct stream_peer){
		.sock = a->socks->last_id, .uid = peer.uid, .pid = peer.pid
	};
	return true;
}

/* --- the file --- */

/* All of the file PATH, and its length. */
static char *
slurp(const char *path, size_t *len_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0)
		fatal("there is nothing to go on with: %s", path);
	data = malloc((size_t)st.st_size + 1);
	if (data == NULL)
		fatalx("no memory");
	for (*len_out = 0; *len_out < (size_t)st.st_size;
	     *len_out += (size_t)n) {
		n = read(fd, data + *len_out, (size_t)st.st_size - *len_out);
		if (n <= 0)
			fatal("cannot read %s", path);
	}
	close(fd);
	return data;
}

/* ST as what STORE begins with, also for the next supervisor. */
static void
keep(struct sup_store *store, const struct state *st)
{
	struct image_mark mark = { .epoch = log_header(store->log)->epoch };
	int fd;

	mark.pos = log_end(store->log);
	fd = plat_memory_file("xenstored-image");
	if (fd < 0 || !image_save(st, &mark, fd))
		fatal("cannot keep what was in the store");
	(void)sup_store_keep_now(store, mark.pos.offset, fd);
}

void
sup_adopt(struct sup_store *store, struct sup_socks *socks, const char *dir,
    const struct server_config *config, bool with_domains,
    struct sup_adopted *adopted_out)
{
	struct adoption a = { .socks = socks };
	const struct state_env env = {
		.ctx = &a,
		.domain_info = domain_info,
		.ring_close = ignore_conn,
		.wake = ignore_conn,
		.record = record,
	};
	const struct stream_reader reader = { .ctx = &a,
		.adopt = adopt_socket };
	struct stream_process process;
	char path[4096], why[IMAGE_WHY_SIZE];
	struct state *st;
	char *data;
	size_t len;

	snprintf(path, sizeof(path), "%s/state_dump", dir);
	data = slurp(path, &len);
	if (with_domains)
		a.fates = fates_open(NULL, "is this domain 0?");
	st = stream_import(
	    data, len, &config->state, &env, &reader, &process, why);
	if (st == NULL)
		fatalx("%s: %s", path, why);
	free(data);
	if (with_domains)
		release_the_gone(&a, st);
	keep(store, st);
	state_free(st);
	if (a.fates != NULL)
		fates_close(a.fates);
	if (process.socket_fd >= 0 && !keep_open(process.socket_fd))
		fatal("%s: its socket is none", path);
	*adopted_out =
	    (struct sup_adopted){ process.socket_fd, process.evtchn_fd };
	(void)unlink(path);
	msg_info("goes on with what another daemon handed over: %zu clients",
	    socks->n);
}
