/* SPDX-License-Identifier: BSD-2-Clause */
/* xenmetricsd(8): the store daemon's figures for Prometheus. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/common/service.h"
#include "tools/xenmetricsd/serve.h"

enum {
	OPT_LISTEN = 256,
	OPT_PID_FILE,
	OPT_READY_FD,
	EXIT_USAGE = 2,

	RECORDS = 20000, /* in one turn */
	BUSY_MS = 1,	 /* to the next, if there may be more */
	IDLE_MS = 50,
	AWAY_MS = 1000,
};

struct config {
	const char *listen; /* "[ADDRESS:]PORT" or a path */
	struct service service;
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "no-fork", no_argument, NULL, 'N' },
	{ "pid-file", required_argument, NULL, OPT_PID_FILE },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: xenmetricsd [-hNV] [--listen=[ADDRESS:]PORT|PATH]\n"
    "       [--pid-file=FILE] [--ready-fd=N]\n";

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

static void
parse_args(int argc, char **argv, struct config *cfg)
{
	int c;

	while ((c = getopt_long(argc, argv, "hNV", long_options, NULL)) != -1)
		switch (c) {
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		case 'V':
			puts("xenmetricsd (kernbus)");
			exit(0);
		case 'N':
			cfg->service.foreground = true;
			break;
		case OPT_LISTEN:
			cfg->listen = optarg;
			break;
		case OPT_PID_FILE:
			cfg->service.pid_file = service_path(optarg);
			break;
		case OPT_READY_FD:
			cfg->service.ready_fd = service_fd(optarg);
			break;
		default:
			usage();
		}
	if (optind != argc) {
		log_warnx("what is '%s'?", argv[optind]);
		usage();
	}
	/* A daemon leaves the folder that it was started in. */
	if (strchr(cfg->listen, '/') != NULL && cfg->listen[0] != '/') {
		log_warnx("--listen wants a path from the root on, not '%s'",
		    cfg->listen);
		usage();
	}
}

/* --- running --- */

struct program {
	struct event_base *base;
	struct event *timer;
	struct collect *collect;
	struct serve *serve;
};

static void
follow(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	struct timeval next = { 0, IDLE_MS * 1000 };

	(void)fd;
	(void)what;
	switch (collect_turn(p->collect, RECORDS)) {
	case REPLICA_AWAY:
		next = (struct timeval){ AWAY_MS / 1000, 0 };
		break;
	case REPLICA_NONE:
		break;
	default:
		next.tv_usec = BUSY_MS * 1000;
		break;
	}
	event_add(p->timer, &next);
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;

	(void)sig;
	(void)what;
	event_base_loopbreak(p->base);
}

static void
catch_signal(struct program *p, int sig)
{
	struct event *ev = evsignal_new(p->base, sig, on_stop, p);

	if (ev == NULL || event_add(ev, NULL) != 0)
		fatal("cannot catch signal %d", sig);
}

/* Opens all that there is to open; ends the program if that fails. */
static void
start(struct program *p, const struct config *cfg)
{
	static const struct timeval now = { 0, 0 };
	char why[SERVE_WHY_SIZE];

	p->base = event_base_new();
	p->collect = collect_new(paths_dir(PATHS_XENSTORED));
	if (p->base == NULL || p->collect == NULL)
		fatalx("no memory");
	p->timer = event_new(p->base, -1, 0, follow, p);
	if (p->timer == NULL || event_add(p->timer, &now) != 0)
		fatalx("no memory");
	p->serve = serve_start(p->base, p->collect, cfg->listen, why);
	if (p->serve == NULL)
		fatalx("%s", why);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	catch_signal(p, SIGTERM);
	catch_signal(p, SIGINT);
}

int
main(int argc, char **argv)
{
	static char listen_at[PATH_MAX];
	static struct program program;
	struct config cfg = {
		.listen = listen_at,
		.service = { .name = "xenmetricsd", .ready_fd = -1 },
	};

	log_init(argv[0]);
	if (paths_join(listen_at, sizeof(listen_at), PATHS_RUN,
		"xenmetricsd.socket") != 0)
		fatal("%s", paths_dir(PATHS_RUN));
	parse_args(argc, argv, &cfg);
	if (paths_mkdir(PATHS_RUN) != 0)
		fatal("%s", paths_dir(PATHS_RUN));
	service_start(&cfg.service);
	start(&program, &cfg);
	service_ready(&cfg.service);
	event_base_dispatch(program.base);

	serve_stop(program.serve);
	collect_free(program.collect);
	service_end(&cfg.service);
	return 0;
}
