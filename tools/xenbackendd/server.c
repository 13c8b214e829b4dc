#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "tools/common/log.h"
#include "tools/common/paths.h"
#include "tools/xenbackendd/decide.h"
#include "tools/xenbackendd/nodes.h"
#include "tools/xenbackendd/script.h"
#include "tools/xenbackendd/server.h"
#include "xenstore.h"

#define WATCH_TOKEN "backend"
#define DISABLED_PATH "/local/domain/0/libxl/disable_udev"
#define PATH_SIZE XENSTORE_ABS_PATH_MAX

struct device {
	struct server *server;
	struct device *next;
	char *path;   /* its folder */
	char *script; /* as last read; needed when the nodes have gone */
	enum decide_phase phase;
	enum decide_action running; /* ACTION_NONE when no script runs */
};

struct server {
	struct event_base *base;
	const struct server_config *config;
	struct xs_handle *xs; /* NULL while there is no connection */
	struct event *xs_event;
	struct event *retry;
	struct script_runner *runner;
	struct device *devices;
	size_t attached, detached, failed, reconnected;
};

static void device_check(struct device *dev);

/* -------------------------------------------------------- the store ------- */

static void
store_lost(struct server *s)
{
	struct timeval tv = {
		.tv_sec = s->config->reconnect_ms / 1000,
		.tv_usec = s->config->reconnect_ms % 1000 * 1000,
	};

	if (s->xs == NULL)
		return;
	log_warnx("lost the connection to xenstored; trying again");
	event_free(s->xs_event);
	s->xs_event = NULL;
	xs_close(s->xs);
	s->xs = NULL;
	evtimer_add(s->retry, &tv);
}

/* ---------------------------------------------------------- devices ------- */

static struct device *
device_find(struct server *s, const char *path, size_t len)
{
	struct device *dev;

	for (dev = s->devices; dev != NULL; dev = dev->next)
		if (strncmp(dev->path, path, len) == 0 &&
		    dev->path[len] == '\0')
			break;
	return dev;
}

/* The record of the device at PATH, made if it is missing. NULL: no memory. */
static struct device *
device_get(struct server *s, const char *path, size_t len)
{
	struct device *dev = device_find(s, path, len);

	if (dev != NULL)
		return dev;
	dev = calloc(1, sizeof(*dev));
	if (dev == NULL)
		return NULL;
	dev->path = strndup(path, len);
	if (dev->path == NULL) {
		free(dev);
		return NULL;
	}
	dev->server = s;
	dev->next = s->devices;
	s->devices = dev;
	return dev;
}

static void
device_forget(struct device *dev)
{
	struct device **link = &dev->server->devices;

	while (*link != dev)
		link = &(*link)->next;
	*link = dev->next;
	free(dev->path);
	free(dev->script);
	free(dev);
}

/* The script for a device of this type that names none; NULL: it needs none. */
static const char *
default_script(const struct device *dev)
{
	const char *type = dev->path + sizeof(DECIDE_ROOT);

	if (strncmp(type, "vbd/", 4) == 0)
		return dev->server->config->vbd_script;
	if (strncmp(type, "vif/", 4) == 0)
		return dev->server->config->vif_script;
	return NULL;
}

/* Sets dev->script; it stays as it was when the node cannot be read. */
static void
device_read_script(struct device *dev)
{
	char *name = nodes_read(dev->server->xs, dev->path, "script");
	const char *use = name != NULL && *name != '\0' ? name : NULL;
	char path[PATH_SIZE];
	char *copy;

	if (use == NULL && dev->script == NULL)
		use = default_script(dev);
	if (use == NULL) {
		free(name);
		return;
	}
	if (*use != '/' &&
	    paths_join(path, sizeof(path), PATHS_SCRIPT, "%s", use) == 0)
		use = path;
	copy = strdup(use);
	free(name);
	if (copy == NULL)
		return;
	free(dev->script);
	dev->script = copy;
}

/* What the script left unsaid is said here: connected, or why it failed. */
static void
device_conclude(struct device *dev, const char *why)
{
	static const char *const nodes[] = { "hotplug-status",
		"hotplug-error" };
	const char *values[] = { why == NULL ? "connected" : "error", why };
	char *said = nodes_read(dev->server->xs, dev->path, "hotplug-status");
	int unsaid = said == NULL || *said == '\0';

	if (why != NULL && said != NULL && strcmp(said, "connected") == 0)
		unsaid = 1;
	free(said);
	if (unsaid &&
	    nodes_write(dev->server->xs, dev->path, why == NULL ? 1 : 2, nodes,
		values) != 0 &&
	    errno != ENOENT)
		log_warn("%s: cannot write hotplug-status", dev->path);
}

static void
device_done(void *arg, const char *why)
{
	struct device *dev = arg;
	struct server *s = dev->server;

	if (why != NULL) {
		log_warnx("%s: %s", dev->path, why);
		s->failed++;
	}
	if (dev->running == ACTION_ATTACH) {
		dev->phase = why == NULL ? PHASE_ATTACHED : PHASE_FAILED;
		s->attached += why == NULL;
		device_conclude(dev, why);
	} else {
		dev->phase = PHASE_DETACHED;
		s->detached += why == NULL;
		nodes_remove(s->xs, dev->path, "hotplug-status");
	}
	dev->running = ACTION_NONE;
	/* Its nodes may have changed while the script ran. */
	device_check(dev);
}

static void
device_run(struct device *dev, enum decide_action action)
{
	const char *arg = action == ACTION_ATTACH ? "2" : "6";

	log_debug("%s: %s %s", dev->path, dev->script, arg);
	dev->running = action;
	if (script_run(dev->server->runner, dev->script, dev->path, arg,
		device_done, dev) != 0)
		device_done(dev, strerror(errno));
}

/* Reads the device's nodes. 0, or -1 if the connection has ended. The caller
 * frees *STATUS_OUT, which VIEW points to. */
static int
device_view(struct device *dev, struct decide_view *view, char **status_out)
{
	char *state = nodes_read(dev->server->xs, dev->path, "state");

	*status_out = NULL;
	view->hotplug_status = "";
	view->state = 0;
	view->exists = state != NULL;
	if (state == NULL)
		return errno == ENOENT ? 0 : -1;
	if (state[0] >= '0' && state[0] <= '9' && state[1] == '\0')
		view->state = (unsigned)(state[0] - '0');
	free(state);
	*status_out = nodes_read(dev->server->xs, dev->path, "hotplug-status");
	if (*status_out == NULL && nodes_disconnected())
		return -1;
	if (*status_out != NULL)
		view->hotplug_status = *status_out;
	return 0;
}

static void
device_check(struct device *dev)
{
	struct decide_view view;
	enum decide_action action;
	char *status;

	if (dev->running != ACTION_NONE)
		return; /* device_done looks again */
	if (device_view(dev, &view, &status) != 0) {
		if (nodes_disconnected())
			store_lost(dev->server);
		free(status);
		return;
	}
	action = decide(&view, &dev->phase);
	free(status);
	if (view.exists)
		device_read_script(dev);
	/* A script may have written to a device that was removed meanwhile. */
	if (action == ACTION_FORGET && dev->phase == PHASE_DETACHED)
		nodes_clear(dev->server->xs, dev->path);
	if (action == ACTION_FORGET || (!view.exists && dev->script == NULL))
		device_forget(dev);
	else if (action != ACTION_NONE && dev->script != NULL)
		device_run(dev, action);
}

/* ---------------------------------------------------------- watching ------ */

/* The children of PATH; NULL (and 0) if there are none. */
static char **
children(struct server *s, const char *path, unsigned *count_out)
{
	*count_out = 0;
	if (s->xs == NULL)
		return NULL;
	return xs_directory(s->xs, XBT_NULL, path, count_out);
}

/* Makes records of all devices at or below PATH, which is DEPTH levels below
 * the root, and looks at each. */
static void
sweep_new(struct server *s, const char *path, unsigned depth)
{
	unsigned count;
	char **names;
	char below[PATH_SIZE];

	if (depth == 3) {
		struct device *dev = device_get(s, path, strlen(path));

		if (dev != NULL)
			device_check(dev);
		return;
	}
	names = children(s, path, &count);
	for (unsigned i = 0; i < count; i++) {
		snprintf(below, sizeof(below), "%s/%s", path, names[i]);
		sweep_new(s, below, depth + 1);
	}
	free(names);
}

/* Looks at known devices at or below PATH: they may have gone. */
static void
sweep_known(struct server *s, const char *path)
{
	size_t len = strlen(path);
	struct device *dev, *next;

	for (dev = s->devices; dev != NULL; dev = next) {
		next = dev->next;
		if (strncmp(dev->path, path, len) == 0 &&
		    (dev->path[len] == '/' || dev->path[len] == '\0'))
			device_check(dev);
	}
}

static unsigned
path_depth(const char *path)
{
	unsigned depth = 0;

	for (path += sizeof(DECIDE_ROOT) - 1; *path != '\0'; path++)
		depth += *path == '/';
	return depth;
}

static int
disabled(struct server *s)
{
	char *value = xs_read(s->xs, XBT_NULL, DISABLED_PATH, NULL);

	free(value);
	return value != NULL;
}

static void
path_changed(struct server *s, const char *path)
{
	size_t len;
	struct device *dev;

	switch (decide_scope(path, &len)) {
	case SCOPE_OTHER:
		return;
	case SCOPE_ABOVE:
		if (disabled(s))
			return;
		sweep_known(s, path);
		sweep_new(s, path, path_depth(path));
		return;
	case SCOPE_DEVICE:
		if (disabled(s))
			return;
		dev = device_get(s, path, len);
		if (dev != NULL)
			device_check(dev);
		return;
	}
}

static void
store_readable(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	char **event;

	(void)fd;
	(void)what;
	while (s->xs != NULL) {
		event = xs_check_watch(s->xs);
		if (event == NULL) {
			if (errno != EAGAIN)
				store_lost(s);
			return;
		}
		path_changed(s, event[XS_WATCH_PATH]);
		free(event);
	}
}

/* Connects; the watch's first event starts the sweep. 0, or -1 with errno. */
static int
store_connect(struct server *s)
{
	/* a loss is noticed here, where the loop goes on meanwhile */
	struct xs_handle *xs = xs_open(XS_OPEN_NO_RECONNECT);
	int fd, err;

	if (xs == NULL)
		return -1;
	fd = xs_fileno(xs);
	if (fd < 0 || !xs_watch(xs, DECIDE_ROOT, WATCH_TOKEN))
		goto fail;
	s->xs_event =
	    event_new(s->base, fd, EV_READ | EV_PERSIST, store_readable, s);
	if (s->xs_event == NULL || event_add(s->xs_event, NULL) != 0)
		goto fail;
	s->xs = xs;
	/* Events that came with the watch's reply don't wake the loop. */
	event_active(s->xs_event, EV_READ, 0);
	return 0;

fail:
	err = errno;
	if (s->xs_event != NULL)
		event_free(s->xs_event);
	s->xs_event = NULL;
	xs_close(xs);
	errno = err;
	return -1;
}

static void
store_retry(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	struct timeval tv = {
		.tv_sec = s->config->reconnect_ms / 1000,
		.tv_usec = s->config->reconnect_ms % 1000 * 1000,
	};

	(void)fd;
	(void)what;
	if (store_connect(s) != 0) {
		evtimer_add(s->retry, &tv);
		return;
	}
	s->reconnected++;
	log_info("connected to xenstored again");
	sweep_known(s, DECIDE_ROOT);
}

/* ------------------------------------------------------------- whole ------ */

struct server *
server_new(struct event_base *base, const struct server_config *config)
{
	struct script_limits limits = {
		.timeout_ms = config->timeout_ms,
		.parallel = config->parallel,
	};
	struct server *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return NULL;
	s->base = base;
	s->config = config;
	s->retry = evtimer_new(base, store_retry, s);
	s->runner = script_runner_new(base, &limits);
	if (s->retry == NULL || s->runner == NULL || store_connect(s) != 0) {
		err = errno;
		server_free(s);
		errno = err;
		return NULL;
	}
	return s;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	script_runner_free(s->runner);
	while (s->devices != NULL)
		device_forget(s->devices);
	if (s->xs_event != NULL)
		event_free(s->xs_event);
	if (s->retry != NULL)
		event_free(s->retry);
	if (s->xs != NULL)
		xs_close(s->xs);
	free(s);
}

void
server_set_output(struct server *s, int fd)
{
	script_runner_set_output(s->runner, fd);
}

void
server_report(const struct server *s)
{
	size_t known = 0;

	for (const struct device *dev = s->devices; dev != NULL;
	     dev = dev->next)
		known++;
	log_info("%zu devices, %zu scripts at work; %zu attached, "
		 "%zu detached, %zu failed, %zu reconnections",
	    known, script_runner_busy(s->runner), s->attached, s->detached,
	    s->failed, s->reconnected);
}
