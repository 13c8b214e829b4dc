#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "cfg.h"
#include "create.h"
#include "domcfg.h"
#include "nodes.h"

/* A domain that has been asked to end. */
struct ending {
	struct xl *xl;
	uint32_t domid;
	uint8_t uuid[16];
	const char *request; /* "poweroff" ... */
	bool acknowledged;   /* the guest has taken the request */
};

static const char *
control_path(struct xl *xl, uint32_t domid)
{
	return arena_printf(
	    xl->mem, "/local/domain/%u/control/shutdown", domid);
}

/* Whether domain and nodes are gone, or another domain has the number. */
static bool
is_gone(struct ending *e)
{
	struct hvinfo_domain info;
	const char *node;

	/*
	 * A dying one counts as gone: it is freed when the last of its pages
	 * is let go of, which fires no watch any more.
	 */
	if (hvinfo_domain(e->xl->info, e->domid, &info) == 0 && !info.dying)
		return memcmp(info.uuid, e->uuid, sizeof(info.uuid)) != 0;
	node = store_read_in(e->xl->st, e->xl->mem,
	    nodes_domain_path(e->xl->mem, e->domid), "domid");
	return node == NULL;
}

/* Whether it has shut down and, by its configuration, stays like that. */
static bool
is_preserved(struct ending *e)
{
	struct hvinfo_domain info;
	struct domcfg_defaults dflt = { "", "/", "", "" };
	struct diag *diag;
	struct domcfg d;
	struct cfg *c;

	if (hvinfo_domain(e->xl->info, e->domid, &info) != 0 ||
	    !info.shutdown || info.shutdown_code >= DOMCFG_REASONS)
		return false;
	diag = diag_new(e->xl->mem);
	c = cfg_new(e->xl->mem, diag);
	if (cfg_parse_file(c, xl_config_path(e->xl->mem, e->domid)) != 0 ||
	    domcfg_read(c, &dflt, &d) != 0)
		return false;
	return d.on[info.shutdown_code] == DOMCFG_PRESERVE;
}

static bool
is_taken_or_gone(void *arg)
{
	struct ending *e = arg;
	const char *now =
	    store_read(e->xl->st, e->xl->mem, control_path(e->xl, e->domid));

	e->acknowledged = now == NULL || strcmp(now, e->request) != 0;
	return e->acknowledged || is_gone(e);
}

static bool
has_ended(void *arg)
{
	return is_gone(arg) || is_preserved(arg);
}

/* Writes the request into the domain's control node. */
static int
ask(struct xl *xl, uint32_t domid, const char *request, struct ending *out)
{
	const char *path = control_path(xl, domid);
	const struct store_change change = { path, request };
	const struct store_condition exists = {
		nodes_domain_path(xl->mem, domid), NULL
	};
	struct hvinfo_domain info;

	if (hvinfo_domain(xl->info, domid, &info) != 0) {
		xl_error(xl, "there is no domain %u any more", domid);
		return -1;
	}
	out->xl = xl;
	out->domid = domid;
	out->request = request;
	memcpy(out->uuid, info.uuid, sizeof(info.uuid));
	if (store_change(xl->st, &exists, &change, 1) == 0)
		return 0;
	xl_error(xl, "%s: %s", path, strerror(errno));
	return -1;
}

/* What to do when the guest does not take the request. */
enum fallback {
	FALLBACK_NONE,
	FALLBACK_DESTROY,
};

/* Waits for the end of one domain. */
static int
wait_for_end(struct ending *e, enum fallback fallback)
{
	struct xl *xl = e->xl;
	const char *dom = nodes_domain_path(xl->mem, e->domid);
	const char *const paths[] = { "@releaseDomain", dom, NULL };
	const char *const control[] = { control_path(xl, e->domid),
		"@releaseDomain", NULL };

	if (store_wait(xl->st, control, xl->set.shutdown_timeout_ms,
		is_taken_or_gone, e) != 0 &&
	    errno == ETIMEDOUT) {
		xl_error(xl,
		    "domain %u has not taken the request within %d s%s",
		    e->domid, xl->set.shutdown_timeout_ms / 1000,
		    fallback == FALLBACK_DESTROY
			? "; destroying it"
			: " (-F would destroy it now)");
		return fallback == FALLBACK_DESTROY ? create_undo(xl, e->domid)
						    : -1;
	}
	if (store_wait(xl->st, paths, -1, has_ended, e) != 0) {
		xl_error(xl, "cannot wait for domain %u: %s", e->domid,
		    strerror(errno));
		return -1;
	}
	fprintf(stderr, "Domain %u has been shut down\n", e->domid);
	return 0;
}

/* Asks one domain, or all, to end. */
static int
ask_domains(struct xl *xl, const char *request, const char *word,
    struct ending **list_out, size_t *count_out)
{
	struct hvinfo_domain *domains;
	size_t count = 1;
	uint32_t domid;
	int ret = 0;

	*list_out = NULL;
	*count_out = 0;
	if (word == NULL) {
		if (xl_domains(xl, &domains, &count) != 0 ||
		    xl_need_store(xl) != 0)
			return -1;
	} else {
		if (xl_find_guest(xl, word, &domid) != 0)
			return -1;
		domains = arena_zalloc(xl->mem, sizeof(*domains));
		domains->domid = domid;
	}
	*list_out = arena_zalloc(xl->mem, (count + 1) * sizeof(**list_out));
	for (size_t i = 0; i < count; i++) {
		if (domains[i].domid == 0 || domains[i].dying ||
		    domains[i].shutdown)
			continue;
		fprintf(stderr, "%s domain %u\n",
		    *request == 'r' ? "Rebooting" : "Shutting down",
		    domains[i].domid);
		if (ask(xl, domains[i].domid, request,
			&(*list_out)[*count_out]) == 0)
			(*count_out)++;
		else
			ret = -1;
	}
	return ret;
}

static int
end_domains(struct xl *xl, const char *request, const char *word, bool wait,
    enum fallback fallback)
{
	struct ending *list;
	size_t count;
	int ret = ask_domains(xl, request, word, &list, &count);

	if (ret != 0 && word != NULL)
		return CMD_FAILED;
	if (wait && count > 1)
		fprintf(stderr, "Waiting for %zu domains\n", count);
	for (size_t i = 0; wait && i < count; i++) {
		if (wait_for_end(&list[i], fallback) != 0)
			ret = -1;
	}
	return ret == 0 ? CMD_OK : CMD_FAILED;
}

/* shutdown and reboot, with xm's -H and -R. */
static int
run_end(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "wait", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *request = *cmd->name == 'r' ? "reboot" : "poweroff";
	enum fallback fallback = FALLBACK_NONE;
	bool all = false, wait = false;
	int opt;

	while ((opt = cmd_option(xl, cmd, argc, argv, ":awFHR", longs)) != -1) {
		if (opt == 'a')
			all = true;
		else if (opt == 'w')
			wait = true;
		else if (opt == 'F')
			fallback = FALLBACK_DESTROY;
		else
			request = opt == 'H' ? "halt" : "reboot";
	}
	if (all)
		cmd_need_args(xl, cmd, argc, 0, 0);
	else
		cmd_need_args(xl, cmd, argc, 1, 1);
	if (xl_need_info(xl) != 0 || xl_need_store(xl) != 0)
		return CMD_FAILED;
	return end_domains(
	    xl, request, all ? NULL : argv[optind], wait, fallback);
}

static int
run_destroy(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	uint32_t domid;

	while (cmd_option(xl, cmd, argc, argv, ":f", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 1, 1);
	if (xl_find_guest(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	return create_undo(xl, domid) == 0 ? CMD_OK : CMD_FAILED;
}

static int
run_pause(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	bool pause = *cmd->name == 'p';
	uint32_t domid;
	int ret;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 1, 1);
	if (xl_find_guest(xl, argv[optind], &domid) != 0 || xl_need_hv(xl) != 0)
		return CMD_FAILED;
	ret = pause ? hvctl_pause(xl->hv, domid) : hvctl_unpause(xl->hv, domid);
	if (ret == 0)
		return CMD_OK;
	xl_error(xl, "domain %u cannot be %sd: %s", domid, cmd->name,
	    strerror(errno));
	return CMD_FAILED;
}

const struct cmd cmd_power_table[] = {
	{ "destroy", run_destroy, "[-f] DOMAIN",
	    "Terminate a domain immediately" },
	{ "shutdown", run_end, "[-w] [-F] [-H|-R] DOMAIN | -a",
	    "Issue a shutdown signal to a domain" },
	{ "reboot", run_end, "[-w] [-F] DOMAIN | -a",
	    "Issue a reboot signal to a domain" },
	{ "pause", run_pause, "DOMAIN", "Pause execution of a domain" },
	{ "unpause", run_pause, "DOMAIN", "Unpause a paused domain" },
	{ NULL, NULL, NULL, NULL },
};
