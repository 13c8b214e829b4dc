/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a migration stream. What is not refused is a sound state, which
 * can be used and told as a stream again.
 */
#include "fuzz.h"

/* clang-format off */
#include "use.h"
#include "xenstored/stream.h"
#include "quiet.h"
/* clang-format on */

static void
tell(struct state *st, unsigned version)
{
	struct stream_options options = { .process = { version, 3, 4 },
		.txns = true };
	char why[IMAGE_WHY_SIZE] = "";
	struct image img;

	if (stream_export(st, &options, &img, why)) {
		must(img.len % 8 == 0);
		image_free(&img);
	} else {
		must(why[0] != '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stream_reader reader;
	static struct h h;
	struct stream_process process;
	char why[IMAGE_WHY_SIZE] = "";
	struct state *st;

	h_use_all();
	if (h.st == NULL)
		h_start(&h);
	st = stream_import(
	    data, size, &h.config, &h.env, &reader, &process, why);
	if (st == NULL) {
		must(why[0] != '\0');
		return 0;
	}
	must(state_check(st) == NULL);
	tell(st, 1);
	tell(st, 2);
	state_use(st);
	must(state_check(st) == NULL);
	state_free(st);
	return 0;
}
