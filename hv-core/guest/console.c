/*
 * The ring's other side is not trusted: an impossible distance of its indexes
 * stops that direction until the indexes make sense again.
 */
#include <stdio.h>
#include <string.h>

#include "hv-core/guest/console.h"

#include "abi/io/console.h"

static struct {
	struct xencons_interface *page;
	void (*notify)(void *arg);
	void *arg;
	void (*input)(void *arg, int c);
	void *input_arg;
	char backlog[CONSOLE_BACKLOG];
	size_t first, len; /* of the backlog, a circle */
	unsigned long lost;
} con;

static uint32_t
load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void
store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

void
console_init(
    struct xencons_interface *page, void (*notify)(void *arg), void *arg)
{
	con.page = page;
	con.notify = notify;
	con.arg = arg;
	con.first = con.len = 0;
	con.lost = 0;
	con.input = NULL;
}

int
console_ready(void)
{
	return con.page != NULL;
}

/* Bytes that the output ring would take. */
static size_t
out_room(void)
{
	uint32_t used = load(&con.page->out_prod) - load(&con.page->out_cons);

	return used > sizeof(con.page->out) ? 0 : sizeof(con.page->out) - used;
}

/* Moves what fits from the backlog to the ring; the number of bytes. */
static size_t
flush(void)
{
	uint32_t prod = load(&con.page->out_prod);
	size_t room = out_room(), n;

	for (n = 0; n < room && con.len > 0; n++) {
		con.page->out[MASK_XENCONS_IDX(prod, con.page->out)] =
		    con.backlog[con.first];
		prod++;
		con.first = (con.first + 1) % CONSOLE_BACKLOG;
		con.len--;
	}
	if (n > 0)
		store(&con.page->out_prod, prod);
	return n;
}

static void
keep(char c)
{
	if (con.len == CONSOLE_BACKLOG) {
		con.lost++;
		return;
	}
	con.backlog[(con.first + con.len) % CONSOLE_BACKLOG] = c;
	con.len++;
}

/* Once there is room again, says what is missing. */
static void
mark_gap(void)
{
	char text[48];
	int i, n;

	if (con.lost == 0 || CONSOLE_BACKLOG - con.len < sizeof(text))
		return;
	n = snprintf(text, sizeof(text), "\r\n[%lu bytes lost]\r\n", con.lost);
	con.lost = 0;
	for (i = 0; i < n; i++)
		keep(text[i]);
}

void
console_write(const char *text, size_t len)
{
	size_t moved = 0, i;

	if (con.page == NULL)
		return;
	mark_gap();
	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			keep('\r');
		keep(text[i]);
		if (con.len == CONSOLE_BACKLOG)
			moved += flush();
	}
	moved += flush();
	if (moved > 0)
		con.notify(con.arg);
}

size_t
console_room(void)
{
	return CONSOLE_BACKLOG - con.len;
}

void
console_putchar(int c)
{
	char byte = (char)c;

	console_write(&byte, 1);
}

int
console_getchar(void)
{
	uint32_t cons;
	int c;

	if (con.page == NULL)
		return -1;
	cons = load(&con.page->in_cons);
	if (load(&con.page->in_prod) - cons - 1 >= sizeof(con.page->in))
		return -1; /* empty, or impossible */
	c = (unsigned char)con.page->in[MASK_XENCONS_IDX(cons, con.page->in)];
	store(&con.page->in_cons, cons + 1);
	con.notify(con.arg);
	return c;
}

void
console_set_input(void (*fn)(void *arg, int c), void *arg)
{
	con.input = fn;
	con.input_arg = arg;
}

void
console_poll(void)
{
	unsigned int n;
	int c;

	if (con.page == NULL)
		return;
	if (con.len > 0 || con.lost > 0) {
		size_t moved = flush();

		mark_gap();
		if (moved + flush() > 0)
			con.notify(con.arg);
	}
	for (n = 0; n < sizeof(con.page->in) && con.input != NULL; n++) {
		c = console_getchar();
		if (c < 0)
			break;
		con.input(con.input_arg, c);
	}
}
