/*
 * Any bytes as a domain's configuration: parsed, read as a domain, printed;
 * what is printed must parse to the same text again. For libFuzzer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/xl/arena.h"
#include "tools/xl/cfg.h"
#include "tools/xl/diag.h"
#include "tools/xl/domcfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
no_chance(void *arg, void *buf, size_t len)
{
	(void)arg;
	memset(buf, 0x42, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct domcfg_defaults dflt = { "dom", "/cwd", "bridge0",
		NULL };
	struct arena *mem = arena_new();
	struct diag *diag = diag_new(mem);
	struct cfg *c = cfg_new(mem, diag), *again = cfg_new(mem, diag);
	struct domcfg d;
	const char *text;

	if (cfg_parse(c, "fuzz", (const char *)data, size) == 0) {
		text = cfg_print(c);
		if (strlen(text) < CFG_MAX_BYTES &&
		    (cfg_parse(again, "again", text, strlen(text)) != 0 ||
			strcmp(cfg_print(again), text) != 0))
			abort();
		if (domcfg_read(c, &dflt, &d) == 0) {
			domcfg_complete(&d, no_chance, NULL);
			domcfg_seal(&d, c);
			if (domcfg_read(c, &dflt, &d) != 0)
				abort();
		}
	}
	arena_free(mem);
	return 0;
}
