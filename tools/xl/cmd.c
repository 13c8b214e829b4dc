#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "diag.h"

static const struct cmd *const tables[] = { cmd_create_table, cmd_list_table,
	cmd_power_table, cmd_console_table, cmd_device_table, cmd_host_table };

#define TABLES (sizeof(tables) / sizeof(tables[0]))
#define MAX_COMMANDS 64

/* Commands of xl and xm that are not here, and what to do instead. */
static const struct {
	const char *name;
	const char *instead;
} absent[] = {
	{ "new", "keep the configuration as a file in XEN_CONFIG_DIR" },
	{ "delete", "remove the configuration's file" },
	{ "start", "use 'create'" },
	{ "suspend", "use 'pause'" },
	{ "resume", "use 'unpause'" },
	{ "save", "use 'shutdown' and 'create'" },
	{ "restore", "use 'create'" },
	{ "migrate", "use 'shutdown' here and 'create' there" },
	{ "migrate-receive", "use 'create'" },
	{ "remus", NULL },
	{ "log", "read the files in XEN_LOG_DIR" },
	{ "serve", NULL },
	{ "shell", NULL },
	{ "vncviewer", "use 'console'" },
	{ "mem-set", "set 'memory' in the configuration" },
	{ "mem-max", "set 'maxmem' in the configuration" },
	{ "vcpu-list", "use 'list'" },
	{ "vcpu-pin", NULL },
	{ "vcpu-set", "set 'vcpus' in the configuration" },
	{ "vm-list", "use 'list -v'" },
	{ "uptime", "use 'list'" },
	{ "top", "use 'list'" },
	{ "config-update", "use 'shutdown' and 'create'" },
	{ "dump-core", NULL },
	{ "sysrq", "write control/sysrq with xenstore-write" },
	{ "trigger", NULL },
	{ "button-press", "use 'shutdown'" },
	{ "debug-keys", NULL },
	{ "cd-insert", "use 'block-attach'" },
	{ "cd-eject", "use 'block-detach'" },
	{ "pci-attach", NULL },
	{ "pci-detach", NULL },
	{ "pci-list", NULL },
	{ "pci-assignable-add", NULL },
	{ "pci-assignable-remove", NULL },
	{ "pci-assignable-list", NULL },
	{ "sched-credit", NULL },
	{ "sched-credit2", NULL },
	{ "sched-rtds", NULL },
	{ "cpupool-list", NULL },
	{ "claims", "use 'info'" },
	{ "sharing", NULL },
	{ "devd", "use xenbackendd" },
};

bool
cmd_is_xm(const struct xl *xl)
{
	return strcmp(xl->prog, "xm") == 0;
}

static void
print_usage(const struct xl *xl, const struct cmd *cmd, FILE *out)
{
	fprintf(out, "Usage: %s %s%s%s\n", xl->prog, cmd->name,
	    *cmd->args == '\0' ? "" : " ", cmd->args);
}

int
cmd_usage(const struct xl *xl, const struct cmd *cmd, const char *text)
{
	if (text != NULL)
		fprintf(stderr, "%s %s: %s\n", xl->prog, cmd->name, text);
	print_usage(xl, cmd, stderr);
	return CMD_USAGE;
}

/* Begins a run of cmd_option. */
static void
cmd_options_start(void)
{
	optind = 1;
	opterr = 0;
}

int
cmd_option(const struct xl *xl, const struct cmd *cmd, int argc, char **argv,
    const char *options, const struct option *longs)
{
	static const struct option none[] = { { NULL, 0, NULL, 0 } };
	const char *word = optind < argc ? argv[optind] : "";
	int opt;

	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
		print_usage(xl, cmd, stdout);
		printf("\n%s.\n", cmd->help);
		exit(CMD_OK);
	}
	opt = getopt_long(
	    argc, argv, options, longs != NULL ? longs : none, NULL);
	if (opt == '?' || opt == ':') {
		fprintf(stderr, "%s %s: %s '%s'\n", xl->prog, cmd->name,
		    opt == ':' ? "an argument is missing after"
			       : "unknown option",
		    word);
		exit(cmd_usage(xl, cmd, NULL));
	}
	return opt;
}

void
cmd_need_args(
    const struct xl *xl, const struct cmd *cmd, int argc, int fewest, int most)
{
	int n = argc - optind;

	if (n < fewest)
		exit(cmd_usage(xl, cmd, "an argument is missing"));
	if (n > most)
		exit(cmd_usage(xl, cmd, "there are too many arguments"));
}

void
cmd_print_help(const struct xl *xl, FILE *out)
{
	fprintf(out, "Usage: %s [-v] <subcommand> [args]\n\n", xl->prog);
	fprintf(out, "%s full list of subcommands:\n\n", xl->prog);
	for (size_t i = 0; i < TABLES; i++) {
		for (const struct cmd *c = tables[i]; c->name != NULL; c++)
			fprintf(out, " %-19s %s\n", c->name, c->help);
	}
	fprintf(out, " %-19s %s\n", "help", "Show this list, or one usage");
}

static const struct cmd *
find(const char *name)
{
	for (size_t i = 0; i < TABLES; i++) {
		for (const struct cmd *c = tables[i]; c->name != NULL; c++) {
			if (strcmp(c->name, name) == 0)
				return c;
		}
	}
	return NULL;
}

/* A word that is no subcommand. */
static int
not_here(const struct xl *xl, const char *name)
{
	const char *names[MAX_COMMANDS + 1] = { NULL }, *near;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		if (strcmp(absent[i].name, name) != 0)
			continue;
		fprintf(stderr, "%s %s: not available%s%s\n", xl->prog, name,
		    absent[i].instead != NULL ? "; " : "",
		    absent[i].instead != NULL ? absent[i].instead : "");
		return CMD_FAILED;
	}
	for (size_t i = 0; i < TABLES; i++) {
		for (const struct cmd *c = tables[i]; c->name != NULL; c++) {
			if (count < MAX_COMMANDS)
				names[count++] = c->name;
		}
	}
	near = diag_nearest(name, names);
	fprintf(stderr, "%s: unknown subcommand '%s'%s%s%s\n", xl->prog, name,
	    near != NULL ? " (did you mean '" : "; see 'help'",
	    near != NULL ? near : "", near != NULL ? "'?)" : "");
	return CMD_USAGE;
}

static int
help(struct xl *xl, int argc, char **argv)
{
	const struct cmd *cmd = argc > 1 ? find(argv[1]) : NULL;

	if (argc <= 1) {
		cmd_print_help(xl, stdout);
		return CMD_OK;
	}
	if (cmd == NULL)
		return not_here(xl, argv[1]);
	print_usage(xl, cmd, stdout);
	printf("\n%s.\n", cmd->help);
	return CMD_OK;
}

int
cmd_dispatch(struct xl *xl, int argc, char **argv)
{
	const struct cmd *cmd = find(argv[0]);

	if (strcmp(argv[0], "help") == 0)
		return help(xl, argc, argv);
	if (cmd == NULL && cmd_is_xm(xl) && strcmp(argv[0], "start") == 0) {
		fprintf(stderr, "xm start: taken as 'xm create'\n");
		cmd = find("create");
	}
	if (cmd == NULL)
		return not_here(xl, argv[0]);
	cmd_options_start();
	return cmd->run(xl, cmd, argc, argv);
}
