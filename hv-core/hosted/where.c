#include "hv-core/hosted/where.h"

#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

const char *
where_env(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' ? v : otherwise;
}

const char *
where_self(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return ".";
	path[n] = '\0';
	return dirname(path);
}
