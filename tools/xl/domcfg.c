#include "domcfg.h"

#include <stdio.h>
#include <string.h>

#define KIB_PER_MIB 1024u
#define MAX_MEMORY_MIB (1ul << 24)
#define DEFAULT_MEMORY_MIB 128
#define MAX_VCPUS 32
#define MAX_NAME 128
#define MAX_CMDLINE 2048
#define MAX_NICS 256

int
domcfg_check_name(const char *name, const char **why_out)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:+";

	if (*name == '\0')
		*why_out = "a domain's name cannot be empty";
	else if (strlen(name) > MAX_NAME)
		*why_out = "a domain's name has at most 128 characters";
	else if (strspn(name, allowed) != strlen(name))
		*why_out = "a domain's name has only letters, digits and "
			   "-_.:+";
	else if (*name == '.' || *name == '-')
		*why_out = "a domain's name cannot start with '.' or '-'";
	else if (strspn(name, "0123456789") == strlen(name))
		*why_out = "a domain's name cannot be all digits: it would be "
			   "taken for a domain's number";
	else
		return 0;
	return -1;
}

void
domcfg_format_uuid(const uint8_t uuid[16], char buf[DOMCFG_UUID_TEXT])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*buf++ = '-';
		*buf++ = hex[uuid[i] >> 4];
		*buf++ = hex[uuid[i] & 15];
	}
	*buf = '\0';
}

int
domcfg_parse_uuid(const char *text, uint8_t uuid_out[16])
{
	uint8_t uuid[16];
	unsigned high, low;
	int used;

	for (int i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text == '-')
			text++;
		used = 0;
		if (strspn(text, "0123456789abcdefABCDEF") < 2 ||
		    sscanf(text, "%1x%1x%n", &high, &low, &used) != 2)
			return -1;
		uuid[i] = (uint8_t)(high << 4 | low);
		text += used;
	}
	if (*text != '\0')
		return -1;
	memcpy(uuid_out, uuid, sizeof(uuid));
	return 0;
}

/* The place of KEY, or the configuration as such if it is not there. */
static struct srcpos
place(struct cfg *c, const char *key)
{
	const struct cfg_entry *e = cfg_find(c, key);
	struct srcpos at = { c->source, 0, 0 };

	return e != NULL ? e->value->at : at;
}

static void
read_name(struct cfg *c, const struct domcfg_defaults *dflt, struct domcfg *d)
{
	struct srcpos at = place(c, "name");
	const char *why;

	d->name = cfg_string(c, "name", dflt->name);
	if (d->name == NULL)
		diag_error(c->diag, &at, "'name' is missing");
	else if (domcfg_check_name(d->name, &why) != 0)
		diag_error(c->diag, &at, "name '%.60s': %s", d->name, why);
}

static void
read_uuid(struct cfg *c, struct domcfg *d)
{
	const char *text = cfg_string(c, "uuid", NULL);
	struct srcpos at;

	if (text == NULL)
		return;
	if (domcfg_parse_uuid(text, d->uuid) == 0) {
		d->has_uuid = true;
		return;
	}
	at = place(c, "uuid");
	diag_error(c->diag, &at, "'%.60s' is not a uuid", text);
}

static void
read_type(struct cfg *c, struct domcfg *d)
{
	static const char *const types[] = { "pv", "pvh", "hvm", NULL };
	static const char *const builders[] = { "generic", "linux", "hvm",
		NULL };

	if (cfg_enum(c, "builder", builders, 0) == 2)
		d->type = DOMCFG_HVM;
	d->type = (enum domcfg_type)cfg_enum(c, "type", types, d->type);
}

/* PATH from CWD on; NULL and "" are NULL. */
static const char *
absolute(struct arena *mem, const char *cwd, const char *path)
{
	if (path == NULL || *path == '\0')
		return NULL;
	return *path == '/' ? path : arena_printf(mem, "%s/%s", cwd, path);
}

/* "root=ROOT EXTRA", without what is NULL or empty. */
static const char *
join_words(struct arena *mem, const char *root, const char *extra)
{
	bool has_root = root != NULL && *root != '\0';
	bool has_extra = extra != NULL && *extra != '\0';

	return arena_printf(mem, "%s%s%s%s", has_root ? "root=" : "",
	    has_root ? root : "", has_root && has_extra ? " " : "",
	    has_extra ? extra : "");
}

static void
read_kernel(struct cfg *c, const struct domcfg_defaults *dflt, struct domcfg *d)
{
	const char *root = cfg_string(c, "root", NULL);
	const char *extra = cfg_string(c, "extra", NULL);
	const char *cmdline = cfg_string(c, "cmdline", NULL);
	struct srcpos at = place(c, "cmdline");

	d->kernel = absolute(c->mem, dflt->cwd, cfg_string(c, "kernel", NULL));
	d->ramdisk =
	    absolute(c->mem, dflt->cwd, cfg_string(c, "ramdisk", NULL));
	if (cmdline != NULL && (root != NULL || extra != NULL))
		diag_warn(c->diag, &at,
		    "'cmdline' replaces 'root' and 'extra', which are ignored");
	if (cmdline == NULL)
		cmdline = join_words(c->mem, root, extra);
	d->cmdline = cmdline;
	if (strlen(cmdline) > MAX_CMDLINE)
		diag_error(c->diag, &at,
		    "the kernel's command line is longer than %d bytes",
		    MAX_CMDLINE);
	if (d->kernel == NULL && cfg_find(c, "bootloader") == NULL) {
		at = place(c, "kernel");
		diag_error(c->diag, &at, "'kernel' is missing");
	}
}

static void
read_sizes(struct cfg *c, struct domcfg *d)
{
	struct srcpos at = place(c, "memory");
	unsigned long mib;

	if (cfg_find(c, "memory") == NULL)
		diag_warn(c->diag, &at, "'memory' is missing: %d MiB it is",
		    DEFAULT_MEMORY_MIB);
	mib = cfg_ulong(c, "memory", 1, MAX_MEMORY_MIB, DEFAULT_MEMORY_MIB);
	d->memory_kib = (uint64_t)mib * KIB_PER_MIB;
	d->max_memory_kib =
	    (uint64_t)cfg_ulong(c, "maxmem", 1, MAX_MEMORY_MIB, mib) *
	    KIB_PER_MIB;
	if (d->max_memory_kib < d->memory_kib) {
		at = place(c, "maxmem");
		diag_error(c->diag, &at, "'maxmem' is less than 'memory'");
	}
	d->vcpus = (unsigned)cfg_ulong(c, "vcpus", 1, MAX_VCPUS, 1);
	d->max_vcpus =
	    (unsigned)cfg_ulong(c, "maxvcpus", 1, MAX_VCPUS, d->vcpus);
	if (d->max_vcpus < d->vcpus) {
		at = place(c, "maxvcpus");
		diag_error(c->diag, &at, "'maxvcpus' is less than 'vcpus'");
	}
}

static enum domcfg_action
read_action(struct cfg *c, const char *key, enum domcfg_action dflt)
{
	static const char *const words[] = { "destroy", "restart",
		"rename-restart", "preserve", "coredump-destroy",
		"coredump-restart", NULL };
	unsigned i = cfg_enum(c, key, words, dflt);
	struct srcpos at;

	if (i <= DOMCFG_PRESERVE)
		return (enum domcfg_action)i;
	at = place(c, key);
	diag_warn(c->diag, &at, "no core dump will be written");
	return i == 4 ? DOMCFG_DESTROY : DOMCFG_RESTART;
}

static void
set_all_actions(struct domcfg *d, enum domcfg_action action)
{
	for (int i = 0; i < DOMCFG_REASONS; i++)
		d->on[i] = action;
}

static void
read_actions(struct cfg *c, struct domcfg *d)
{
	static const char *const restarts[] = { "onreboot", "always", "never",
		NULL };
	struct srcpos at;

	set_all_actions(d, DOMCFG_DESTROY);
	d->on[DOMCFG_ON_REBOOT] = DOMCFG_RESTART;
	switch (cfg_enum(c, "restart", restarts, 0)) {
	case 1:
		set_all_actions(d, DOMCFG_RESTART);
		break;
	case 2:
		set_all_actions(d, DOMCFG_DESTROY);
		break;
	}
	if (cfg_find(c, "autorestart") != NULL) {
		at = place(c, "autorestart");
		diag_warn(c->diag, &at,
		    "'autorestart' is old; use on_poweroff, on_reboot and "
		    "on_crash");
		if (cfg_bool(c, "autorestart", false))
			set_all_actions(d, DOMCFG_RESTART);
	}
	d->on[DOMCFG_ON_POWEROFF] =
	    read_action(c, "on_poweroff", d->on[DOMCFG_ON_POWEROFF]);
	d->on[DOMCFG_ON_REBOOT] =
	    read_action(c, "on_reboot", d->on[DOMCFG_ON_REBOOT]);
	d->on[DOMCFG_ON_CRASH] =
	    read_action(c, "on_crash", d->on[DOMCFG_ON_CRASH]);
	d->on[DOMCFG_ON_WATCHDOG] =
	    read_action(c, "on_watchdog", d->on[DOMCFG_ON_WATCHDOG]);
}

static void
read_disks(struct cfg *c, const struct domcfg_defaults *dflt, struct domcfg *d)
{
	const struct cfg_value *list = cfg_strings(c, "disk");
	const char *why;

	if (list == NULL)
		return;
	d->disk = arena_zalloc(c->mem, (list->items + 1) * sizeof(*d->disk));
	for (size_t i = 0; i < list->items; i++) {
		const struct cfg_value *v = list->item[i];
		struct diskspec *disk = &d->disk[d->disks];

		if (diskspec_parse(c->mem, v->text, dflt->cwd, disk, &why) !=
		    0) {
			diag_error(c->diag, &v->at, "disk: %s", why);
			continue;
		}
		for (size_t j = 0; j < d->disks; j++) {
			if (d->disk[j].number == disk->number)
				diag_error(c->diag, &v->at,
				    "disk: '%s' is the same virtual device "
				    "as '%s'",
				    disk->vdev, d->disk[j].vdev);
		}
		d->disks++;
	}
}

/* Interfaces that were not told apart keep apart by their place in the list. */
static void
check_vif(
    struct cfg *c, const struct domcfg *d, size_t i, const struct srcpos *at)
{
	const struct vifspec *vif = &d->vif[i];

	for (size_t j = 0; j < i; j++) {
		if (d->vif[j].handle == vif->handle)
			diag_error(c->diag, at, "vif: devid %u is used twice",
			    vif->handle);
		if (vif->has_mac && d->vif[j].has_mac &&
		    memcmp(vif->mac, d->vif[j].mac, 6) == 0)
			diag_error(
			    c->diag, at, "vif: the same mac is used twice");
	}
}

static void
fill_vif(struct vifspec *vif, size_t i, const struct domcfg_defaults *dflt)
{
	if (vif->handle == VIFSPEC_NO_HANDLE)
		vif->handle = (uint32_t)i;
	if (vif->bridge == NULL)
		vif->bridge = dflt->bridge;
	if (vif->script == NULL)
		vif->script = dflt->vif_script;
}

static void
read_vifs(struct cfg *c, const struct domcfg_defaults *dflt, struct domcfg *d)
{
	const struct cfg_value *list = cfg_strings(c, "vif");
	size_t given = list != NULL ? list->items : 0, i;
	size_t nics = cfg_ulong(c, "nics", 0, MAX_NICS, 0);
	struct srcpos at = place(c, "vif");
	const char *why;

	d->vif = arena_zalloc(
	    c->mem, ((given > nics ? given : nics) + 1) * sizeof(*d->vif));
	for (i = 0; i < given || i < nics; i++) {
		struct vifspec *vif = &d->vif[i];
		const char *text = i < given ? list->item[i]->text : "";

		if (i < given)
			at = list->item[i]->at;
		if (vifspec_parse(c->mem, text, vif, &why) != 0) {
			diag_error(c->diag, &at, "vif: %s", why);
			vif->handle = VIFSPEC_NO_HANDLE;
			vif->has_mac = false;
		}
		fill_vif(vif, i, dflt);
		check_vif(c, d, i, &at);
	}
	d->vifs = i;
}

int
domcfg_read(
    struct cfg *c, const struct domcfg_defaults *dflt, struct domcfg *out)
{
	unsigned before = diag_errors(c->diag);

	memset(out, 0, sizeof(*out));
	domcfg_check_keys(c);
	read_name(c, dflt, out);
	read_uuid(c, out);
	read_type(c, out);
	read_kernel(c, dflt, out);
	read_sizes(c, out);
	read_actions(c, out);
	read_disks(c, dflt, out);
	read_vifs(c, dflt, out);
	return diag_errors(c->diag) == before ? 0 : -1;
}

void
domcfg_complete(struct domcfg *d,
    void (*random)(void *arg, void *buf, size_t len), void *arg)
{
	uint8_t bytes[3];

	if (!d->has_uuid) {
		random(arg, d->uuid, sizeof(d->uuid));
		/* Version 4, variant 1. */
		d->uuid[6] = (uint8_t)((d->uuid[6] & 0x0f) | 0x40);
		d->uuid[8] = (uint8_t)((d->uuid[8] & 0x3f) | 0x80);
		d->has_uuid = true;
	}
	for (size_t i = 0; i < d->vifs; i++) {
		if (d->vif[i].has_mac)
			continue;
		random(arg, bytes, sizeof(bytes));
		vifspec_make_mac(bytes, d->vif[i].mac);
		d->vif[i].has_mac = true;
	}
}

void
domcfg_seal(const struct domcfg *d, struct cfg *c)
{
	size_t most = d->disks > d->vifs ? d->disks : d->vifs;
	const char **text = arena_zalloc(c->mem, (most + 1) * sizeof(*text));
	char uuid[DOMCFG_UUID_TEXT];
	size_t i;

	domcfg_format_uuid(d->uuid, uuid);
	cfg_set_string(c, "name", d->name);
	cfg_set_string(c, "uuid", uuid);
	cfg_set_string(c, "kernel", d->kernel);
	if (d->ramdisk != NULL)
		cfg_set_string(c, "ramdisk", d->ramdisk);
	for (i = 0; i < d->disks; i++)
		text[i] = diskspec_print(c->mem, &d->disk[i]);
	cfg_set_list(c, "disk", text, d->disks);
	for (i = 0; i < d->vifs; i++)
		text[i] = vifspec_print(c->mem, &d->vif[i]);
	cfg_set_list(c, "vif", text, d->vifs);
}
