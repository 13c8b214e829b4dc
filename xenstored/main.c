/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "xenstored/apply.h"
#include "xenstored/aside.h"
#include "xenstored/daemon.h"
#include "xenstored/files.h"
#include "xenstored/left.h"
#include "xenstored/msg.h"
#include "xenstored/options.h"
#include "xenstored/plat.h"
#include "xenstored/priv.h"
#include "xenstored/replace.h"
#include "xenstored/server.h"
#include "xenstored/snapshot.h"
#include "xenstored/sup_child.h"
#include "xenstored/sup_exec.h"
#include "xenstored/supervisor.h"
#include "xenstored/transport_ring.h"
#include "xenstored/transport_unix.h"
#include "xenstored/worker.h"

#ifndef XENSTORED_RUNDIR
#define XENSTORED_RUNDIR "/run/xenstored"
#endif
#define LOG_DIR "/var/log/xen"
enum { REPLACE_SECONDS = 60 };
#ifndef KERNBUS_VERSION
#define KERNBUS_VERSION "0.1"
#endif

static const char *
run_dir(void)
{
	const char *dir = getenv("XENSTORED_RUNDIR");

	return dir != NULL && dir[0] != '\0' ? dir : XENSTORED_RUNDIR;
}

/* DIR/NAME in memory that is kept. */
static char *
path_in(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		fatalx("no memory");
	return path;
}

static char *
socket_path(const char *dir)
{
	const char *path = getenv("XENSTORED_PATH");

	return path != NULL && path[0] != '\0' ? strdup(path)
					       : path_in(dir, "socket");
}

/* PATH from the root on; in memory that is kept. */
static char *
absolute(const char *path)
{
	char cwd[4096];

	if (path[0] == '/')
		return strdup(path);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		fatal("cannot tell the current directory");
	return path_in(cwd, path);
}

/* Which files may be opened while serving, and removed at the end. */
static void
allow_files(const struct options *options, struct files_rules *rules)
{
	const char *logs = getenv("XEN_LOG_DIR");
	char *path = socket_path(run_dir()), *trace = NULL;

	memset(rules, 0, sizeof(*rules));
	if (options->trace_file != NULL) {
		trace = absolute(options->trace_file);
		files_allow_of(rules, trace);
	}
	files_allow(rules, logs != NULL && logs[0] != '\0' ? logs : LOG_DIR);
	files_allow(rules, run_dir());
	files_allow_only(rules, run_dir(), SNAPSHOT_PREFIX, trace);
	files_allow_removal(rules, path);
	if (options->pid_file != NULL)
		files_allow_removal(rules, options->pid_file);
	free(path);
	free(trace);
}

static void
on_terminate(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	server_stop(arg);
}

static void
on_hangup(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	server_reopen_trace(arg);
}

/* The events are the loop's until the process ends. */
static void
catch_signals(struct server *server, struct event *events[3])
{
	struct event_base *base = server_base(server);
	int i;

	signal(SIGPIPE, SIG_IGN);
	events[0] = evsignal_new(base, SIGTERM, on_terminate, server);
	events[1] = evsignal_new(base, SIGINT, on_terminate, server);
	events[2] = evsignal_new(base, SIGHUP, on_hangup, server);
	for (i = 0; i < 3; i++)
		if (events[i] == NULL || event_add(events[i], NULL) != 0)
			fatalx("cannot catch signals");
}

static void
random_bytes(void *buf, size_t len)
{
	if (!plat_random(buf, len))
		fatal("cannot get random numbers");
}

/* What is there and may be somebody's store stays: this process cannot go on
 * with it. */
static void
make_place(const char *dir, const uint8_t boot[LOG_BOOT_SIZE], bool fresh)
{
	char why[LEFT_WHY_SIZE];
	enum left left = left_judge(dir, boot, why);

	if (fresh) {
		if (!left_is_closed(dir))
			aside_keep(dir);
	} else if (left == LEFT_STORE) {
		left_say_refused(dir,
		    "the daemon before left a store, and --no-standby cannot "
		    "go on with one");
		exit(1);
	} else if (left == LEFT_USELESS) {
		left_say_refused(dir, why);
		exit(1);
	} else if (why[0] != '\0') {
		msg_info("%s: %s", dir, why);
	}
	left_clear(dir);
}

/* The commit log, whose first record lets a reader start from nothing. */
static struct log *
start_log(const char *dir, const struct options *options,
    const struct server_config *config)
{
	char *path = path_in(dir, "log");
	uint8_t boot[LOG_BOOT_SIZE];
	struct record_start start;
	struct record record = apply_start(&config->state, &start);
	struct log *log;
	uint64_t epoch;

	plat_boot_id(boot);
	if (!options->no_domains)
		rings_boot_id(boot);
	make_place(dir, boot, options->fresh);
	random_bytes(&epoch, sizeof(epoch));
	do
		log = log_create(path, LOG_SIZE, epoch, boot);
	while (log == NULL && errno == ENOSPC && aside_drop(dir));
	if (log == NULL)
		fatal("cannot make the commit log %s", path);
	log_append(log, &record);
	free(path);
	return log;
}

static void
configure(const struct options *options, struct server_config *config)
{
	memset(config, 0, sizeof(*config));
	random_bytes(&config->state.seed, sizeof(config->state.seed));
	config->state.quotas = options->quotas;
	config->state.soft_memory = options->soft_memory;
	config->state.keep_orphans = options->keep_orphans;
	config->state.priv_domid = options->priv_domid;
	config->run_dir = run_dir();
	config->stats_file = path_in(config->run_dir, "stats");
	if (options->trace_file != NULL)
		config->trace_file = absolute(options->trace_file);
}

/* Serves in this process alone. */
static void
serve_alone(const struct options *options, int files_fd)
{
	const char *dir = run_dir();
	char *path = socket_path(dir);
	static struct server_config config; /* what it refers to is kept */
	struct unix_listener *listener;
	struct rings *rings = NULL;
	struct event *signals[3];
	struct server *server;
	struct log *log;
	unsigned i;

	configure(options, &config);
	config.files_fd = files_fd;
	log = start_log(dir, options, &config);
	server = server_new(&config, log);
	for (i = 0; i < options->n_trace; i++)
		if (!server_trace_control(server, options->trace[i]))
			fatalx("--trace-control: unknown switch '%s'",
			    options->trace[i]);
	catch_signals(server, signals);
	if (!options->no_domains) {
		rings = rings_open(server, options->event_port);
		server_set_world(server, rings_world(rings));
	}
	listener = unix_listen(server, path);
	if (options->pid_file != NULL && !daemon_pid_file(options->pid_file))
		fatal("cannot write the pid file %s", options->pid_file);
	if (rings != NULL)
		rings_start(rings);
	daemon_ready(options->ready_fd);
	priv_sandbox(options->user);
	server_run(server);

	unix_close(listener);
	for (i = 0; i < 3; i++)
		event_free(signals[i]);
	if (rings != NULL)
		rings_stop(rings);
	server_free(server);
	rings_close(rings);
	log_mark(log, LOG_CLOSED);
	log_close(log);
	files_remove(files_fd, path);
	if (options->pid_file != NULL)
		files_remove(files_fd, options->pid_file);
	free(path);
}

/*
 * Serves with a standby: this process sees to it that there is one. The first
 * child is forked before anything is open. What another daemon left open is no
 * child's: then all are executed.
 */
static int
supervise(const struct options *options, int lock, char *argv[])
{
	const struct supervisor_paths paths = {
		.dir = run_dir(),
		.socket = socket_path(run_dir()),
		.lock = lock,
	};
	static struct server_config config; /* what it refers to is kept */
	struct sup_first first = { .child.pid = 0 };
	struct files_rules rules;
	int fd = -1;

	configure(options, &config);
	if (!options->live_update && options->resume == RESUME_NONE)
		fd = sup_child_fork(&first);
	if (fd >= 0) {
		daemon_is_child(options->ready_fd);
		return worker_run(options, &config, fd);
	}
	allow_files(options, &rules);
	return supervisor_run(options, &config, &paths, &rules, argv, &first);
}

static int
be_child(const struct options *options)
{
	static struct server_config config; /* what it refers to is kept */

	if (fcntl(options->child_fd, F_SETFD, FD_CLOEXEC) != 0)
		fatal("--child is for xenstored itself");
	configure(options, &config);
	return worker_run(options, &config, options->child_fd);
}

/* Goes on as the supervisor that executed this program with an option more.
 * What the others say of beginning was done. */
static int
resume(struct options *options, char *argv[])
{
	options->ready_fd = -1;
	options->live_update = options->fresh = options->no_standby = false;
	argv[1] = argv[0];
	return supervise(options, -1, argv + 1);
}

/* Asks the daemon that serves to become this program. */
static int
replace(char *argv[])
{
	char why[REPLACE_WHY], program[4096];
	char *path = socket_path(run_dir()), *cmdline;
	ssize_t len =
	    readlink(plat_own_program(), program, sizeof(program) - 1);
	bool bad;

	cmdline = replace_cmdline(argv, &bad);
	if (bad) {
		msg_warnx("--replace: an option has a blank in it");
		return 2;
	}
	if (len < 0)
		fatal("cannot tell where this program is");
	program[len] = '\0';
	if (!replace_daemon(path, program, cmdline, REPLACE_SECONDS, why))
		fatalx("it was not replaced: %s", why);
	return 0;
}

int
main(int argc, char *argv[])
{
	char error[OPTIONS_ERROR_SIZE];
	struct options options;
	struct files_rules rules; /* of a server that is alone */
	int lock;

	msg_init("xenstored");
	switch (options_parse(argc, argv, &options, error)) {
	case OPTIONS_HELP:
		options_usage(stdout);
		return 0;
	case OPTIONS_VERSION:
		puts("xenstored (Kernbus) " KERNBUS_VERSION);
		return 0;
	case OPTIONS_BAD:
		msg_warnx("%s (see xenstored --help)", error);
		return 2;
	case OPTIONS_RUN:
		break;
	}
	if (options.child_fd >= 0)
		return be_child(&options);
	if (options.resume == RESUME_TRY)
		return sup_exec_try(&options);
	if (options.resume != RESUME_NONE)
		return resume(&options, argv);
	if (options.replace)
		return replace(argv);
	if (options.live_update) {
		/* words of another start, that nobody waits for any more */
		options.ready_fd = -1;
		plat_name_self();
		if (!options.foreground)
			msg_to_syslog();
	}
	if (options.ready_fd >= 0 &&
	    fcntl(options.ready_fd, F_SETFD, FD_CLOEXEC) != 0) {
		msg_warn("--ready-fd %d", options.ready_fd);
		return 2;
	}
	if (!options.foreground && !options.live_update)
		daemon_fork();
	lock = daemon_claim(run_dir());
	daemon_many_files();
	if (!options.no_standby)
		return supervise(&options, lock, argv);
	allow_files(&options, &rules);
	serve_alone(&options, files_start(&rules));
	return 0;
}
