#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cfg.h"
#include "create.h"
#include "device.h"
#include "interrupt.h"
#include "tools/common/clock.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/common/proc.h"

/* A domain that ends faster than this is restarted with a pause. */
#define SHORT_LIFE_S 2
#define RETRY_S 1

/* A domain that is being followed. */
struct life {
	struct xl *xl;
	struct domcfg cfg; /* with the name it has now */
	const char *config_text;
	uint32_t domid;
	int tell;
	int64_t born;  /* clock_ms() */
	bool gone;     /* somebody else has destroyed it */
	unsigned code; /* why it has shut itself down */
};

static bool
has_ended(void *arg)
{
	struct life *l = arg;
	struct hvinfo_domain info;

	if (hvinfo_domain(l->xl->info, l->domid, &info) != 0) {
		l->gone = true;
		return true;
	}
	if (memcmp(info.uuid, l->cfg.uuid, sizeof(info.uuid)) != 0 ||
	    info.dying)
		l->gone = true;
	l->code = info.shutdown_code;
	return l->gone || info.shutdown;
}

/* Waits for the domain's end, whatever happens to xenstored meanwhile. */
static int
wait_for_end(struct life *l)
{
	static const char *const paths[] = { "@releaseDomain", NULL };
	bool lost = false;

	l->gone = false;
	for (;;) {
		if (l->xl->st == NULL)
			l->xl->st = store_open();
		if (l->xl->st != NULL &&
		    store_wait(l->xl->st, paths, -1, has_ended, l) == 0)
			return 0;
		if (!lost)
			log_warn("the connection to xenstored is lost");
		lost = true;
		store_close(l->xl->st);
		l->xl->st = NULL;
		sleep(RETRY_S);
	}
}

static enum domcfg_reason
reason_of(unsigned code)
{
	return code < DOMCFG_REASONS ? (enum domcfg_reason)code
				     : DOMCFG_ON_CRASH;
}

static const char *
reason_name(unsigned code)
{
	static const char *const names[DOMCFG_REASONS] = {
		[DOMCFG_ON_POWEROFF] = "poweroff",
		[DOMCFG_ON_REBOOT] = "reboot",
		[DOMCFG_ON_SUSPEND] = "suspend",
		[DOMCFG_ON_CRASH] = "crash",
		[DOMCFG_ON_WATCHDOG] = "watchdog",
	};

	return code < DOMCFG_REASONS ? names[code] : "unknown reason";
}

static const char *
action_name(enum domcfg_action action)
{
	static const char *const names[] = {
		[DOMCFG_DESTROY] = "destroy",
		[DOMCFG_RESTART] = "restart",
		[DOMCFG_RENAME_RESTART] = "rename-restart",
		[DOMCFG_PRESERVE] = "preserve",
	};

	return names[action];
}

static int
restart(struct life *l)
{
	if (clock_ms() - l->born < SHORT_LIFE_S * 1000)
		sleep(SHORT_LIFE_S);
	if (create_domain(l->xl, &l->cfg, l->config_text, &l->domid) != 0)
		return -1;
	l->born = clock_ms();
	if (hvctl_unpause(l->xl->hv, l->domid) != 0) {
		log_warn("domain %u cannot be unpaused", l->domid);
		create_undo(l->xl, l->domid);
		return -1;
	}
	log_info("domain %s runs again (id %u)", l->cfg.name, l->domid);
	if (l->tell >= 0 && write(l->tell, &l->domid, sizeof(l->domid)) < 0)
		l->tell = -1; /* nobody is interested any more */
	return 0;
}

/* A domain that has been renamed keeps its new name when it restarts. */
static void
adopt_name(struct life *l)
{
	struct arena *mem = l->xl->mem;
	const char *name = xl_domain_name(l->xl, mem, l->domid), *why;
	struct cfg *c;

	if (name == NULL || strcmp(name, l->cfg.name) == 0 ||
	    domcfg_check_name(name, &why) != 0)
		return;
	c = cfg_new(mem, diag_new(mem));
	if (cfg_parse(c, "saved", l->config_text, strlen(l->config_text)) != 0)
		return;
	cfg_set_string(c, "name", name);
	l->cfg.name = name;
	l->config_text = cfg_print(c);
}

/*
 * Leaves the dead domain to be looked at, but not its name, its uuid or its
 * devices: its successor needs them.
 */
static int
set_aside(struct life *l)
{
	struct xl *xl = l->xl;
	const char *dom = nodes_domain_path(xl->mem, l->domid), *name, *why;
	time_t now = time(NULL);
	char stamp[32];
	struct device *dev;
	uint8_t uuid[16];
	size_t count;

	create_random(NULL, uuid, sizeof(uuid));
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime(&now));
	name = arena_printf(xl->mem, "%s-%s", l->cfg.name, stamp);
	dev = device_list_all(xl->st, xl->mem, l->domid, &count);
	if (device_remove(xl->st, xl->mem, dev, count, DEVICE_GUEST_DEAD,
		xl->set.destroy_timeout_ms, &why) != 0)
		log_warnx("%s", why);
	const struct store_change changes[] = {
		{ arena_printf(xl->mem, "%s/name", dom), name },
		{ arena_printf(xl->mem, "%s/vm", dom),
		    nodes_vm_path(xl->mem, uuid) },
		{ arena_printf(
		      xl->mem, "%s/name", nodes_vm_path(xl->mem, uuid)),
		    name },
		{ nodes_vm_path(xl->mem, l->cfg.uuid), NULL },
	};
	if (hvctl_set_uuid(xl->hv, l->domid, uuid) != 0 ||
	    store_change(xl->st, NULL, changes, 4) != 0) {
		log_warn("domain %u cannot be renamed", l->domid);
		return -1;
	}
	log_info("domain %u is kept as %s", l->domid, name);
	return 0;
}

/* Deals with one end. 1: there is a successor; 0: that was all; -1: failed. */
static int
act(struct life *l)
{
	enum domcfg_action action = l->cfg.on[reason_of(l->code)];

	adopt_name(l);
	log_info("domain %s (id %u) has shut down: %s; action: %s", l->cfg.name,
	    l->domid, reason_name(l->code), action_name(action));
	switch (action) {
	case DOMCFG_PRESERVE:
		return 0;
	case DOMCFG_RENAME_RESTART:
		if (set_aside(l) != 0)
			return -1;
		break;
	case DOMCFG_RESTART:
	case DOMCFG_DESTROY:
		if (create_undo(l->xl, l->domid) != 0)
			return -1;
		break;
	}
	if (action == DOMCFG_DESTROY)
		return 0;
	return restart(l) == 0 ? 1 : -1;
}

int
supervise(struct xl *xl, const struct supervision *what)
{
	struct life l = {
		.xl = xl,
		.cfg = *what->cfg,
		.config_text = what->config_text,
		.domid = what->domid,
		.tell = what->tell,
		.born = clock_ms(),
	};
	int more = 1;

	if (xl_need_info(xl) != 0 || xl_need_hv(xl) != 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	while (more == 1) {
		wait_for_end(&l);
		if (l.gone) {
			log_info("domain %s (id %u) has been destroyed",
			    l.cfg.name, l.domid);
			more = 0;
		} else {
			more = act(&l);
		}
	}
	if (what->tell >= 0)
		close(what->tell);
	return more;
}

/* The log of the domain of this name, the one before it kept as ".1". */
static int
open_log(struct xl *xl, const char *name)
{
	const char *path =
	    arena_printf(xl->mem, "%s/xl-%s.log", paths_dir(PATHS_LOG), name);

	if (paths_mkdir(PATHS_LOG) != 0) {
		xl_error(xl, "%s: %s", paths_dir(PATHS_LOG), strerror(errno));
		return -1;
	}
	rename(path, arena_printf(xl->mem, "%s.1", path));
	if (log_to_file(path) != 0) {
		xl_error(xl, "%s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

/* The child; its parent lives until proc_ready and hands on an early end. */
static void
background(struct xl *xl, const struct supervision *what)
{
	int ready;

	interrupt_forget();
	xl_forget_connections(xl);
	unsetenv("NOTIFY_SOCKET");
	ready = proc_daemonize();
	if (ready < 0) {
		xl_error(xl, "cannot start a supervisor: %s", strerror(errno));
		exit(1);
	}
	if (xl_need_info(xl) != 0 || xl_need_hv(xl) != 0 ||
	    xl_need_store(xl) != 0 || open_log(xl, what->cfg->name) != 0)
		exit(1);
	log_info("following domain %s (id %u), pid %ld", what->cfg->name,
	    what->domid, (long)getpid());
	proc_ready(ready);
	proc_drop_stderr();
	exit(supervise(xl, what) == 0 ? 0 : 1);
}

int
supervise_in_background(struct xl *xl, const struct supervision *what)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		background(xl, what);
	if (pid < 0) {
		xl_error(xl, "cannot start a supervisor: %s", strerror(errno));
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
