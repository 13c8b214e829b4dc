/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenmetricsd/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "tools/xenmetricsd/page.h"

enum {
	HEADERS_MAX = 8192,
	BODY_MAX = 0,
	TIMEOUT = 10, /* seconds that a client may take */
	BACKLOG = 16,
};

struct serve {
	struct evhttp *http;
	struct collect *collect;
	char *path; /* of a socket, or NULL */
};

static void
on_metrics(struct evhttp_request *req, void *arg)
{
	struct serve *serve = arg;
	struct collect_view view = collect_look(serve->collect);
	struct evbuffer *out = evbuffer_new();

	if (out == NULL) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return;
	}
	page_write(&view, out);
	evhttp_add_header(evhttp_request_get_output_headers(req),
	    "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	evhttp_send_reply(req, HTTP_OK, "OK", out);
	evbuffer_free(out);
}

static void
on_other(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_send_error(req, HTTP_NOTFOUND, NULL);
}

/* --- where --- */

static bool
refuse(char *why, const char *where, const char *text)
{
	snprintf(why, SERVE_WHY_SIZE, "%.120s: %.100s", where, text);
	return false;
}

/* "[ADDRESS:]PORT" of the loopback. */
static bool
parse_port(const char *where, struct sockaddr_in *address, char *why)
{
	const char *colon = strrchr(where, ':');
	const char *port = colon != NULL ? colon + 1 : where;
	char host[64] = "127.0.0.1", *end;
	unsigned long n = strtoul(port, &end, 10);

	if (port[0] < '0' || port[0] > '9' || *end != '\0' || n == 0 ||
	    n > 65535)
		return refuse(why, where, "neither a path nor a port");
	if (colon != NULL)
		snprintf(host, sizeof(host), "%.*s",
		    (int)(colon - where < 63 ? colon - where : 63), where);
	*address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)n) };
	if (inet_pton(AF_INET, host, &address->sin_addr) != 1)
		return refuse(why, where, "no such address");
	if (ntohl(address->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return refuse(why, where,
		    "only addresses of this machine itself (127.0.0.1) are "
		    "served");
	return true;
}

static int
bind_path(const char *path, char *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path)) {
		refuse(why, path, "the path is too long");
		return -1;
	}
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		refuse(why, path, "what is there is no socket");
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		(void)unlink(path);
		mask = umask(0177);
		rc = bind(
		    fd, (const struct sockaddr *)&address, sizeof(address));
		umask(mask);
		if (rc == 0)
			return fd;
	}
	refuse(why, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
bind_port(const char *where, char *why)
{
	struct sockaddr_in address;
	int fd, on = 1;

	if (!parse_port(where, &address, why))
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	refuse(why, where, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- life --- */

static struct evhttp *
make_http(struct event_base *base, struct serve *serve)
{
	struct evhttp *http = evhttp_new(base);

	if (http == NULL)
		return NULL;
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, BODY_MAX);
	evhttp_set_timeout(http, TIMEOUT);
	evhttp_set_gencb(http, on_other, NULL);
	if (evhttp_set_cb(http, "/metrics", on_metrics, serve) == 0)
		return http;
	evhttp_free(http);
	return NULL;
}

struct serve *
serve_start(struct event_base *base, struct collect *collect, const char *where,
    char why[SERVE_WHY_SIZE])
{
	struct serve *serve = calloc(1, sizeof(*serve));
	struct evconnlistener *listener;
	int fd;

	if (serve == NULL) {
		refuse(why, where, "no memory");
		return NULL;
	}
	serve->collect = collect;
	fd = where[0] == '/' ? bind_path(where, why) : bind_port(where, why);
	if (fd >= 0) {
		if (where[0] == '/')
			serve->path = strdup(where);
		listener = evconnlistener_new(base, NULL, NULL,
		    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
		serve->http = listener != NULL ? make_http(base, serve) : NULL;
		if (serve->http != NULL &&
		    evhttp_bind_listener(serve->http, listener) != NULL)
			return serve;
		refuse(why, where, "no memory");
	}
	serve_stop(serve);
	return NULL;
}

void
serve_stop(struct serve *serve)
{
	if (serve->http != NULL)
		evhttp_free(serve->http);
	if (serve->path != NULL)
		(void)unlink(serve->path);
	free(serve->path);
	free(serve);
}
