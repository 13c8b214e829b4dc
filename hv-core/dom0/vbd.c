#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/io/blkif.h"
#include "hv-core/dom0/device.h"
#include "hv-core/dom0/log.h"
#include "hv-core/dom0/vbd.h"

#define SECTOR 512
#define VND_MAJOR 14
#define PARTITIONS 16 /* a unit's minor numbers */
#define RAW_PART 3

struct vbd {
	int fd; /* -1 as long as there is no image */
	uint64_t devno;
	uint64_t sectors;
	int readonly;
	int cdrom;
};

long
vbd_vnd_unit(uint64_t devno)
{
	uint64_t major = (devno & 0xfff00) >> 8;
	uint64_t minor = (devno & 0xfff00000) >> 12 | (devno & 0xff);

	if (devno > UINT32_MAX || major != VND_MAJOR ||
	    minor % PARTITIONS != RAW_PART)
		return -1;
	return (long)(minor / PARTITIONS);
}

static int
vbd_attach(struct device *dev)
{
	struct vbd *v = calloc(1, sizeof(*v));
	int rc;

	if (v == NULL)
		return device_why(dev, ENOMEM, "memory");
	v->fd = -1;
	dev->priv = v;
	rc = xenbus_switch_state(
	    dev->host->xb, XENBUS_NO_TX, dev->path, XenbusStateInitWait);
	if (rc != 0)
		return device_why(dev, -rc, "writing state");
	return 0;
}

static void
vbd_release(struct device *dev)
{
	struct vbd *v = dev->priv;

	if (v != NULL && v->fd >= 0)
		close(v->fd);
	free(v);
	dev->priv = NULL;
}

/* ------------------------------------------------------- the image -------- */

/* The file behind devno, as the script left it. */
static int
image_path(struct device *dev, uint64_t devno, char path[PATH_MAX])
{
	char params[PATH_MAX - 8];
	const char *name = params;
	long unit = vbd_vnd_unit(devno);
	int rc;

	if (unit >= 0) {
		snprintf(
		    path, PATH_MAX, "%s/dev/vnd%ldd", dev->host->root, unit);
		return 0;
	}
	rc = xenbus_read_str(dev->host->xb, XENBUS_NO_TX, dev->path, "params",
	    params, sizeof(params));
	if (rc != 0)
		return device_why(dev, -rc, "reading params");
	if (strncmp(name, "phy:", 4) == 0)
		name += 4;
	snprintf(path, PATH_MAX, "%s%s", name[0] == '/' ? "" : "/dev/", name);
	return 0;
}

/* Is what was opened what physical-device says? */
static int
check_image(struct device *dev, const char *path, uint64_t devno)
{
	struct vbd *v = dev->priv;
	struct stat st;

	if (fstat(v->fd, &st) != 0)
		return device_why(dev, errno, "%s", path);
	if (vbd_vnd_unit(devno) >= 0) {
		if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
			return device_why(
			    dev, EINVAL, "%s is not a file", path);
	} else if (!S_ISBLK(st.st_mode) || st.st_rdev != devno) {
		return device_why(dev, ENXIO,
		    "%s is not block device %llu, which physical-device names",
		    path, (unsigned long long)devno);
	}
	return 0;
}

static int
open_image(struct device *dev, uint64_t devno)
{
	struct vbd *v = dev->priv;
	char path[PATH_MAX];
	off_t size;
	int rc = image_path(dev, devno, path);

	if (rc != 0)
		return rc;
	v->fd = open(
	    path, (v->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (v->fd < 0)
		return device_why(dev, errno, "opening %s", path);
	rc = check_image(dev, path, devno);
	if (rc != 0)
		return rc;
	size = lseek(v->fd, 0, SEEK_END);
	if (size < 0)
		return device_why(dev, errno, "finding the size of %s", path);
	v->sectors = (uint64_t)size / SECTOR;
	v->devno = devno;
	return 0;
}

static int
publish(struct xenbus *xb, uint32_t tx, void *arg)
{
	struct device *dev = arg;
	struct vbd *v = dev->priv;
	unsigned info =
	    (v->readonly ? VDISK_READONLY : 0u) | (v->cdrom ? VDISK_CDROM : 0u);
	int rc;

	rc = xenbus_printf(xb, tx, dev->path, "sectors", "%llu",
	    (unsigned long long)v->sectors);
	if (rc == 0)
		rc = xenbus_printf(xb, tx, dev->path, "info", "%u", info);
	if (rc == 0)
		rc = xenbus_printf(
		    xb, tx, dev->path, "sector-size", "%d", SECTOR);
	if (rc == 0)
		rc = xenbus_printf(
		    xb, tx, dev->path, "feature-flush-cache", "1");
	return rc;
}

/* The script has named the device. Later changes are not for us. */
static int
vbd_changed(struct device *dev)
{
	struct xenbus *xb = dev->host->xb;
	struct vbd *v = dev->priv;
	char text[32];
	uint64_t devno;
	int rc;

	if (xenbus_read_str(xb, XENBUS_NO_TX, dev->path, "physical-device",
		text, sizeof(text)) != 0 ||
	    text[0] == '\0')
		return 0; /* not yet, or not any more */
	rc = xenbus_read_num(
	    xb, XENBUS_NO_TX, dev->path, "physical-device", UINT64_MAX, &devno);
	if (rc != 0)
		return device_why(
		    dev, -rc, "physical-device '%s' is no number", text);
	if (v->fd >= 0) {
		if (devno != v->devno)
			dom0_log(dev->name,
			    "physical-device changed; keeping the old one");
		return 0;
	}
	rc = xenbus_read_str(
	    xb, XENBUS_NO_TX, dev->path, "mode", text, sizeof(text));
	if (rc != 0)
		return device_why(dev, -rc, "reading mode");
	v->readonly = text[0] != 'w';
	if (xenbus_read_str(xb, XENBUS_NO_TX, dev->path, "device-type", text,
		sizeof(text)) == 0)
		v->cdrom = strcmp(text, "cdrom") == 0;
	rc = open_image(dev, devno);
	if (rc != 0)
		return rc;
	rc = xenbus_transaction(xb, publish, dev);
	if (rc != 0)
		return device_why(dev, -rc, "writing what the disk is");
	rc = xenbus_switch_state(
	    xb, XENBUS_NO_TX, dev->path, XenbusStateConnected);
	return rc == 0 ? 0 : device_why(dev, -rc, "writing state");
}

/* ---------------------------------------------------- the frontend -------- */

static int
vbd_connect(
    struct device *dev, enum xenbus_state front, struct service_spec *spec)
{
	struct xenbus *xb = dev->host->xb;
	struct vbd *v = dev->priv;
	const char *dir = dev->front.path;
	char protocol[32];
	uint64_t ref, port;
	int rc;

	(void)front; /* at 3 all of it is there */
	if (v->fd < 0)
		return -EAGAIN;
	rc = xenbus_read_num(
	    xb, XENBUS_NO_TX, dir, "ring-ref", UINT32_MAX, &ref);
	if (rc != 0)
		return device_why(dev, -rc, "reading %s/ring-ref", dir);
	rc = xenbus_read_num(
	    xb, XENBUS_NO_TX, dir, "event-channel", UINT32_MAX, &port);
	if (rc != 0)
		return device_why(dev, -rc, "reading %s/event-channel", dir);
	if (xenbus_read_str(xb, XENBUS_NO_TX, dir, "protocol", protocol,
		sizeof(protocol)) == 0 &&
	    strcmp(protocol, "x86_64-abi") != 0)
		return device_why(
		    dev, EPROTONOSUPPORT, "protocol %s", protocol);
	spec->kind = SERVICE_VBD;
	spec->ref[0] = (uint32_t)ref;
	spec->port = (uint32_t)port;
	spec->fd = v->fd;
	spec->sectors = v->sectors;
	spec->readonly = v->readonly;
	return 0;
}

static void
vbd_connected(struct device *dev)
{
	const struct vbd *v = dev->priv;

	dom0_log(dev->name, "%llu sectors%s, ring %u, event channel %u",
	    (unsigned long long)v->sectors, v->readonly ? ", read only" : "",
	    dev->spec.ref[0], dev->spec.port);
}

const struct device_driver vbd_driver = {
	.type = "vbd",
	.attach = vbd_attach,
	.changed = vbd_changed,
	.connect = vbd_connect,
	.connected = vbd_connected,
	.release = vbd_release,
};
