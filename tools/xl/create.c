#include "create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "build.h"
#include "device.h"
#include "interrupt.h"
#include "precheck.h"
#include "tools/common/lock.h"
#include "tools/common/log.h"
#include "tools/common/paths.h"

#define NAME_LOCK_MS 120000

void
create_random(void *arg, void *buf, size_t len)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	(void)arg;
	if (fd < 0 || read(fd, buf, len) != (ssize_t)len)
		fatal("/dev/urandom");
	close(fd);
}

/* Told of a wait that takes long; only people want to know. */
static void
progress(const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "waiting for %s ...\n", what);
}

static int
fail(struct xl *xl, const struct domcfg *d, const char *why)
{
	xl_error(xl, "%s: %s", d->name, why);
	return -1;
}

int
create_lock_names(struct xl *xl, char **path_out)
{
	int fd;

	*path_out = arena_printf(xl->mem, "%s/xl-names", paths_dir(PATHS_LOCK));
	if (paths_mkdir(PATHS_LOCK) != 0 ||
	    (fd = lock_wait(*path_out, NAME_LOCK_MS, NULL)) < 0) {
		xl_error(xl, "%s: %s", *path_out, strerror(errno));
		return -1;
	}
	return fd;
}

static int
check_name_free(struct xl *xl, const struct domcfg *d)
{
	uint32_t other;

	if (xl_lookup_domain(xl, d->name, &other) == 0)
		return fail(xl, d,
		    arena_printf(xl->mem,
			"a domain of this name exists already (id %u)", other));
	if (errno == ESRCH)
		return 0;
	return errno == EIO ? -1 : fail(xl, d, strerror(errno));
}

/* What a dead hypervisor's domain of the same number may have left. */
static void
remove_leftovers(struct xl *xl, uint32_t domid)
{
	static const char *const dirs[] = { "/local/domain/%u", "/libxl/%u",
		"/local/domain/0/backend/vbd/%u",
		"/local/domain/0/backend/vif/%u",
		"/local/domain/0/backend/console/%u",
		"/local/domain/0/error/backend/vbd/%u",
		"/local/domain/0/error/backend/vif/%u" };
	char path[64];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const char *at = strstr(dirs[i], "%u");

		snprintf(path, sizeof(path), "%.*s%u", (int)(at - dirs[i]),
		    dirs[i], domid);
		store_remove(xl->st, path);
	}
}

static int
write_domain(struct xl *xl, uint32_t domid, const struct domcfg *d,
    const struct nodes_rings *rings)
{
	struct nodes n = nodes_start(xl->mem, domid);
	struct timeval now;

	gettimeofday(&now, NULL);
	remove_leftovers(xl, domid);
	nodes_add_domain(&n, d, rings,
	    arena_printf(xl->mem, "%lld.%02ld", (long long)now.tv_sec,
		(long)now.tv_usec / 10000));
	if (store_write_nodes(xl->st, &n) == 0 &&
	    store_introduce(
		xl->st, domid, rings->store_gfn, rings->store_port) == 0)
		return 0;
	return fail(xl, d,
	    arena_printf(xl->mem, "cannot introduce it to xenstored: %s",
		strerror(errno)));
}

/* The domain itself, without its devices. *DOMID_OUT is set as soon as there
 * is something to undo. */
static int
make_domain(struct xl *xl, const struct domcfg *d,
    const struct build_images *images, uint32_t *domid_out)
{
	struct nodes_rings rings;
	const char *why;

	if (check_name_free(xl, d) != 0)
		return -1;
	if (precheck_memory(xl, d, images, &why) != 0)
		return fail(xl, d, why);
	if (hvctl_create(xl->hv, d->uuid, d->max_vcpus, domid_out) != 0)
		return fail(xl, d,
		    arena_printf(xl->mem, "the hypervisor makes no domain: %s",
			strerror(errno)));
	if (build_domain(
		xl->mem, xl->hv, *domid_out, d, images, &rings, &why) != 0)
		return fail(xl, d, why);
	return write_domain(xl, *domid_out, d, &rings);
}

static int
save_config(struct xl *xl, uint32_t domid, const char *text)
{
	const char *path = xl_config_path(xl->mem, domid);
	FILE *out;

	if (paths_mkdir(PATHS_RUN) == 0 && (out = fopen(path, "we")) != NULL) {
		fputs(text, out);
		if (fclose(out) == 0)
			return 0;
	}
	xl_error(xl, "%s: %s", path, strerror(errno));
	return -1;
}

static struct nodes
disk_nodes(struct xl *xl, uint32_t domid, const struct diskspec *disk)
{
	struct nodes n = nodes_start(xl->mem, domid);

	nodes_add_vbd(&n, disk, paths_dir(PATHS_SCRIPT));
	return n;
}

static struct nodes
vif_nodes(struct xl *xl, uint32_t domid, const struct vifspec *vif)
{
	struct nodes n = nodes_start(xl->mem, domid);

	nodes_add_vif(&n, vif, paths_dir(PATHS_SCRIPT));
	return n;
}

/* 0, or -1 with errno ESRCH: somebody destroys it. */
static int
check_alive(struct xl *xl, uint32_t domid)
{
	struct hvinfo_domain info;

	if (hvinfo_domain(xl->info, domid, &info) == 0 && !info.dying)
		return 0;
	errno = ESRCH;
	return -1;
}

/*
 * Writes the nodes N of DEV. 0, or -1 with errno, which is ESRCH if the domain
 * is no more, and EEXIST if it has such a device.
 */
static int
write_device(struct xl *xl, const struct device *dev, const struct nodes *n)
{
	char *path;
	int lock, ret, err;

	/* What is interrupted from here on is undone. */
	if (interrupt_catch() != 0)
		return -1;
	lock = create_lock_domain(xl, dev->domid, &path);
	if (lock < 0)
		return -1;
	ret = check_alive(xl, dev->domid);
	if (ret == 0 && store_read_in(xl->st, xl->mem,
			    device_mirror(xl->mem, dev), "backend") != NULL) {
		errno = EEXIST;
		ret = -1;
	}
	if (ret == 0)
		ret = store_write_nodes(xl->st, n);
	err = errno;
	lock_release(lock, path);
	errno = err;
	return ret;
}

/* Why a device could not be written, by errno. */
static const char *
write_error(void)
{
	return errno == ESRCH ? "it has been destroyed meanwhile"
			      : strerror(errno);
}

/* Writes all devices, one transaction each, and waits for all together. */
static int
make_devices(struct xl *xl, uint32_t domid, const struct domcfg *d)
{
	const char *why = "";
	struct device *dev;
	struct nodes n;
	size_t i, count;
	int ret = 0;

	for (i = 0; ret == 0 && i < d->disks; i++) {
		const struct device one = { DEVICE_VBD, domid,
			d->disk[i].number };

		n = disk_nodes(xl, domid, &d->disk[i]);
		ret = write_device(xl, &one, &n);
	}
	for (i = 0; ret == 0 && i < d->vifs; i++) {
		const struct device one = { DEVICE_VIF, domid,
			d->vif[i].handle };

		n = vif_nodes(xl, domid, &d->vif[i]);
		ret = write_device(xl, &one, &n);
	}
	if (ret != 0)
		return fail(xl, d,
		    arena_printf(
			xl->mem, "cannot write a device: %s", write_error()));
	dev = device_list_all(xl->st, xl->mem, domid, &count);
	if (device_wait_ready(xl->st, xl->mem, dev, count,
		xl->set.hotplug_timeout_ms, progress, &why) != 0)
		return fail(xl, d, why);
	return 0;
}

static int
make_all(struct xl *xl, const struct domcfg *d,
    const struct build_images *images, const char *config_text,
    uint32_t *domid_out)
{
	char *lock_path;
	int lock = create_lock_names(xl, &lock_path), ret;

	if (lock < 0)
		return -1;
	ret = make_domain(xl, d, images, domid_out);
	lock_release(lock, lock_path);
	if (ret == 0)
		ret = save_config(xl, *domid_out, config_text);
	if (ret == 0)
		ret = make_devices(xl, *domid_out, d);
	if (ret == 0 && interrupt_seen())
		ret = fail(xl, d, "interrupted");
	if (ret == 0 && check_alive(xl, *domid_out) != 0)
		ret = fail(xl, d, "it has been destroyed meanwhile");
	return ret;
}

int
create_domain(struct xl *xl, const struct domcfg *d, const char *config_text,
    uint32_t *domid_out)
{
	struct build_images images = { { NULL, 0 }, { NULL, 0 } };
	uint32_t domid = 0;
	const char *why;
	int ret = -1;

	if (precheck_provider(xl, d, &why) != 0 ||
	    build_load(xl->mem, d, &images, &why) != 0) {
		fail(xl, d, why);
		goto out;
	}
	if (xl_need_info(xl) != 0 || xl_need_hv(xl) != 0 ||
	    xl_need_store(xl) != 0)
		goto out;
	if (precheck_devices(xl, d, &why) != 0) {
		fail(xl, d, why);
		goto out;
	}
	store_set_interrupt(xl->st, interrupt_fd());
	ret = make_all(xl, d, &images, config_text, &domid);
	store_set_interrupt(xl->st, -1);
	if (ret != 0 && domid != 0)
		create_undo(xl, domid);
	*domid_out = domid;
out:
	build_unload(&images);
	return ret;
}

/* Waits for DEV, whose nodes have been written. */
static int
await_attached(struct xl *xl, const struct device *dev)
{
	const char *why = "", *ignored;
	int ret;

	store_set_interrupt(xl->st, interrupt_fd());
	ret = device_wait_ready(xl->st, xl->mem, dev, 1,
	    xl->set.hotplug_timeout_ms, progress, &why);
	store_set_interrupt(xl->st, -1);
	if (ret == 0)
		return 0;
	xl_error(xl, "%s", why);
	device_remove(xl->st, xl->mem, dev, 1, DEVICE_GUEST_ALIVE,
	    xl->set.destroy_timeout_ms, &ignored);
	return -1;
}

static int
fail_attach(struct xl *xl, const struct device *dev)
{
	if (errno == EEXIST)
		xl_error(xl, "%s: exists already",
		    device_describe(xl->st, xl->mem, dev));
	else
		xl_error(xl, "cannot write the device: %s", write_error());
	return -1;
}

int
create_attach_disk(struct xl *xl, uint32_t domid, const struct diskspec *disk)
{
	struct device dev = { DEVICE_VBD, domid, disk->number };
	struct nodes n = disk_nodes(xl, domid, disk);
	const char *why;

	if (precheck_disk(xl, disk, &why) != 0) {
		xl_error(xl, "%s", why);
		return -1;
	}
	if (write_device(xl, &dev, &n) != 0)
		return fail_attach(xl, &dev);
	return await_attached(xl, &dev);
}

/* The number after the last interface of DOMID. */
static uint32_t
next_handle(struct xl *xl, uint32_t domid)
{
	size_t count;
	struct device *dev =
	    device_list(xl->st, xl->mem, domid, DEVICE_VIF, &count);

	return count == 0 ? 0 : dev[count - 1].devid + 1;
}

int
create_attach_vif(struct xl *xl, uint32_t domid, const struct vifspec *vif)
{
	struct device dev = { DEVICE_VIF, domid, vif->handle };
	struct vifspec v = *vif;
	struct nodes n;
	const char *why;
	int ret;

	do {
		if (vif->handle == VIFSPEC_NO_HANDLE)
			v.handle = next_handle(xl, domid);
		if (precheck_vif(xl, &v, &why) != 0) {
			xl_error(xl, "%s", why);
			return -1;
		}
		dev.devid = v.handle;
		n = vif_nodes(xl, domid, &v);
		ret = write_device(xl, &dev, &n);
		/* Somebody else may have taken the number just now. */
	} while (
	    ret != 0 && errno == EEXIST && vif->handle == VIFSPEC_NO_HANDLE);
	return ret == 0 ? await_attached(xl, &dev) : fail_attach(xl, &dev);
}
