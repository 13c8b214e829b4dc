/*
 * The floor of the file server: the least HTTP server that curl will talk to.
 * One process, one connection at a time, plain sockets: GET sends the file, PUT
 * replaces it, 64 KiB at a time.
 *
 * bench_httpd PORT FILE
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char buf[65536];

static int
send_all(int s, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(s, p, len);

		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void
get(int s, const char *file)
{
	int fd = open(file, O_RDONLY);
	struct stat st;
	char head[128];
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0) {
		perror(file);
		exit(1);
	}
	snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\n"
	    "Connection: close\r\n\r\n",
	    (long long)st.st_size);
	if (send_all(s, head, strlen(head)) == 0)
		while ((n = read(fd, buf, sizeof(buf))) > 0 &&
		       send_all(s, buf, (size_t)n) == 0)
			;
	close(fd);
}

/* HAVE bytes of the body are at BODY already. */
static void
put(int s, const char *file, const char *head, const char *body, size_t have)
{
	const char *field = strstr(head, "Content-Length: ");
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	size_t left = field != NULL ? strtoul(field + 16, NULL, 10) : 0;
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	static const char done[] = "HTTP/1.1 201 Created\r\n"
				   "Content-Length: 0\r\n\r\n";
	ssize_t n;

	if (fd < 0) {
		perror(file);
		exit(1);
	}
	if (strstr(head, "100-continue") != NULL)
		(void)send_all(s, go_on, sizeof(go_on) - 1);
	if (have > 0 && send_all(fd, body, have) != 0)
		exit(1);
	left -= have;
	while (left > 0 && (n = read(s, buf, sizeof(buf))) > 0) {
		if (send_all(fd, buf, (size_t)n) != 0)
			exit(1);
		left -= (size_t)n;
	}
	fdatasync(fd);
	close(fd);
	(void)send_all(s, done, sizeof(done) - 1);
}

static void
serve(int s, const char *file)
{
	static char head[65536];
	size_t len = 0;
	char *end = NULL;
	ssize_t n;

	while (end == NULL && len < sizeof(head) - 1) {
		n = read(s, head + len, sizeof(head) - 1 - len);
		if (n <= 0)
			return;
		len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	if (end == NULL)
		return;
	end[2] = '\0';
	end += 4;
	if (strncmp(head, "PUT ", 4) == 0)
		put(s, file, head, end, len - (size_t)(end - head));
	else
		get(s, file);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int one = 1, l = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 3) {
		fprintf(stderr, "usage: bench_httpd PORT FILE\n");
		return 2;
	}
	at.sin_port = htons((uint16_t)atoi(argv[1]));
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(l, 8) != 0) {
		perror("bench_httpd");
		return 1;
	}
	for (;;) {
		int s = accept(l, NULL, NULL);

		if (s < 0)
			continue;
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		serve(s, argv[2]);
		close(s);
	}
}
