/*
 * hv-boot: the boot loader of the hosted machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv-core/hosted/boot/bootcfg.h"
#include "hv-core/hosted/boot/elfcheck.h"
#include "hv-core/hosted/boot/launch.h"
#include "hv-core/hosted/boot/loader.h"
#include "hv-core/hosted/boot/plan.h"
#include "hv-core/hosted/proto.h"
#include "hv-core/hosted/where.h"

#define CFG_MAX (1 << 20)

static const char usage_text[] =
    "usage: hv-boot [-fn] [-l LOG] [-r ROOT] [-t SECONDS] [--libexec DIR] "
    "BOOT.CFG [ENTRY]\n";

struct options {
	bool foreground;
	bool check_only;
	const char *root; /* of the files that boot.cfg names */
	const char *log;
	const char *libexec;
	unsigned timeout_s;
	const char *cfg;
	const char *entry; /* NULL: the default */
};

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static unsigned
parse_seconds(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n == 0 || n > 3600) {
		fprintf(stderr,
		    "hv-boot: -t %s: a number of seconds from 1 to 3600 is "
		    "wanted\n",
		    text);
		exit(2);
	}
	return (unsigned)n;
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "libexec", required_argument, NULL, 'L' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "fhl:nr:t:", longs, NULL)) != -1)
		switch (opt) {
		case 'f':
			o->foreground = true;
			break;
		case 'l':
			o->log = optarg;
			break;
		case 'n':
			o->check_only = true;
			break;
		case 'r':
			o->root = optarg;
			break;
		case 't':
			o->timeout_s = parse_seconds(optarg);
			break;
		case 'L':
			o->libexec = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			usage();
		}
	if (argc - optind < 1 || argc - optind > 2)
		usage();
	o->cfg = argv[optind];
	o->entry = argv[optind + 1];
}

static char *
read_text(const char *path)
{
	char *text = malloc(CFG_MAX + 1);
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f != NULL && text != NULL) {
		n = fread(text, 1, CFG_MAX + 1, f);
		if (n > CFG_MAX)
			errno = EFBIG;
	}
	if (f == NULL || text == NULL || ferror(f) || n > CFG_MAX) {
		fprintf(stderr, "hv-boot: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	fclose(f);
	text[n] = '\0';
	return text;
}

/* Where the machine finds FILE; static memory, one of two in turn. */
static const char *
under_root(const struct options *o, const char *file)
{
	static char path[2][4096];
	static unsigned turn;
	char *p = path[turn++ % 2];

	file = plan_path(file);
	while (*file == '/')
		file++;
	snprintf(p, sizeof(path[0]), "%s/%s",
	    strcmp(o->root, "/") == 0 ? "" : o->root, file);
	return p;
}

static void
print_notes(const struct options *o, const struct bootcfg *cfg)
{
	for (unsigned i = 0; i < cfg->nr_notes; i++)
		if (cfg->note[i].line != 0)
			fprintf(stderr, "hv-boot: %s:%u: %s\n", o->cfg,
			    cfg->note[i].line, cfg->note[i].what);
		else
			fprintf(stderr, "hv-boot: %s: %s\n", o->cfg,
			    cfg->note[i].what);
}

static const struct bootcfg_entry *
choose(const struct options *o, const struct bootcfg *cfg)
{
	const struct bootcfg_entry *e = o->entry != NULL
					    ? bootcfg_find(cfg, o->entry)
					    : bootcfg_default(cfg);

	if (e != NULL)
		return e;
	if (cfg->nr_entries == 0)
		fprintf(stderr,
		    "hv-boot: %s: no menu entry; a line such as "
		    "menu=Xen:load KERNEL;multiboot XEN is wanted\n",
		    o->cfg);
	else
		fprintf(stderr,
		    "hv-boot: %s: no entry '%s'; 1 to %u, or an entry's text, "
		    "is wanted\n",
		    o->cfg, o->entry, cfg->nr_entries);
	exit(1);
}

/* The kernel's name and arguments as one line. */
static void
kernel_line(const struct boot_plan *plan, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s", plan->kernel.file);

	for (unsigned i = 0; i < plan->kernel.nr_args && n < size; i++)
		n += (size_t)snprintf(
		    buf + n, size - n, " %s", plan->kernel.arg[i]);
}

static int
load(const struct options *o, unsigned line, const char *file,
    const char *(*check)(const uint8_t *image, size_t size))
{
	const char *path = under_root(o, file);
	const char *why;
	int fd = loader_load(path, check, &why);

	if (fd < 0)
		fprintf(stderr, "hv-boot: %s:%u: %s: %s\n", o->cfg, line, path,
		    why);
	return fd;
}

/* -n: every entry, and what would keep it from booting. */
static int
check(const struct options *o, const struct bootcfg *cfg)
{
	static struct boot_plan plan;
	unsigned plain = 0, bad = 0;

	for (unsigned i = 0; i < cfg->nr_entries; i++) {
		const struct bootcfg_entry *e = &cfg->entry[i];
		int hv, kernel;

		printf("%c", cfg->choice == i + 1 ? '*' : ' ');
		if (bootcfg_letters(cfg))
			printf("%c. %s\n", (char)('a' + i), e->text);
		else
			printf("%u. %s\n", i + 1, e->text);
		if (plan_make(&plan, e->commands) != 0) {
			plain++;
			printf("     %s\n", plan.why);
			continue;
		}
		hv = load(o, e->line, plan.hypervisor.file, elf_check_program);
		kernel = load(o, e->line, plan.kernel.file, elf_check_dom0);
		bad += hv < 0 || kernel < 0;
		if (hv >= 0)
			close(hv);
		if (kernel >= 0)
			close(kernel);
	}
	if (plain == 0)
		fprintf(stderr,
		    "hv-boot: %s: every entry needs the hypervisor; an entry "
		    "that boots a kernel alone is good to have\n",
		    o->cfg);
	return bad > 0 || cfg->nr_entries == 0;
}

static void
make_log_folder(const char *log)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s", log);
	(void)mkdir(dirname(path), 0755); /* hvd says so if it is not there */
}

static int
boot(const struct options *o, const struct bootcfg_entry *e)
{
	static struct boot_plan plan;
	static char line[4096];
	struct launch l = { .libexec = o->libexec,
		.root = where_env("HV_ROOT", HV_ROOT_DEFAULT),
		.log = o->log,
		.foreground = o->foreground,
		.timeout_s = o->timeout_s };

	if (plan_make(&plan, e->commands) != 0) {
		fprintf(
		    stderr, "hv-boot: %s:%u: %s\n", o->cfg, e->line, plan.why);
		return 1;
	}
	if (plan.nr_modules > 0) {
		fprintf(stderr,
		    "hv-boot: %s:%u: a second load (%s): domain 0's kernel "
		    "takes no modules; one load is wanted\n",
		    o->cfg, e->line, plan.module[0]);
		return 1;
	}
	kernel_line(&plan, line, sizeof(line));
	l.kernel_line = line;
	l.word = plan.hypervisor.arg;
	l.nr_words = plan.hypervisor.nr_args;
	l.kernel_fd = load(o, e->line, plan.kernel.file, elf_check_dom0);
	if (l.kernel_fd < 0)
		return 1;
	l.hypervisor_fd =
	    load(o, e->line, plan.hypervisor.file, elf_check_program);
	if (l.hypervisor_fd < 0)
		return 1;
	if (l.log != NULL)
		make_log_folder(l.log);
	return launch_run(&l);
}

int
main(int argc, char **argv)
{
	static struct bootcfg cfg;
	static char default_log[4096];
	struct options o = { .root = "/", .timeout_s = 30 };
	char *text;
	int ret;

	parse_options(&o, argc, argv);
	if (o.libexec == NULL)
		o.libexec = where_env("XEN_LIBEXEC_DIR", where_self());
	if (o.log == NULL && !o.foreground) {
		snprintf(default_log, sizeof(default_log), "%s/hvd.log",
		    where_env("XEN_LOG_DIR", "/var/log/xen"));
		o.log = default_log;
	}
	text = read_text(o.cfg);
	bootcfg_parse(&cfg, text);
	print_notes(&o, &cfg);
	ret = o.check_only ? check(&o, &cfg) : boot(&o, choose(&o, &cfg));
	free(text);
	return ret;
}
