#include "nodes.h"

#include <string.h>

#include "vdev.h"

struct nodes
nodes_start(struct arena *mem, uint32_t domid)
{
	struct nodes n = { .mem = mem, .domid = domid };

	return n;
}

static void
add(struct nodes *n, enum node_rights rights, const char *dir, const char *name,
    const char *value)
{
	struct node *node;

	n->node = arena_grow(n->mem, n->node, n->count, sizeof(*n->node));
	node = &n->node[n->count++];
	node->path =
	    *name == '\0' ? dir : arena_printf(n->mem, "%s/%s", dir, name);
	node->value = value;
	node->rights = rights;
}

static void
leaf(struct nodes *n, const char *dir, const char *name, const char *value)
{
	add(n, NODE_INHERIT, dir, name, value);
}

static void
leaf_num(struct nodes *n, const char *dir, const char *name, uint64_t value)
{
	leaf(n, dir, name,
	    arena_printf(n->mem, "%llu", (unsigned long long)value));
}

const char *
device_kind_name(enum device_kind kind)
{
	static const char *const names[] = {
		[DEVICE_VBD] = "vbd",
		[DEVICE_VIF] = "vif",
		[DEVICE_CONSOLE] = "console",
	};

	return names[kind];
}

char *
device_frontend(struct arena *mem, const struct device *dev)
{
	if (dev->kind == DEVICE_CONSOLE)
		return arena_printf(
		    mem, "/local/domain/%u/console", dev->domid);
	return arena_printf(mem, "/local/domain/%u/device/%s/%u", dev->domid,
	    device_kind_name(dev->kind), dev->devid);
}

char *
device_backend(struct arena *mem, const struct device *dev)
{
	return arena_printf(mem, "/local/domain/0/backend/%s/%u/%u",
	    device_kind_name(dev->kind), dev->domid, dev->devid);
}

char *
device_mirror(struct arena *mem, const struct device *dev)
{
	return arena_printf(mem, "/libxl/%u/device/%s/%u", dev->domid,
	    device_kind_name(dev->kind), dev->devid);
}

char *
nodes_domain_path(struct arena *mem, uint32_t domid)
{
	return arena_printf(mem, "/local/domain/%u", domid);
}

char *
nodes_libxl_path(struct arena *mem, uint32_t domid)
{
	return arena_printf(mem, "/libxl/%u", domid);
}

char *
nodes_vm_path(struct arena *mem, const uint8_t uuid[16])
{
	char text[DOMCFG_UUID_TEXT];

	domcfg_format_uuid(uuid, text);
	return arena_printf(mem, "/vm/%s", text);
}

static const char *
type_name(enum domcfg_type type)
{
	static const char *const names[] = {
		[DOMCFG_PV] = "pv",
		[DOMCFG_PVH] = "pvh",
		[DOMCFG_HVM] = "hvm",
	};

	return names[type];
}

static void
add_vm(struct nodes *n, const struct domcfg *d, const char *vm,
    const char *start_time)
{
	add(n, NODE_SHOWN, vm, "", NULL);
	leaf(n, vm, "uuid", strrchr(vm, '/') + 1);
	leaf(n, vm, "name", d->name);
	leaf(n, vm, "image/ostype", "linux");
	leaf(n, vm, "image/kernel", d->kernel);
	if (d->ramdisk != NULL)
		leaf(n, vm, "image/ramdisk", d->ramdisk);
	leaf(n, vm, "image/cmdline", d->cmdline);
	leaf(n, vm, "start_time", start_time);
}

/* What the guest may write to, or asks its toolstack to look at. */
static void
add_guest_nodes(struct nodes *n, const char *dom)
{
	static const char *const dirs[] = { "data", "drivers", "feature",
		"attr", "error" };
	static const char *const control[] = { "shutdown", "feature-poweroff",
		"feature-reboot", "feature-halt", "feature-suspend", "sysrq" };
	const char *path;
	size_t i;

	add(n, NODE_SHOWN, dom, "device", NULL);
	add(n, NODE_GUEST, dom, "device/suspend/event-channel", "");
	add(n, NODE_SHOWN, dom, "control", NULL);
	path = arena_printf(n->mem, "%s/control", dom);
	for (i = 0; i < sizeof(control) / sizeof(control[0]); i++)
		add(n, NODE_GUEST, path, control[i], "");
	leaf(n, path, "platform-feature-multiprocessor-suspend", "1");
	leaf(n, path, "platform-feature-xs_reset_watches", "1");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		add(n, NODE_GUEST, dom, dirs[i], NULL);
}

static void
add_sizes(struct nodes *n, const struct domcfg *d, const char *dom)
{
	unsigned i;

	add(n, NODE_SHOWN, dom, "cpu", NULL);
	for (i = 0; i < d->max_vcpus; i++)
		leaf(n, dom, arena_printf(n->mem, "cpu/%u/availability", i),
		    i < d->vcpus ? "online" : "offline");
	add(n, NODE_SHOWN, dom, "memory", NULL);
	leaf_num(n, dom, "memory/static-max", d->max_memory_kib);
	leaf_num(n, dom, "memory/target", d->memory_kib);
	leaf(n, dom, "memory/videoram", "0");
}

static void
add_console(struct nodes *n, const struct nodes_rings *rings)
{
	struct device dev = { DEVICE_CONSOLE, n->domid, 0 };
	const char *front = device_frontend(n->mem, &dev);
	const char *back = device_backend(n->mem, &dev);

	add(n, NODE_SHOWN, front, "", NULL);
	leaf(n, front, "backend", back);
	leaf(n, front, "backend-id", "0");
	leaf(n, front, "limit", "1048576");
	leaf(n, front, "type", "xenconsoled");
	leaf(n, front, "output", "pty");
	add(n, NODE_PRIVATE, front, "tty", "");
	leaf_num(n, front, "port", rings->console_port);
	leaf_num(n, front, "ring-ref", rings->console_gfn);

	add(n, NODE_SHOWN, back, "", NULL);
	leaf(n, back, "frontend", front);
	leaf_num(n, back, "frontend-id", n->domid);
	leaf(n, back, "online", "1");
	leaf(n, back, "state", "1");
	leaf(n, back, "protocol", "vt100");
}

void
nodes_add_domain(struct nodes *n, const struct domcfg *d,
    const struct nodes_rings *rings, const char *start_time)
{
	const char *dom = nodes_domain_path(n->mem, n->domid);
	const char *vm = nodes_vm_path(n->mem, d->uuid);
	const char *libxl = nodes_libxl_path(n->mem, n->domid);

	add(n, NODE_SHOWN, dom, "", NULL);
	add_vm(n, d, vm, start_time);
	add(n, NODE_PRIVATE, libxl, "", NULL);
	leaf(n, libxl, "type", type_name(d->type));
	leaf(n, libxl, "dm-version", "qemu_xen");
	leaf(n, dom, "vm", vm);
	leaf(n, dom, "name", d->name);
	add_sizes(n, d, dom);
	add_guest_nodes(n, dom);
	leaf_num(n, dom, "domid", n->domid);
	leaf_num(n, dom, "store/port", rings->store_port);
	leaf_num(n, dom, "store/ring-ref", rings->store_gfn);
	add_console(n, rings);
}

/* SCRIPT below DIR unless it has a path of its own. */
static char *
script_path(struct arena *mem, const char *dir, const char *script)
{
	return *script == '/' ? arena_strdup(mem, script)
			      : arena_printf(mem, "%s/%s", dir, script);
}

char *
nodes_vbd_script(
    struct arena *mem, const struct diskspec *disk, const char *script_dir)
{
	return script_path(
	    mem, script_dir, disk->script != NULL ? disk->script : "block");
}

char *
nodes_vif_script(
    struct arena *mem, const struct vifspec *vif, const char *script_dir)
{
	return script_path(
	    mem, script_dir, vif->script != NULL ? vif->script : "vif-bridge");
}

/* The entries of DEV's three directories that are the same for all kinds. The
 * backend's entries come next, into *BACK_OUT and *MIRROR_OUT alike. */
static void
add_device(struct nodes *n, const struct device *dev, const char **back_out,
    const char **mirror_out)
{
	const char *front = device_frontend(n->mem, dev);
	const char *back = device_backend(n->mem, dev);
	const char *mirror = device_mirror(n->mem, dev);

	add(n, NODE_PRIVATE, mirror, "", NULL);
	leaf(n, mirror, "frontend", front);
	leaf(n, mirror, "backend", back);
	add(n, NODE_GUEST, front, "", NULL);
	leaf(n, front, "backend", back);
	leaf(n, front, "backend-id", "0");
	add(n, NODE_SHOWN, back, "", NULL);
	leaf(n, back, "frontend", front);
	*back_out = back;
	*mirror_out = mirror;
}

struct pair {
	const char *name;
	const char *value; /* NULL: leave it out */
};

/* The same entries for the backend and its mirror. */
static void
add_pairs(struct nodes *n, const char *back, const char *mirror,
    const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].value == NULL)
			continue;
		leaf(n, back, pairs[i].name, pairs[i].value);
		leaf(n, mirror, pairs[i].name, pairs[i].value);
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void
nodes_add_vbd(
    struct nodes *n, const struct diskspec *disk, const char *script_dir)
{
	struct device dev = { DEVICE_VBD, n->domid, disk->number };
	const char *front = device_frontend(n->mem, &dev), *back, *mirror;
	const char *type = disk->cdrom ? "cdrom" : "disk";
	const char *vdev =
	    strncmp(disk->vdev, "/dev/", 5) == 0 ? disk->vdev + 5 : disk->vdev;
	const struct pair pairs[] = {
		{ "params", disk->target },
		{ "script", nodes_vbd_script(n->mem, disk, script_dir) },
		{ "frontend-id", arena_printf(n->mem, "%u", n->domid) },
		{ "online", "1" },
		{ "removable", disk->cdrom ? "1" : "0" },
		{ "bootable", "1" },
		{ "dev", vdev },
		{ "type", "phy" },
		{ "mode", disk->access == DISK_READ_ONLY ? "r"
			  : disk->access == DISK_SHARED	 ? "w!"
							 : "w" },
		{ "device-type", type },
		{ "discard-enable", "0" },
		{ "specification", "xen" },
		{ "state", "1" },
	};

	add_device(n, &dev, &back, &mirror);
	leaf_num(n, front, "virtual-device", disk->number);
	leaf(n, front, "device-type", type);
	add_pairs(n, back, mirror, pairs, COUNT(pairs));
	leaf(n, front, "state", "1");
}

void
nodes_add_vif(
    struct nodes *n, const struct vifspec *vif, const char *script_dir)
{
	struct device dev = { DEVICE_VIF, n->domid, vif->handle };
	const char *front = device_frontend(n->mem, &dev), *back, *mirror;
	const char *handle = arena_printf(n->mem, "%u", vif->handle);
	const char *rate = NULL;
	char mac[VIFSPEC_MAC_TEXT];

	vifspec_format_mac(vif->mac, mac);
	if (vif->rate != NULL)
		rate = arena_printf(n->mem, "%llu,%u",
		    (unsigned long long)vif->rate_bytes, vif->rate_usec);
	const struct pair pairs[] = {
		{ "frontend-id", arena_printf(n->mem, "%u", n->domid) },
		{ "online", "1" },
		{ "script", nodes_vif_script(n->mem, vif, script_dir) },
		{ "vifname", vif->vifname },
		{ "mac", arena_strdup(n->mem, mac) },
		{ "ip", vif->ip },
		{ "rate", rate },
		{ "gatewaydev", vif->gatewaydev },
		{ "bridge", vif->bridge },
		{ "handle", handle },
		{ "type", "vif" },
		{ "hotplug-status", "" },
		{ "state", "1" },
	};

	add_device(n, &dev, &back, &mirror);
	leaf(n, front, "handle", handle);
	leaf(n, front, "mac", arena_strdup(n->mem, mac));
	if (vif->mtu != 0)
		leaf_num(n, front, "mtu", vif->mtu);
	add_pairs(n, back, mirror, pairs, COUNT(pairs));
	leaf(n, front, "state", "1");
}
