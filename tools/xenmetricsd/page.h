/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What was collected in Prometheus' text format.
 */
#ifndef TOOLS_XENMETRICSD_PAGE_H
#define TOOLS_XENMETRICSD_PAGE_H

#include "tools/xenmetricsd/collect.h"

struct evbuffer;

/* Appends all of VIEW to OUT. */
void page_write(const struct collect_view *view, struct evbuffer *out);

#endif
