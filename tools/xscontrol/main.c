/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstore-control(8): commands to the daemon. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xscontrol/liveupdate.h"

static const char help[] =
    "Sends a command to the running xenstored and shows its answer.\n"
    "\"xenstore-control help\" lists the commands that it knows; one is\n"
    "carried out in several steps:\n"
    "  live-update [-c CMDLINE] [-F] [-t SECS] [-v VERSION] FILE\n"
    "      replace the daemon by the program FILE while it runs\n";

/* The words of ARGV in a row, each with its NUL; freed at exit. */
static char *
join(int argc, char *const argv[], unsigned *len_out)
{
	size_t len = 0;
	char *all;

	for (int i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	all = malloc(len + 1);
	if (all == NULL) {
		fprintf(stderr, "Allocation error.\n");
		exit(CONTROL_FAILED);
	}
	*len_out = (unsigned)len;
	len = 0;
	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]) + 1;

		memcpy(all + len, argv[i], n);
		len += n;
	}
	return all;
}

/* The daemon does not know the command, or not so: it says what it knows. */
static void
show_commands(struct xs_handle *xs)
{
	char *text = xs_control_command(xs, "help", NULL, 0);

	if (text != NULL)
		fprintf(stderr,
		    "Command not supported. Valid commands are:\n%s\n", text);
	else
		fprintf(stderr, "Error when executing command.\n");
	free(text);
}

static int
run(struct xs_handle *xs, int argc, char *const argv[])
{
	unsigned len;
	char *args = join(argc - 1, argv + 1, &len);
	char *text = xs_control_command(xs, argv[0], args, len);
	int err = errno, ret = 0;

	free(args);
	if (text != NULL) {
		if (text[0] != '\0' && puts(text) < 0)
			ret = CONTROL_FAILED;
	} else {
		ret = CONTROL_REFUSED;
		if (err == EINVAL)
			show_commands(xs);
		else
			fprintf(stderr,
			    "Error %d when trying to execute command.\n", err);
	}
	free(text);
	return fflush(stdout) == 0 ? ret : CONTROL_FAILED;
}

int
main(int argc, char **argv)
{
	struct xs_handle *xs;
	int ret;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		printf("Usage: %s <command> [<arg>...]\n%s", argv[0], help);
		return fflush(stdout) == 0 ? 0 : CONTROL_FAILED;
	}
	if (argc < 2) {
		fprintf(stderr, "Usage:\n%s <command> [<arg>...]\n", argv[0]);
		return CONTROL_USAGE;
	}
	xs = xs_open(0);
	if (xs == NULL) {
		fprintf(stderr, "Failed to contact Xenstored.\n");
		return CONTROL_FAILED;
	}
	if (strcmp(argv[1], "live-update") == 0)
		ret = liveupdate_run(xs, argc - 2, argv + 2);
	else
		ret = run(xs, argc - 1, argv + 1);
	xs_close(xs);
	return ret;
}
