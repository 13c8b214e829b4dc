/*
 * Worker processes, seen from the dom0 kernel: one per connected device, so
 * that a guest can only exhaust or crash what serves itself.
 *
 * Knows processes and service.h's messages; knows no store and no device
 * states. What to do when a worker dies is decided by who started it.
 */
#ifndef HV_DOM0_WORKER_H
#define HV_DOM0_WORKER_H

#include <sys/types.h>

#include "hv-core/dom0/service.h"

struct worker;

enum worker_event {
	WORKER_READY,	/* it serves */
	WORKER_FAILED,	/* it gave up: ERR and TEXT say why; the process is gone
			 */
	WORKER_DIED,	/* killed or crashed; TEXT says how */
	WORKER_STOPPED, /* it ended after worker_stop() */
};

/* Called from worker_handle() only. After every event but WORKER_READY the
 * worker is freed as soon as the function returns. */
typedef void worker_fn(
    void *arg, enum worker_event event, int err, const char *text);

/* Forks a worker for SPEC (copied; its descriptor and its journals stay the
 * caller's and must live on). NULL with errno. */
struct worker *worker_start(
    const struct service_spec *spec, worker_fn *fn, void *arg);

/* Readable when worker_handle() has something to do. Whoever watches it must
 * cease to when the worker ends: closing alone does not end an epoll's
 * interest, since a process just forked may hold a copy for a moment. */
int worker_fd(const struct worker *worker);

/* The process. */
pid_t worker_pid(const struct worker *worker);

/* Takes one message, or the worker's end, and calls the function. */
void worker_handle(struct worker *worker);

/* Asks it to finish what is on its rings and end. Again is harmless. */
void worker_stop(struct worker *worker);

/* Ends it now, whatever it is doing; WORKER_STOPPED or WORKER_DIED follows. */
void worker_kill(struct worker *worker);

#endif
