/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an image, whose length and checksum are put right first, so that
 * what lies behind them is reached. What is not refused is a sound state: all
 * accounting is right, it can be used, and its own image is taken again and
 * gives the same bytes.
 */
#include "fuzz.h"

/* clang-format off */
#include "use.h"
#include "xenstored/image.h"
#include "xenstored/image_io.h"
#include "quiet.h"
/* clang-format on */

enum { MAX = 64 * 1024 };

static char bytes[MAX];

static void
put_right(size_t len)
{
	struct image head = { bytes, 16, MAX, false };

	put_u64(&head, len);
	head.len = IMAGE_HEADER_SIZE - 8;
	put_u64(&head, image_sum(bytes, len));
}

static void
again(struct state *st, const struct state_env *env)
{
	char why[IMAGE_WHY_SIZE];
	struct image first, second;
	struct state *other;

	must(image_export(st, NULL, &first));
	other = image_import(first.data, first.len, env, NULL, why);
	must(other != NULL);
	must(image_export(other, NULL, &second));
	must(first.len == second.len &&
	     memcmp(first.data, second.data, first.len) == 0);
	image_free(&first);
	image_free(&second);
	state_free(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct h h;
	char why[IMAGE_WHY_SIZE] = "";
	struct state *st;

	h_use_all();
	if (h.st == NULL)
		h_start(&h);
	if (size < IMAGE_HEADER_SIZE || size > MAX)
		return 0;
	memcpy(bytes, data, size);
	put_right(size);
	st = image_import(bytes, size, &h.env, NULL, why);
	if (st == NULL) {
		must(why[0] != '\0');
		return 0;
	}
	must(state_check(st) == NULL);
	again(st, &h.env);
	state_use(st);
	must(state_check(st) == NULL);
	state_free(st);
	return 0;
}
