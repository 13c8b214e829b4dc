/*
 * Running programs with a time limit, several at once, inside an event loop.
 * Knows processes and time; knows nothing of devices or of the store.
 *
 * At most a given number of programs run at once; the others wait in the order
 * in which they were started.
 */
#ifndef TOOLS_XENBACKENDD_SCRIPT_H
#define TOOLS_XENBACKENDD_SCRIPT_H

#include <stddef.h>

struct event_base;
struct script_runner;

/* Told once per script_run: WHY is NULL if the program exited with 0, else one
 * line that says what went wrong (valid during the call). May call script_run.
 */
typedef void script_done_fn(void *arg, const char *why);

struct script_limits {
	unsigned timeout_ms; /* then the process group is killed */
	unsigned parallel;   /* programs at a time */
};

/* A runner on BASE, which takes SIGCHLD for itself. NULL with errno. */
struct script_runner *script_runner_new(
    struct event_base *base, const struct script_limits *limits);

/* Kills what runs and forgets what waits; nobody is told. NULL is allowed. */
void script_runner_free(struct script_runner *runner);

/* Where the programs' stdout and stderr go; -1 (the default) is our stderr.
 * The descriptor stays the caller's. */
void script_runner_set_output(struct script_runner *runner, int fd);

/* Runs PROGRAM ARG1 ARG2 (all copied). DONE is called from the loop, never from
 * here. 0, or -1 with errno ENOMEM: DONE is not called then. */
int script_run(struct script_runner *runner, const char *program,
    const char *arg1, const char *arg2, script_done_fn *done, void *arg);

/* Programs that run or wait. */
size_t script_runner_busy(const struct script_runner *runner);

#endif
