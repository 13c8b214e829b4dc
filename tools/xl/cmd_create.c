#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "cmd.h"
#include "cfg.h"
#include "create.h"
#include "domcfg.h"
#include "interrupt.h"
#include "json.h"
#include "supervise.h"
#include "tools/common/paths.h"

/* What the command line asks for. */
struct request {
	const char *file;
	bool console, foreground, no_supervisor, dry_run, paused, quiet;
};

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Where NAME, a configuration, lies. */
static const char *
find_config(struct xl *xl, const char *name)
{
	const char *other;

	if (strchr(name, '/') != NULL || is_file(name))
		return name;
	other = arena_printf(xl->mem, "%s/%s", paths_dir(PATHS_CONFIG), name);
	return is_file(other) ? other : name;
}

/* The name of a domain whose configuration has none: its file's. */
static const char *
default_name(const char *file)
{
	const char *slash = strrchr(file, '/');
	struct stat st;

	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	return slash != NULL ? slash + 1 : file;
}

/* Reads the file and the arguments after it. NULL after messages. */
static struct cfg *
read_config(struct xl *xl, const struct request *req, int argc, char **argv,
    struct domcfg *d)
{
	struct diag *diag = diag_new(xl->mem);
	struct cfg *c = cfg_new(xl->mem, diag);
	struct domcfg_defaults dflt = {
		.name = default_name(req->file),
		.bridge = xl->set.bridge,
		.vif_script = xl->set.vif_script,
	};
	char cwd[PATH_MAX];

	if (getcwd(cwd, sizeof(cwd)) == NULL) {
		xl_error(xl, "working directory: %s", strerror(errno));
		return NULL;
	}
	dflt.cwd = arena_strdup(xl->mem, cwd);
	cfg_parse_file(c, req->file);
	for (; optind < argc; optind++)
		cfg_parse_arg(c, argv[optind], domcfg_list_keys);
	if (diag_errors(diag) == 0)
		domcfg_read(c, &dflt, d);
	diag_print(diag, req->quiet ? DIAG_ERROR : DIAG_WARNING, stderr);
	return diag_errors(diag) == 0 ? c : NULL;
}

static void
announce(struct xl *xl, const struct request *req)
{
	if (req->quiet)
		return;
	if (cmd_is_xm(xl))
		printf("Using config file \"%s\".\n", req->file);
	else
		fprintf(stderr, "Parsing config from %s\n", req->file);
	fflush(stdout);
}

/* The domain is there, paused and (unless -e or -F) followed. Lets it run. */
static int
let_run(struct xl *xl, const struct request *req, const struct domcfg *d,
    uint32_t domid, pid_t *console_out)
{
	*console_out = 0;
	if (req->console && cmd_start_console(xl, domid, console_out) != 0)
		*console_out = 0;
	if (!req->paused && hvctl_unpause(xl->hv, domid) != 0) {
		xl_error(xl, "%s: it does not start: %s", d->name,
		    errno == EINVAL || errno == ENOEXEC
			? "the hypervisor refuses its kernel (see xl dmesg)"
			: strerror(errno));
		create_undo(xl, domid);
		return -1;
	}
	if (cmd_is_xm(xl) && !req->quiet) {
		printf("Started domain %s (id=%u)\n", d->name, domid);
		fflush(stdout);
	}
	return 0;
}

/*
 * Stays at the consoles of a domain and of those that follow when it restarts,
 * until the user leaves or there is none. NEWS is where supervise() tells.
 */
static int
stay_at_console(struct xl *xl, uint32_t domid, pid_t console, int news)
{
	struct hvinfo_domain info;
	int status = cmd_wait_child(console);
	ssize_t n;

	/* As long as the domain is there it is the user who has left. */
	while (status == 0 && !interrupt_seen() &&
	       (hvinfo_domain(xl->info, domid, &info) != 0 || info.shutdown ||
		   info.dying)) {
		do
			n = read(news, &domid, sizeof(domid));
		while (n < 0 && errno == EINTR && !interrupt_seen());
		if (n != sizeof(domid) ||
		    cmd_start_console(xl, domid, &console) != 0)
			break;
		status = cmd_wait_child(console);
	}
	return status;
}

static int
start(struct xl *xl, const struct request *req, struct supervision *what)
{
	int news[2] = { -1, -1 }, ret = 0;
	pid_t console;

	if (req->console && !req->foreground && pipe2(news, O_CLOEXEC) != 0)
		ret = -1;
	what->tell = news[1];
	if (ret == 0 && !req->no_supervisor && !req->foreground)
		ret = supervise_in_background(xl, what);
	if (news[1] >= 0)
		close(news[1]);
	if (ret != 0) {
		create_undo(xl, what->domid);
		return -1;
	}
	if (let_run(xl, req, what->cfg, what->domid, &console) != 0)
		return -1;
	if (req->foreground) {
		what->tell = -1;
		interrupt_forget();
		ret = supervise(xl, what);
		return console > 0 ? ret | cmd_wait_child(console) : ret;
	}
	return console > 0 ? stay_at_console(xl, what->domid, console, news[0])
			   : 0;
}

static int
create(
    struct xl *xl, const struct request *req, struct cfg *c, struct domcfg *d)
{
	struct supervision what = { .cfg = d, .tell = -1 };

	domcfg_complete(d, create_random, NULL);
	domcfg_seal(d, c);
	what.config_text = cfg_print(c);
	if (interrupt_catch() != 0 ||
	    create_domain(xl, d, what.config_text, &what.domid) != 0)
		return CMD_FAILED;
	return start(xl, req, &what) == 0 ? CMD_OK : CMD_FAILED;
}

static const struct option longs[] = {
	{ "defconfig", required_argument, NULL, 'f' },
	{ "dryrun", no_argument, NULL, 'n' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "paused", no_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "vncviewer", no_argument, NULL, 'V' },
	{ "console_autoconnect", no_argument, NULL, 'c' },
	{ NULL, 0, NULL, 0 },
};

/* Only options of xl and of xm's that mean something here. */
static void
parse_options(struct xl *xl, const struct cmd *cmd, int argc, char **argv,
    struct request *req)
{
	int opt;

	while ((opt = cmd_option(xl, cmd, argc, argv, ":cdeFf:npqV", longs)) !=
	       -1) {
		switch (opt) {
		case 'c':
			req->console = true;
			break;
		case 'd': /* more messages; there are none to add */
			break;
		case 'e':
			req->no_supervisor = true;
			break;
		case 'F':
			req->foreground = true;
			break;
		case 'f':
			req->file = optarg;
			break;
		case 'n':
			req->dry_run = true;
			break;
		case 'p':
			req->paused = true;
			break;
		case 'q':
			req->quiet = true;
			break;
		case 'V':
			xl_error(xl, "-V: there is no VNC here; ignored");
			break;
		}
	}
}

static int
run_create(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	struct request req = { 0 };
	struct domcfg d;
	struct cfg *c;

	parse_options(xl, cmd, argc, argv, &req);
	if (optind < argc && req.file == NULL &&
	    strchr(argv[optind], '=') == NULL)
		req.file = argv[optind++];
	if (req.file == NULL)
		return cmd_usage(xl, cmd, "no configuration is given");
	req.file = find_config(xl, req.file);
	announce(xl, &req);
	c = read_config(xl, &req, argc, argv, &d);
	if (c == NULL)
		return CMD_FAILED;
	if (req.dry_run) {
		cfg_set_string(c, "name", d.name);
		json_config(c, stdout, 0);
		putchar('\n');
		return CMD_OK;
	}
	return create(xl, &req, c, &d);
}

const struct cmd cmd_create_table[] = {
	{ "create", run_create,
	    "[-c] [-e] [-F] [-n] [-p] [-q] [-f] FILE [KEY=VALUE ...]",
	    "Create a domain from a configuration" },
	{ NULL, NULL, NULL, NULL },
};
