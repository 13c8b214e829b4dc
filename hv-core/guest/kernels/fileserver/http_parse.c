#include "http_parse.h"

#include <string.h>
#include <strings.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes the request target of LEN bytes up to a '?'. 0 or a status. */
static int
parse_path(const char *p, size_t len, char out[HTTP_PATH_MAX])
{
	size_t n = 0;

	if (len == 0 || p[0] != '/')
		return 400;
	for (size_t i = 0; i < len && p[i] != '?' && p[i] != '#'; i++) {
		char c = p[i];

		if (c == '%') {
			int hi = i + 2 < len ? hex_digit(p[i + 1]) : -1;
			int lo = i + 2 < len ? hex_digit(p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return 400;
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		if (c == '\0')
			return 404;
		if (c == '/' && n > 0 && out[n - 1] == '/')
			continue; /* "//a" is a link to a host elsewhere */
		if (n + 1 >= HTTP_PATH_MAX)
			return 414;
		out[n++] = c;
	}
	out[n] = '\0';
	for (const char *s = out; (s = strstr(s, "/..")) != NULL; s += 3)
		if (s[3] == '/' || s[3] == '\0')
			return 404;
	return 0;
}

static bool
is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static int
parse_length(const char *v, size_t len, struct http_request *out)
{
	uint64_t n = 0;

	if (len == 0 || len > 18 || out->has_length)
		return 400;
	for (size_t i = 0; i < len; i++) {
		if (v[i] < '0' || v[i] > '9')
			return 400;
		n = n * 10 + (uint64_t)(v[i] - '0');
	}
	out->length = n;
	out->has_length = true;
	return 0;
}

static int
parse_field(const char *line, size_t len, struct http_request *out)
{
	const char *colon = memchr(line, ':', len);
	const char *v;
	size_t name_len, v_len;

	if (colon == NULL || colon == line)
		return 400;
	name_len = (size_t)(colon - line);
	if (memchr(line, ' ', name_len) != NULL ||
	    memchr(line, '\t', name_len) != NULL)
		return 400; /* others would see another field, or none */
	v = colon + 1;
	v_len = len - name_len - 1;
	while (v_len > 0 && (*v == ' ' || *v == '\t')) {
		v++;
		v_len--;
	}
	while (v_len > 0 && (v[v_len - 1] == ' ' || v[v_len - 1] == '\t'))
		v_len--;

	if (is_word(line, name_len, "content-length"))
		return parse_length(v, v_len, out);
	if (is_word(line, name_len, "transfer-encoding"))
		return 501;
	if (is_word(line, name_len, "connection")) {
		if (is_word(v, v_len, "close"))
			out->keep_alive = false;
		else if (is_word(v, v_len, "keep-alive"))
			out->keep_alive = true;
	} else if (is_word(line, name_len, "expect")) {
		out->expects_continue = is_word(v, v_len, "100-continue");
	}
	return 0;
}

static int
parse_request_line(const char *line, size_t len, struct http_request *out)
{
	const char *sp1 = memchr(line, ' ', len);
	const char *target, *sp2, *version;
	size_t rest, version_len;

	if (sp1 == NULL)
		return 400;
	target = sp1 + 1;
	rest = len - (size_t)(target - line);
	sp2 = memchr(target, ' ', rest);
	if (sp2 == NULL)
		return 400;
	version = sp2 + 1;
	version_len = len - (size_t)(version - line);
	if (version_len != 8 || strncmp(version, "HTTP/", 5) != 0)
		return 400;
	if (strncmp(version, "HTTP/1.", 7) != 0)
		return 505;

	out->keep_alive = version[7] != '0';
	if (is_word(line, (size_t)(sp1 - line), "GET"))
		out->method = HTTP_GET;
	else if (is_word(line, (size_t)(sp1 - line), "HEAD"))
		out->method = HTTP_HEAD;
	else if (is_word(line, (size_t)(sp1 - line), "PUT"))
		out->method = HTTP_PUT;
	else
		out->method = HTTP_OTHER;
	return parse_path(target, (size_t)(sp2 - target), out->path);
}

int
http_parse(const char *head, size_t len, struct http_request *out)
{
	const char *end = head + len;
	bool first = true;

	memset(out, 0, sizeof(*out));
	while (head < end) {
		const char *nl = memchr(head, '\n', (size_t)(end - head));
		size_t n;
		int status;

		if (nl == NULL)
			return 400;
		n = (size_t)(nl - head);
		if (n > 0 && head[n - 1] == '\r')
			n--;
		if (n == 0)
			break;
		status = first ? parse_request_line(head, n, out)
			       : parse_field(head, n, out);
		if (status != 0)
			return status;
		first = false;
		head = nl + 1;
	}
	if (first)
		return 400;
	if (out->method == HTTP_PUT && !out->has_length)
		return 411;
	return 0;
}

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 301, "Moved Permanently" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

const char *
http_type(const char *path)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".css", "text/css" },
		{ ".js", "text/javascript" },
		{ ".png", "image/png" },
		{ ".jpg", "image/jpeg" },
		{ ".svg", "image/svg+xml" },
		{ ".pdf", "application/pdf" },
	};
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i].suffix);

		if (len > n && strcasecmp(path + len - n, types[i].suffix) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}
