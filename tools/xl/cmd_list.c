#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "cfg.h"
#include "create.h"
#include "domcfg.h"
#include "json.h"
#include "rows.h"
#include "tools/common/lock.h"
#include "tools/common/paths.h"

/* The domain's name; NULL also when there is no store. */
static const char *
name_of(struct xl *xl, uint32_t domid)
{
	return xl->st != NULL ? xl_domain_name(xl, xl->mem, domid) : NULL;
}

/* The configuration that DOMID was created with, or an empty one. */
static struct cfg *
saved_config(struct xl *xl, uint32_t domid)
{
	const char *path = xl_config_path(xl->mem, domid);
	struct diag *diag = diag_new(xl->mem);
	struct cfg *c = cfg_new(xl->mem, diag);

	if (access(path, R_OK) == 0)
		cfg_parse_file(c, path);
	if (c->entries == 0 && name_of(xl, domid) != NULL)
		cfg_set_string(c, "name", name_of(xl, domid));
	return c;
}

static void
print_long(struct xl *xl, const struct hvinfo_domain *list, size_t count)
{
	putchar('[');
	for (size_t i = 0; i < count; i++) {
		printf("%s\n    {\n        \"domid\": %u,\n"
		       "        \"config\": ",
		    i > 0 ? "," : "", list[i].domid);
		json_config(saved_config(xl, list[i].domid), stdout, 8);
		printf("\n    }");
	}
	printf("\n]\n");
}

/* Keeps of LIST the domains that WORDS name. */
static int
choose(struct xl *xl, char **words, int count, struct hvinfo_domain **list,
    size_t *list_count)
{
	struct hvinfo_domain *some =
	    arena_zalloc(xl->mem, ((size_t)count + 1) * sizeof(*some));
	size_t found = 0, i;
	uint32_t domid;

	for (; count > 0; words++, count--) {
		if (xl_find_domain(xl, *words, &domid) != 0)
			return -1;
		for (i = 0; i < *list_count; i++) {
			if ((*list)[i].domid == domid)
				some[found++] = (*list)[i];
		}
	}
	*list = some;
	*list_count = found;
	return 0;
}

static int
run_list(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "long", no_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "numa", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	enum rows_style style = cmd_is_xm(xl) ? ROWS_XM : ROWS_XL;
	struct hvinfo_domain *list;
	bool as_json = false;
	unsigned more = 0;
	size_t count;
	int opt;

	while ((opt = cmd_option(xl, cmd, argc, argv, ":lvn", longs)) != -1) {
		if (opt == 'l')
			as_json = true;
		else
			more |= opt == 'v' ? ROWS_VERBOSE : ROWS_NUMA;
	}
	if (xl_domains(xl, &list, &count) != 0 || xl_need_store(xl) != 0 ||
	    (optind < argc &&
		choose(xl, argv + optind, argc - optind, &list, &count) != 0))
		return CMD_FAILED;
	if (as_json) {
		print_long(xl, list, count);
		return CMD_OK;
	}
	rows_header(stdout, style, more);
	for (size_t i = 0; i < count; i++)
		rows_domain(
		    stdout, style, more, &list[i], name_of(xl, list[i].domid));
	return CMD_OK;
}

static int
run_domid(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	uint32_t domid;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 1, 1);
	if (xl_find_domain(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	printf("%u\n", domid);
	return CMD_OK;
}

static int
run_domname(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	const char *name;
	uint32_t domid;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 1, 1);
	if (argv[optind][strspn(argv[optind], "0123456789")] != '\0') {
		xl_error(xl, "'%s' is not a domain's number", argv[optind]);
		return CMD_FAILED;
	}
	if (xl_find_domain(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	name = name_of(xl, domid);
	if (name == NULL) {
		xl_error(xl, "domain %u has no name", domid);
		return CMD_FAILED;
	}
	printf("%s\n", name);
	return CMD_OK;
}

/* Gives DOMID the name NAME, which nobody has. */
static int
rename_locked(struct xl *xl, uint32_t domid, const char *name)
{
	const char *dom = nodes_domain_path(xl->mem, domid);
	const char *vm = store_read_in(xl->st, xl->mem, dom, "vm");
	const struct store_change changes[] = {
		{ arena_printf(xl->mem, "%s/name", dom), name },
		{ arena_printf(xl->mem, "%s/name", vm != NULL ? vm : dom),
		    name },
	};
	const struct store_condition exists = { dom, NULL };
	uint32_t other;

	if (xl_lookup_domain(xl, name, &other) == 0) {
		xl_error(
		    xl, "a domain '%s' exists already (id %u)", name, other);
		return -1;
	}
	if (errno == ESRCH && store_change(xl->st, &exists, changes, 2) == 0)
		return 0;
	xl_error(xl, "domain %u cannot be renamed: %s", domid, strerror(errno));
	return -1;
}

static int
run_rename(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	const char *why, *name;
	uint32_t domid;
	char *path;
	int lock, ret;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 2, 2);
	name = argv[optind + 1];
	if (xl_find_guest(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	if (domcfg_check_name(name, &why) != 0) {
		xl_error(xl, "'%s': %s", name, why);
		return CMD_FAILED;
	}
	lock = create_lock_names(xl, &path);
	if (lock < 0)
		return CMD_FAILED;
	ret = rename_locked(xl, domid, name);
	lock_release(lock, path);
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

const struct cmd cmd_list_table[] = {
	{ "list", run_list, "[-l] [-v] [-n] [DOMAIN ...]",
	    "List information about all or some domains" },
	{ "domid", run_domid, "NAME", "Convert a domain name to domain id" },
	{ "domname", run_domname, "ID", "Convert a domain id to domain name" },
	{ "rename", run_rename, "DOMAIN NEW-NAME", "Rename a domain" },
	{ NULL, NULL, NULL, NULL },
};
