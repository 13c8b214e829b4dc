/* SPDX-License-Identifier: BSD-2-Clause */
#include "txns.h"

#include <stdlib.h>

struct txn {
	struct txn *next;
	uint32_t id;   /* the user's */
	uint32_t wire; /* the server's; 0: none */
	bool lost;
};

static struct txn *
lookup(const struct txns *t, uint32_t id)
{
	struct txn *txn = t->list;

	while (txn != NULL && txn->id != id)
		txn = txn->next;
	return txn;
}

uint32_t
txns_add(struct txns *t, uint32_t wire)
{
	struct txn *txn = malloc(sizeof(*txn));
	uint32_t id = wire;

	if (txn == NULL)
		return 0;
	while (id == 0 || lookup(t, id) != NULL)
		id--; /* from the top: servers count up */
	*txn = (struct txn){ .next = t->list, .id = id, .wire = wire };
	t->list = txn;
	return id;
}

enum txns_state
txns_find(const struct txns *t, uint32_t id, uint32_t *wire_out)
{
	const struct txn *txn = lookup(t, id);

	*wire_out = txn != NULL ? txn->wire : id;
	if (txn == NULL)
		return TXNS_UNKNOWN;
	return txn->lost ? TXNS_LOST : TXNS_OPEN;
}

void
txns_replace(struct txns *t, uint32_t id, uint32_t wire)
{
	struct txn *txn = lookup(t, id);

	if (txn != NULL)
		txn->wire = wire;
}

void
txns_drop(struct txns *t, uint32_t id)
{
	struct txn **p = &t->list;

	while (*p != NULL && (*p)->id != id)
		p = &(*p)->next;
	if (*p != NULL) {
		struct txn *gone = *p;

		*p = gone->next;
		free(gone);
	}
}

void
txns_lose(struct txns *t)
{
	for (struct txn *txn = t->list; txn != NULL; txn = txn->next) {
		txn->lost = true;
		txn->wire = 0;
		t->lost_any = true;
	}
}

void
txns_free(struct txns *t)
{
	while (t->list != NULL)
		txns_drop(t, t->list->id);
}
