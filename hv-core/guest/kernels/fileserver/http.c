#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/tcp.h>

#include "fs.h"
#include "guest.h"
#include "http_parse.h"
#include "page.h"

#define HEAD_MAX 8192
#define CHUNK (64u * 1024u)
#define TURN_BYTES (512u * 1024u) /* one connection's share of a turn */
#define IDLE_POLLS 60		  /* of half a second each */

enum conn_state {
	CONN_HEAD, /* reading a request's head */
	CONN_BODY, /* reading a PUT's file */
	CONN_SEND, /* sending head and body of the answer */
	CONN_OVER, /* to be closed once what was sent is out */
};

struct conn {
	struct conn *next;
	struct tcp_pcb *pcb; /* NULL once lwIP has dropped it */
	enum conn_state state;
	struct pbuf *in; /* received, not yet looked at */
	size_t in_skip;	 /* bytes of the first pbuf that are used up */
	int peer_done;	 /* the peer has sent its last byte */
	unsigned int idle;

	char head[HEAD_MAX];
	size_t head_len;
	struct http_request req;
	struct fs_writer *writer;
	uint64_t body_left;

	struct page out; /* head, and the body if it is a page */
	size_t out_sent;
	struct fs_file *file;
	uint64_t file_at;
};

static struct tcp_pcb *listener;
static struct conn *conns;
static struct http_stats stats;
static uint8_t *chunk; /* in guest memory, so that disks fill it in place */

static void
answer_reset(struct conn *c)
{
	free(c->out.text);
	c->out = (struct page){ 0 };
	c->out_sent = 0;
	if (c->file != NULL)
		fs_close(c->file);
	c->file = NULL;
	c->file_at = 0;
}

static void
conn_free(struct conn *c)
{
	answer_reset(c);
	if (c->writer != NULL)
		fs_abort(c->writer);
	if (c->in != NULL)
		pbuf_free(c->in);
	if (c->pcb != NULL) {
		tcp_arg(c->pcb, NULL);
		tcp_recv(c->pcb, NULL);
		tcp_sent(c->pcb, NULL);
		tcp_err(c->pcb, NULL);
		tcp_poll(c->pcb, NULL, 0);
		if (tcp_close(c->pcb) != ERR_OK)
			tcp_abort(c->pcb);
	}
	free(c);
	stats.connections--;
}

/* Begins an answer: status line and fields, with BODY_LEN to follow. */
static void
answer_head(struct conn *c, int status, const char *type, uint64_t body_len,
    const char *more)
{
	answer_reset(c);
	if (status >= 400 && c->req.method == HTTP_PUT && c->body_left > 0)
		c->req.keep_alive = false; /* the rest of the file follows */
	page_printf(&c->out,
	    "HTTP/1.1 %d %s\r\nServer: kernbus-fileserver\r\n"
	    "Content-Type: %s\r\nContent-Length: %llu\r\n%s"
	    "Connection: %s\r\n\r\n",
	    status, http_reason(status), type, (unsigned long long)body_len,
	    more, c->req.keep_alive ? "keep-alive" : "close");
	c->state = CONN_SEND;
}

static void
answer_status(struct conn *c, int status)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));
	answer_head(c, status, "text/plain", strlen(text),
	    status == 405 ? "Allow: GET, HEAD, PUT\r\n" : "");
	if (c->req.method != HTTP_HEAD)
		page_printf(&c->out, "%s", text);
}

static int
status_of(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
		return 404;
	case -EROFS:
	case -EINVAL:
		return 403;
	case -EISDIR:
		return 409;
	case -ENOSPC:
		return 507;
	default:
		return 500;
	}
}

static void
answer_directory(struct conn *c)
{
	struct page p = { 0 };
	int err = page_listing(&p, c->req.path);

	if (err != 0) {
		answer_status(c, status_of(err));
	} else {
		answer_head(c, 200, "text/html; charset=utf-8", p.len, "");
		if (c->req.method != HTTP_HEAD)
			page_printf(&c->out, "%s", p.text);
	}
	free(p.text);
}

static void
answer_redirect(struct conn *c)
{
	struct page to = { 0 };

	page_printf(&to, "Location: ");
	page_url(&to, c->req.path);
	page_printf(&to, "/\r\n");
	answer_head(c, 301, "text/plain", 0, to.failed ? "" : to.text);
	free(to.text);
}

static void
answer_get(struct conn *c)
{
	char *path = c->req.path;
	size_t len = strlen(path);
	struct fs_stat st;
	struct fs_file *f;
	int err = fs_stat(path, &st);

	if (err == 0 && st.type == FS_DIR) {
		if (path[len - 1] != '/') {
			answer_redirect(c);
			return;
		}
		if (len + strlen("index.html") >= sizeof(c->req.path)) {
			answer_directory(c);
			return;
		}
		strcpy(path + len, "index.html");
		err = fs_open(path, &f);
		if (err != 0) {
			path[len] = '\0';
			answer_directory(c);
			return;
		}
	} else if (err == 0) {
		err = fs_open(path, &f);
	}
	if (err != 0) {
		answer_status(c, status_of(err));
		return;
	}
	answer_head(c, 200, http_type(path), fs_size(f), "");
	if (c->req.method == HTTP_HEAD)
		fs_close(f);
	else
		c->file = f;
}

static void
begin_put(struct conn *c)
{
	int err;

	c->body_left = c->req.length;
	err = fs_create(c->req.path, &c->writer);
	if (err != 0) {
		c->writer = NULL;
		answer_status(c, status_of(err));
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
		answer_status(c, status);
		return;
	}
	switch (c->req.method) {
	case HTTP_GET:
	case HTTP_HEAD:
		if (c->req.has_length && c->req.length > 0)
			c->req.keep_alive = false; /* a body nobody reads */
		answer_get(c);
		break;
	case HTTP_PUT:
		begin_put(c);
		break;
	case HTTP_OTHER:
		c->req.keep_alive = false;
		answer_status(c, 405);
		break;
	}
}

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
	}
	tcp_recved(c->pcb, (u16_t)n);
}

static void
run_head(struct conn *c)
{
	while (c->in != NULL && c->state == CONN_HEAD) {
		const char *p = (const char *)c->in->payload + c->in_skip;
		size_t len = c->in->len - c->in_skip;
		size_t n = 0;

		while (n < len && c->head_len < HEAD_MAX) {
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
			answer_status(c, 431);
		}
	}
}

static void
finish_put(struct conn *c)
{
	int err = fs_commit(c->writer);

	c->writer = NULL;
	answer_status(c, err == 0 ? 201 : status_of(err));
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
			answer_status(c, status_of(err));
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

/* Hands the next piece of the file to TCP. Non-zero: no more for now. */
static int
send_file_piece(struct conn *c)
{
	uint64_t left = fs_size(c->file) - c->file_at;
	size_t room = tcp_sndbuf(c->pcb);
	size_t want = left < CHUNK ? (size_t)left : CHUNK;
	long n;

	if (room < want && room < CHUNK / 4)
		return 1;
	if (want > room)
		want = room & ~(size_t)4095;
	n = fs_pread(c->file, chunk, want, c->file_at);
	if (n <= 0) {
		/* The head has promised more: only the end of the connection
		 * can tell the client. */
		c->req.keep_alive = false;
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

		if (n > tcp_sndbuf(c->pcb))
			n = tcp_sndbuf(c->pcb);
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
	answer_reset(c);
	c->state = c->req.keep_alive && !c->peer_done ? CONN_HEAD : CONN_OVER;
	return c->in != NULL;
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
		c->state = CONN_OVER;
	return c->state == CONN_SEND ? run_send(c)
				     : c->state == CONN_BODY && c->in != NULL;
}

static err_t
on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *c = arg;

	(void)pcb;
	(void)err;
	c->idle = 0;
	if (p == NULL) {
		c->peer_done = 1;
		return ERR_OK;
	}
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

	(void)pcb;
	if (++c->idle > IDLE_POLLS)
		c->state = CONN_OVER;
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
