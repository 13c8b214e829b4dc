/*
 * Reading boot.cfg.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/hosted/boot/bootcfg.h"

static void
note(struct bootcfg *cfg, unsigned line, const char *what)
{
	if (cfg->nr_notes < BOOTCFG_NOTES)
		cfg->note[cfg->nr_notes++] = (struct bootcfg_note){
			line,
			what,
		};
}

static void
take_menu(struct bootcfg *cfg, unsigned line, char *value)
{
	char *colon = strchr(value, ':');
	struct bootcfg_entry *e;

	if (colon == NULL) {
		note(cfg, line,
		    "menu line without a colon is dropped; "
		    "menu=TEXT:COMMANDS is right");
		return;
	}
	if (cfg->nr_entries == BOOTCFG_ENTRIES) {
		note(cfg, line, "more than 20 menu lines: this one is dropped");
		return;
	}
	*colon = '\0';
	e = &cfg->entry[cfg->nr_entries++];
	e->commands = colon + 1;
	e->text = *value != '\0' ? value : e->commands;
	e->line = line;
}

static void
take_banner(struct bootcfg *cfg, unsigned line, char *value)
{
	if (cfg->nr_banners == BOOTCFG_BANNERS)
		note(cfg, line,
		    "more than 12 banner lines: this one is dropped");
	else
		cfg->banner[cfg->nr_banners++] = value;
}

static void
take_load(struct bootcfg *cfg, unsigned line, char *value)
{
	if (cfg->nr_loads == BOOTCFG_LOADS)
		note(cfg, line, "more than 16 load lines: this one is dropped");
	else
		cfg->load[cfg->nr_loads++] = value;
}

static void
take_timeout(struct bootcfg *cfg, unsigned line, char *value)
{
	(void)line;
	if (!isdigit((unsigned char)*value))
		cfg->timeout = BOOTCFG_FOREVER;
	else
		cfg->timeout = atoi(value);
}

static void
take_default(struct bootcfg *cfg, unsigned line, char *value)
{
	int n = atoi(value);

	if (n < 1)
		note(cfg, line, "default counts from 1; 1 is taken");
	cfg->choice = n < 1 ? 1 : (unsigned)n;
}

static void
take_consdev(struct bootcfg *cfg, unsigned line, char *value)
{
	(void)line;
	cfg->consdev = value;
}

static void
take_format(struct bootcfg *cfg, unsigned line, char *value)
{
	switch (*value) {
	case 'a':
	case 'A':
		cfg->format = BOOTCFG_FORMAT_AUTO;
		break;
	case 'n':
	case 'N':
	case 'd':
	case 'D':
		cfg->format = BOOTCFG_FORMAT_NUMBERS;
		break;
	case 'l':
	case 'L':
		cfg->format = BOOTCFG_FORMAT_LETTERS;
		break;
	default:
		note(cfg, line,
		    "format is a(uto), n(umbers) or l(etters); left as it was");
	}
}

static void
take_clear(struct bootcfg *cfg, unsigned line, char *value)
{
	(void)line;
	cfg->clear = atoi(value) != 0;
}

static void
take_userconf(struct bootcfg *cfg, unsigned line, char *value)
{
	/* For the kernel of an entry without a hypervisor only. */
	(void)cfg;
	(void)line;
	(void)value;
}

static void
take_command(struct bootcfg *cfg, unsigned line, const char *key, char *value)
{
	if (cfg->nr_commands == BOOTCFG_COMMANDS) {
		note(cfg, line, "too many commands: this one is dropped");
		return;
	}
	cfg->command[cfg->nr_commands++] = (struct bootcfg_command){
		key,
		value,
		line,
	};
}

/* The first one that the line's key begins with counts. */
static const struct key {
	const char *name;
	void (*take)(struct bootcfg *cfg, unsigned line, char *value);
} keys[] = {
	{ "menu", take_menu },
	{ "banner", take_banner },
	{ "timeout", take_timeout },
	{ "default", take_default },
	{ "consdev", take_consdev },
	{ "load", take_load },
	{ "format", take_format },
	{ "clear", take_clear },
	{ "userconf", take_userconf },
};

static void
parse_line(struct bootcfg *cfg, unsigned line, char *text)
{
	char *value;

	text[strcspn(text, "#")] = '\0';
	value = strchr(text, '=');
	if (value == NULL)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		size_t n = strlen(keys[i].name);

		if (strncmp(text, keys[i].name, n) != 0)
			continue;
		if (text[n] == ' ' || text[n] == '\t')
			note(cfg, line,
			    "blank before '=': blanks are not trimmed");
		keys[i].take(cfg, line, value);
		return;
	}
	take_command(cfg, line, text, value);
}

void
bootcfg_parse(struct bootcfg *cfg, char *text)
{
	unsigned line = 0;

	memset(cfg, 0, sizeof(*cfg));
	cfg->timeout = BOOTCFG_TIMEOUT;
	cfg->format = BOOTCFG_FORMAT_AUTO;
	while (text != NULL) {
		char *end = strchr(text, '\n');

		if (end != NULL)
			*end++ = '\0';
		parse_line(cfg, ++line, text);
		text = end;
	}
	if (cfg->choice > cfg->nr_entries) {
		note(
		    cfg, 0, "default is beyond the last entry, which is taken");
		cfg->choice = cfg->nr_entries;
	}
	if (cfg->choice == 0 && cfg->nr_entries > 0)
		cfg->choice = 1;
}

int
bootcfg_letters(const struct bootcfg *cfg)
{
	return cfg->format == BOOTCFG_FORMAT_LETTERS ||
	       (cfg->format == BOOTCFG_FORMAT_AUTO && cfg->nr_entries > 9);
}

const struct bootcfg_entry *
bootcfg_default(const struct bootcfg *cfg)
{
	return cfg->choice > 0 ? &cfg->entry[cfg->choice - 1] : NULL;
}

static const struct bootcfg_entry *
entry_number(const struct bootcfg *cfg, unsigned long n)
{
	return n >= 1 && n <= cfg->nr_entries ? &cfg->entry[n - 1] : NULL;
}

const struct bootcfg_entry *
bootcfg_find(const struct bootcfg *cfg, const char *which)
{
	char *end;

	for (unsigned i = 0; i < cfg->nr_entries; i++)
		if (strcmp(cfg->entry[i].text, which) == 0)
			return &cfg->entry[i];
	if (isdigit((unsigned char)*which)) {
		unsigned long n = strtoul(which, &end, 10);

		return *end == '\0' ? entry_number(cfg, n) : NULL;
	}
	if (bootcfg_letters(cfg) && which[0] >= 'a' && which[0] <= 'z' &&
	    which[1] == '\0')
		return entry_number(cfg, (unsigned long)(which[0] - 'a') + 1);
	return NULL;
}
