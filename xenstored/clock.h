/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The time since some moment of this boot, which never goes back: for spans and
 * deadlines.
 */
#ifndef XENSTORED_CLOCK_H
#define XENSTORED_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t
mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t
mono_us(void)
{
	return mono_ns() / 1000;
}

static inline uint64_t
mono_ms(void)
{
	return mono_ns() / 1000000;
}

#endif
