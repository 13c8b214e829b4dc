#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "interrupt.h"
#include "tools/common/paths.h"

#define MAX_ARGS 16

/*
 * Starts the console client for DOMID; PROGRAM's own options may follow in
 * ARGS (ended by NULL). Does not return on success. -1 after a message.
 */
static int
cmd_exec_console(struct xl *xl, uint32_t domid, const char *const *args)
{
	const char *argv[MAX_ARGS + 2] = { "xenconsole" };
	const char *path =
	    arena_printf(xl->mem, "%s/xenconsole", paths_dir(PATHS_LIBEXEC));
	int argc = 1;

	while (*args != NULL && argc < MAX_ARGS)
		argv[argc++] = *args++;
	argv[argc] = arena_printf(xl->mem, "%u", domid);
	execv(path, (char *const *)argv);
	xl_error(xl, "%s: %s", path, strerror(errno));
	return -1;
}

static void
console_child(struct xl *xl, uint32_t domid, int notify)
{
	const char *args[] = { "--num", "0", "--type", "pv",
		"--start-notify-fd", NULL, NULL };

	interrupt_forget();
	fcntl(notify, F_SETFD, 0);
	args[5] = arena_printf(xl->mem, "%d", notify);
	cmd_exec_console(xl, domid, args);
	_exit(CMD_FAILED);
}

int
cmd_start_console(struct xl *xl, uint32_t domid, pid_t *pid_out)
{
	int fds[2];
	ssize_t n;
	char byte;

	if (pipe2(fds, O_CLOEXEC) != 0) {
		xl_error(xl, "console: %s", strerror(errno));
		return -1;
	}
	fflush(NULL);
	*pid_out = fork();
	if (*pid_out == 0)
		console_child(xl, domid, fds[1]);
	close(fds[1]);
	do {
		n = *pid_out > 0 ? read(fds[0], &byte, 1) : -1;
	} while (n < 0 && *pid_out > 0 && errno == EINTR && !interrupt_seen());
	close(fds[0]);
	if (n == 1)
		return 0;
	if (*pid_out < 0)
		xl_error(xl, "console: %s", strerror(errno));
	else
		cmd_wait_child(*pid_out);
	xl_error(xl, "the console could not be attached");
	return -1;
}

int
cmd_wait_child(pid_t pid)
{
	bool told = false;
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return CMD_FAILED;
		if (interrupt_seen() && !told)
			kill(pid, SIGTERM);
		told = interrupt_seen();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : CMD_FAILED;
}

static int
run_console(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	const char *num = "0", *type = "pv", *escape = NULL;
	uint32_t domid;
	int opt;

	while (
	    (opt = cmd_option(xl, cmd, argc, argv, "+:n:t:e:", NULL)) != -1) {
		if (opt == 'n')
			num = optarg;
		else if (opt == 't')
			type = optarg;
		else
			escape = optarg;
	}
	cmd_need_args(xl, cmd, argc, 1, 1);
	if (xl_find_guest(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	const char *args[] = { "--num", num, "--type", type,
		escape != NULL ? "--escape" : NULL, escape, NULL };
	cmd_exec_console(xl, domid, args);
	return CMD_FAILED;
}

const struct cmd cmd_console_table[] = {
	{ "console", run_console,
	    "[-n NUMBER] [-t pv|serial] [-e ESCAPE] DOMAIN",
	    "Attach to a domain's console" },
	{ NULL, NULL, NULL, NULL },
};
