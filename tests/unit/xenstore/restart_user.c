/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the store for tests/integration/reconnect.sh, which kills the
 * daemon under it: asks all the time, by both interfaces, and says what went
 * wrong.
 *
 * restart_user SECONDS [RESTARTS]: ends with 0 if no call failed that must not,
 * and if at least RESTARTS times all watches fired anew.
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

int
main(int argc, char **argv)
{
	static void *(*const work[])(
	    void *) = { ask, ask, transact, transact, watch, ask_async };
	enum { THREADS = sizeof(work) / sizeof(work[0]) };
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	long restarts = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	struct timespec ts = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	pthread_t t[THREADS];

	h = xs_open(0);
	if (h == NULL) {
		complain("xs_open");
		return 1;
	}
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work[i], NULL) != 0)
			return 1;
	nanosleep(&ts, NULL);
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	xs_close(h);
	printf("%ld calls, %ld commits, %ld of unknown end, %ld events, "
	       "%ld requests outstanding by turns; quiet watches fired %ld and "
	       "%ld times\n",
	    (long)calls, (long)commits, (long)unknown, (long)events,
	    (long)async_calls, (long)again, (long)async_again);
	if (again < restarts + 1 || async_again < restarts + 1) {
		printf("watches were not registered again\n");
		bad = 1;
	}
	return bad;
}
