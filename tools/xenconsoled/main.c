/* SPDX-License-Identifier: BSD-2-Clause */
/* xenconsoled(8): guests' consoles as pseudo terminals and log files. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/xenconsoled/consoles.h"
#include "tools/xenconsoled/hvlog.h"

enum {
	OPT_LOG = 256,
	OPT_LOG_DIR,
	OPT_PID_FILE,
	OPT_READY_FD,
	OPT_REPLACE_ESCAPE,
	EXIT_USAGE = 2
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "interactive", no_argument, NULL, 'i' },
	{ "foreground", no_argument, NULL, 'F' },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "log-dir", required_argument, NULL, OPT_LOG_DIR },
	{ "pid-file", required_argument, NULL, OPT_PID_FILE },
	{ "timestamp", required_argument, NULL, 't' },
	{ "overflow-data", required_argument, NULL, 'o' },
	{ "replace-escape", no_argument, NULL, OPT_REPLACE_ESCAPE },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: xenconsoled [-FhiVv] [-o discard|keep] [-t none|guest|hv|all]\n"
    "       [--log=none|guest|hv|all] [--log-dir=DIR] [--pid-file=FILE]\n"
    "       [--ready-fd=N] [--replace-escape]\n";

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

/* "none", "guest", "hv" or "all" */
static void
parse_who(const char *text, const char *option, bool *guest, bool *hv)
{
	*guest = strcmp(text, "guest") == 0 || strcmp(text, "all") == 0;
	*hv = strcmp(text, "hv") == 0 || strcmp(text, "all") == 0;
	if (*guest || *hv || strcmp(text, "none") == 0)
		return;
	log_warnx("%s wants none, guest, hv or all, not '%s'", option, text);
	usage();
}

static bool
parse_overflow(const char *text)
{
	if (strcmp(text, "keep") == 0)
		return true;
	if (strcmp(text, "discard") == 0)
		return false;
	log_warnx("-o wants discard or keep, not '%s'", text);
	usage();
}

static void
parse_option(struct config *cfg, int c)
{
	switch (c) {
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	case 'V':
		puts("xenconsoled (kernbus)");
		exit(0);
	case 'v':
		cfg->verbose = true;
		break;
	case 'i':
	case 'F':
		cfg->service.foreground = true;
		break;
	case 't':
		parse_who(optarg, "-t", &cfg->time_guest, &cfg->time_hv);
		break;
	case 'o':
		cfg->keep = parse_overflow(optarg);
		break;
	case OPT_LOG:
		parse_who(optarg, "--log", &cfg->log_guest, &cfg->log_hv);
		break;
	case OPT_LOG_DIR:
		cfg->log_dir = service_path(optarg);
		break;
	case OPT_PID_FILE:
		cfg->service.pid_file = service_path(optarg);
		break;
	case OPT_READY_FD:
		cfg->service.ready_fd = service_fd(optarg);
		break;
	case OPT_REPLACE_ESCAPE:
		cfg->replace_escape = true;
		break;
	default:
		usage();
	}
}

static void
parse_args(int argc, char **argv, struct config *cfg)
{
	int c;

	while ((c = getopt_long(argc, argv, "hVviFt:o:", long_options, NULL)) !=
	       -1)
		parse_option(cfg, c);
	if (optind != argc) {
		log_warnx("what is '%s'?", argv[optind]);
		usage();
	}
}

/* A domain takes four descriptors; limits are often meant for users. */
static void
raise_limits(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return;
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
		log_warn("cannot raise the number of descriptors");
}

struct program {
	struct shared shared;
	struct consoles *consoles;
	struct hvlog *hvlog;
};

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;

	(void)sig;
	(void)what;
	log_reopen();
	consoles_reopen_logs(p->consoles);
	hvlog_reopen(p->hvlog);
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;

	(void)sig;
	(void)what;
	event_base_loopbreak(p->shared.base);
}

static void
catch_signal(struct program *p, int sig, event_callback_fn fn)
{
	struct event *ev = evsignal_new(p->shared.base, sig, fn, p);

	if (ev == NULL || event_add(ev, NULL) != 0)
		fatal("cannot catch signal %d", sig);
}

/* Opens all that there is to open; ends the program if that fails. */
static void
start(struct program *p, const struct config *cfg)
{
	p->shared.cfg = cfg;
	p->shared.base = event_base_new();
	if (p->shared.base == NULL)
		fatal("event loop");
	p->shared.hv = hvinfo_open();
	if (p->shared.hv == NULL)
		fatal("cannot talk to the hypervisor");
	p->shared.gnt = xengnttab_open(NULL, 0);
	if (p->shared.gnt == NULL)
		fatal("cannot map grants");
	/* only for guests whose ring is not granted */
	p->shared.fmem = xenforeignmemory_open(NULL, 0);
	if (cfg->log_hv) {
		p->hvlog = hvlog_start(&p->shared);
		if (p->hvlog == NULL)
			fatal("cannot log the hypervisor's messages");
	}
	p->consoles = consoles_start(&p->shared);
	if (p->consoles == NULL)
		fatal("cannot use xenstored");
	catch_signal(p, SIGHUP, on_hup);
	catch_signal(p, SIGTERM, on_stop);
	catch_signal(p, SIGINT, on_stop);
}

/* A daemon's messages go to its log from the time on when it serves. */
static void
begin_log(const struct config *cfg)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/xenconsoled.log", cfg->log_dir) >=
		(int)sizeof(path) ||
	    log_to_file(path) != 0)
		log_warn("%s/xenconsoled.log", cfg->log_dir);
}

int
main(int argc, char **argv)
{
	static struct program program;
	struct config cfg = {
		.log_dir = paths_dir(PATHS_LOG),
		.service = { .name = "xenconsoled", .ready_fd = -1 },
	};

	log_init(argv[0]);
	parse_args(argc, argv, &cfg);
	if (cfg.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if ((cfg.log_guest || cfg.log_hv) && mkdir(cfg.log_dir, 0755) != 0 &&
	    errno != EEXIST)
		fatal("%s", cfg.log_dir);
	service_start(&cfg.service);
	signal(SIGPIPE, SIG_IGN);
	raise_limits();
	start(&program, &cfg);
	if (!cfg.service.foreground)
		begin_log(&cfg);
	service_ready(&cfg.service);
	event_base_dispatch(program.shared.base);

	consoles_stop(program.consoles);
	hvlog_stop(program.hvlog);
	service_end(&cfg.service);
	return program.shared.hv_gone ? 1 : 0;
}
