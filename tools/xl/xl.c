#include "xl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfg.h"
#include "nodes.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"

#define DEFAULT_BRIDGE "bridge0"
#define MAX_TIMEOUT_S 3600

void
xl_error(struct xl *xl, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(xl->mem, fmt, ap);
	va_end(ap);
	log_warnx("%s", text);
}

/* Seconds from environment VAR, else from KEY of xl.conf, else DFLT; in ms. */
static int
timeout_ms(struct cfg *conf, const char *var, const char *key, unsigned dflt)
{
	const char *text = getenv(var);
	unsigned long s = cfg_ulong(conf, key, 1, MAX_TIMEOUT_S, dflt), env;
	char *end;

	if (text != NULL && *text != '\0') {
		env = strtoul(text, &end, 10);
		if (*end == '\0' && env >= 1 && env <= MAX_TIMEOUT_S)
			s = env;
	}
	return (int)s * 1000;
}

static void
read_settings(struct cfg *conf, struct xl_settings *set)
{
	set->bridge = cfg_string(conf, "vif.default.bridge", DEFAULT_BRIDGE);
	set->vif_script = cfg_string(conf, "vif.default.script", NULL);
	set->hotplug_timeout_ms =
	    timeout_ms(conf, "XL_HOTPLUG_TIMEOUT", "hotplug_timeout", 40);
	set->destroy_timeout_ms =
	    timeout_ms(conf, "XL_DESTROY_TIMEOUT", "destroy_timeout", 10);
	set->shutdown_timeout_ms =
	    timeout_ms(conf, "XL_SHUTDOWN_TIMEOUT", "shutdown_timeout", 60);
}

int
xl_init(struct xl *out, const char *prog)
{
	struct arena *mem = arena_new();
	struct diag *diag = diag_new(mem);
	struct cfg *conf = cfg_new(mem, diag);
	const char *file =
	    arena_printf(mem, "%s/xl.conf", paths_dir(PATHS_CONFIG));

	memset(out, 0, sizeof(*out));
	out->mem = mem;
	out->prog = prog;
	if (access(file, F_OK) == 0)
		cfg_parse_file(conf, file);
	read_settings(conf, &out->set);
	diag_print(diag, DIAG_ERROR, stderr);
	return diag_errors(diag) == 0 ? 0 : -1;
}

void
xl_done(struct xl *xl)
{
	hvinfo_close(xl->info);
	hvctl_close(xl->hv);
	store_close(xl->st);
	arena_free(xl->mem);
	memset(xl, 0, sizeof(*xl));
}

void
xl_forget_connections(struct xl *xl)
{
	hvinfo_close(xl->info);
	hvctl_close(xl->hv);
	store_close_after_fork(xl->st);
	xl->info = NULL;
	xl->hv = NULL;
	xl->st = NULL;
}

int
xl_need_info(struct xl *xl)
{
	if (xl->info == NULL)
		xl->info = hvinfo_open();
	return xl->info != NULL ? 0 : -1; /* the library has said why */
}

int
xl_need_hv(struct xl *xl)
{
	if (xl->hv == NULL)
		xl->hv = hvctl_open();
	return xl->hv != NULL ? 0 : -1; /* the library has said why */
}

int
xl_need_store(struct xl *xl)
{
	if (xl->st == NULL)
		xl->st = store_open();
	if (xl->st != NULL)
		return 0;
	xl_error(xl, "cannot reach xenstored: %s", strerror(errno));
	return -1;
}

int
xl_domains(struct xl *xl, struct hvinfo_domain **domains_out, size_t *count_out)
{
	struct hvinfo_domain *list;
	size_t count;

	if (xl_need_info(xl) != 0)
		return -1;
	if (hvinfo_list(xl->info, &list, &count) != 0) {
		xl_error(xl, "cannot list the domains: %s", strerror(errno));
		return -1;
	}
	*domains_out = arena_array(xl->mem, count + 1, sizeof(**domains_out));
	memcpy(*domains_out, list, count * sizeof(**domains_out));
	(*domains_out)[count].domid = UINT32_MAX;
	*count_out = count;
	free(list);
	return 0;
}

char *
xl_domain_name(struct xl *xl, struct arena *mem, uint32_t domid)
{
	return store_read_in(
	    xl->st, mem, nodes_domain_path(mem, domid), "name");
}

/* TEXT as the number of a domain that exists. */
static int
find_number(struct xl *xl, const char *text, uint32_t *domid_out)
{
	struct hvinfo_domain info;
	unsigned long n = strtoul(text, NULL, 10);

	errno = ESRCH;
	if (strlen(text) > 5 || n >= 0x7ff0 ||
	    hvinfo_domain(xl->info, (uint32_t)n, &info) != 0)
		return -1;
	*domid_out = (uint32_t)n;
	return 0;
}

static int
find_name(struct xl *xl, const char *text, uint32_t *domid_out)
{
	struct hvinfo_domain *list;
	size_t count;

	if (hvinfo_list(xl->info, &list, &count) != 0)
		return -1;
	errno = ESRCH;
	for (size_t i = 0; i < count; i++) {
		char *name = xl_domain_name(xl, xl->mem, list[i].domid);

		if (name == NULL || strcmp(name, text) != 0)
			continue;
		*domid_out = list[i].domid;
		free(list);
		return 0;
	}
	free(list);
	errno = ESRCH;
	return -1;
}

int
xl_lookup_domain(struct xl *xl, const char *text, uint32_t *domid_out)
{
	if (xl_need_info(xl) != 0 || xl_need_store(xl) != 0) {
		errno = EIO;
		return -1;
	}
	if (*text != '\0' && strspn(text, "0123456789") == strlen(text))
		return find_number(xl, text, domid_out);
	return find_name(xl, text, domid_out);
}

int
xl_find_domain(struct xl *xl, const char *text, uint32_t *domid_out)
{
	if (xl_lookup_domain(xl, text, domid_out) == 0)
		return 0;
	if (errno == ESRCH)
		xl_error(xl, "there is no domain '%s'", text);
	else if (errno != EIO)
		xl_error(xl, "cannot look for domain '%s': %s", text,
		    strerror(errno));
	return -1;
}

int
xl_find_guest(struct xl *xl, const char *text, uint32_t *domid_out)
{
	if (xl_find_domain(xl, text, domid_out) != 0)
		return -1;
	if (*domid_out != 0)
		return 0;
	xl_error(xl, "that cannot be done to domain 0");
	return -1;
}

char *
xl_config_path(struct arena *mem, uint32_t domid)
{
	return arena_printf(
	    mem, "%s/xl-domain-%u.cfg", paths_dir(PATHS_RUN), domid);
}
