/* A growing buffer of text, and a directory as a page of links in it. */
#ifndef FILESERVER_PAGE_H
#define FILESERVER_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page {
	char *text; /* malloc'ed, NUL-terminated; the owner frees it */
	size_t len;
	size_t size;
	bool failed; /* no memory: the text is not whole */
};

void page_printf(struct page *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* TEXT with everything but unreserved characters as %XX. */
void page_url(struct page *p, const char *text);

/* The listing of directory PATH. fs_list()'s errors, -ENOMEM. */
int page_listing(struct page *p, const char *path);

#endif
