/* xenbackendd: runs the hotplug scripts of backend devices. See
 * xenbackendd(8). This file knows options, files and signals. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "tools/common/lock.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/common/proc.h"
#include "tools/xenbackendd/server.h"

#define SCRIPT_TIMEOUT_MS 40000
#define SCRIPTS_AT_A_TIME 32
#define RECONNECT_MS 1000

struct options {
	int foreground;
	int ready_fd;
	const char *log;
	const char *pid_file;
	const char *vbd_script;
};

/* What the signal handlers work on. */
struct daemon {
	struct event_base *base;
	struct server *server;
	const char *log;
	int log_fd;
};

static void
usage(FILE *out)
{
	fputs("usage: xenbackendd [-df] [-l logfile] [-p pidfile] "
	      "[-s vbd-script] [--ready-fd fd]\n",
	    out);
}

/* A descriptor number, or exits 2. */
static int
fd_option(const char *text)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(text, &end, 10);
	if (errno != 0 || *text == '\0' || *end != '\0' || fd < 0 ||
	    fd > INT_MAX) {
		log_warnx(
		    "--ready-fd wants a descriptor number, not '%s'", text);
		exit(2);
	}
	return (int)fd;
}

static struct options
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ready-fd", required_argument, NULL, 'R' },
		{ "pid-file", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .ready_fd = -1, .vbd_script = "block" };
	int c;

	while ((c = getopt_long(argc, argv, "dfhl:p:s:", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'f':
			o.foreground = 1;
			break;
		case 'l':
			o.log = optarg;
			break;
		case 'p':
			o.pid_file = optarg;
			break;
		case 's':
			o.vbd_script = optarg;
			break;
		case 'R':
			o.ready_fd = fd_option(optarg);
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(2);
	}
	return o;
}

/* Opens the log for us and for the scripts' output. 0, or -1 with errno. */
static int
open_log(struct daemon *d, int again)
{
	int fd;

	if (d->log == NULL)
		return 0;
	fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	if ((again ? log_reopen() : log_to_file(d->log)) != 0) {
		close(fd);
		return -1;
	}
	if (d->log_fd >= 0)
		close(d->log_fd);
	d->log_fd = fd;
	if (d->server != NULL)
		server_set_output(d->server, fd);
	return 0;
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	switch (sig) {
	case SIGHUP:
		if (open_log(d, 1) != 0)
			log_warn("cannot reopen %s", d->log);
		break;
	case SIGUSR1:
		server_report(d->server);
		break;
	default:
		event_base_loopbreak(d->base);
	}
}

/* Serves until a signal ends it. */
static void
serve(struct daemon *d, int ready_fd, int background_fd)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	struct event *events[sizeof(sigs) / sizeof(sigs[0])];
	const size_t count = sizeof(sigs) / sizeof(sigs[0]);

	for (size_t i = 0; i < count; i++) {
		events[i] = evsignal_new(d->base, sigs[i], on_signal, d);
		if (events[i] == NULL || evsignal_add(events[i], NULL) != 0)
			fatalx("cannot handle signal %d", sigs[i]);
	}
	proc_ready(ready_fd);
	if (background_fd >= 0) {
		proc_ready(background_fd);
		proc_drop_stderr();
	}
	event_base_dispatch(d->base);
	for (size_t i = 0; i < count; i++)
		event_free(events[i]);
}

/* GIVEN as an absolute path, since a daemon changes its folder; or NAME in the
 * folder WHICH, which is made. Exits 1 if that cannot be. */
static const char *
file_path(char buf[PATH_MAX], const char *given, enum paths_dir which,
    const char *name)
{
	char cwd[PATH_MAX];

	if (given == NULL) {
		if (paths_mkdir(which) != 0 ||
		    paths_join(buf, PATH_MAX, which, "%s", name) != 0)
			fatal("%s", paths_dir(which));
		return buf;
	}
	if (given[0] == '/')
		return given;
	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    (size_t)snprintf(buf, PATH_MAX, "%s/%s", cwd, given) >= PATH_MAX)
		fatalx("%s: path too long", given);
	return buf;
}

/* The only one of us; exits 1 if there is another. */
static int
take_lock(const char *path)
{
	pid_t owner;
	int lock = lock_take(path, &owner);

	if (lock < 0 && errno == EWOULDBLOCK)
		fatalx("already running (pid %ld)", (long)owner);
	if (lock < 0)
		fatal("%s", path);
	return lock;
}

int
main(int argc, char **argv)
{
	static struct server_config config = {
		.vif_script = "vif-bridge",
		.timeout_ms = SCRIPT_TIMEOUT_MS,
		.parallel = SCRIPTS_AT_A_TIME,
		.reconnect_ms = RECONNECT_MS,
	};
	char pid_file[PATH_MAX], log_file[PATH_MAX];
	struct daemon d = { .log_fd = -1 };
	struct options o;
	int lock, background = -1;

	log_init(argv[0]);
	o = parse(argc, argv);
	config.vbd_script = o.vbd_script;
	o.pid_file =
	    file_path(pid_file, o.pid_file, PATHS_RUN, "xenbackendd.pid");
	if (o.log != NULL || !o.foreground)
		o.log =
		    file_path(log_file, o.log, PATHS_LOG, "xenbackendd.log");

	signal(SIGPIPE, SIG_IGN);
	if (!o.foreground && (background = proc_daemonize()) < 0)
		fatal("cannot go to the background");
	lock = take_lock(o.pid_file);
	d.base = event_base_new();
	if (d.base == NULL)
		fatalx("cannot make an event loop");
	d.server = server_new(d.base, &config);
	if (d.server == NULL) {
		log_warn("cannot connect to xenstored");
		lock_release(lock, o.pid_file);
		return 1;
	}
	d.log = o.log;
	if (open_log(&d, 0) != 0)
		fatal("cannot open %s", o.log);
	serve(&d, o.ready_fd, background);

	server_free(d.server);
	event_base_free(d.base);
	lock_release(lock, o.pid_file);
	return 0;
}
