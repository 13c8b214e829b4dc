/*
 * xl, or xm by its name: creates, lists and ends domains.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "tools/common/log.h"

#define VERSION "Kernbus 0.1"

static int
usage(const struct xl *xl)
{
	cmd_print_help(xl, stderr);
	return CMD_USAGE;
}

/* What stands before the subcommand. -1: go on at *FIRST. */
static int
global_options(const struct xl *xl, int argc, char **argv, int *first)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *opt = argv[i];

		if (strcmp(opt, "--version") == 0 || strcmp(opt, "-V") == 0) {
			printf("%s (%s)\n", xl->prog, VERSION);
			return CMD_OK;
		}
		if (strcmp(opt, "--help") == 0 || strcmp(opt, "-h") == 0) {
			cmd_print_help(xl, stdout);
			return CMD_OK;
		}
		if (strcmp(opt, "-v") == 0) {
			log_set_level(LOG_LEVEL_DEBUG);
		} else if (strcmp(opt, "-f") != 0) {
			fprintf(
			    stderr, "%s: unknown option '%s'\n", xl->prog, opt);
			return CMD_USAGE;
		}
	}
	*first = i;
	return -1;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash != NULL ? slash + 1 : argv[0];
	int first, status;
	struct xl xl;

	log_init(argv[0]);
	if (xl_init(&xl, strcmp(name, "xm") == 0 ? "xm" : "xl") != 0) {
		xl_done(&xl);
		return CMD_FAILED;
	}
	status = global_options(&xl, argc, argv, &first);
	if (status < 0 && first >= argc)
		status = usage(&xl);
	if (status < 0)
		status = cmd_dispatch(&xl, argc - first, argv + first);
	xl_done(&xl);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write the output\n", name);
		return status != 0 ? status : CMD_FAILED;
	}
	return status;
}
