/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the head of an HTTP request. A path that is accepted stays below
 * the root, and no byte behind the head is looked at.
 */
#include "fuzz.h"
#include "hv-core/guest/kernels/fileserver/http_parse.h"

static void
check_path(const char path[HTTP_PATH_MAX])
{
	const char *at = path;

	must(memchr(path, '\0', HTTP_PATH_MAX) != NULL);
	must(path[0] == '/');
	must(strstr(path, "//") == NULL);
	while ((at = strstr(at, "/..")) != NULL) {
		must(at[3] != '/' && at[3] != '\0');
		at++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request req;
	char *head = malloc(size + 1);
	int status;

	must(head != NULL);
	if (size > 0)
		memcpy(head, data, size);
	/* exactly as long as it is, for the address sanitizer */
	head = realloc(head, size > 0 ? size : 1);
	memset(&req, 0xee, sizeof(req));
	status = http_parse(head, size, &req);
	must(strlen(http_reason(status)) > 0);
	if (status == 0) {
		check_path(req.path);
		must(req.method != HTTP_PUT || req.has_length);
		must(strchr(http_type(req.path), '/') != NULL);
	} else {
		must(status >= 400 && status < 600);
	}
	free(head);
	return 0;
}
