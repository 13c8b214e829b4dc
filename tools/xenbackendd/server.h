/*
 * The daemon: follows the backend devices in the store, keeps a record of each
 * and has their scripts run. Knows libxenstore and the event loop; what is to
 * be done about a device is decide.h's business, running it script.h's.
 *
 * When the connection to the store ends it is made anew, once a second until it
 * succeeds; nothing is lost, since every connection begins with a sweep over
 * all devices. While /local/domain/0/libxl/disable_udev exists devices are
 * left to others.
 */
#ifndef TOOLS_XENBACKENDD_SERVER_H
#define TOOLS_XENBACKENDD_SERVER_H

struct event_base;
struct server;

struct server_config {
	const char *vbd_script; /* for vbds without a script node */
	const char *vif_script; /* for vifs without one */
	unsigned timeout_ms;	/* of a script */
	unsigned parallel;	/* scripts at a time */
	unsigned reconnect_ms;
};

/* Connects to the store and handles what is there. CONFIG must live on. NULL
 * with errno if the store cannot be reached. */
struct server *server_new(
    struct event_base *base, const struct server_config *config);

/* Ends scripts that run. NULL is allowed. */
void server_free(struct server *server);

/* Where the scripts' output goes: a descriptor, or -1 for stderr. */
void server_set_output(struct server *server, int fd);

/* Logs what was done so far. */
void server_report(const struct server *server);

#endif
