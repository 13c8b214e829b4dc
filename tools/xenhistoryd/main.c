/* SPDX-License-Identifier: BSD-2-Clause */
/* xenhistoryd(8): follows the store's commit log and writes its history. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/clock.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/common/service.h"
#include "tools/xenhistoryd/recorder.h"

enum {
	OPT_DATABASE = 256,
	OPT_MAX_AGE,
	OPT_MAX_SIZE,
	OPT_PID_FILE,
	OPT_READY_FD,
	OPT_VALUE_MAX,
	EXIT_USAGE = 2,

	BATCH = 2000,	      /* records in one transaction */
	WAIT_MS = 10,	      /* for the next record, after one */
	IDLE_MS = 100,	      /* the same after IDLE_AFTER of nothing */
	IDLE_AFTER = 100,     /* times */
	AWAY_MS = 500,	      /* for a daemon */
	CHORES_MS = 2000,     /* between looks at size and age */
	IMAGE_MS = 300000,    /* between images of the state */
	TIDY_MS = 3600000,    /* between tidyings */
	FORGET_AT_ONCE = 2000 /* acts */
};

struct config {
	const char *database;
	int64_t max_size; /* bytes */
	int64_t max_age;  /* ms */
	size_t value_max;
	struct service service;
};

static volatile sig_atomic_t stopping;

static const struct option long_options[] = {
	{ "database", required_argument, NULL, OPT_DATABASE },
	{ "help", no_argument, NULL, 'h' },
	{ "max-age", required_argument, NULL, OPT_MAX_AGE },
	{ "max-size", required_argument, NULL, OPT_MAX_SIZE },
	{ "no-fork", no_argument, NULL, 'N' },
	{ "pid-file", required_argument, NULL, OPT_PID_FILE },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "value-max", required_argument, NULL, OPT_VALUE_MAX },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: xenhistoryd [-hNV] [--database=FILE] [--max-age=DAYS]\n"
    "       [--max-size=MiB] [--value-max=BYTES] [--pid-file=FILE]\n"
    "       [--ready-fd=N]\n";

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

/* --- options --- */

static int64_t
parse_number(const char *text, const char *option, int64_t max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n < 0 || n > max) {
		log_warnx("--%s wants a number up to %lld, not '%s'", option,
		    (long long)max, text);
		usage();
	}
	return n;
}

static void
parse_option(struct config *cfg, int c)
{
	switch (c) {
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	case 'V':
		puts("xenhistoryd (kernbus)");
		exit(0);
	case 'N':
		cfg->service.foreground = true;
		break;
	case OPT_DATABASE:
		cfg->database = service_path(optarg);
		break;
	case OPT_MAX_AGE:
		cfg->max_age =
		    parse_number(optarg, "max-age", 36500) * 86400000;
		break;
	case OPT_MAX_SIZE:
		cfg->max_size = parse_number(optarg, "max-size", 1 << 20) << 20;
		break;
	case OPT_PID_FILE:
		cfg->service.pid_file = service_path(optarg);
		break;
	case OPT_READY_FD:
		cfg->service.ready_fd = service_fd(optarg);
		break;
	case OPT_VALUE_MAX:
		cfg->value_max =
		    (size_t)parse_number(optarg, "value-max", 4096);
		break;
	default:
		usage();
	}
}

static void
parse_args(int argc, char **argv, struct config *cfg)
{
	int c;

	while ((c = getopt_long(argc, argv, "hNV", long_options, NULL)) != -1)
		parse_option(cfg, c);
	if (optind != argc) {
		log_warnx("what is '%s'?", argv[optind]);
		usage();
	}
}

/* --- following --- */

struct program {
	const struct config *cfg;
	struct history *history;
	struct recorder *recorder;
	char image[PATH_MAX];	     /* where the state is kept */
	char away[REPLICA_WHY_SIZE]; /* why there is nothing to follow */
	int64_t chores_at, image_at, tidy_at, retry_at;
	bool image_old; /* something was recorded since */
};

static bool
flush(struct program *p)
{
	if (recorder_flush(p->recorder))
		return true;
	log_warnx("%s: %s; what happens now will be a gap", p->cfg->database,
	    history_error(p->history));
	p->retry_at = clock_ms() + CHORES_MS;
	return false;
}

/* Keeps the state beside the history, so that the next start has no gap. */
static void
save_image(struct program *p)
{
	char temporary[PATH_MAX + 8];
	bool ok;
	int fd;

	if (!p->image_old || !flush(p))
		return;
	snprintf(temporary, sizeof(temporary), "%s.new", p->image);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_warn("%s", temporary);
		return;
	}
	ok = recorder_save(p->recorder, fd);
	close(fd);
	if (ok && rename(temporary, p->image) == 0)
		p->image_old = false;
	else
		(void)unlink(temporary);
}

static bool
too_large(struct program *p)
{
	int64_t size = 0;

	return p->cfg->max_size > 0 && history_size(p->history, &size) &&
	       size > p->cfg->max_size;
}

/* A share of what has to be forgotten; true if there may be more. */
static bool
forget(struct program *p)
{
	int64_t before = INT64_MIN, n = 0;

	if (p->cfg->max_age > 0)
		before = clock_wall_ms() - p->cfg->max_age;
	if (too_large(p))
		before = INT64_MAX;
	if (before == INT64_MIN || !history_begin(p->history))
		return false;
	if (!history_forget(p->history, before, FORGET_AT_ONCE, &n) ||
	    !history_commit(p->history)) {
		log_warnx(
		    "%s: %s", p->cfg->database, history_error(p->history));
		history_rollback(p->history);
		return false;
	}
	return n >= FORGET_AT_ONCE;
}

/* What is done beside, when nothing is to be recorded just now. */
static void
do_chores(struct program *p)
{
	int64_t now = clock_ms();

	if (now < p->chores_at)
		return;
	p->chores_at = now + CHORES_MS;
	if (!recorder_works(p->recorder)) {
		if (now >= p->retry_at)
			recorder_retry(p->recorder, clock_wall_ms());
		return;
	}
	if (!flush(p))
		return;
	if (forget(p))
		p->chores_at = now;
	if (now >= p->tidy_at) {
		p->tidy_at = now + TIDY_MS;
		recorder_tidy(p->recorder);
	}
	if (now >= p->image_at) {
		p->image_at = now + IMAGE_MS;
		save_image(p);
	}
}

/* Waits, with signals let through only here. */
static void
wait_ms(int ms, const sigset_t *signals)
{
	struct timespec timeout = { ms / 1000, ms % 1000 * 1000000L };

	(void)ppoll(NULL, 0, &timeout, signals);
}

/* Says it once. */
static void
tell_away(struct program *p, const char *why)
{
	if (strcmp(p->away, why) != 0)
		log_info("nothing to follow: %s", why);
	snprintf(p->away, sizeof(p->away), "%s", why);
}

static void
tell_begun(struct program *p, const char *why)
{
	p->away[0] = '\0';
	log_info("begins with a state of its own: %s", why);
	if (!recorder_works(p->recorder))
		log_warnx(
		    "%s: %s", p->cfg->database, history_error(p->history));
}

/* One record or one wait; how often there was nothing. */
static int
turn(struct program *p, int idle, const sigset_t *signals)
{
	char why[REPLICA_WHY_SIZE] = "";
	bool worked = recorder_works(p->recorder);

	switch (recorder_step(p->recorder, clock_wall_ms(), why)) {
	case REPLICA_RECORD:
		p->image_old = true;
		if (recorder_pending(p->recorder) >= BATCH) {
			flush(p);
			do_chores(p);
		}
		break;
	case REPLICA_BEGUN:
		p->image_old = true;
		tell_begun(p, why);
		flush(p);
		break;
	case REPLICA_NONE:
		flush(p);
		do_chores(p);
		wait_ms(idle > IDLE_AFTER ? IDLE_MS : WAIT_MS, signals);
		return idle + 1;
	case REPLICA_AWAY:
		flush(p);
		do_chores(p);
		tell_away(p, why);
		wait_ms(AWAY_MS, signals);
		return idle;
	}
	if (worked && !recorder_works(p->recorder))
		log_warnx("%s: %s; what happens now will be a gap",
		    p->cfg->database, history_error(p->history));
	return 0;
}

/* --- starting --- */

static void
make_recorder(struct program *p)
{
	struct recorder_config config = {
		.dir = paths_dir(PATHS_XENSTORED),
		.history = p->history,
		.value_max = p->cfg->value_max,
	};

	p->recorder = recorder_new(&config);
	if (p->recorder == NULL)
		fatalx("no memory");
}

/* Opens all that there is to open; ends the program if that fails. */
static void
start(struct program *p, const struct config *cfg)
{
	char why[HISTORY_WHY_SIZE + REPLICA_WHY_SIZE];
	int fd;

	p->cfg = cfg;
	if (snprintf(p->image, sizeof(p->image), "%s.state", cfg->database) >=
	    (int)sizeof(p->image))
		fatalx("%s: the name is too long", cfg->database);
	p->history = history_create(cfg->database, why);
	if (p->history == NULL)
		fatalx("%s", why);
	make_recorder(p);
	fd = open(p->image, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!recorder_load(p->recorder, fd, why)) {
		log_info("%s: %s", p->image, why);
		recorder_free(p->recorder);
		make_recorder(p);
	}
	close(fd);
}

static void
on_stop(int signal)
{
	(void)signal;
	stopping = 1;
}

/* Signals are blocked but for the waits. */
static void
catch_signals(sigset_t *open_out)
{
	struct sigaction stop = { .sa_handler = on_stop };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, open_out);
	sigdelset(open_out, SIGTERM);
	sigdelset(open_out, SIGINT);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* A busy log leaves no time for waits: stop is looked for each batch, too. */
static bool
should_stop(void)
{
	sigset_t pending;

	if (stopping)
		return true;
	sigpending(&pending);
	return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

/* A daemon's messages go to a log. */
static void
begin_log(void)
{
	char path[PATH_MAX];

	if (paths_join(path, sizeof(path), PATHS_LOG, "xenhistoryd.log") != 0 ||
	    log_to_file(path) != 0)
		log_warn("%s/xenhistoryd.log", paths_dir(PATHS_LOG));
}

int
main(int argc, char **argv)
{
	static struct program program;
	struct config cfg = {
		.database = history_default_path(),
		.max_size = INT64_C(256) << 20,
		.max_age = INT64_C(30) * 86400000,
		.value_max = 4096,
		.service = { .name = "xenhistoryd", .ready_fd = -1 },
	};
	int idle = 0, n = 0;
	sigset_t signals;

	log_init(argv[0]);
	parse_args(argc, argv, &cfg);
	if (paths_mkdir(PATHS_LOG) != 0)
		fatal("%s", paths_dir(PATHS_LOG));
	service_start(&cfg.service);
	catch_signals(&signals);
	start(&program, &cfg);
	if (!cfg.service.foreground)
		begin_log();
	service_ready(&cfg.service);
	while (++n % 64 != 0 ? !stopping : !should_stop())
		idle = turn(&program, idle, &signals);

	save_image(&program);
	flush(&program);
	recorder_free(program.recorder);
	history_close(program.history);
	service_end(&cfg.service);
	return 0;
}
