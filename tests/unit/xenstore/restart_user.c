/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the store for tests/integration/reconnect.sh, which kills the
 * daemon under it: asks all the time, by both interfaces, and says what went
 * wrong.
 *
 * restart_user COMMAND RESTARTS: has sh run COMMAND, which restarts the daemon,
 * so often, and each time waits until watches have fired anew and calls go on.
 * Ends with 0 if they did and no call failed that must not.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xenstore_async.h"

enum { WAIT_MS = 30000 };

static struct xs_handle *h;
static atomic_bool stop;
static atomic_long calls, commits, unknown, events, again, async_calls,
    async_again;
static atomic_int bad;

static void
complain(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	bad = 1;
}

static void *
ask(void *arg)
{
	(void)arg;
	for (unsigned i = 0; !stop; i++) {
		char text[16];
		char *value;
		unsigned num;
		char **names;

		snprintf(text, sizeof(text), "%u", i);
		if (!xs_write(h, 0, "/r/n", text, (unsigned)strlen(text)))
			complain("xs_write");
		/* the daemon may have forgotten what was written */
		value = xs_read(h, 0, "/r/n", NULL);
		if (value == NULL && errno != ENOENT)
			complain("xs_read");
		free(value);
		names = xs_directory(h, 0, "/", &num);
		if (names == NULL)
			complain("xs_directory");
		free(names);
		calls += 3;
	}
	return NULL;
}

static int
count_up(struct xs_handle *handle, xs_transaction_t txn, void *ctx)
{
	unsigned long n = 0;
	char text[24];
	char *value = xs_read(handle, txn, "/r/c", NULL);

	(void)ctx;
	if (value != NULL)
		n = strtoul(value, NULL, 10);
	else if (errno != ENOENT)
		return errno;
	free(value);
	snprintf(text, sizeof(text), "%lu", n + 1);
	if (!xs_write(handle, txn, "/r/c", text, (unsigned)strlen(text)))
		return errno;
	return 0;
}

static void *
transact(void *arg)
{
	(void)arg;
	while (!stop) {
		errno = xs_transaction_retry(h, count_up, NULL, 10000);
		if (errno == 0)
			commits++;
		else if (errno == ECONNRESET)
			unknown++;
		else
			complain("xs_transaction_retry");
	}
	return NULL;
}

static void *
watch(void *arg)
{
	struct pollfd pfd = { .fd = xs_fileno(h), .events = POLLIN };

	(void)arg;
	if (!xs_watch(h, "/r/n", "n") || !xs_watch(h, "/quiet", "q"))
		complain("xs_watch");
	while (!stop) {
		char **event;

		if (poll(&pfd, 1, 100) != 1)
			continue;
		while ((event = xs_check_watch(h)) != NULL) {
			events++;
			again += event[XS_WATCH_TOKEN][0] == 'q';
			free(event);
		}
		if (errno != EAGAIN)
			complain("xs_check_watch");
	}
	return NULL;
}

static void
answered(void *ctx, int err, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	async_calls++;
	errno = err;
	if (err != 0 && err != ENOENT)
		complain("asynchronous request");
}

static void
fired(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	async_again++;
}

static void *
ask_async(void *arg)
{
	struct xs_async *a = xs_async_open(XS_ASYNC_RECONNECT);

	(void)arg;
	if (a == NULL ||
	    xs_async_watch(a, "/quiet", -1, fired, NULL, NULL) == NULL) {
		complain("xs_async_open");
		return NULL;
	}
	while (!stop) {
		while (xs_async_pending(a) < 100)
			if (xs_async_write(
				a, 0, "/r/a", "v", 1, answered, NULL) == NULL ||
			    xs_async_read(a, 0, "/r/a", answered, NULL) == NULL)
				complain("xs_async_read");
		if (xs_async_wait(a, 1000) != 0 && errno != ETIMEDOUT)
			complain("xs_async_wait");
	}
	if (xs_async_finish(a) != 0)
		complain("xs_async_finish");
	xs_async_close(a);
	return NULL;
}

static void
sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* Until watches of both interfaces have fired more often than before, and both
 * were asked something since. */
static bool
wait_for_all(long before, long async_before)
{
	long n, async_n, done;

	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (again > before && async_again > async_before)
			break;
		sleep_ms(10);
	}
	n = calls;
	async_n = async_calls;
	done = commits;
	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (calls > n && async_calls > async_n && commits > done)
			return again > before && async_again > async_before;
		sleep_ms(10);
	}
	return false;
}

static void
restart(const char *command, int times)
{
	for (int i = 0; i < times && !bad; i++) {
		long before = again, async_before = async_again;

		errno = 0;
		if (system(command) != 0)
			complain(command);
		else if (!wait_for_all(before, async_before))
			complain("not all went on after a restart");
	}
}

int
main(int argc, char **argv)
{
	static void *(*const work[])(
	    void *) = { ask, ask, transact, transact, watch, ask_async };
	enum { THREADS = sizeof(work) / sizeof(work[0]) };
	pthread_t t[THREADS];

	if (argc != 3) {
		fprintf(stderr, "usage: restart_user COMMAND RESTARTS\n");
		return 2;
	}
	h = xs_open(0);
	if (h == NULL) {
		complain("xs_open");
		return 1;
	}
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work[i], NULL) != 0)
			return 1;
	if (!wait_for_all(0, 0))
		complain("not all began");
	restart(argv[1], atoi(argv[2]));
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	xs_close(h);
	printf("%ld calls, %ld commits, %ld of unknown end, %ld events, "
	       "%ld requests outstanding by turns; quiet watches fired %ld and "
	       "%ld times\n",
	    (long)calls, (long)commits, (long)unknown, (long)events,
	    (long)async_calls, (long)again, (long)async_again);
	return bad;
}
