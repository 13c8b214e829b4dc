#include "page.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs.h"

void
page_printf(struct page *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || p->failed)
		return;
	if (p->len + (size_t)n + 1 > p->size) {
		size_t size = (p->len + (size_t)n + 1) * 2;
		char *text = realloc(p->text, size);

		if (text == NULL) {
			p->failed = true;
			return;
		}
		p->text = text;
		p->size = size;
	}
	va_start(ap, fmt);
	vsnprintf(p->text + p->len, p->size - p->len, fmt, ap);
	va_end(ap);
	p->len += (size_t)n;
}

/* TEXT with & < > " as character references. */
static void
page_escaped(struct page *p, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			page_printf(p, "&amp;");
			break;
		case '<':
			page_printf(p, "&lt;");
			break;
		case '>':
			page_printf(p, "&gt;");
			break;
		case '"':
			page_printf(p, "&quot;");
			break;
		default:
			page_printf(p, "%c", *text);
		}
	}
}

void
page_url(struct page *p, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~/", c) != NULL)
			page_printf(p, "%c", c);
		else
			page_printf(p, "%%%02X", c);
	}
}

static void
list_row(void *arg, const char *name, const struct fs_stat *st)
{
	struct page *p = arg;
	const char *slash = st->type == FS_DIR ? "/" : "";
	time_t t = (time_t)st->mtime;
	char when[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	page_printf(p, "<tr><td><a href=\"");
	page_url(p, name);
	page_printf(p, "%s\">", slash);
	page_escaped(p, name);
	page_printf(p, "%s</a></td><td>", slash);
	if (st->type == FS_FILE)
		page_printf(p, "%llu", (unsigned long long)st->size);
	page_printf(p, "</td><td>%s</td></tr>\n", when);
}

int
page_listing(struct page *p, const char *path)
{
	int err;

	page_printf(
	    p, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
	page_escaped(p, path);
	page_printf(p,
	    "</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:"
	    "2rem auto;max-width:48rem;padding:0 1rem}table{width:100%%;"
	    "border-collapse:collapse}td{padding:.2rem .5rem;border-bottom:1px "
	    "solid #ddd}td:nth-child(2){text-align:right}td:nth-child(n+2){"
	    "color:#666;font-variant-numeric:tabular-nums}</style></head>"
	    "<body><h1>");
	page_escaped(p, path);
	page_printf(p, "</h1>\n<table>\n");
	if (strcmp(path, "/") != 0)
		page_printf(p,
		    "<tr><td><a href=\"../\">..</a></td><td></td><td></td>"
		    "</tr>\n");
	err = fs_list(path, list_row, p);
	page_printf(p, "</table></body></html>\n");
	if (err == 0 && p->failed)
		err = -ENOMEM;
	return err;
}
