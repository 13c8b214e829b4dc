#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/tcp.h>

#include "guest.h"
#include "http_int.h"

#define CHUNK (64u * 1024u)	  /* lwIP tells of no more room than this */
#define TURN_BYTES (512u * 1024u) /* one connection's share of a turn */
#define IDLE_POLLS 60		  /* of half a second each */
#define LINGER_POLLS 8

/* lwIP's segments to send and its packet buffers are one pool for all. While
 * there are plenty a connection may have what its window allows; the last ones
 * are shared out, so that clients who do not read or whose requests pile up
 * cannot stop the others. */
#define SEGMENTS_SHARED 3072
#define SEGMENTS_OWN 12
#define PBUFS_SHARED 1024
#define PBUFS_OWN 4
#define PBUFS_MAX 256 /* more than a window of full packets */

static struct tcp_pcb *listener;
static struct conn *conns;
static size_t pbufs_held; /* by all connections */
static struct http_stats stats;
static uint8_t *chunk; /* in guest memory, so that disks fill it in place */

/* Uses up N bytes of the first received pbuf. */
static void
consume(struct conn *c, size_t n)
{
	struct pbuf *first = c->in;

	stats.bytes_in += n;
	c->in_skip += n;
	if (c->in_skip == first->len) {
		c->in = first->next;
		if (c->in != NULL)
			pbuf_ref(c->in);
		pbuf_free(first);
		c->in_skip = 0;
		c->in_pbufs--;
		pbufs_held--;
	}
	if (c->pcb != NULL)
		tcp_recved(c->pcb, (u16_t)n);
}

/* Throws away what has been received: unread, it would make lwIP end the
 * connection with a reset. */
static void
drop_input(struct conn *c)
{
	while (c->in != NULL)
		consume(c, c->in->len - c->in_skip);
}

static void
conn_free(struct conn *c)
{
	http_answer_reset(c);
	if (c->writer != NULL)
		fs_abort(c->writer);
	drop_input(c);
	if (c->pcb != NULL) {
		tcp_arg(c->pcb, NULL);
		tcp_recv(c->pcb, NULL);
		tcp_sent(c->pcb, NULL);
		tcp_err(c->pcb, NULL);
		tcp_poll(c->pcb, NULL, 0);
		if (c->abort || tcp_close(c->pcb) != ERR_OK)
			tcp_abort(c->pcb);
	}
	free(c);
	stats.connections--;
}

static void
begin_put(struct conn *c)
{
	int err;

	c->body_left = c->req.length;
	err = fs_create(c->req.path, &c->writer);
	if (err != 0) {
		c->writer = NULL;
		http_answer_status(c, http_status_of(err));
		return;
	}
	if (c->req.expects_continue) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		tcp_write(c->pcb, go_on, sizeof(go_on) - 1, 0);
		tcp_output(c->pcb);
	}
	c->state = CONN_BODY;
}

static void
begin_request(struct conn *c)
{
	int status = http_parse(c->head, c->head_len, &c->req);

	c->head_len = 0;
	c->body_left = 0;
	stats.requests++;
	if (status != 0) {
		c->req.keep_alive = false;
		http_answer_status(c, status);
		return;
	}
	switch (c->req.method) {
	case HTTP_GET:
	case HTTP_HEAD:
		if (c->req.has_length && c->req.length > 0)
			c->req.keep_alive = false; /* a body nobody reads */
		http_answer_get(c);
		break;
	case HTTP_PUT:
		begin_put(c);
		break;
	case HTTP_OTHER:
		c->req.keep_alive = false;
		http_answer_status(c, 405);
		break;
	}
}

static void
run_head(struct conn *c)
{
	while (c->in != NULL && c->state == CONN_HEAD) {
		const char *p = (const char *)c->in->payload + c->in_skip;
		size_t len = c->in->len - c->in_skip;
		size_t n = 0;

		while (n < len && c->head_len < HEAD_MAX) {
			if (c->head_len == 0 &&
			    (p[n] == '\r' || p[n] == '\n')) {
				n++; /* an empty line before a request */
				continue;
			}
			c->head[c->head_len++] = p[n++];
			if (p[n - 1] != '\n' || c->head_len < 2)
				continue;
			if (c->head[c->head_len - 2] == '\n' ||
			    (c->head_len >= 4 &&
				memcmp(c->head + c->head_len - 4, "\r\n\r\n",
				    4) == 0)) {
				consume(c, n);
				begin_request(c);
				return;
			}
		}
		consume(c, n);
		if (c->head_len == HEAD_MAX) {
			memset(&c->req, 0, sizeof(c->req));
			http_answer_status(c, 431);
		}
	}
}

static void
finish_put(struct conn *c)
{
	int err = fs_commit(c->writer);

	c->writer = NULL;
	http_answer_status(c, err == 0 ? 201 : http_status_of(err));
}

static void
run_body(struct conn *c)
{
	size_t turn = 0;

	while (c->in != NULL && c->body_left > 0 && turn < TURN_BYTES) {
		size_t n = c->in->len - c->in_skip;
		int err;

		if (n > c->body_left)
			n = (size_t)c->body_left;
		err = fs_append(
		    c->writer, (uint8_t *)c->in->payload + c->in_skip, n);
		if (err != 0) {
			fs_abort(c->writer);
			c->writer = NULL;
			http_answer_status(c, http_status_of(err));
			return;
		}
		c->body_left -= n;
		turn += n;
		consume(c, n);
	}
	if (c->body_left == 0)
		finish_put(c);
	else if (c->in == NULL && c->peer_done)
		c->state = CONN_OVER; /* cut short: conn_free gives it up */
}

/* How many bytes C may hand to TCP now. */
static size_t
send_room(const struct conn *c)
{
	size_t mine = tcp_sndqueuelen(c->pcb), all = 0, segments;
	size_t window = tcp_sndbuf(c->pcb);

	for (const struct conn *o = conns; o != NULL; o = o->next)
		if (o->pcb != NULL)
			all += tcp_sndqueuelen(o->pcb);
	if (all < SEGMENTS_SHARED)
		segments = SEGMENTS_SHARED - all;
	else
		segments = mine < SEGMENTS_OWN ? SEGMENTS_OWN - mine : 0;
	if (segments < window / tcp_mss(c->pcb))
		return segments * tcp_mss(c->pcb);
	return window;
}

/* Hands the next piece of the file to TCP. Non-zero: no more for now. */
static int
send_file_piece(struct conn *c)
{
	uint64_t left = fs_size(c->file) - c->file_at;
	size_t room = send_room(c);
	size_t want = left < CHUNK ? (size_t)left : CHUNK;
	long n;

	/* No short reads while more room is on its way; but where room is
	 * scarce there will never be more than when all before is acknowledged.
	 */
	if (room < want &&
	    (room == 0 || (room < CHUNK / 4 && tcp_sndqueuelen(c->pcb) > 0)))
		return 1;
	if (want > room)
		want = room > 4096 ? room & ~(size_t)4095 : room;
	n = fs_pread(c->file, chunk, want, c->file_at);
	if (n <= 0) {
		/* The head has promised more: only the end of the connection
		 * can tell the client. */
		c->abort = true;
		c->state = CONN_OVER;
		return 1;
	}
	for (long done = 0; done < n;) {
		u16_t part = n - done > 32768 ? 32768 : (u16_t)(n - done);

		if (tcp_write(c->pcb, chunk + done, part,
			TCP_WRITE_FLAG_COPY |
			    (done + part < n ? TCP_WRITE_FLAG_MORE : 0)) !=
		    ERR_OK) {
			c->file_at += (uint64_t)done;
			stats.bytes_out += (uint64_t)done;
			return 1;
		}
		done += part;
	}
	c->file_at += (uint64_t)n;
	stats.bytes_out += (uint64_t)n;
	return 0;
}

static int
run_send(struct conn *c)
{
	size_t turn = 0;

	if (c->out.failed) {
		c->state = CONN_OVER;
		return 0;
	}
	while (c->out_sent < c->out.len) {
		size_t n = c->out.len - c->out_sent;

		if (n > send_room(c))
			n = send_room(c);
		if (n > 32768)
			n = 32768;
		if (n == 0 || tcp_write(c->pcb, c->out.text + c->out_sent,
				  (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
			break;
		c->out_sent += n;
		stats.bytes_out += n;
	}
	if (c->out_sent == c->out.len && c->file != NULL)
		while (c->file_at < fs_size(c->file) && turn < TURN_BYTES &&
		       send_file_piece(c) == 0)
			turn += CHUNK;
	tcp_output(c->pcb);
	if (c->state != CONN_SEND || c->out_sent < c->out.len ||
	    (c->file != NULL && c->file_at < fs_size(c->file)))
		return turn >= TURN_BYTES;
	http_answer_reset(c);
	if (c->req.keep_alive && (c->in != NULL || !c->peer_done))
		c->state = CONN_HEAD;
	else
		c->state = CONN_LINGER;
	return c->in != NULL;
}

/* The last answer is TCP's. The connection is not closed before the client has
 * it: to one that still sends (a file that was refused) a close is a reset, and
 * a reset takes the answer away. */
static void
run_linger(struct conn *c)
{
	drop_input(c);
	if (c->fin_sent || tcp_sndqueuelen(c->pcb) > 0)
		return;
	c->fin_sent = true;
	c->idle = IDLE_POLLS - LINGER_POLLS;
	if (c->peer_done || tcp_shutdown(c->pcb, 0, 1) != ERR_OK)
		c->state = CONN_OVER;
}

/* One connection's turn. Non-zero: it has more to do at once. */
static int
conn_run(struct conn *c)
{
	if (c->pcb == NULL)
		return 0;
	if (c->state == CONN_HEAD)
		run_head(c);
	if (c->state == CONN_BODY)
		run_body(c);
	if (c->state == CONN_HEAD && c->peer_done && c->in == NULL)
		c->state = CONN_LINGER;
	if (c->state == CONN_LINGER)
		run_linger(c);
	return c->state == CONN_SEND ? run_send(c)
				     : c->state == CONN_BODY && c->in != NULL;
}

/* Lets lwIP end a connection of which both sides have sent all: it may forget
 * such a pcb at any time, without a word. */
static void
let_go(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	c->pcb = NULL;
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	tcp_close(pcb);
}

static err_t
on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *c = arg;
	size_t most = pbufs_held < PBUFS_SHARED ? PBUFS_MAX : PBUFS_OWN;

	(void)err;
	if (p == NULL) {
		c->peer_done = 1;
		if (c->fin_sent)
			let_go(c);
		return ERR_OK;
	}
	if (c->state == CONN_LINGER) {
		tcp_recved(pcb, p->tot_len);
		pbuf_free(p);
		return ERR_OK;
	}
	if (c->in != NULL && c->in_pbufs >= most)
		return ERR_MEM; /* lwIP keeps it and asks again */
	c->idle = 0;
	c->in_pbufs += pbuf_clen(p);
	pbufs_held += pbuf_clen(p);
	if (c->in == NULL) {
		c->in = p;
		c->in_skip = 0;
	} else {
		pbuf_cat(c->in, p);
	}
	return ERR_OK;
}

static err_t
on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct conn *c = arg;

	(void)pcb;
	(void)len;
	c->idle = 0;
	return ERR_OK;
}

static err_t
on_poll(void *arg, struct tcp_pcb *pcb)
{
	struct conn *c = arg;

	if (++c->idle > IDLE_POLLS) {
		c->abort = tcp_sndqueuelen(pcb) > 0;
		c->state = CONN_OVER;
	}
	return ERR_OK;
}

static void
on_err(void *arg, err_t err)
{
	struct conn *c = arg;

	(void)err;
	c->pcb = NULL; /* freed by lwIP */
}

static err_t
on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct conn *c;

	(void)arg;
	if (err != ERR_OK || pcb == NULL)
		return ERR_VAL;
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	c->pcb = pcb;
	c->next = conns;
	conns = c;
	stats.connections++;
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_err);
	tcp_poll(pcb, on_poll, 1);
	tcp_nagle_disable(pcb);
	return ERR_OK;
}

int
http_start(void)
{
	struct tcp_pcb *pcb = tcp_new();

	chunk = guest_alloc_pages(CHUNK / GUEST_PAGE_SIZE);
	if (pcb == NULL || chunk == NULL)
		return -ENOMEM;
	if (tcp_bind(pcb, IP_ADDR_ANY, 80) != ERR_OK) {
		tcp_close(pcb);
		return -EADDRINUSE;
	}
	listener = tcp_listen_with_backlog(pcb, 32);
	if (listener == NULL) {
		tcp_close(pcb);
		return -ENOMEM;
	}
	tcp_accept(listener, on_accept);
	return 0;
}

int
http_poll(void)
{
	struct conn **at = &conns;
	int more = 0;

	while (*at != NULL) {
		struct conn *c = *at;

		more |= conn_run(c);
		if (c->pcb == NULL || c->state == CONN_OVER) {
			*at = c->next;
			conn_free(c);
		} else {
			at = &c->next;
		}
	}
	return more;
}

void
http_stop(void)
{
	if (listener != NULL)
		tcp_close(listener);
	listener = NULL;
	while (conns != NULL) {
		struct conn *c = conns;

		conns = c->next;
		conn_free(c);
	}
}

void
http_stats(struct http_stats *out)
{
	*out = stats;
}
