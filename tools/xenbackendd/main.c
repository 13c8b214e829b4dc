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

#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/common/service.h"
#include "tools/xenbackendd/server.h"

#define SCRIPT_TIMEOUT_MS 40000
#define SCRIPTS_AT_A_TIME 32
#define RECONNECT_MS 1000

struct options {
	struct service service;
	const char *log;
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

static struct options
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ready-fd", required_argument, NULL, 'R' },
		{ "pid-file", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = {
		.service = { .name = "xenbackendd", .ready_fd = -1 },
		.vbd_script = "block",
	};
	int c;

	while ((c = getopt_long(argc, argv, "dfhl:p:s:", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case 'f':
			o.service.foreground = true;
			break;
		case 'l':
			o.log = service_path(optarg);
			break;
		case 'p':
			o.service.pid_file = service_path(optarg);
			break;
		case 's':
			o.vbd_script = optarg;
			break;
		case 'R':
			o.service.ready_fd = service_fd(optarg);
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
serve(struct daemon *d, const struct service *service)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
	struct event *events[sizeof(sigs) / sizeof(sigs[0])];
	const size_t count = sizeof(sigs) / sizeof(sigs[0]);

	for (size_t i = 0; i < count; i++) {
		events[i] = evsignal_new(d->base, sigs[i], on_signal, d);
		if (events[i] == NULL || evsignal_add(events[i], NULL) != 0)
			fatalx("cannot handle signal %d", sigs[i]);
	}
	service_ready(service);
	event_base_dispatch(d->base);
	for (size_t i = 0; i < count; i++)
		event_free(events[i]);
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
	char log_file[PATH_MAX];
	struct daemon d = { .log_fd = -1 };
	struct options o;

	log_init(argv[0]);
	o = parse(argc, argv);
	config.vbd_script = o.vbd_script;
	if (o.log == NULL && !o.service.foreground) {
		if (paths_mkdir(PATHS_LOG) != 0 ||
		    paths_join(log_file, sizeof(log_file), PATHS_LOG,
			"xenbackendd.log") != 0)
			fatal("%s", paths_dir(PATHS_LOG));
		o.log = log_file;
	}
	signal(SIGPIPE, SIG_IGN);
	service_start(&o.service);
	d.base = event_base_new();
	if (d.base == NULL)
		fatalx("cannot make an event loop");
	d.server = server_new(d.base, &config);
	if (d.server == NULL) {
		log_warn("cannot connect to xenstored");
		service_end(&o.service);
		return 1;
	}
	d.log = o.log;
	if (open_log(&d, 0) != 0)
		fatal("cannot open %s", o.log);
	serve(&d, &o.service);

	server_free(d.server);
	event_base_free(d.base);
	service_end(&o.service);
	return 0;
}
