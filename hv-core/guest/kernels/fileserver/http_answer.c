#include "http_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
http_answer_reset(struct conn *c)
{
	free(c->out.text);
	c->out = (struct page){ 0 };
	c->out_sent = 0;
	if (c->file != NULL)
		fs_close(c->file);
	c->file = NULL;
	c->file_at = 0;
}

/* Begins an answer: status line and fields, with BODY_LEN to follow. */
static void
answer_head(struct conn *c, int status, const char *type, uint64_t body_len,
    const char *more)
{
	http_answer_reset(c);
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

void
http_answer_status(struct conn *c, int status)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %s\n", status, http_reason(status));
	answer_head(c, status, "text/plain", strlen(text),
	    status == 405 ? "Allow: GET, HEAD, PUT\r\n" : "");
	if (c->req.method != HTTP_HEAD)
		page_printf(&c->out, "%s", text);
}

int
http_status_of(int err)
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
	case -EFBIG:
		return 413;
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
		http_answer_status(c, http_status_of(err));
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

void
http_answer_get(struct conn *c)
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
		http_answer_status(c, http_status_of(err));
		return;
	}
	answer_head(c, 200, http_type(path), fs_size(f), "");
	if (c->req.method == HTTP_HEAD)
		fs_close(f);
	else
		c->file = f;
}
