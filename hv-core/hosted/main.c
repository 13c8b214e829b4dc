/*
 * hvd: options, and the machine from its start to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"
#include "hv-core/hosted/machine.h"
#include "hv-core/hosted/where.h"

static const char usage_text[] =
    "usage: hvd [--mem SIZE] [--kernel FILE | --kernel-fd FD] [--kernel-args "
    "TEXT]\n"
    "           [--libexec DIR] [--log FILE] [--guest-stderr] [--audit] "
    "[WORD ...]\n";

static _Noreturn void
usage_error(const char *what, const char *which)
{
	fprintf(stderr, "hvd: %s%s\n%s", what, which, usage_text);
	exit(2);
}

static void
add_word(struct machine_config *m, const char *word)
{
	const char *why = "";

	if (cmdline_word(m, word, &why) == 0)
		return;
	fprintf(stderr, "hvd: %s: %s\n", word, why);
	exit(2);
}

static void
add_mem(struct machine_config *m, const char *size)
{
	char word[64];

	snprintf(word, sizeof(word), "mem=%s", size);
	add_word(m, word);
}

static int
open_kernel(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	fprintf(stderr, "hvd: %s: %s\n", path, strerror(errno));
	exit(1);
}

static int
inherited_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || fd < 3 || fd > 1 << 20 ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
		usage_error("not an open descriptor: ", text);
	return (int)fd;
}

static void
open_log(const char *path)
{
	int err = log_open(path);

	if (err == 0)
		return;
	fprintf(stderr, "hvd: %s: %s\n", path, strerror(-err));
	exit(1);
}

enum {
	OPT_MEM = 256,
	OPT_KERNEL,
	OPT_KERNEL_FD,
	OPT_KERNEL_ARGS,
	OPT_LIBEXEC,
	OPT_LOG,
	OPT_GUEST_STDERR,
	OPT_AUDIT,
};

static const struct option options[] = {
	{ "mem", required_argument, NULL, OPT_MEM },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "kernel-fd", required_argument, NULL, OPT_KERNEL_FD },
	{ "kernel-args", required_argument, NULL, OPT_KERNEL_ARGS },
	{ "libexec", required_argument, NULL, OPT_LIBEXEC },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "guest-stderr", no_argument, NULL, OPT_GUEST_STDERR },
	{ "audit", no_argument, NULL, OPT_AUDIT },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
parse_option(struct hvd_config *c, int opt)
{
	switch (opt) {
	case OPT_MEM:
		add_mem(&c->machine, optarg);
		break;
	case OPT_KERNEL:
		c->kernel_fd = open_kernel(optarg);
		if (c->kernel_args == NULL)
			c->kernel_args = optarg;
		break;
	case OPT_KERNEL_FD:
		c->kernel_fd = inherited_fd(optarg);
		break;
	case OPT_KERNEL_ARGS:
		c->kernel_args = optarg;
		break;
	case OPT_LIBEXEC:
		c->libexec = optarg;
		break;
	case OPT_LOG:
		open_log(optarg);
		break;
	case OPT_GUEST_STDERR:
		c->guest_stderr = true;
		break;
	case OPT_AUDIT:
		c->audit = true;
		break;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		fputs(usage_text, stderr);
		exit(2);
	}
}

static bool
event_mode_strict(const char *mode)
{
	if (strcmp(mode, "direct") != 0 && strcmp(mode, "strict") != 0)
		usage_error("HV_EVTCHN is direct or strict, not ", mode);
	return strcmp(mode, "strict") == 0;
}

/* Domain 0's kernel finds the machine, and our libraries. */
static void
set_environment(const struct hvd_config *c)
{
	const char *old = getenv("LD_LIBRARY_PATH");
	char path[8192];

	snprintf(path, sizeof(path), "%s/../lib%s%s", c->libexec,
	    old != NULL ? ":" : "", old != NULL ? old : "");
	setenv("LD_LIBRARY_PATH", path, 1);
	setenv("HV_ROOT", c->root, 1);
}

/* Descriptors 0 to 2 are not for what we open ourselves. */
static void
fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	static struct hvd_config c;
	const char *why = "";
	int opt;

	fill_standard_descriptors();
	machine_config_init(&c.machine);
	c.kernel_fd = -1;
	c.root = where_env("HV_ROOT", HV_ROOT_DEFAULT);
	c.strict = event_mode_strict(where_env("HV_EVTCHN", "direct"));
	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1)
		parse_option(&c, opt);
	for (; optind < argc; optind++)
		add_word(&c.machine, argv[optind]);
	if (cmdline_check(&c.machine, &why) != 0) {
		fprintf(stderr, "hvd: %s\n", why);
		return 2;
	}
	if (c.root[0] != '/')
		usage_error("HV_ROOT is not an absolute path: ", c.root);
	if (c.libexec == NULL)
		c.libexec = where_env("XEN_LIBEXEC_DIR", where_self());
	if (c.kernel_args == NULL)
		c.kernel_args = "dom0";
	set_environment(&c);
	return machine_run(&c);
}
