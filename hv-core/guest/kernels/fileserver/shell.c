#include "shell.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fs.h"
#include "guest.h"
#include "http.h"
#include "net.h"
#include "xenbus.h"

#define LINE_SIZE 256
#define INPUT_SIZE 1024
#define WORDS_MAX 8
#define TREE_DEPTH 24

static struct xenbus *store;
static char input[INPUT_SIZE]; /* typed, not yet looked at */
static size_t input_len;
static char line[LINE_SIZE];
static size_t line_len;
static bool busy; /* a command goes on (ping, cat): no prompt yet */
static bool pinging;
static enum shell_wish wish;

static void
prompt(void)
{
	guest_printf("# ");
}

static void
on_input(void *arg, int c)
{
	(void)arg;
	if (input_len < sizeof(input))
		input[input_len++] = (char)c;
}

static void
show_mount(void *arg, unsigned int unit, const char *where, enum fs_mode mode,
    uint64_t bytes, uint64_t bytes_free)
{
	(void)arg;
	guest_printf("/dev/xbd%ua on %s type ext2fs (%s), %llu of %llu KiB "
		     "free\n",
	    unit, where, mode == FS_READWRITE ? "read-write" : "read-only",
	    (unsigned long long)bytes_free / 1024,
	    (unsigned long long)bytes / 1024);
}

static void
complain(const char *what, int err)
{
	guest_printf("%s: %s\n", what, strerror(-err));
}

static void
cmd_mount(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fs_mounts(show_mount, NULL);
}

static void
show_entry(void *arg, const char *name, const struct fs_stat *st)
{
	(void)arg;
	guest_printf("%c %12llu %s%s\n", st->type == FS_DIR ? 'd' : '-',
	    (unsigned long long)st->size, name, st->type == FS_DIR ? "/" : "");
}

static void
cmd_ls(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/";
	struct fs_stat st;
	int err = fs_stat(path, &st);

	if (err == 0 && st.type == FS_DIR)
		err = fs_list(path, show_entry, NULL);
	else if (err == 0)
		show_entry(NULL, path, &st);
	if (err != 0)
		complain(path, err);
}

/* A file on its way to the console, which is slower than the disk: as much as
 * the console has room for, then the others have their turn. */
static struct {
	struct fs_file *file; /* NULL: none */
	uint64_t at;
} cat;

static void
cat_end(void)
{
	fs_close(cat.file);
	cat.file = NULL;
	busy = false;
}

static void
cat_more(void)
{
	char buf[1024];
	long n = 1;

	while (n > 0 && console_room() > 2 * sizeof(buf)) {
		n = fs_pread(cat.file, buf, sizeof(buf), cat.at);
		if (n > 0) {
			console_write(buf, (size_t)n);
			cat.at += (uint64_t)n;
		}
	}
	if (n > 0)
		return;
	if (n < 0)
		complain("cat", (int)n);
	cat_end();
	prompt();
}

static void
cmd_cat(int argc, char **argv)
{
	int err;

	if (argc != 2) {
		guest_printf("usage: cat FILE\n");
		return;
	}
	err = fs_open(argv[1], &cat.file);
	if (err != 0) {
		cat.file = NULL;
		complain(argv[1], err);
		return;
	}
	cat.at = 0;
	busy = true;
}

static void
print_line(const char *text)
{
	guest_printf("%s\n", text);
}

static void
cmd_ifconfig(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	net_ifconfig(print_line);
}

static void
ping_done(const char *to, long us)
{
	if (us < 0)
		guest_printf("no answer from %s\n", to);
	else
		guest_printf("64 bytes from %s: time=%ld.%03ld ms\n", to,
		    us / 1000, us % 1000);
	pinging = false;
	if (busy) {
		busy = false;
		prompt();
	}
}

static void
cmd_ping(int argc, char **argv)
{
	int err;

	if (argc != 2) {
		guest_printf("usage: ping ADDRESS\n");
		return;
	}
	pinging = true;
	err = net_ping(argv[1], ping_done);
	if (err != 0)
		complain(argv[1], err);
	else
		busy = pinging; /* it may be over already */
}

static void
show_tree(const char *path, unsigned int depth)
{
	char **names = NULL;
	size_t n = 0;

	if (depth > TREE_DEPTH ||
	    xenbus_directory(store, XENBUS_NO_TX, path, NULL, &names, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char child[1024];
		char *value = NULL;

		if (snprintf(child, sizeof(child), "%s/%s", path, names[i]) >=
		    (int)sizeof(child))
			continue;
		if (xenbus_read(
			store, XENBUS_NO_TX, child, NULL, &value, NULL) == 0)
			guest_printf("%*s%s = \"%s\"\n", (int)depth, "",
			    names[i], value);
		else
			guest_printf("%*s%s:\n", (int)depth, "", names[i]);
		free(value);
		show_tree(child, depth + 1);
	}
	free(names);
}

static void
cmd_xenstore_ls(int argc, char **argv)
{
	char home[32];
	uint64_t domid;
	int err;

	if (store == NULL) {
		guest_printf("no store\n");
		return;
	}
	err =
	    xenbus_read_num(store, XENBUS_NO_TX, "domid", NULL, 0x7fef, &domid);
	if (err != 0) {
		complain("domid", err);
		return;
	}
	snprintf(home, sizeof(home), "/local/domain/%u", (unsigned int)domid);
	show_tree(argc > 1 ? argv[1] : home, 0);
}

static void
cmd_stats(int argc, char **argv)
{
	struct http_stats st;

	(void)argc;
	(void)argv;
	http_stats(&st);
	guest_printf("%llu requests, %u connections, %llu bytes in, %llu bytes "
		     "out; %zu pages free\n",
	    (unsigned long long)st.requests, st.connections,
	    (unsigned long long)st.bytes_in, (unsigned long long)st.bytes_out,
	    guest_pages_free());
}

static void
cmd_halt(int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "-p") != 0)) {
		guest_printf("usage: halt [-p]\n");
		return;
	}
	wish = SHELL_POWEROFF;
}

static void
cmd_reboot(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	wish = SHELL_REBOOT;
}

static void cmd_help(int argc, char **argv);

static const struct command {
	const char *name, *args, *what;
	void (*run)(int argc, char **argv);
} commands[] = {
	{ "help", "", "this list", cmd_help },
	{ "mount", "", "the mounted file systems", cmd_mount },
	{ "ls", "[PATH]", "a directory", cmd_ls },
	{ "cat", "FILE", "a file", cmd_cat },
	{ "ifconfig", "", "the network interface", cmd_ifconfig },
	{ "ping", "ADDRESS", "one echo request", cmd_ping },
	{ "xenstore-ls", "[PATH]", "this domain's part of the store",
	    cmd_xenstore_ls },
	{ "stats", "", "what the file server has done", cmd_stats },
	{ "halt", "[-p]", "unmount and power off", cmd_halt },
	{ "reboot", "", "unmount and reboot", cmd_reboot },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
cmd_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < N_COMMANDS; i++)
		guest_printf("%-12s %-9s %s\n", commands[i].name,
		    commands[i].args, commands[i].what);
}

static void
run_line(void)
{
	char *argv[WORDS_MAX + 1];
	int argc = 0;
	char *save = NULL;

	for (char *w = strtok_r(line, " \t", &save);
	     w != NULL && argc < WORDS_MAX; w = strtok_r(NULL, " \t", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (argc == 0)
		return;
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name) == 0) {
			commands[i].run(argc, argv);
			return;
		}
	}
	guest_printf("%s: no such command (try help)\n", argv[0]);
}

static void
take(char c)
{
	if (c == '\r' || c == '\n') {
		guest_printf("\n");
		line[line_len] = '\0';
		line_len = 0;
		run_line();
		if (!busy && wish == SHELL_NOTHING)
			prompt();
	} else if ((c == '\b' || c == 0x7f) && line_len > 0) {
		line_len--;
		guest_printf("\b \b");
	} else if (c == 0x15) { /* ^U */
		while (line_len > 0) {
			line_len--;
			guest_printf("\b \b");
		}
	} else if (c >= ' ' && c < 0x7f && line_len + 1 < sizeof(line)) {
		line[line_len++] = c;
		console_putchar(c);
	}
}

void
shell_start(struct xenbus *xb)
{
	store = xb;
	console_set_input(on_input, NULL);
	prompt();
}

/* What ^C ends, with what was typed before it. */
static void
interrupt(void)
{
	const char *c = memchr(input, 0x03, input_len);

	if (cat.file == NULL || c == NULL)
		return;
	input_len -= (size_t)(c + 1 - input);
	memmove(input, c + 1, input_len);
	guest_printf("^C\n");
	cat_end();
	prompt();
}

void
shell_stop(void)
{
	if (cat.file != NULL)
		cat_end();
}

enum shell_wish
shell_poll(void)
{
	interrupt();
	if (cat.file != NULL)
		cat_more();
	while (input_len > 0 && !busy && wish == SHELL_NOTHING) {
		char c = input[0];

		memmove(input, input + 1, --input_len);
		take(c);
	}
	return wish;
}
