#include "cfg.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void
print_string(FILE *out, const char *text)
{
	const unsigned char *p;

	putc('"', out);
	for (p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\x%02x", *p);
		else
			putc(*p, out);
	}
	putc('"', out);
}

static void
print_value(FILE *out, const struct cfg_value *v)
{
	switch (v->kind) {
	case CFG_NONE:
		fputs("None", out);
		break;
	case CFG_STRING:
		print_string(out, v->text);
		break;
	case CFG_NUMBER:
		fputs(v->text, out);
		break;
	case CFG_LIST:
		fputs("[ ", out);
		for (size_t i = 0; i < v->items; i++) {
			print_value(out, v->item[i]);
			fputs(i + 1 < v->items ? ", " : " ", out);
		}
		putc(']', out);
		break;
	}
}

char *
cfg_print(const struct cfg *c)
{
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	for (size_t i = 0; i < c->entries; i++) {
		if (c->entry[i].value == NULL)
			continue;
		fprintf(out, "%s = ", c->entry[i].key);
		print_value(out, c->entry[i].value);
		putc('\n', out);
	}
	fclose(out);
	copy = arena_strndup(c->mem, text, len);
	free(text);
	return copy;
}
