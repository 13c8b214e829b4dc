/* SPDX-License-Identifier: BSD-2-Clause */
/* The time in milliseconds, for deadlines and for what is written down. */
#ifndef TOOLS_COMMON_CLOCK_H
#define TOOLS_COMMON_CLOCK_H

#include <stdint.h>

/* Since some moment; never goes back. */
int64_t clock_ms(void);

/* Since 1970. */
int64_t clock_wall_ms(void);

#endif
