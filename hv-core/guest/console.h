/*
 * console: the domain's console ring (hvc0).
 *
 * It knows one xencons_interface page and its port, not what is on the other
 * side. Output that nobody takes is dropped after CONSOLE_BACKLOG bytes: a
 * kernel never stops because of its console.
 */
#ifndef HV_GUEST_CONSOLE_H
#define HV_GUEST_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

struct xencons_interface;

#define CONSOLE_BACKLOG 16384

/*
 * Starts using PAGE. NOTIFY tells the other side that the ring has moved.
 * Called by the runtime (and by tests).
 */
void console_init(
    struct xencons_interface *page, void (*notify)(void *arg), void *arg);

/* Non-zero once there is a ring. */
int console_ready(void);

/*
 * Writes TEXT; "\n" becomes "\r\n". What does not fit the ring is kept, up to
 * CONSOLE_BACKLOG bytes, and goes out in console_poll(); what does not fit
 * there either is dropped, and the gap is marked by a line saying so.
 */
void console_write(const char *text, size_t len);

/* How many bytes the backlog still takes ("\n" counts as two). */
size_t console_room(void);

void console_putchar(int c);

/* The next byte of input, or -1 if there is none now. */
int console_getchar(void);

/*
 * FN gets each byte of input, in console_poll(). NULL: input stays on the ring
 * for console_getchar().
 */
void console_set_input(void (*fn)(void *arg, int c), void *arg);

/* Moves the backlog and the input; called by the runtime at its events. */
void console_poll(void);

#endif
