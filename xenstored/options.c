/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/options.h"

#include <getopt.h>
#include <string.h>

#include "common/wire.h"
#include "xenstored/principal.h"

enum {
	OPT_TRACE_CONTROL = 256,
	OPT_READY_FD,
	OPT_NO_STANDBY,
	OPT_FRESH,
	OPT_REPLACE,
	OPT_CHILD, /* for the daemon itself only, as the next */
	OPT_RESUME,
	OPT_USER,
};

enum { SOFT_MEMORY = 2 << 20 };

/* clang-format off */
static const struct option long_options[] = {
	{ "pid-file",       required_argument, NULL, 'F' },
	{ "no-fork",        no_argument,       NULL, 'N' },
	{ "trace-file",     required_argument, NULL, 'T' },
	{ "trace-control",  required_argument, NULL, OPT_TRACE_CONTROL },
	{ "entry-nb",       required_argument, NULL, 'E' },
	{ "entry-size",     required_argument, NULL, 'S' },
	{ "watch-nb",       required_argument, NULL, 'W' },
	{ "transaction",    required_argument, NULL, 't' },
	{ "perm-nb",        required_argument, NULL, 'A' },
	{ "path-max",       required_argument, NULL, 'M' },
	{ "quota",          required_argument, NULL, 'Q' },
	{ "quota-soft",     required_argument, NULL, 'q' },
	{ "timeout",        required_argument, NULL, 'w' },
	{ "keep-orphans",   no_argument,       NULL, 'K' },
	{ "priv-domid",     required_argument, NULL, 'p' },
	{ "event",          required_argument, NULL, 'e' },
	{ "no-domain-init", no_argument,       NULL, 'D' },
	{ "ready-fd",       required_argument, NULL, OPT_READY_FD },
	{ "no-standby",     no_argument,       NULL, OPT_NO_STANDBY },
	{ "fresh",          no_argument,       NULL, OPT_FRESH },
	{ "live-update",    no_argument,       NULL, 'U' },
	{ "replace",        no_argument,       NULL, OPT_REPLACE },
	{ "child",          required_argument, NULL, OPT_CHILD },
	{ "resume",         required_argument, NULL, OPT_RESUME },
	{ "user",           required_argument, NULL, OPT_USER },
	{ "help",           no_argument,       NULL, 'H' },
	{ "version",        no_argument,       NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Options that set one quota. */
static const struct {
	char letter;
	enum quota_id id;
} quota_options[] = {
	{ 'E', QUOTA_NODES },
	{ 'S', QUOTA_NODESIZE },
	{ 'W', QUOTA_WATCHES },
	{ 't', QUOTA_TXNS },
	{ 'A', QUOTA_PERMS },
	{ 'M', QUOTA_PATHMAX },
};

static const char usage[] =
"Usage: xenstored [options]\n"
"  -D, --no-domain-init       serve sockets only; no hypervisor is needed\n"
"  -F, --pid-file <file>      write the process id to <file>\n"
"  -N, --no-fork              stay in the foreground\n"
"  -T, --trace-file <file>    write requests and replies to <file>\n"
"      --trace-control <sw>   +<switch> or -<switch>: io obj wrl acc\n"
"  -E, --entry-nb <n>         nodes a domain may own\n"
"  -S, --entry-size <n>       size of one node\n"
"  -W, --watch-nb <n>         watches a domain may set\n"
"  -t, --transaction <n>      transactions a domain may have open\n"
"  -A, --perm-nb <n>          permissions of one node\n"
"  -M, --path-max <n>         length of a path below a domain's home\n"
"  -Q, --quota <what>=<n>     any quota; 0 is no limit\n"
"  -q, --quota-soft <what>=<n>  memory: what is reported as much\n"
"  -w, --timeout <what>=<s>   watch-event: accepted; events wait for ever\n"
"  -K, --keep-orphans         give nodes of dead domains to domain 0\n"
"  -p, --priv-domid <id>      a domain that may do everything\n"
"  -e, --event <port>         domain 0's store event channel\n"
"      --ready-fd <fd>        write a byte to <fd> when serving\n"
"      --no-standby           one process; if it dies, the store is lost\n"
"      --fresh                do not go on where a killed daemon was\n"
"      --replace              take the place of the daemon that serves, with\n"
"                             its options or, if there are any, these\n"
"  -U, --live-update          go on with what another daemon, which executed\n"
"                             this one, left in state_dump\n"
"      --user <name>          the account to change to after start-up\n"
"  -H, --help                 this text\n"
"  -V, --version              version\n";
/* clang-format on */

void
options_usage(FILE *file)
{
	fputs(usage, file);
}

static bool
parse_number(const char *what, const char *text, uint64_t max,
    uint64_t *value_out, char *error)
{
	if (wire_number(text, max, value_out))
		return true;
	snprintf(error, OPTIONS_ERROR_SIZE,
	    "%s: '%.40s' is no number up to %llu", what, text,
	    (unsigned long long)max);
	return false;
}

/* Splits NAME=NUMBER. */
static bool
parse_pair(const char *option, const char *text, char *name, size_t size,
    uint64_t *value_out, char *error)
{
	const char *equal = strchr(text, '=');
	size_t len = equal != NULL ? (size_t)(equal - text) : size;

	if (len == 0 || len >= size) {
		snprintf(error, OPTIONS_ERROR_SIZE,
		    "%s: '%.40s' is not <what>=<number>", option, text);
		return false;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	return parse_number(option, equal + 1, INT32_MAX, value_out, error);
}

static bool
parse_quota(struct options *o, const char *text, char *error)
{
	char name[32];
	enum quota_id id;
	uint64_t value;

	if (!parse_pair("--quota", text, name, sizeof(name), &value, error))
		return false;
	id = quota_by_name(name);
	if (id == QUOTA_COUNT) {
		snprintf(error, OPTIONS_ERROR_SIZE,
		    "--quota: there is no quota '%s'", name);
		return false;
	}
	o->quotas.n[id] = (int64_t)value;
	return true;
}

/* A pair of which only NAME is known. */
static bool
parse_only(const char *option, const char *known, const char *text,
    uint64_t *value_out, char *error)
{
	char name[32];

	if (!parse_pair(option, text, name, sizeof(name), value_out, error))
		return false;
	if (strcmp(name, known) == 0)
		return true;
	snprintf(error, OPTIONS_ERROR_SIZE, "%s: '%s' is not '%s'", option,
	    name, known);
	return false;
}

static bool
parse_trace(struct options *o, const char *text, char *error)
{
	if (o->n_trace == OPTIONS_TRACE_MAX) {
		snprintf(error, OPTIONS_ERROR_SIZE,
		    "--trace-control is given too often");
		return false;
	}
	o->trace[o->n_trace++] = text;
	return true;
}

/* How and with what to go on: <how>:<fd>. */
static bool
parse_resume(struct options *o, const char *text, char *error)
{
	static const char *const how[] = { [RESUME_TRY] = "try:",
		[RESUME_GO] = "go:",
		[RESUME_BACK] = "back:" };
	uint64_t value = 0;
	unsigned i;
	bool ok;

	for (i = RESUME_TRY; i <= RESUME_BACK; i++) {
		if (strncmp(text, how[i], strlen(how[i])) != 0)
			continue;
		ok = parse_number(
		    "--resume", text + strlen(how[i]), 65535, &value, error);
		o->resume = i;
		o->resume_fd = (int)value;
		return ok;
	}
	snprintf(error, OPTIONS_ERROR_SIZE,
	    "--resume is for xenstored itself, not '%.40s'", text);
	return false;
}

/* Whether LETTER is an option for one quota, and fine. */
static bool
parse_quota_option(struct options *o, int letter, const char *text, char *error)
{
	char option[3] = { '-', (char)letter, '\0' };
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(quota_options) / sizeof(quota_options[0]); i++) {
		if (quota_options[i].letter != letter)
			continue;
		if (!parse_number(option, text, INT32_MAX, &value, error))
			return false;
		o->quotas.n[quota_options[i].id] = (int64_t)value;
		return true;
	}
	return false;
}

static bool
apply(struct options *o, int letter, char *arg, char *error)
{
	uint64_t value = 0;
	bool ok = true;

	switch (letter) {
	case 'F':
		o->pid_file = arg;
		break;
	case 'N':
		o->foreground = true;
		break;
	case 'T':
		o->trace_file = arg;
		break;
	case OPT_TRACE_CONTROL:
		return parse_trace(o, arg, error);
	case 'Q':
		return parse_quota(o, arg, error);
	case 'q':
		ok = parse_only("--quota-soft", "memory", arg, &value, error);
		o->soft_memory = (int64_t)value;
		break;
	case 'w':
		return parse_only(
		    "--timeout", "watch-event", arg, &value, error);
	case 'K':
		o->keep_orphans = true;
		break;
	case 'p':
		ok = parse_number("--priv-domid", arg, DOMID_FIRST_RESERVED - 1,
		    &value, error);
		o->priv_domid = (uint32_t)value;
		break;
	case 'e':
		ok = parse_number("--event", arg, UINT32_MAX, &value, error);
		o->event_port = (uint32_t)value;
		break;
	case 'D':
		o->no_domains = true;
		break;
	case OPT_NO_STANDBY:
		o->no_standby = true;
		break;
	case 'U':
		o->live_update = true;
		break;
	case OPT_REPLACE:
		o->replace = true;
		break;
	case OPT_FRESH:
		o->fresh = true;
		break;
	case OPT_CHILD:
		ok = parse_number("--child", arg, 65535, &value, error);
		o->child_fd = (int)value;
		break;
	case OPT_RESUME:
		return parse_resume(o, arg, error);
	case OPT_READY_FD:
		ok = parse_number("--ready-fd", arg, 65535, &value, error);
		o->ready_fd = (int)value;
		break;
	case OPT_USER:
		o->user = arg;
		break;
	default:
		return parse_quota_option(o, letter, arg, error);
	}
	return ok;
}

enum options_result
options_parse(
    int argc, char *argv[], struct options *o, char error[OPTIONS_ERROR_SIZE])
{
	int letter;

	*o = (struct options){ .quotas = quota_defaults(),
		.soft_memory = SOFT_MEMORY,
		.ready_fd = -1,
		.child_fd = -1 };
	opterr = 0;
	optind = 0; /* start anew */
	while ((letter = getopt_long(argc, argv,
		    ":F:NT:E:S:W:t:A:M:Q:q:w:Kp:e:DUHV", long_options, NULL)) !=
	       -1) {
		if (letter == 'H')
			return OPTIONS_HELP;
		if (letter == 'V')
			return OPTIONS_VERSION;
		if (letter == ':' || letter == '?') {
			snprintf(error, OPTIONS_ERROR_SIZE, "%s '%.60s'",
			    letter == ':' ? "a value is missing after"
					  : "unknown option",
			    argv[optind - 1]);
			return OPTIONS_BAD;
		}
		if (!apply(o, letter, optarg, error))
			return OPTIONS_BAD;
	}
	if (optind == argc)
		return OPTIONS_RUN;
	snprintf(error, OPTIONS_ERROR_SIZE, "unexpected operand '%.60s'",
	    argv[optind]);
	return OPTIONS_BAD;
}
