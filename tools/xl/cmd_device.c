#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "create.h"
#include "device.h"
#include "diskspec.h"
#include "vdev.h"
#include "vifspec.h"

/* The words from the second argument on, joined by commas: a device. */
static char *
join_words(struct xl *xl, int argc, char **argv)
{
	char *text = arena_strdup(xl->mem, "");

	for (int i = optind + 1; i < argc; i++)
		text = arena_printf(
		    xl->mem, "%s%s%s", text, *text == '\0' ? "" : ",", argv[i]);
	return text;
}

static int
run_block_attach(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	struct diskspec disk;
	char cwd[PATH_MAX];
	const char *why;
	uint32_t domid;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 2, INT_MAX);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		strcpy(cwd, "/");
	if (diskspec_parse(
		xl->mem, join_words(xl, argc, argv), cwd, &disk, &why) != 0) {
		xl_error(xl, "disk: %s", why);
		return CMD_FAILED;
	}
	if (xl_find_guest(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	return create_attach_disk(xl, domid, &disk) == 0 ? CMD_OK : CMD_FAILED;
}

static int
run_network_attach(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	struct vifspec vif;
	uint8_t random[3];
	const char *why;
	uint32_t domid;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 1, INT_MAX);
	if (vifspec_parse(xl->mem, join_words(xl, argc, argv), &vif, &why) !=
	    0) {
		xl_error(xl, "vif: %s", why);
		return CMD_FAILED;
	}
	if (xl_find_guest(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	if (vif.bridge == NULL)
		vif.bridge = xl->set.bridge;
	if (vif.script == NULL)
		vif.script = xl->set.vif_script;
	if (!vif.has_mac) {
		create_random(NULL, random, sizeof(random));
		vifspec_make_mac(random, vif.mac);
		vif.has_mac = true;
	}
	return create_attach_vif(xl, domid, &vif) == 0 ? CMD_OK : CMD_FAILED;
}

/* Whether TEXT, of the command line, means DEV. */
static bool
is_meant(struct xl *xl, const struct device *dev, const char *text)
{
	const char *why, *mac;
	uint8_t given[6], have[6];
	uint32_t number;

	if (dev->kind == DEVICE_VBD)
		return vdev_parse(text, &number, &why) == 0 &&
		       number == dev->devid;
	if (vifspec_parse_mac(text, given) != 0)
		return *text != '\0' &&
		       strspn(text, "0123456789") == strlen(text) &&
		       strtoul(text, NULL, 10) == dev->devid;
	mac =
	    store_read_in(xl->st, xl->mem, device_mirror(xl->mem, dev), "mac");
	return mac != NULL && vifspec_parse_mac(mac, have) == 0 &&
	       memcmp(given, have, sizeof(have)) == 0;
}

static int
run_detach(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	enum device_kind kind = *cmd->name == 'b' ? DEVICE_VBD : DEVICE_VIF;
	enum device_removal how = DEVICE_GUEST_ALIVE;
	struct device *dev;
	const char *why;
	uint32_t domid;
	size_t count, i;

	while (cmd_option(xl, cmd, argc, argv, ":f", NULL) != -1)
		how = DEVICE_GUEST_DEAD;
	cmd_need_args(xl, cmd, argc, 2, 2);
	if (xl_find_guest(xl, argv[optind], &domid) != 0)
		return CMD_FAILED;
	dev = device_list(xl->st, xl->mem, domid, kind, &count);
	for (i = 0; i < count; i++) {
		if (is_meant(xl, &dev[i], argv[optind + 1]))
			break;
	}
	if (i == count) {
		xl_error(xl, "domain %u has no %s '%s'", domid,
		    device_kind_name(kind), argv[optind + 1]);
		return CMD_FAILED;
	}
	if (device_remove(xl->st, xl->mem, &dev[i], 1, how,
		xl->set.destroy_timeout_ms, &why) == 0)
		return CMD_OK;
	xl_error(xl, "%s; its nodes have been removed all the same", why);
	return CMD_FAILED;
}

/* A number of the frontend; -1 if it is not there (yet). */
static int
front_number(struct xl *xl, const struct device *dev, const char *name)
{
	const char *text =
	    store_read_in(xl->st, xl->mem, device_frontend(xl->mem, dev), name);

	return text != NULL && *text != '\0' ? atoi(text) : -1;
}

static void
list_disks(struct xl *xl, const struct device *dev, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%-5d %-3d %-6d %-5d %-6d %-8d %-30s\n",
		    (int)dev[i].devid, 0, (int)dev[i].domid,
		    front_number(xl, &dev[i], "state"),
		    front_number(xl, &dev[i], "event-channel"),
		    front_number(xl, &dev[i], "ring-ref"),
		    device_backend(xl->mem, &dev[i]));
}

static void
list_vifs(struct xl *xl, const struct device *dev, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *mac = store_read_in(
		    xl->st, xl->mem, device_mirror(xl->mem, &dev[i]), "mac");

		printf("%-3d %-2d %-17s %6d %5d %6d %5d/%-11d %-30s\n",
		    (int)dev[i].devid, 0, mac != NULL ? mac : "",
		    (int)dev[i].devid, front_number(xl, &dev[i], "state"),
		    front_number(xl, &dev[i], "event-channel"),
		    front_number(xl, &dev[i], "tx-ring-ref"),
		    front_number(xl, &dev[i], "rx-ring-ref"),
		    device_backend(xl->mem, &dev[i]));
	}
}

static int
run_device_list(struct xl *xl, const struct cmd *cmd, int argc, char **argv)
{
	enum device_kind kind = *cmd->name == 'b' ? DEVICE_VBD : DEVICE_VIF;
	int status = CMD_OK;
	struct device *dev;
	uint32_t domid;
	size_t count;

	while (cmd_option(xl, cmd, argc, argv, "+:", NULL) != -1)
		;
	cmd_need_args(xl, cmd, argc, 1, INT_MAX);
	if (kind == DEVICE_VBD)
		printf("%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE",
		    "handle", "state", "evt-ch", "ring-ref", "BE-path");
	else
		printf("%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s\n", "Idx",
		    "BE", "Mac Addr.", "handle", "state", "evt-ch", "tx-",
		    "rx-ring-ref", "BE-path");
	for (; optind < argc; optind++) {
		if (xl_find_domain(xl, argv[optind], &domid) != 0) {
			status = CMD_FAILED;
			continue;
		}
		dev = device_list(xl->st, xl->mem, domid, kind, &count);
		if (kind == DEVICE_VBD)
			list_disks(xl, dev, count);
		else
			list_vifs(xl, dev, count);
	}
	return status;
}

const struct cmd cmd_device_table[] = {
	{ "block-attach", run_block_attach, "DOMAIN DISK ...",
	    "Create a new virtual block device" },
	{ "block-detach", run_detach, "[-f] DOMAIN VDEV",
	    "Destroy a domain's virtual block device" },
	{ "block-list", run_device_list, "DOMAIN ...",
	    "List virtual block devices for a domain" },
	{ "network-attach", run_network_attach, "DOMAIN [KEY=VALUE ...]",
	    "Create a new virtual network device" },
	{ "network-detach", run_detach, "[-f] DOMAIN DEVID|MAC",
	    "Destroy a domain's virtual network device" },
	{ "network-list", run_device_list, "DOMAIN ...",
	    "List virtual network interfaces for a domain" },
	{ NULL, NULL, NULL, NULL },
};
