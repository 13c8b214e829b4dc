/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patterns for paths. A pattern without a slash is about a node's name; any
 * other about the whole path, component by component: * ? [...] as in a shell,
 * and a component ** for any number of components. Pure functions on strings.
 */
#ifndef TOOLS_XS_GLOB_H
#define TOOLS_XS_GLOB_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *path);

/* May something below PATH match? False is certain. */
bool glob_may_contain(const char *pattern, const char *path);

#endif
