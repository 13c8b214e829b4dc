/*
 * What a worker process does: serves one connected device until it is told to
 * stop. Knows rings, event channels and grants; knows no store.
 *
 * The parent's side of it is worker.h. The two talk over a SEQPACKET socket:
 * the worker sends struct service_msg, the parent one byte to stop it.
 */
#ifndef HV_DOM0_SERVICE_H
#define HV_DOM0_SERVICE_H

#include <stdint.h>

#include "hv-core/dom0/backring.h"

enum service_kind { SERVICE_VBD, SERVICE_VIF };

#define SERVICE_NAME_MAX 32

/* One connection of a frontend. */
struct service_spec {
	enum service_kind kind;
	char name[SERVICE_NAME_MAX];
	uint32_t domid;
	uint32_t port;			     /* the frontend's event channel */
	uint32_t ref[2];		     /* vbd: the ring; vif: tx and rx */
	struct backring_journal *journal[2]; /* in shared memory */
	int fd;				     /* the image, or the tap */
	uint64_t sectors;		     /* vbd only, like the next */
	int readonly;
	int keep;   /* vif: a reference means the same page for ever */
	int resume; /* a predecessor died on these rings */
};

enum service_report {
	SERVICE_READY,	/* the rings are mapped, requests are served */
	SERVICE_FAILED, /* it cannot go on; the process ends */
};

struct service_msg {
	int32_t report;
	int32_t err; /* SERVICE_FAILED: errno value */
	char text[160];
};

/* Serves SPEC; CONTROL is the socket to the parent. The process's exit status:
 * 0 after a stop (or the parent's death), 1 after SERVICE_FAILED. */
int service_run(const struct service_spec *spec, int control);

#endif
