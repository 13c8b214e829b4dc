/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <event2/event.h>
#include <xenevtchn.h>

#include "common/wire.h"
#include "xenstored/apply.h"
#include "xenstored/clock.h"
#include "xenstored/core.h"
#include "xenstored/crash_point.h"
#include "xenstored/end_notice.h"
#include "xenstored/image.h"
#include "xenstored/msg.h"
#include "xenstored/next.h"
#include "xenstored/options.h"
#include "xenstored/plat.h"
#include "xenstored/priv.h"
#include "xenstored/stats.h"
#include "xenstored/supmsg.h"
#include "xenstored/takeover.h"
#include "xenstored/transport_ring.h"
#include "xenstored/transport_unix.h"
#include "xenstored/worker_update.h"

enum {
	FOLLOW_MS = 4, /* between two looks at the log that moves; twice as
			* much and so on if it does not */
	LOOKS = 4, /* in vain, before the standby sleeps until it is woken */
	OVER = 64, /* closed clients that are remembered */
	WAIT_US = 500, /* for those who still need old records ... */
	WAITS = 4000,  /* so often */
	RECORD_MAX = FLIGHT_OUT_SIZE + WIRE_MESSAGE_MAX,
	IMAGE_MS = 20,	      /* between two images, if there is room */
	IMAGE_LOG = 1 << 20,  /* of log that an image is worth ... */
	IMAGE_LOG_NODE = 256, /* ... and this more for each node */
	FOLLOWED = 64,	      /* records, between two times it is told */
};

/* The socket of a client, which nobody serves in this process yet. */
struct held {
	uint64_t sock;
	int fd; /* -1: there was no descriptor left for it */
};

struct worker {
	const struct options *options;
	int sup;
	struct log *log;
	struct flight *flight;
	struct server *server;
	struct rings *rings; /* NULL: there is no hypervisor */
	struct unix_clients *clients;
	int evtchn_fd, null_fd;
	struct apply *apply;
	struct worker_update update;
	struct log_pos pos;
	struct tail tail;
	struct held *held;
	size_t n_held;
	/* Clients that were closed last: the supervisor may not know. */
	uint64_t over[OVER];
	unsigned n_over;
	bool loaded, ready, promoted, stopped;
	bool differs;	    /* from the primary, for want of memory */
	bool rebind;	    /* nobody has the ports */
	bool updated;	    /* promoted as a new program */
	uint64_t image_at;  /* log offset of the last image that was begun */
	uint64_t image_ms;  /* and when, of this process's */
	uint64_t looked_at; /* log offset when it was looked after last */
	unsigned waits;	    /* that were in vain ... */
	uint64_t waits_for; /* for this offset to move */
	char record[RECORD_MAX];
};

/* --- sockets that are held --- */

static void
hold(struct worker *w, uint64_t sock, int fd)
{
	struct held *more =
	    realloc(w->held, (w->n_held + 1) * sizeof(w->held[0]));

	if (more == NULL)
		fatalx("no memory for a client's socket");
	w->held = more;
	w->held[w->n_held++] = (struct held){ sock, fd };
}

/* Takes out the descriptor of SOCK; -1: it is not held. */
static int
let_go(struct worker *w, uint64_t sock)
{
	size_t i;
	int fd;

	for (i = 0; i < w->n_held; i++) {
		if (w->held[i].sock != sock)
			continue;
		fd = w->held[i].fd;
		w->held[i] = w->held[--w->n_held];
		return fd;
	}
	return -1;
}

static void
note_over(struct worker *w, uint64_t sock)
{
	w->over[w->n_over++ % OVER] = sock;
}

/* Whether SOCK was closed in the log before it came here. */
static bool
is_over(const struct worker *w, uint64_t sock)
{
	struct state *st = apply_state(w->apply);
	const struct conn *conn;

	if (st == NULL || sock > state_last_sock(st))
		return false;
	conn = state_next_conn(st, NULL);
	while (conn != NULL && conn_sock(conn) != sock)
		conn = state_next_conn(st, conn);
	return conn == NULL;
}

/* --- following --- */

static void
on_opened(void *ctx, struct conn *conn)
{
	struct worker *w = ctx;

	if (conn_is_ring(conn) && w->rings != NULL)
		rings_follow(w->rings, conn);
}

static void
on_closed(void *ctx, struct conn *conn)
{
	struct worker *w = ctx;
	int fd;

	if (conn_is_ring(conn)) {
		if (w->rings != NULL)
			rings_unfollow(conn);
		return;
	}
	note_over(w, conn_sock(conn));
	fd = let_go(w, conn_sock(conn));
	if (fd >= 0)
		close(fd);
}

/* There is no way on: another one has to start anew. */
static _Noreturn void
lose(struct worker *w, const char *why)
{
	msg_warnx("the standby cannot follow the log at record %llu: %s",
	    (unsigned long long)w->pos.seq, why);
	(void)supmsg_say_text(w->sup, SUPMSG_LOST, w->pos.seq, why);
	_exit(image_is_not_known(why) ? WORKER_NOT_KNOWN : 0);
}

/*
 * A request had another outcome here. Whoever serves is right; if nobody does,
 * this process goes on as it is.
 */
static void
tell_difference(struct worker *w)
{
	if (w->differs || !apply_differs(w->apply))
		return;
	w->differs = true;
	msg_warnx("there was no memory for record %llu in one of two "
		  "processes: the store need not be the same here",
	    (unsigned long long)w->pos.seq - 1);
	(void)supmsg_say(w->sup, SUPMSG_DIFFERS, w->pos.seq - 1);
}

/* Whether there should be more records. The last number may have been given to
 * one that was never published. */
static bool
is_short(const struct worker *w)
{
	uint64_t next = log_header(w->log)->next_seq;

	return w->pos.seq != next && w->pos.seq + 1 != next;
}

/* For those who look whether it comes along. */
static void
tell_how_far(const struct worker *w)
{
	__atomic_store_n(&w->flight->follower, w->pos.offset, __ATOMIC_RELEASE);
}

/* Does what the log says, to its end. */
static void
follow(struct worker *w)
{
	const struct log_header *header = log_header(w->log);
	struct log_entry entry;
	struct record record;
	enum log_read result;
	const char *wrong;
	unsigned n = 0;

	for (;;) {
		result = log_read(
		    header, &w->pos, &entry, w->record, sizeof(w->record));
		if (result != LOG_READ_OK)
			break;
		record = apply_entry(&entry, w->record);
		wrong = apply_record(w->apply, &record);
		if (wrong != NULL)
			lose(w, wrong);
		tell_difference(w);
		tail_note(&w->tail, &entry);
		if (++n % FOLLOWED == 0)
			tell_how_far(w);
		CRASH_POINT();
	}
	if (result == LOG_READ_LOST && !w->promoted)
		lose(w, "it was overwritten, or is damaged");
	if (result == LOG_READ_LOST || (w->promoted && is_short(w)))
		msg_warnx("the log is damaged at record %llu: what came after "
			  "that is lost",
		    (unsigned long long)w->pos.seq);
	tell_how_far(w);
	if (!w->promoted && w->server != NULL && w->pos.seq > 0)
		stats_standby(server_stats(w->server), w->pos.seq - 1);
}

/* A process of its own writes an image of ST at POS. */
static void
make_image(struct worker *w, struct state *st, const struct log_pos *pos,
    const struct tail *tail)
{
	struct supmsg msg = {
		.type = SUPMSG_IMAGE_IS, .a = pos->offset, .b = pos->seq
	};
	struct image_mark mark = { log_header(w->log)->epoch, *pos };
	int fd;
	pid_t pid = fork();

	_Static_assert(sizeof(*tail) <= sizeof(msg.id), "a tail is too long");
	w->image_at = pos->offset;
	if (pid < 0)
		(void)supmsg_say(w->sup, SUPMSG_IMAGE_IS, 0);
	if (pid != 0)
		return;
	priv_give_way();
	fd = plat_memory_file("xenstored-image");
	memcpy(msg.id, tail, sizeof(*tail));
	if (fd < 0 || !image_save(st, &mark, fd))
		(void)supmsg_say(w->sup, SUPMSG_IMAGE_IS, 0);
	else
		(void)supmsg_send(w->sup, &msg, &fd, 1);
	_exit(0);
}

/*
 * Long before the oldest record that a new start needs is overwritten; sooner
 * where an image is small, as the next standby has to go through what was
 * logged since; which takes no time where it was logged in none.
 */
static void
renew_image(struct worker *w)
{
	uint64_t nodes = apply_state(w->apply)->heap.live;
	uint64_t due = IMAGE_LOG + nodes * IMAGE_LOG_NODE;
	uint64_t keep =
	    __atomic_load_n(&w->flight->keep_from, __ATOMIC_ACQUIRE);
	uint64_t half = log_header(w->log)->size / 2;

	if (due > half)
		due = half;
	if ((keep != FLIGHT_UNKNOWN && w->pos.offset - keep < due) ||
	    w->pos.offset - w->image_at < due / 4 ||
	    (w->pos.offset - w->image_at < half / 2 &&
		mono_ms() - w->image_ms < IMAGE_MS) ||
	    !apply_is_between(w->apply))
		return;
	w->image_ms = mono_ms();
	make_image(w, apply_state(w->apply), &w->pos, &w->tail);
}

/* Starts from the image in FD, or from the log's first record (-1). */
static void
load(struct worker *w, int fd)
{
	char why[IMAGE_WHY_SIZE];
	struct image_mark mark;
	struct conn *conn = NULL;
	struct state *st;
	int i;

	w->loaded = true;
	if (fd < 0)
		return;
	st = image_load(fd, apply_env(w->apply), &mark, why);
	close(fd);
	if (st == NULL)
		lose(w, why);
	if (mark.epoch != log_header(w->log)->epoch)
		lose(w, "the image is one of another log");
	w->pos = mark.pos;
	w->image_at = mark.pos.offset;
	if (mark.pos.offset < log_header(w->log)->first)
		lose(w, "the log does not reach back to the image");
	for (i = 0; i < 2; i++)
		if (w->flight->tail[i].seq == mark.pos.seq)
			memcpy(
			    &w->tail, w->flight->tail[i].word, sizeof(w->tail));
	apply_set_state(w->apply, st);
	while ((conn = state_next_conn(st, conn)) != NULL)
		on_opened(w, conn);
}

/* --- messages while following --- */

static void
obey_follower(
    struct worker *w, const struct supmsg *msg, const int *fds, unsigned n_fds)
{
	unsigned i;
	int fd;

	switch (msg->type) {
	case SUPMSG_SOCKS:
		for (i = 0; i < msg->n; i++) {
			fd = i < n_fds ? fds[i] : -1;
			if (!is_over(w, msg->id[i])) {
				hold(w, msg->id[i], fd);
				continue;
			}
			if (fd >= 0)
				close(fd);
			note_over(w, msg->id[i]);
		}
		break;
	case SUPMSG_LOAD:
		load(w, n_fds > 0 ? fds[0] : -1);
		break;
	case SUPMSG_PROMOTE:
		w->promoted = true;
		w->rebind = msg->a != 0;
		w->updated = msg->b != 0;
		break;
	case SUPMSG_AUDIT:
		worker_update_audit(&w->update, apply_state(w->apply));
		break;
	case SUPMSG_STOP:
		_exit(0);
	default:
		break;
	}
}

/* Does what was said while it waited at most MS. */
static void
listen_for(struct worker *w, int ms)
{
	struct pollfd pfd = { .fd = w->sup, .events = POLLIN };
	int fds[SUPMSG_FDS], got;
	struct supmsg msg;
	unsigned n_fds;

	if (poll(&pfd, 1, ms) <= 0)
		return;
	while ((got = supmsg_receive(w->sup, &msg, fds, &n_fds)) == 1)
		obey_follower(w, &msg, fds, n_fds);
	if (got == 0)
		_exit(0); /* the supervisor is gone */
}

/* How long to wait, ms, after LOOKS at a log that did not move; -1: until it is
 * woken. */
static int
time_to_wait(struct worker *w, int looks)
{
	if (looks < LOOKS)
		return FOLLOW_MS << looks;
	flight_sleep(w->flight, true);
	if (__atomic_load_n(&log_header(w->log)->end, __ATOMIC_ACQUIRE) ==
	    w->pos.offset)
		return -1;
	flight_sleep(w->flight, false);
	return FOLLOW_MS;
}

/* Until it is promoted. */
static void
stand_by(struct worker *w)
{
	uint64_t before = 0;
	int ms = 0, looks = 0;

	while (!w->promoted || !w->loaded) {
		listen_for(w, w->loaded && w->ready ? ms : w->loaded ? 0 : -1);
		if (ms < 0)
			flight_sleep(w->flight, false);
		if (!w->loaded)
			continue;
		before = w->pos.offset;
		follow(w);
		if (!w->ready)
			(void)supmsg_say(w->sup, SUPMSG_READY, 0);
		w->ready = true;
		if (!w->promoted && !w->differs)
			renew_image(w);
		looks = w->pos.offset != before ? 0 : looks + 1;
		ms = time_to_wait(w, looks);
	}
	/* the other one is dead by now: this is the end of it */
	follow(w);
	apply_end(w->apply);
	tell_difference(w);
	if (apply_state(w->apply) == NULL)
		lose(w, "it has no beginning");
}

/* The operator's terminal is of no use any more. */
static void
go_quiet(struct worker *w)
{
	if (w->options->foreground)
		return;
	msg_to_syslog();
	if (w->null_fd >= 0)
		dup2(w->null_fd, STDERR_FILENO);
}

/* --- serving --- */

static void
on_client_closed(void *ctx, uint64_t sock)
{
	struct worker *w = ctx;

	(void)supmsg_say(w->sup, SUPMSG_CLOSED, sock);
}

static void
add_client(struct worker *w, uint64_t sock, int fd)
{
	if (fd >= 0 && sock > state_last_sock(server_state(w->server)) &&
	    unix_add(w->clients, fd, sock))
		return;
	if (fd >= 0)
		close(fd);
	else
		msg_warnx("a client is closed: no descriptor is left for it");
	on_client_closed(w, sock);
}

static void
obey(struct worker *w, const struct supmsg *msg, const int *fds, unsigned n_fds)
{
	static const struct tail no_tail;
	struct log_pos pos = log_end(w->log);
	unsigned i;

	switch (msg->type) {
	case SUPMSG_SOCKS:
		for (i = 0; i < msg->n; i++)
			add_client(w, msg->id[i], i < n_fds ? fds[i] : -1);
		break;
	case SUPMSG_IMAGE:
		make_image(w, server_state(w->server), &pos, &no_tail);
		break;
	case SUPMSG_REOPEN:
		server_reopen_trace(w->server);
		break;
	case SUPMSG_STOP:
		if (w->rings != NULL)
			_exit(0); /* between two turns; another one goes on */
		server_stop(w->server);
		break;
	default:
		break;
	}
}

static void
on_sup(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	int fds[SUPMSG_FDS], got;
	struct supmsg msg;
	unsigned n_fds;

	(void)what;
	while ((got = supmsg_receive(fd, &msg, fds, &n_fds)) == 1)
		if (!worker_update_obey(&w->update, &msg, fds, n_fds))
			obey(w, &msg, fds, n_fds);
	if (got == 0)
		_exit(0); /* the supervisor is gone */
}

/* The standby should have made an image long ago: if there is none, or it is
 * too slow, this process does. */
static void
make_image_if_late(struct worker *w, const struct log_pos *pos)
{
	static const struct tail no_tail;
	uint64_t keep =
	    __atomic_load_n(&w->flight->keep_from, __ATOMIC_ACQUIRE);
	uint64_t size = log_header(w->log)->size;

	if ((keep == FLIGHT_UNKNOWN || pos->offset - keep > size / 4 * 3) &&
	    pos->offset - w->image_at > size / 8)
		make_image(w, server_state(w->server), pos, &no_tail);
}

/* Once a turn: records that are new have to be followed. */
static void
look_after_log(void *ctx)
{
	struct worker *w = ctx;
	struct log_pos pos = log_end(w->log);

	if (pos.offset == w->looked_at)
		return;
	w->looked_at = pos.offset;
	if (flight_wake(w->flight))
		(void)supmsg_say(w->sup, SUPMSG_WAKE, 0);
	make_image_if_late(w, &pos);
}

/* Those who need old records get a moment to do without. */
static bool
wait_for_keep(void *ctx)
{
	struct worker *w = ctx;
	uint64_t keep =
	    __atomic_load_n(&w->flight->keep_from, __ATOMIC_ACQUIRE);

	if (keep != w->waits_for)
		w->waits = 0;
	w->waits_for = keep;
	if (w->waits++ < WAITS) {
		usleep(WAIT_US);
		return true;
	}
	w->waits = 0;
	msg_warnx("the log is full and no image of the store came in time: "
		  "until there is one, two deaths at once would lose it");
	__atomic_store_n(
	    &w->flight->keep_from, FLIGHT_UNKNOWN, __ATOMIC_RELEASE);
	return false;
}

/* Every connection of a socket gets its socket; who has none is closed. */
static void
adopt_sockets(struct worker *w)
{
	struct state *st = server_state(w->server);
	struct conn *conn = state_next_conn(st, NULL), *next;
	uint64_t sock;
	size_t i;
	int fd;

	for (; conn != NULL; conn = next) {
		next = state_next_conn(st, conn);
		if (conn_is_ring(conn))
			continue;
		sock = conn_sock(conn);
		fd = let_go(w, sock);
		if (fd >= 0 && unix_adopt(w->clients, fd, conn))
			continue;
		if (fd >= 0)
			close(fd);
		state_close(conn);
		on_client_closed(w, sock);
	}
	for (i = 0; i < OVER; i++)
		if (w->over[i] != 0)
			on_client_closed(w, w->over[i]);
	/* The others were never opened, or closed already. */
	for (i = 0; i < w->n_held; i++)
		if (w->held[i].sock <= state_last_sock(st)) {
			if (w->held[i].fd >= 0)
				close(w->held[i].fd);
			on_client_closed(w, w->held[i].sock);
			w->held[i].sock = 0;
		}
}

static int
by_sock(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return (x->sock > y->sock) - (x->sock < y->sock);
}

/* Clients that came and were not heard of in the log. */
static void
add_new_sockets(struct worker *w)
{
	size_t i;

	if (w->n_held > 0)
		qsort(w->held, w->n_held, sizeof(w->held[0]), by_sock);
	for (i = 0; i < w->n_held; i++)
		if (w->held[i].sock != 0)
			add_client(w, w->held[i].sock, w->held[i].fd);
	free(w->held);
	w->held = NULL;
	w->n_held = 0;
}

static void
take_rings(struct worker *w)
{
	xenevtchn_handle *evtchn;

	if (w->rings == NULL)
		return;
	evtchn = xenevtchn_fdopen(NULL, w->evtchn_fd, 0);
	if (evtchn == NULL)
		fatal("cannot take over the event channels");
	server_set_world(w->server, rings_world(w->rings));
	if (rings_have_dom0(w->rings))
		rings_take(w->rings, evtchn, w->rebind);
	else
		rings_begin(w->rings, evtchn, w->options->event_port);
}

/* What a program of tomorrow writes. */
static void
write_news(struct log *log)
{
	const struct record some = {
		.type = (enum record_type)(RECORD_OPTIONAL | 1), .a = 1
	};
	const struct record must = { .type = (enum record_type)200, .a = 1 };

	if (next_writes("optional"))
		log_append(log, &some);
	if (next_writes("record"))
		log_append(log, &must);
}

/* From follower to server. */
static void
take_over(struct worker *w)
{
	struct record record = {
		.type = RECORD_TAKEOVER, .a = (uint64_t)getpid(), .b = w->rebind
	};
	uint64_t seq = w->pos.seq;

	end_notice_promise(&w->flight->end_notice);
	log_resume(w->log, &w->pos);
	server_set_look(w->server, look_after_log, w);
	log_set_guard(w->log, &w->flight->keep_from, wait_for_keep, w);
	server_take(w->server, apply_take_state(w->apply), w->log);
	apply_free(w->apply);
	w->apply = NULL;
	if (seq > 1) /* another one served before */
		stats_serve(server_stats(w->server), true);
	__atomic_store_n(
	    &w->flight->primary_pid, (uint64_t)getpid(), __ATOMIC_RELEASE);
	log_append(w->log, &record);
	write_news(w->log);
	adopt_sockets(w);
	take_rings(w);
	takeover_finish(w->server, &w->tail);
	add_new_sockets(w);
	unix_start(w->clients);
	worker_update_serve(&w->update, w->server, w->rings, w->updated);
	if (w->rings != NULL)
		rings_wake(w->rings);
	(void)supmsg_say(w->sup, SUPMSG_SERVING, seq);
	go_quiet(w);
}

static void
serve(struct worker *w)
{
	struct event *event = event_new(
	    server_base(w->server), w->sup, EV_READ | EV_PERSIST, on_sup, w);

	if (event == NULL || event_add(event, NULL) != 0)
		fatalx("no memory");
	server_run(w->server);
	event_free(event);
	unix_clients_close(w->clients);
	if (w->rings != NULL)
		rings_stop(w->rings);
	server_free(w->server);
	rings_close(w->rings);
	log_close(w->log);
	flight_unmap(w->flight);
}

/* --- set-up --- */

/* Waits for the first message; its descriptors. */
static void
receive_setup(struct worker *w, struct supmsg *msg, int fds[SUPMSG_FDS])
{
	struct pollfd pfd = { .fd = w->sup, .events = POLLIN };
	unsigned n_fds;

	while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
	if (supmsg_receive(w->sup, msg, fds, &n_fds) != 1)
		_exit(1);
	if (msg->type != SUPMSG_SETUP || msg->a != SUPMSG_VERSION ||
	    n_fds != (w->options->no_domains ? 3 : 4))
		fatalx("the supervisor is one of another version");
}

static void
set_up(struct worker *w, const struct server_config *config)
{
	const struct apply_hooks hooks = {
		.ctx = w, .opened = on_opened, .closed = on_closed
	};
	struct server_config ours = *config;
	int fds[SUPMSG_FDS];
	struct supmsg msg;
	pid_t parent = getppid();
	unsigned i;

	receive_setup(w, &msg, fds);
	w->log = log_map(fds[0]);
	w->flight = flight_map(fds[1]);
	if (w->log == NULL || w->flight == NULL)
		lose(w, "its version is " NOT_KNOWN);
	close(fds[0]);
	close(fds[1]);
	ours.files_fd = fds[2];
	w->evtchn_fd = fds[3];
	w->server = server_new_empty(&ours, w->flight);
	for (i = 0; i < w->options->n_trace; i++)
		if (!server_trace_control(w->server, w->options->trace[i]))
			fatalx("--trace-control: unknown switch '%s'",
			    w->options->trace[i]);
	server_count_writes(w->server, plat_open_written(getpid()));
	w->clients = unix_clients_new(w->server, on_client_closed, w);
	if (!w->options->no_domains)
		w->rings = rings_new(w->server);
	w->apply = apply_new(&hooks);
	if (w->apply == NULL)
		fatalx("no memory");
	if (!w->options->foreground) {
		w->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		msg_prepare_syslog();
	}
	if ((msg.b & SUPMSG_SYSLOG) != 0)
		go_quiet(w);
	plat_no_core();
	priv_sandbox(w->options->user);
	plat_die_with(parent);
}

int
worker_run(
    const struct options *options, const struct server_config *config, int sup)
{
	static struct worker w;

	/* These are for the supervisor, who tells us; children end unheard. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	w.options = options;
	w.null_fd = -1;
	w.sup = sup;
	worker_update_init(&w.update, sup);
	priv_prepare(options->user);
	set_up(&w, config);
	crash_role("standby", w.flight);
	stand_by(&w);
	crash_role("takeover", w.flight);
	take_over(&w);
	crash_role("primary", w.flight);
	serve(&w);
	return 0;
}
