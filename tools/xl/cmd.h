/*
 * cmd: the subcommands. Each file cmd_*.c holds a group of them; cmd.c has the
 * table, help, and dispatching.
 */
#ifndef XL_CMD_H
#define XL_CMD_H

#include <getopt.h>
#include <stdio.h>
#include <stdbool.h>
#include <sys/types.h>

#include "xl.h"

/* Exit statuses. */
#define CMD_OK 0
#define CMD_FAILED 1
#define CMD_USAGE 2

struct cmd {
	const char *name;
	int (*run)(struct xl *xl, const struct cmd *cmd, int argc, char **argv);
	const char *args; /* as usage lines show them */
	const char *help; /* one line */
};

/* Tables, each ended by an entry without a name. */
extern const struct cmd cmd_create_table[];
extern const struct cmd cmd_list_table[];
extern const struct cmd cmd_power_table[];
extern const struct cmd cmd_device_table[];
extern const struct cmd cmd_host_table[];
extern const struct cmd cmd_console_table[];

/* Runs ARGV[0] with its arguments; an exit status. */
int cmd_dispatch(struct xl *xl, int argc, char **argv);

/* The list of subcommands. */
void cmd_print_help(const struct xl *xl, FILE *out);

/*
 * The next option of a subcommand, as getopt_long. "-h" and "--help" print the
 * usage and exit 0; anything unknown prints it on stderr and exits 2.
 */
int cmd_option(const struct xl *xl, const struct cmd *cmd, int argc,
    char **argv, const char *options, const struct option *longs);

/* Exits 2 with the usage unless FEWEST..MOST arguments follow the options. */
void cmd_need_args(
    const struct xl *xl, const struct cmd *cmd, int argc, int fewest, int most);

/* Prints the usage line on stderr, after TEXT if that is not NULL; CMD_USAGE.
 */
int cmd_usage(const struct xl *xl, const struct cmd *cmd, const char *text);

/* Whether we are called xm. */
bool cmd_is_xm(const struct xl *xl);

/*
 * The console client in a child, attached: 0 and *PID_OUT; or -1 after a
 * message if it could not be started or did not attach.
 */
int cmd_start_console(struct xl *xl, uint32_t domid, pid_t *pid_out);

/* Waits for a child; its exit status, 1 if it was killed. */
int cmd_wait_child(pid_t pid);

#endif
