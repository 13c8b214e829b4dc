/*
 * A backend's side of a ring that survives the death of its process. Knows
 * abi/io/ring.h and a journal; knows nothing of what the slots mean.
 *
 * A response overwrites the slot of a request. A process that dies between
 * writing responses and publishing them has thus destroyed requests that its
 * successor must execute again. So every request is copied to the journal (in
 * memory that outlives the process) before its slot may be reused, and the
 * successor takes unanswered requests from there. Responses are given in the
 * order of the requests; executing a request twice must be harmless.
 */
#ifndef HV_DOM0_BACKRING_H
#define HV_DOM0_BACKRING_H

#include "abi/io/ring.h"

#define BACKRING_SLOTS_MAX 256
#define BACKRING_BYTES_MAX 4096

/* Shared memory, zeroed before a ring's first use; only backring.c looks at
 * it. No other domain can see it. */
struct backring_journal {
	RING_IDX taken; /* requests before this one are in slots or answered */
	RING_IDX done;	/* responses before this one are published */
	uint8_t slots[BACKRING_BYTES_MAX];
};

struct backring {
	struct ring_back ring;
	struct backring_journal *journal;
};

/* Takes the ring in PAGE (4096 bytes) in use, where the journal says. */
void backring_init(struct backring *r, void *page, size_t slot_size,
    struct backring_journal *journal);

/* Requests to take, those of the journal included; or RING_BROKEN. */
int backring_pending(const struct backring *r);

/* Copies the first LEN bytes of the next request. Only after backring_pending
 * said that there is one. */
void backring_take(struct backring *r, void *out, size_t len);

/* Adds the response to the oldest unanswered request. */
void backring_put(struct backring *r, const void *rsp, size_t len);

/* Publishes the responses; true: the frontend wants an event. */
bool backring_push(struct backring *r);

/* Asks for an event at the next request and looks again; true: don't sleep. */
bool backring_final_check(struct backring *r);

#endif
