/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * diff [options] NAME:HV_ROOT:SOCKET...: the first daemon is ours.
 *   --table FILE     declared differences
 *   --kernel FILE    puppet.gz
 *   --steps N        random steps in all (100000)
 *   --length N       steps of one sequence (50)
 *   --seed N         15: make check tries the same each time; printed
 *   --seconds N      stop the random part after that time (60; 0: never), or
 * ten times that if there is something that --coverage misses
 *   --replay FILE    these steps first (any number of times)
 *   --all            go on after a failure; one minimal script for each kind
 *   --coverage       what was compared, by operation and answer; fails if an
 *                    operation or an error that can come never did
 *   --plant          ours is wrong in one thing: this has to be found
 *   --save DIR       where minimal scripts are written
 * 0: no undeclared difference; 1: there was one; 2: usage.
 */
#include "diff.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KINDS_MAX = 200 };

static struct options {
	const char *table, *kernel, *save, *replay[64];
	int n_replay, length, all, coverage;
	long steps, seconds;
	uint64_t seed;
} opt = { .length = 50, .steps = 100000, .seconds = 60 };

static char kinds[KINDS_MAX][300];
static int n_kinds;

/* Whether SEQ without steps FROM .. FROM + COUNT - 1 fails the same way; then
 * it is SEQ. */
static bool
without(struct sequence *seq, int from, int count, struct verdict *v)
{
	struct sequence less = { 0 };
	struct verdict *now = malloc(sizeof(*now));
	bool same;
	int i;

	for (i = 0; i < seq->n; i++)
		if (i < from || i >= from + count)
			sequence_add(&less, seq->step[i]);
	run_sequence(&less, now);
	same = now->failed && strcmp(now->key, v->key) == 0 &&
	       strcmp(now->daemon, v->daemon) == 0;
	if (same) {
		*v = *now;
		sequence_clear(seq);
		*seq = less;
	} else {
		sequence_clear(&less);
	}
	free(now);
	return same;
}

/* Removes from SEQ what the difference V does not need. */
static void
shrink(struct sequence *seq, struct verdict *v)
{
	bool less = true;
	int chunk, at;

	if (v->at + 1 < seq->n)
		(void)without(seq, v->at + 1, seq->n - v->at - 1, v);
	for (chunk = seq->n / 2; chunk >= 1 || less; chunk /= 2) {
		if (chunk == 0)
			chunk = 1;
		less = false;
		for (at = seq->n - chunk; at > -chunk; at -= chunk)
			if (without(seq, at < 0 ? 0 : at, chunk, v))
				less = true;
	}
}

/* Reports the failure V of SEQ. Whether it is one of a kind not seen yet. */
static bool
report(struct sequence *seq, struct verdict *v)
{
	char file[256], kind[sizeof(kinds[0])];
	struct verdict *again = malloc(sizeof(*again));
	int i;

	snprintf(kind, sizeof(kind), "%s %s", v->daemon, v->key);
	for (i = 0; i < n_kinds; i++)
		if (strcmp(kinds[i], kind) == 0) {
			free(again);
			return false;
		}
	if (n_kinds < KINDS_MAX)
		strcpy(kinds[n_kinds++], kind);
	run_sequence(seq, again);
	if (again->failed && strcmp(again->key, v->key) == 0)
		shrink(seq, v);
	else
		printf("(does not come again from the known start)\n");
	free(again);
	printf("FAIL %s\n", v->text);
	sequence_write(seq, "-", kind);
	if (opt.save != NULL) {
		snprintf(
		    file, sizeof(file), "%s/found-%d.xst", opt.save, n_kinds);
		if (sequence_write(seq, file, kind) == 0)
			printf("written to %s\n", file);
	}
	fflush(stdout);
	return true;
}

static int
replay(void)
{
	struct verdict *v = malloc(sizeof(*v));
	struct sequence seq = { 0 };
	char why[256];
	int i, failed = 0;

	for (i = 0; i < opt.n_replay; i++) {
		if (sequence_read(&seq, opt.replay[i], why, sizeof(why)) != 0) {
			fprintf(stderr, "diff: %s\n", why);
			exit(2);
		}
		run_sequence(&seq, v);
		printf("%s %s\n", v->failed ? "FAIL" : "ok", opt.replay[i]);
		if (v->failed)
			printf("  %s\n", v->text);
		failed += v->failed;
		sequence_clear(&seq);
	}
	free(v);
	return failed;
}

static int
random_part(void)
{
	uint64_t rng = opt.seed * 0x9e3779b97f4a7c15u + 1;
	struct verdict *v = malloc(sizeof(*v));
	struct sequence seq = { 0 };
	time_t end = time(NULL) + opt.seconds;
	int failed = 0;

	while (run_steps < (unsigned long)opt.steps &&
	       (opt.seconds == 0 || time(NULL) < end ||
		   /* a slow machine needs longer for what has to be met */
		   (opt.coverage && !tally_is_whole() &&
		       time(NULL) < end + 9 * opt.seconds))) {
		gen_sequence(&seq, opt.length, &rng);
		run_sequence(&seq, v);
		if (v->failed) {
			failed++;
			report(&seq, v);
		}
		sequence_clear(&seq);
		if (v->failed && !opt.all)
			break;
	}
	free(v);
	return failed;
}

static void
read_options(int argc, char **argv)
{
	static const struct option longs[] = { { "table", 1, NULL, 't' },
		{ "kernel", 1, NULL, 'k' }, { "steps", 1, NULL, 'n' },
		{ "length", 1, NULL, 'l' }, { "seed", 1, NULL, 's' },
		{ "seconds", 1, NULL, 'T' }, { "replay", 1, NULL, 'r' },
		{ "all", 0, NULL, 'a' }, { "coverage", 0, NULL, 'c' },
		{ "plant", 0, NULL, 'p' }, { "save", 1, NULL, 'S' },
		{ NULL, 0, NULL, 0 } };
	int c;

	opt.seed = 15;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 't':
			opt.table = optarg;
			break;
		case 'k':
			opt.kernel = optarg;
			break;
		case 'n':
			opt.steps = atol(optarg);
			break;
		case 'l':
			opt.length = atoi(optarg);
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'T':
			opt.seconds = atol(optarg);
			break;
		case 'a':
			opt.all = 1;
			break;
		case 'c':
			opt.coverage = 1;
			break;
		case 'p':
			run_planted = true;
			break;
		case 'S':
			opt.save = optarg;
			break;
		case 'r':
			if (opt.n_replay < 64)
				opt.replay[opt.n_replay++] = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (opt.table == NULL || opt.kernel == NULL || argc - optind < 2 ||
	    argc - optind > TARGETS || opt.length < 1 ||
	    opt.length > STEPS_MAX) {
		fprintf(stderr, "diff: --table, --kernel and two or three "
				"daemons are needed\n");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	int lines, failed, i;

	read_options(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	target_on_death = run_print;
	lines = allow_load(opt.table);
	for (i = optind; i < argc; i++)
		targets[n_targets++] = target_open(argv[i], opt.kernel);
	failed = replay();
	if (opt.steps > 0 && failed == 0) {
		printf("seed %llu\n", (unsigned long long)opt.seed);
		failed = random_part();
	}
	if (opt.all)
		allow_unused(true);
	if (opt.coverage && tally_print() > 0)
		failed++;
	printf("%lu steps, %lu replies compared, %d daemons beside ours, "
	       "%d declared differences, %d sequences failed\n",
	    run_steps, run_compared, n_targets - 1, lines, failed);
	return failed != 0;
}
