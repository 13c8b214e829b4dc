/*
 * device: devices of a domain as the store has them: which there are, waiting
 * for their backends, and taking them away again.
 *
 * Knows the walk of states between toolstack, backend and hotplug script;
 * starts no script and touches no disk or interface.
 */
#ifndef XL_DEVICE_H
#define XL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "nodes.h"
#include "store.h"

/* How DEV is called in messages: "disk xvda (/d/a)", in MEM. */
char *device_describe(
    struct store *st, struct arena *mem, const struct device *dev);

/* The disks or interfaces of DOMID, in the order of their numbers, in MEM. */
struct device *device_list(struct store *st, struct arena *mem, uint32_t domid,
    enum device_kind kind, size_t *count_out);

/* Disks and interfaces together. */
struct device *device_list_all(
    struct store *st, struct arena *mem, uint32_t domid, size_t *count_out);

/*
 * Waits until the hotplug scripts of all COUNT devices have succeeded. 0; or
 * -1 and a line in MEM that names the device and says what became of it. After
 * two seconds PROGRESS (may be NULL) is told once what is being waited for.
 */
int device_wait_ready(struct store *st, struct arena *mem,
    const struct device *dev, size_t count, int timeout_ms,
    void (*progress)(const char *what), const char **why_out);

enum device_removal {
	DEVICE_GUEST_ALIVE, /* its frontend is asked to let go */
	DEVICE_GUEST_DEAD,  /* nobody will answer for the frontend */
};

/*
 * Has the backends close, waits for that and for the hotplug scripts, and
 * removes all nodes of the COUNT devices. Nodes that are gone already are
 * fine. A backend that does not answer in TIMEOUT_MS loses its nodes all the
 * same; then the result is -1 and *WHY_OUT names it, else 0.
 */
int device_remove(struct store *st, struct arena *mem, const struct device *dev,
    size_t count, enum device_removal how, int timeout_ms,
    const char **why_out);

#endif
