/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console ring while the guest rewrites its page at each access that the
 * console daemon makes to an index.
 */
#include "fuzz.h"

#include "abi/io/console.h"

static struct xencons_interface *shared;
static struct script guest;

/* What the guest does now. */
static void
guest_acts(void)
{
	uint32_t *word = &shared->in_cons;
	uint8_t what = script_byte(&guest);

	switch (what % 8) {
	case 1:
		word[what >> 3 & 3] = script_word(&guest);
		break;
	case 2:
		word[what >> 3 & 3] += script_byte(&guest);
		break;
	case 3:
		shared->out_prod =
		    shared->out_cons + script_short(&guest) % 2200;
		break;
	case 4:
		shared->in_cons = shared->in_prod - script_short(&guest) % 1100;
		break;
	case 5:
		memset(shared->out, what, sizeof(shared->out));
		break;
	default:
		break;
	}
}

static uint32_t
guest_load(const uint32_t *word)
{
	uint32_t value;

	guest_acts();
	value = *word;
	guest_acts();
	return value;
}

#define __atomic_load_n(word, order) guest_load(word)
#include "tools/xenconsoled/ring.c"
#undef __atomic_load_n

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[3000];
	struct ring ring;
	size_t ask;
	int n;

	/* of its own size, for the address sanitizer */
	shared = calloc(1, sizeof(*shared));
	must(shared != NULL);
	guest = (struct script){ data, size };
	ring_attach(&ring, shared);
	while (guest.left > 0) {
		ask = script_short(&guest) % sizeof(buf);
		memset(buf, 'k', sizeof(buf));
		if (script_byte(&guest) % 2 == 0) {
			n = ring_take(&ring, buf, ask);
			must(n == RING_BROKEN ||
			     (n >= 0 && (size_t)n <= ask && n <= OUT_SIZE));
			must(n < 0 || buf[n] == 'k');
		} else {
			n = ring_give(&ring, buf, ask);
			must(n == RING_BROKEN ||
			     (n >= 0 && (size_t)n <= ask && n <= IN_SIZE));
		}
		must(ring.page == shared);
	}
	free(shared);
	return 0;
}
