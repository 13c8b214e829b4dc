/*
 * boot.cfg(5): the text, as the boot program reads it.
 *
 * Pure: text in, pointers into that text out. Knows the file's grammar, not
 * what the commands of an entry do (plan.h), nor any file.
 *
 * A line is KEY=VALUE. '#' cuts the rest of a line, also inside a value; a line
 * without '=' says nothing; blanks are never trimmed. Keys are recognised by
 * how they begin ("menu2=" is a menu line); a line whose key is not known is a
 * command for the boot program.
 */
#ifndef HV_HOSTED_BOOT_BOOTCFG_H
#define HV_HOSTED_BOOT_BOOTCFG_H

#define BOOTCFG_ENTRIES 20
#define BOOTCFG_BANNERS 12
#define BOOTCFG_COMMANDS 32
#define BOOTCFG_LOADS 16
#define BOOTCFG_NOTES 32

#define BOOTCFG_TIMEOUT 10
#define BOOTCFG_FOREVER (-1)

/* One menu line. */
struct bootcfg_entry {
	const char *text;     /* what the menu shows */
	const char *commands; /* separated by ';' */
	unsigned line;
};

/* key=value of a line that is none of the known ones. */
struct bootcfg_command {
	const char *key;
	const char *value;
	unsigned line;
};

/* A line that the boot program would drop or misread without a word. */
struct bootcfg_note {
	unsigned line;
	const char *what; /* static text */
};

enum bootcfg_format {
	BOOTCFG_FORMAT_AUTO = 'a',
	BOOTCFG_FORMAT_NUMBERS = 'n',
	BOOTCFG_FORMAT_LETTERS = 'l',
};

struct bootcfg {
	struct bootcfg_entry entry[BOOTCFG_ENTRIES];
	unsigned nr_entries;
	const char *banner[BOOTCFG_BANNERS];
	unsigned nr_banners;
	struct bootcfg_command command[BOOTCFG_COMMANDS];
	unsigned nr_commands;
	const char *load[BOOTCFG_LOADS];
	unsigned nr_loads;
	const char *consdev; /* NULL: not set */
	int timeout;	     /* seconds, or BOOTCFG_FOREVER */
	unsigned choice;     /* default=, from 1, within the entries; 0: none */
	enum bootcfg_format format;
	int clear;
	struct bootcfg_note note[BOOTCFG_NOTES];
	unsigned nr_notes;
};

/*
 * Read TEXT (NUL-terminated), which is cut up and must outlive *CFG. Never
 * fails: what makes no sense is left out and noted, as far as there is room.
 */
void bootcfg_parse(struct bootcfg *cfg, char *text);

/*
 * The entry that WHICH names: its number, its letter if the menu shows letters,
 * or its text. NULL: there is none.
 */
const struct bootcfg_entry *bootcfg_find(
    const struct bootcfg *cfg, const char *which);

/* The entry that is booted if nobody chooses, or NULL: there are no entries. */
const struct bootcfg_entry *bootcfg_default(const struct bootcfg *cfg);

/* Does the menu show letters instead of numbers? */
int bootcfg_letters(const struct bootcfg *cfg);

#endif
