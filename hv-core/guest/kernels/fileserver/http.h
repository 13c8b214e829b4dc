/* The file server: HTTP/1.1 on port 80 over lwIP's TCP.
 *
 * GET and HEAD of files, of directories as a page of links (index.html, if
 * there, instead), PUT of files (whole or not at all: a file appears under its
 * name when its last byte has come). Knows fs.h's name space and lwIP; a
 * request's path is exactly a path of that name space. */
#ifndef FILESERVER_HTTP_H
#define FILESERVER_HTTP_H

#include <stdint.h>

/* Starts listening. -EADDRINUSE, -ENOMEM. */
int http_start(void);

/* Goes on with every connection that has something to do; to be called after
 * net_poll(). Returns non-zero if there is more to do at once. */
int http_poll(void);

/* Ends every connection; files under way are given up. */
void http_stop(void);

struct http_stats {
	uint64_t requests, bytes_in, bytes_out;
	unsigned int connections;
};
void http_stats(struct http_stats *out);

#endif
