/* The head of an HTTP request, parsed. Pure functions on bytes. */
#ifndef FILESERVER_HTTP_PARSE_H
#define FILESERVER_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_PATH_MAX 1024

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_OTHER };

struct http_request {
	enum http_method method;
	char path[HTTP_PATH_MAX]; /* decoded, absolute, without a query, no "//"
				   */
	bool keep_alive;
	bool has_length;
	bool expects_continue;
	uint64_t length;
};

/* Parses the LEN bytes of HEAD (request line and header fields, up to and with
 * the empty line). 0, or the status to answer: 400 malformed, 404 a path that
 * cannot be one ("..", NUL), 411 PUT without a length, 414, 501 a transfer
 * coding, 505. */
int http_parse(const char *head, size_t len, struct http_request *out);

/* The reason phrase of a status. */
const char *http_reason(int status);

/* The media type that a file's name suggests. */
const char *http_type(const char *path);

#endif
