/* SPDX-License-Identifier: BSD-2-Clause */
/* xenconsole(1): the user's terminal as a domain's console. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/lock.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/xenconsole/escape.h"
#include "tools/xenconsole/session.h"
#include "tools/xenconsole/term.h"

enum { OPT_TYPE = 256, OPT_NOTIFY, OPT_ESCAPE, EXIT_USAGE = 2 };

enum type { TYPE_ANY, TYPE_PV, TYPE_SERIAL, TYPE_VUART };

static const char *const type_names[] = {
	[TYPE_PV] = "pv",
	[TYPE_SERIAL] = "serial",
	[TYPE_VUART] = "vuart",
};

struct options {
	enum type type;
	unsigned num;
	int escape;
	int notify_fd;
	unsigned domid;
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "num", required_argument, NULL, 'n' },
	{ "interactive", no_argument, NULL, 'i' },
	{ "type", required_argument, NULL, OPT_TYPE },
	{ "start-notify-fd", required_argument, NULL, OPT_NOTIFY },
	{ "escape", required_argument, NULL, OPT_ESCAPE },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
    "usage: xenconsole [-i] [-n NUM] [--type pv|serial|vuart] [--escape KEY]\n"
    "       [--start-notify-fd N] DOMID\n";

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

static unsigned
parse_number(const char *text, const char *what, unsigned max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    value > max) {
		log_warnx("bad %s: '%s'", what, text);
		usage();
	}
	return (unsigned)value;
}

static enum type
parse_type(const char *text)
{
	for (enum type t = TYPE_PV; t <= TYPE_VUART; t++)
		if (strcmp(type_names[t], text) == 0)
			return t;
	log_warnx("bad type of console: '%s'", text);
	usage();
}

static void
parse_args(int argc, char **argv, struct options *opt)
{
	int c;

	while (
	    (c = getopt_long(argc, argv, "hin:", long_options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		case 'i':
			break; /* input is always carried */
		case 'n':
			opt->num = parse_number(optarg, "number", INT_MAX);
			break;
		case OPT_TYPE:
			opt->type = parse_type(optarg);
			break;
		case OPT_NOTIFY:
			opt->notify_fd =
			    (int)parse_number(optarg, "descriptor", INT_MAX);
			break;
		case OPT_ESCAPE:
			opt->escape = escape_parse(optarg);
			if (opt->escape < 0) {
				log_warnx("bad escape key: '%s'", optarg);
				usage();
			}
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc)
		usage();
	opt->domid = parse_number(argv[optind], "domain id", 0x7fef);
}

/* Does DIR/NAME exist? */
static bool
exists(struct xs_handle *xs, const char *path)
{
	char *value = xs_read(xs, XBT_NULL, path, NULL);

	free(value);
	return value != NULL;
}

/* The node that names the terminal, by type and number. */
static void
find_node(const struct options *opt, struct session *s)
{
	char home[64], serial[128];

	snprintf(home, sizeof(home), "/local/domain/%u", opt->domid);
	snprintf(serial, sizeof(serial), "%s/serial/%u/tty", home, opt->num);
	if (opt->type == TYPE_VUART)
		snprintf(s->path, sizeof(s->path), "%s/vuart/%u/tty", home,
		    opt->num);
	else if (opt->type != TYPE_SERIAL && opt->num > 0)
		snprintf(s->path, sizeof(s->path), "%s/device/console/%u/tty",
		    home, opt->num);
	else
		snprintf(s->path, sizeof(s->path), "%s/console/tty", home);
	if (opt->type == TYPE_SERIAL ||
	    (opt->type == TYPE_ANY && !exists(s->xs, s->path) &&
		exists(s->xs, serial)))
		snprintf(s->path, sizeof(s->path), "%s", serial);
	if (!exists(s->xs, home) && errno == ENOENT)
		fatalx("there is no domain %u", opt->domid);
}

/* One client at a time. The lock lasts as long as we do. */
static int
take_lock(const struct options *opt, char *path, size_t size)
{
	pid_t owner = 0;
	int fd, err;

	if (paths_mkdir(PATHS_LOCK) != 0)
		fatal("%s", paths_dir(PATHS_LOCK));
	err = opt->num == 0 ? paths_join(path, size, PATHS_LOCK,
				  "xenconsole.%u", opt->domid)
			    : paths_join(path, size, PATHS_LOCK,
				  "xenconsole.%u.%u", opt->domid, opt->num);
	fd = err == 0 ? lock_take(path, &owner) : -1;
	if (fd < 0 && errno == EWOULDBLOCK)
		fatalx("somebody is at this console already (pid %ld)",
		    (long)owner);
	if (fd < 0)
		fatal("cannot lock the console");
	return fd;
}

/* Tells xl create -c that no output is lost from now on. */
static void
notify(int fd)
{
	if (fd < 0)
		return;
	if (write(fd, "", 1) != 1)
		log_warn("cannot tell that the console is attached");
	close(fd);
}

int
main(int argc, char **argv)
{
	struct options opt = { .escape = ESCAPE_DEFAULT, .notify_fd = -1 };
	struct session session = { .fd = -1 };
	char lock_path[PATH_MAX];
	int lock, code;

	log_init(argv[0]);
	parse_args(argc, argv, &opt);
	if (opt.domid == 0)
		fatalx("domain 0 has no console here");
	session.escape = opt.escape;
	session.xs = xs_open(0);
	if (session.xs == NULL)
		fatal("cannot talk to xenstored");
	find_node(&opt, &session);
	lock = take_lock(&opt, lock_path, sizeof(lock_path));
	session.signals = term_signals();
	signal(SIGPIPE, SIG_IGN);
	code = 1;
	if (session_attach(&session) == 0) {
		term_raw();
		notify(opt.notify_fd);
		code = session_run(&session);
		term_restore();
	}
	lock_release(lock, lock_path);
	xs_close(session.xs);
	if (code > 128) { /* end as the signal would have ended us */
		signal(code - 128, SIG_DFL);
		raise(code - 128);
	}
	return code;
}
