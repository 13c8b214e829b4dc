/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is killed, and for how long nobody is answered then. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "books.h"

struct status {
	long supervisor, primary, standby;
};

static bool
read_status(struct status *s)
{
	char path[256];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "%s/status", books_rundir);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	n = fscanf(file, "supervisor %ld primary %ld standby %ld",
	    &s->supervisor, &s->primary, &s->standby);
	fclose(file);
	return n == 3;
}

/* Lets the clients go on, at leisure, until there are a primary and, if WANTED,
 * a standby. */
static struct status
wait_for_both(bool wanted)
{
	uint64_t limit = books_now_us() + BOOKS_STUCK_US;
	struct status s = { 0, 0, 0 };

	for (;;) {
		books_turn(0);
		usleep(5000);
		if (read_status(&s) && s.primary > 0 &&
		    kill((pid_t)s.primary, 0) == 0 &&
		    (!wanted || s.standby > 0))
			return s;
		if (books_now_us() > limit)
			books_wrong(
			    "nobody %s", wanted ? "stands by" : "serves");
	}
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What the primary dies of: SIGKILL, or the number in $KILL_SIGNAL. */
static int
primary_signal(void)
{
	const char *text = getenv("KILL_SIGNAL");

	return text != NULL && atoi(text) > 0 ? atoi(text) : SIGKILL;
}

/* Kills somebody in the middle of it; how long nobody got a reply, in us. */
static uint64_t
kill_one(void)
{
	unsigned how = books_pick(10);
	struct status s = wait_for_both(how < 8);
	uint64_t until = books_now_us() + books_pick(3000), start;

	while (books_now_us() < until)
		books_turn(0);
	start = books_now_us();
	if (how != 0)
		kill((pid_t)s.primary, primary_signal());
	if (how <= 1 && s.standby > 0)
		kill((pid_t)s.standby, SIGKILL);
	books_turn(0); /* what was sent before */
	while (!books_turn(1))
		if (books_now_us() - start > BOOKS_STUCK_US)
			books_wrong(
			    "no reply for %d s", BOOKS_STUCK_US / 1000000);
	return books_now_us() - start;
}

void
books_kill(unsigned long kills)
{
	uint64_t *outage = calloc(kills + 1, sizeof(*outage)),
		 start = books_now_us();
	unsigned long i;

	if (outage == NULL)
		books_wrong("no memory");
	for (i = 0; i < kills; i++)
		outage[i] = kill_one();
	start = books_now_us() - start;
	wait_for_both(true);
	books_drain();
	books_check();
	qsort(outage, kills, sizeof(*outage), by_value);
	if (kills > 0)
		printf("%lu kills in %.1f s; without a reply for (ms): median "
		       "%.1f, p99 %.1f, most %.1f\n",
		    kills, (double)start / 1e6, (double)outage[kills / 2] / 1e3,
		    (double)outage[kills * 99 / 100] / 1e3,
		    (double)outage[kills - 1] / 1e3);
	free(outage);
}
