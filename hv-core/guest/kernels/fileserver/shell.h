/* The shell on the guest's console.
 *
 * Knows the commands and the line; what they show comes from fs, net, http and
 * the store. Commands run in shell_poll(), never in an event handler. */
#ifndef FILESERVER_SHELL_H
#define FILESERVER_SHELL_H

struct xenbus;

enum shell_wish { SHELL_NOTHING, SHELL_POWEROFF, SHELL_REBOOT };

/* Takes the console's input from now on and shows the first prompt. XB may be
 * NULL: then there is no store to list. */
void shell_start(struct xenbus *xb);

/* Runs the commands that have been typed. What the user wants of the machine.
 */
enum shell_wish shell_poll(void);

/* Ends a command that still goes on, so that file systems can be unmounted. */
void shell_stop(void);

#endif
