/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/perm.h"

#include <string.h>

#include "common/wire.h"

static const char letters[] = "nrwb"; /* indexed by the bits */

bool
perm_parse(const char *text, struct perm *perm_out)
{
	const char *letter;
	uint64_t domid;

	letter = *text != '\0' ? strchr(letters, *text) : NULL;
	if (letter == NULL || !wire_number(text + 1, UINT32_MAX, &domid))
		return false;
	perm_out->domid = (uint32_t)domid;
	perm_out->bits = (uint8_t)(letter - letters);
	return true;
}

size_t
perm_format(const struct perm *perm, char buf[PERM_TEXT_MAX])
{
	char digits[10];
	uint32_t domid = perm->domid;
	size_t n = 0, len = 1;

	buf[0] = letters[perm->bits & (PERM_READ | PERM_WRITE)];
	do {
		digits[n++] = (char)('0' + domid % 10);
		domid /= 10;
	} while (domid != 0);
	while (n > 0)
		buf[len++] = digits[--n];
	buf[len] = '\0';
	return len;
}
