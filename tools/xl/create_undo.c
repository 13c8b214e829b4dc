#include "create.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "nodes.h"
#include "tools/common/lock.h"
#include "tools/common/paths.h"

/* Longer than one teardown can take. */
#define LOCK_MS 60000

/* Two seconds. */
#define GONE_POLLS 200
#define GONE_POLL_NS 10000000

static void
remove_nodes(struct xl *xl, uint32_t domid)
{
	struct device console = { DEVICE_CONSOLE, domid, 0 };
	const char *dom = nodes_domain_path(xl->mem, domid);
	const char *vm = store_read_in(xl->st, xl->mem, dom, "vm");

	if (vm != NULL && strncmp(vm, "/vm/", 4) == 0)
		store_remove(xl->st, vm);
	store_remove(
	    xl->st, arena_printf(xl->mem, "/local/domain/0/backend/console/%u",
			console.domid));
	store_remove(
	    xl->st, arena_printf(xl->mem,
			"/local/domain/0/error/backend/vbd/%u", domid));
	store_remove(
	    xl->st, arena_printf(xl->mem,
			"/local/domain/0/error/backend/vif/%u", domid));
	store_remove(xl->st, nodes_libxl_path(xl->mem, domid));
	store_remove(xl->st, dom);
}

static void
remove_devices(struct xl *xl, uint32_t domid)
{
	const char *why = "";
	size_t count;
	struct device *dev = device_list_all(xl->st, xl->mem, domid, &count);

	if (device_remove(xl->st, xl->mem, dev, count, DEVICE_GUEST_DEAD,
		xl->set.destroy_timeout_ms, &why) != 0)
		xl_error(xl, "%s", why);
}

/* Who still maps the domain's pages lets go of them in a moment; a domain
 * that is held for longer stays in the list as a dying one. */
static void
wait_until_gone(struct xl *xl, uint32_t domid)
{
	static const struct timespec moment = { 0, GONE_POLL_NS };
	struct hvinfo_domain info;

	for (int i = 0; i < GONE_POLLS; i++) {
		if (hvinfo_domain(xl->info, domid, &info) != 0)
			return;
		nanosleep(&moment, NULL);
	}
}

static int
undo_locked(struct xl *xl, uint32_t domid)
{
	struct hvinfo_domain info;
	int ret = 0;

	if (hvinfo_domain(xl->info, domid, &info) == 0 && !info.dying)
		hvctl_pause(xl->hv, domid);
	remove_devices(xl, domid);
	if (hvctl_destroy(xl->hv, domid) != 0 && errno != ESRCH) {
		xl_error(xl, "domain %u cannot be destroyed: %s", domid,
		    strerror(errno));
		ret = -1;
	}
	store_release(xl->st, domid);
	remove_nodes(xl, domid);
	unlink(xl_config_path(xl->mem, domid));
	if (ret == 0)
		wait_until_gone(xl, domid);
	return ret;
}

int
create_lock_domain(struct xl *xl, uint32_t domid, char **path_out)
{
	int lock;

	*path_out = arena_printf(
	    xl->mem, "%s/xl-domain-%u", paths_dir(PATHS_LOCK), domid);
	lock = paths_mkdir(PATHS_LOCK) == 0
		   ? lock_wait(*path_out, LOCK_MS, NULL)
		   : -1;
	if (lock < 0)
		xl_error(xl, "%s: %s", *path_out, strerror(errno));
	return lock;
}

int
create_undo(struct xl *xl, uint32_t domid)
{
	char *path;
	int lock, ret;

	if (xl_need_info(xl) != 0 || xl_need_hv(xl) != 0 ||
	    xl_need_store(xl) != 0)
		return -1;
	lock = create_lock_domain(xl, domid, &path);
	if (lock < 0)
		return -1;
	ret = undo_locked(xl, domid);
	lock_release(lock, path);
	return ret;
}
