#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vdev.h"

#include "abi/io/xenbus.h"

char *
device_describe(struct store *st, struct arena *mem, const struct device *dev)
{
	const char *mirror = device_mirror(mem, dev), *what;
	char name[VDEV_NAME_MAX];

	if (dev->kind == DEVICE_VIF) {
		what = store_read_in(st, mem, mirror, "bridge");
		return arena_printf(mem, "vif %u%s%s%s", dev->devid,
		    what != NULL ? " (bridge " : "", what != NULL ? what : "",
		    what != NULL ? ")" : "");
	}
	vdev_format(dev->devid, name);
	what = store_read_in(st, mem, mirror, "params");
	return arena_printf(mem, "disk %s%s%s%s", name,
	    what != NULL ? " (" : "", what != NULL ? what : "",
	    what != NULL ? ")" : "");
}

static int
by_number(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return x->devid < y->devid ? -1 : x->devid > y->devid;
}

struct device *
device_list(struct store *st, struct arena *mem, uint32_t domid,
    enum device_kind kind, size_t *count_out)
{
	const char *dir = arena_printf(
	    mem, "/libxl/%u/device/%s", domid, device_kind_name(kind));
	size_t count;
	char **names = store_list(st, mem, dir, &count);
	struct device *dev = arena_zalloc(mem, (count + 1) * sizeof(*dev));

	for (size_t i = 0; i < count; i++)
		dev[i] = (struct device){ kind, domid,
			(uint32_t)strtoul(names[i], NULL, 10) };
	qsort(dev, count, sizeof(*dev), by_number);
	*count_out = count;
	return dev;
}

struct device *
device_list_all(
    struct store *st, struct arena *mem, uint32_t domid, size_t *count_out)
{
	size_t disks, vifs;
	struct device *disk = device_list(st, mem, domid, DEVICE_VBD, &disks);
	struct device *vif = device_list(st, mem, domid, DEVICE_VIF, &vifs);
	struct device *all =
	    arena_zalloc(mem, (disks + vifs + 1) * sizeof(*all));

	memcpy(all, disk, disks * sizeof(*all));
	memcpy(all + disks, vif, vifs * sizeof(*all));
	*count_out = disks + vifs;
	return all;
}

/* What several devices are waited for. */
struct wait {
	struct store *st;
	struct arena *mem;
	const struct device *dev;
	size_t count;
	size_t pending;	 /* the first that is not there yet */
	const char *why; /* an error, or NULL */
};

/* The backend's state; 0 if it cannot be read. */
static int
backend_state(struct wait *w, const struct device *dev)
{
	const char *text =
	    store_read_in(w->st, w->mem, device_backend(w->mem, dev), "state");

	return text != NULL ? atoi(text) : 0;
}

static const char *
hotplug_status(struct wait *w, const struct device *dev)
{
	const char *text = store_read_in(
	    w->st, w->mem, device_backend(w->mem, dev), "hotplug-status");

	return text != NULL ? text : "";
}

/* What the backend itself has to say, or NULL. */
static const char *
backend_error(struct wait *w, const struct device *dev)
{
	return store_read(w->st, w->mem,
	    arena_printf(w->mem, "/local/domain/0/error/backend/%s/%u/%u/error",
		device_kind_name(dev->kind), dev->domid, dev->devid));
}

/* Why DEV has failed, or NULL if it has not. */
static const char *
failure(struct wait *w, const struct device *dev, int state)
{
	const char *text;

	if (strcmp(hotplug_status(w, dev), "error") == 0) {
		text = store_read_in(w->st, w->mem, device_backend(w->mem, dev),
		    "hotplug-error");
		return text != NULL && *text != '\0'
			   ? text
			   : "its hotplug script failed; see xenbackendd's log";
	}
	if (state == 0)
		return "its backend's nodes have disappeared";
	if (state < XenbusStateClosing)
		return NULL;
	text = backend_error(w, dev);
	return text != NULL ? text : "its backend has closed it";
}

static bool
all_ready(void *arg)
{
	struct wait *w = arg;

	for (w->pending = 0; w->pending < w->count; w->pending++) {
		const struct device *dev = &w->dev[w->pending];
		int state = backend_state(w, dev);
		const char *why = failure(w, dev, state);

		if (why != NULL) {
			w->why = arena_printf(w->mem, "%s: %s",
			    device_describe(w->st, w->mem, dev), why);
			return true;
		}
		if (state < XenbusStateInitWait ||
		    strcmp(hotplug_status(w, dev), "connected") != 0)
			return false;
	}
	return true;
}

/* The backend folders of W's devices, ended by NULL. */
static const char **
backend_paths(struct wait *w)
{
	const char **paths =
	    arena_zalloc(w->mem, (w->count + 1) * sizeof(*paths));

	for (size_t i = 0; i < w->count; i++)
		paths[i] = device_backend(w->mem, &w->dev[i]);
	return paths;
}

#define PROGRESS_MS 2000

/* store_wait in two parts, with a word to the user between them. */
static int
wait_ready(struct wait *w, int timeout_ms, void (*progress)(const char *what))
{
	const char **paths = backend_paths(w);
	int first = timeout_ms < PROGRESS_MS ? timeout_ms : PROGRESS_MS;
	int ret = store_wait(w->st, paths, first, all_ready, w);

	if (ret == 0 || errno != ETIMEDOUT || first == timeout_ms)
		return ret;
	if (progress != NULL)
		progress(device_describe(w->st, w->mem, &w->dev[w->pending]));
	return store_wait(w->st, paths, timeout_ms - first, all_ready, w);
}

int
device_wait_ready(struct store *st, struct arena *mem, const struct device *dev,
    size_t count, int timeout_ms, void (*progress)(const char *what),
    const char **why_out)
{
	struct wait w = { .st = st, .mem = mem, .dev = dev, .count = count };

	if (count == 0)
		return 0;
	if (wait_ready(&w, timeout_ms, progress) == 0) {
		*why_out = w.why;
		return w.why == NULL ? 0 : -1;
	}
	if (errno != ETIMEDOUT) {
		*why_out = errno == EINTR ? "interrupted"
					  : arena_printf(mem, "xenstored: %s",
						strerror(errno));
		return -1;
	}
	dev = &w.dev[w.pending];
	*why_out = arena_printf(mem, "%s: no answer from %s within %d s",
	    device_describe(st, mem, dev),
	    backend_state(&w, dev) < XenbusStateInitWait
		? "domain 0's kernel (the backend)"
		: "the hotplug script (is xenbackendd running?)",
	    timeout_ms / 1000);
	return -1;
}

/* A backend has let go if it is closed (or gone) and its script, which removes
 * hotplug-status, has run. */
static bool
all_closed(void *arg)
{
	struct wait *w = arg;

	for (w->pending = 0; w->pending < w->count; w->pending++) {
		const struct device *dev = &w->dev[w->pending];
		int state = backend_state(w, dev);

		if (state == 0)
			continue;
		if (state != XenbusStateClosed ||
		    *hotplug_status(w, dev) != '\0')
			return false;
	}
	return true;
}

/* Whether no frontend has ever taken up DEV: then none will let go of it. */
static bool
frontend_is_absent(
    struct store *st, struct arena *mem, const struct device *dev)
{
	const char *state =
	    store_read_in(st, mem, device_frontend(mem, dev), "state");

	return state == NULL || atoi(state) <= XenbusStateInitialising;
}

static void
ask_to_close(struct store *st, struct arena *mem, const struct device *dev,
    enum device_removal how)
{
	const char *back = device_backend(mem, dev);
	const char *front = device_frontend(mem, dev);
	const char *state = arena_printf(mem, "%s/state", back);
	const struct store_change changes[] = {
		{ arena_printf(mem, "%s/online", back), "0" },
		{ state, "5" },
		{ arena_printf(mem, "%s/state", front), "6" },
	};
	/* One that has closed already would not say so again. */
	const struct store_condition cond = { state, "6" };

	if (frontend_is_absent(st, mem, dev))
		how = DEVICE_GUEST_DEAD;
	store_change(st, &cond, changes, how == DEVICE_GUEST_DEAD ? 3 : 2);
}

/* Removes DIR, and its parent if that is empty then. */
static void
remove_and_prune(struct store *st, struct arena *mem, const char *dir)
{
	const char *slash = strrchr(dir, '/');
	const char *parent = arena_strndup(mem, dir, (size_t)(slash - dir));
	size_t left;

	store_remove(st, dir);
	store_list(st, mem, parent, &left);
	if (left == 0)
		store_remove(st, parent);
}

int
device_remove(struct store *st, struct arena *mem, const struct device *dev,
    size_t count, enum device_removal how, int timeout_ms, const char **why_out)
{
	struct wait w = { .st = st, .mem = mem, .dev = dev, .count = count };
	int ret;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		ask_to_close(st, mem, &dev[i], how);
	ret = store_wait(st, backend_paths(&w), timeout_ms, all_closed, &w);
	if (ret != 0)
		*why_out = arena_printf(mem, "%s: the backend did not close%s",
		    device_describe(st, mem, &dev[w.pending]),
		    errno == ETIMEDOUT ? " in time" : "");
	for (size_t i = 0; i < count; i++) {
		remove_and_prune(st, mem, device_frontend(mem, &dev[i]));
		remove_and_prune(st, mem, device_backend(mem, &dev[i]));
		remove_and_prune(st, mem, device_mirror(mem, &dev[i]));
	}
	return ret;
}
