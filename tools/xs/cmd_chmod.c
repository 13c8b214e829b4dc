/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xs/cmd.h"

struct rights {
	struct xs_permissions *list;
	unsigned int num;
};

static int
set_one(struct cmd_env *env, const char *path, const struct rights *rights)
{
	if (xs_set_permissions(
		env->xs, env->txn, path, rights->list, rights->num))
		return 0;
	warn("Error occurred setting permissions on '%s'", path);
	return 1;
}

/* PATH, in a buffer of CMD_PATH_SIZE, and all below it. */
static int
set_below(
    struct cmd_env *env, char *path, size_t len, const struct rights *rights)
{
	unsigned int num;
	char **names;
	int ret = set_one(env, path, rights);

	if (ret != 0)
		return ret;
	names = xs_directory(env->xs, env->txn, path, &num);
	if (names == NULL) {
		warn("could not list path %s", path);
		return 1;
	}
	for (unsigned int i = 0; i < num && ret == 0; i++) {
		size_t child_len = len;

		if (!cmd_path_push(path, &child_len, names[i])) {
			warnx("path below %s is too long", path);
			ret = 1;
		} else {
			ret = set_below(env, path, child_len, rights);
		}
		path[len] = '\0';
	}
	free(names);
	return ret;
}

/* PATH's ancestors, but not the root. */
static int
set_above(struct cmd_env *env, const char *given, const struct rights *rights)
{
	char path[CMD_PATH_SIZE];
	char *slash;
	int ret = 0;

	strcpy(path, given); /* the server has accepted it: it fits */
	while (ret == 0 && strcmp(path, "/") != 0) {
		slash = strrchr(path, '/');
		if (slash == NULL) {
			warnx("Unable to locate path separator '/' in '%s'",
			    path);
			return 1;
		}
		if (slash == path)
			break;
		*slash = '\0';
		ret = set_one(env, path, rights);
	}
	return ret;
}

/* Others name the letter alone, so do we if that is what is wrong. */
static void
complain(const char *text)
{
	bool letter = text[0] != '\0' && strchr("nrwb", text[0]) != NULL;

	warnx("Invalid permission specification: '%.*s'", letter ? INT_MAX : 1,
	    text);
}

static int
run(struct cmd_env *env)
{
	const char *given = env->args[0];
	char path[CMD_PATH_SIZE];
	struct rights rights = { .num = (unsigned int)env->nargs - 1 };
	int ret = 1;

	rights.list = calloc(rights.num + 1, sizeof(*rights.list));
	if (rights.list == NULL)
		err(1, "malloc");
	for (unsigned int i = 0; i < rights.num; i++)
		if (!xs_strings_to_perms(
			&rights.list[i], 1, env->args[i + 1])) {
			complain(env->args[i + 1]);
			goto out;
		}
	if (strlen(given) >= sizeof(path)) {
		warnx("Error occurred setting permissions on '%s': %s", given,
		    strerror(E2BIG));
		goto out;
	}
	strcpy(path, given);
	ret = env->opt->recurse ? set_below(env, path, strlen(path), &rights)
				: set_one(env, path, &rights);
	if (ret == 0 && env->opt->upto)
		ret = set_above(env, given, &rights);
out:
	free(rights.list);
	return ret;
}

const struct cmd cmd_chmod = {
	.name = "chmod",
	.options = "ur",
	.usage = "[-h] [-u] [-r] [-s] key <mode [modes...]>",
	.help = "Sets a node's rights: the first names the owner and what all "
		"others may do,\nthe next what single domains may do; each is "
		"n, r, w or b and a domain's id.\n"
		"  -r, --recurse  also everything below\n"
		"  -u, --upto     also all ancestors\n",
	.min_args = 1,
	.args_step = 1,
	.txn = CMD_TXN_ALWAYS,
	.run = run,
};
