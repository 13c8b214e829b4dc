#include "json.h"

#include <stdlib.h>
#include <string.h>

/* The length of the UTF-8 sequence at P; 0 if it is none. */
static int
sequence(const unsigned char *p)
{
	int len = *p < 0x80		    ? 1
		  : *p >= 0xc2 && *p < 0xe0 ? 2
		  : *p >= 0xe0 && *p < 0xf0 ? 3
		  : *p >= 0xf0 && *p < 0xf5 ? 4
					    : 0;

	for (int i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

void
json_string(const char *text, FILE *out)
{
	const unsigned char *p = (const unsigned char *)text;

	putc('"', out);
	while (*p != '\0') {
		int len = sequence(p);

		if (*p == '"' || *p == '\\') {
			fprintf(out, "\\%c", *p);
		} else if (*p < 0x20) {
			fprintf(out, "\\u%04x", *p);
		} else if (len == 0) {
			fputs("\\ufffd", out);
			len = 1;
		} else {
			fwrite(p, 1, (size_t)len, out);
		}
		p += len;
	}
	putc('"', out);
}

static void
print_value(const struct cfg_value *v, FILE *out)
{
	switch (v->kind) {
	case CFG_NONE:
		fputs("null", out);
		break;
	case CFG_STRING:
		json_string(v->text, out);
		break;
	case CFG_NUMBER:
		/* Hexadecimal is not JSON. */
		fprintf(out, "%llu", strtoull(v->text, NULL, 0));
		break;
	case CFG_LIST:
		putc('[', out);
		for (size_t i = 0; i < v->items; i++) {
			fputs(i > 0 ? ", " : "", out);
			print_value(v->item[i], out);
		}
		putc(']', out);
		break;
	}
}

void
json_config(const struct cfg *c, FILE *out, int indent)
{
	bool first = true;

	putc('{', out);
	for (size_t i = 0; i < c->entries; i++) {
		if (c->entry[i].value == NULL)
			continue;
		fprintf(out, "%s\n%*s", first ? "" : ",", indent + 4, "");
		json_string(c->entry[i].key, out);
		fputs(": ", out);
		print_value(c->entry[i].value, out);
		first = false;
	}
	fprintf(out, "\n%*s}", indent, "");
}
