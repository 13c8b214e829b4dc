/*
 * nodes: which store nodes stand for a domain and its devices: paths, values
 * and rights, as data. Pure: writes nothing.
 *
 * Knows libxl's layout of /local/domain, /vm and /libxl. A device has three
 * directories: the frontend's, the backend's, and a mirror below /libxl that
 * the guest cannot touch and that alone is trusted when devices are listed.
 */
#ifndef XL_NODES_H
#define XL_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "domcfg.h"

/* Who may do what with a node; the domain is the one the nodes are about. */
enum node_rights {
	NODE_INHERIT, /* as the parent node when this one is made */
	NODE_PRIVATE, /* domain 0 only */
	NODE_SHOWN,   /* owned by domain 0, the domain may read */
	NODE_GUEST,   /* owned by the domain, domain 0 may read */
};

struct node {
	const char *path;
	const char *value; /* NULL: a directory; its value is empty */
	enum node_rights rights;
};

/* A list in the order in which it is to be written. */
struct nodes {
	struct arena *mem;
	uint32_t domid;
	struct node *node;
	size_t count;
};

struct nodes nodes_start(struct arena *mem, uint32_t domid);

enum device_kind {
	DEVICE_VBD,
	DEVICE_VIF,
	DEVICE_CONSOLE,
};

/* One device of a domain; its backend is in domain 0. */
struct device {
	enum device_kind kind;
	uint32_t domid;
	uint32_t devid; /* a virtual disk's number, an interface's handle */
};

/* The kind as paths spell it: "vbd". */
const char *device_kind_name(enum device_kind kind);

/* The device's directories, in MEM. */
char *device_frontend(struct arena *mem, const struct device *dev);
char *device_backend(struct arena *mem, const struct device *dev);
char *device_mirror(struct arena *mem, const struct device *dev);

/* A domain's directories, in MEM. */
char *nodes_domain_path(struct arena *mem, uint32_t domid);
char *nodes_libxl_path(struct arena *mem, uint32_t domid);
char *nodes_vm_path(struct arena *mem, const uint8_t uuid[16]);

/* What the builder has set up in the domain. */
struct nodes_rings {
	uint64_t store_gfn;
	uint32_t store_port;
	uint64_t console_gfn;
	uint32_t console_port;
};

/* Adds the domain itself with its console. START_TIME is text: "SEC.USEC". */
void nodes_add_domain(struct nodes *n, const struct domcfg *d,
    const struct nodes_rings *rings, const char *start_time);

/* Add a device in state 1. SCRIPT_DIR is where scripts without a path lie. */
void nodes_add_vbd(
    struct nodes *n, const struct diskspec *disk, const char *script_dir);
void nodes_add_vif(
    struct nodes *n, const struct vifspec *vif, const char *script_dir);

/* The hotplug script of a device, with its path, in MEM. */
char *nodes_vbd_script(
    struct arena *mem, const struct diskspec *disk, const char *script_dir);
char *nodes_vif_script(
    struct arena *mem, const struct vifspec *vif, const char *script_dir);

#endif
