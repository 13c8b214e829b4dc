/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xs/cmd.h"

#include <string.h>

bool
cmd_path_push(char *buf, size_t *len, const char *name)
{
	size_t n = strlen(name);
	bool root = *len == 1 && buf[0] == '/';
	size_t at = root ? 0 : *len;

	if (at + 1 + n >= CMD_PATH_SIZE)
		return false;
	buf[at] = '/';
	memcpy(buf + at + 1, name, n + 1);
	*len = at + 1 + n;
	return true;
}
