#include "domcfg.h"

#include <string.h>

enum key_kind {
	KEY_USED,
	KEY_IGNORED, /* tunes what this system has not got: a warning */
	KEY_REFUSED, /* the domain would not be what was asked for: an error,
			unless the value says "none" */
};

const char *const domcfg_list_keys[] = { "disk", "vif", "pci", "vfb", NULL };

/* clang-format off */
static const struct {
	const char *key;
	enum key_kind kind;
} keys[] = {
	{ "autorestart", KEY_USED }, { "builder", KEY_USED },
	{ "cmdline", KEY_USED }, { "disk", KEY_USED }, { "extra", KEY_USED },
	{ "kernel", KEY_USED }, { "maxmem", KEY_USED },
	{ "maxvcpus", KEY_USED }, { "memory", KEY_USED }, { "name", KEY_USED },
	{ "nics", KEY_USED }, { "on_crash", KEY_USED },
	{ "on_poweroff", KEY_USED }, { "on_reboot", KEY_USED },
	{ "on_watchdog", KEY_USED }, { "ramdisk", KEY_USED },
	{ "restart", KEY_USED }, { "root", KEY_USED }, { "type", KEY_USED },
	{ "uuid", KEY_USED }, { "vcpus", KEY_USED }, { "vif", KEY_USED },

	{ "acpi", KEY_IGNORED }, { "apic", KEY_IGNORED },
	{ "boot", KEY_IGNORED }, { "cap", KEY_IGNORED },
	{ "claim_mode", KEY_IGNORED }, { "cpu", KEY_IGNORED },
	{ "cpu_weight", KEY_IGNORED }, { "cpus", KEY_IGNORED },
	{ "cpus_soft", KEY_IGNORED }, { "device_model", KEY_IGNORED },
	{ "device_model_override", KEY_IGNORED },
	{ "device_model_version", KEY_IGNORED }, { "hap", KEY_IGNORED },
	{ "keymap", KEY_IGNORED }, { "localtime", KEY_IGNORED },
	{ "max_event_channels", KEY_IGNORED },
	{ "max_grant_frames", KEY_IGNORED },
	{ "max_maptrack_frames", KEY_IGNORED }, { "nestedhvm", KEY_IGNORED },
	{ "nographic", KEY_IGNORED }, { "on_soft_reset", KEY_IGNORED },
	{ "pae", KEY_IGNORED }, { "pool", KEY_IGNORED },
	{ "poolid", KEY_IGNORED }, { "rtc_timeoffset", KEY_IGNORED },
	{ "sdl", KEY_IGNORED }, { "seclabel", KEY_IGNORED },
	{ "serial", KEY_IGNORED }, { "shadow_memory", KEY_IGNORED },
	{ "stdvga", KEY_IGNORED }, { "tsc_mode", KEY_IGNORED },
	{ "usb", KEY_IGNORED }, { "usbdevice", KEY_IGNORED },
	{ "vga", KEY_IGNORED }, { "videoram", KEY_IGNORED },
	{ "viridian", KEY_IGNORED }, { "vnc", KEY_IGNORED },
	{ "vncconsole", KEY_IGNORED }, { "vncdisplay", KEY_IGNORED },
	{ "vnclisten", KEY_IGNORED }, { "vncpasswd", KEY_IGNORED },
	{ "vncunused", KEY_IGNORED }, { "xen_platform_pci", KEY_IGNORED },
	{ "xenstore_quota", KEY_IGNORED },

	{ "bootargs", KEY_REFUSED }, { "bootloader", KEY_REFUSED },
	{ "bootloader_args", KEY_REFUSED }, { "channel", KEY_REFUSED },
	{ "driver_domain", KEY_REFUSED }, { "dtdev", KEY_REFUSED },
	{ "firmware_override", KEY_REFUSED }, { "gfx_passthru", KEY_REFUSED },
	{ "ioports", KEY_REFUSED }, { "iomem", KEY_REFUSED },
	{ "irqs", KEY_REFUSED }, { "p9", KEY_REFUSED },
	{ "passthrough", KEY_REFUSED }, { "pci", KEY_REFUSED },
	{ "pvcalls", KEY_REFUSED }, { "pvshim", KEY_REFUSED },
	{ "pvshim_cmdline", KEY_REFUSED }, { "pvshim_extra", KEY_REFUSED },
	{ "pvshim_path", KEY_REFUSED }, { "rdm", KEY_REFUSED },
	{ "usbctrl", KEY_REFUSED }, { "usbdev", KEY_REFUSED },
	{ "vdispl", KEY_REFUSED }, { "vfb", KEY_REFUSED },
	{ "virtio", KEY_REFUSED }, { "vkb", KEY_REFUSED },
	{ "vmtrace_buf_kb", KEY_REFUSED }, { "vnuma", KEY_REFUSED },
	{ "vsnd", KEY_REFUSED }, { "vtpm", KEY_REFUSED },
	{ "vuart", KEY_REFUSED },
};
/* clang-format on */

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* Whether V asks for nothing: 0, "", an empty list, None. */
static bool
asks_nothing(const struct cfg_value *v)
{
	switch (v->kind) {
	case CFG_LIST:
		return v->items == 0;
	case CFG_NONE:
		return true;
	default:
		return *v->text == '\0' || strcmp(v->text, "0") == 0;
	}
}

static void
check_key(struct cfg *c, const struct cfg_entry *e)
{
	const char *names[KEYS + 1] = { NULL }, *near;
	size_t i;

	for (i = 0; i < KEYS && strcmp(keys[i].key, e->key) != 0; i++)
		names[i] = keys[i].key;
	if (i == KEYS) {
		near = diag_nearest(e->key, names);
		diag_error(c->diag, &e->at, "unknown key '%.60s'%s%s%s", e->key,
		    near != NULL ? " (did you mean '" : "",
		    near != NULL ? near : "", near != NULL ? "'?)" : "");
	} else if (keys[i].kind == KEY_IGNORED) {
		diag_warn(c->diag, &e->at, "'%s' has no effect here", e->key);
	} else if (keys[i].kind == KEY_REFUSED && !asks_nothing(e->value)) {
		diag_error(c->diag, &e->at, "'%s' is not supported", e->key);
	}
}

void
domcfg_check_keys(struct cfg *c)
{
	for (size_t i = 0; i < c->entries; i++) {
		if (c->entry[i].value != NULL)
			check_key(c, &c->entry[i]);
	}
}
