/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about domains, and CONTROL. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "handle.h"

enum { NUMBER_SIZE = 24 };

/* Asks with numbers as arguments, each a decimal string. */
static struct message *
ask_numbers(
    struct xs_handle *h, unsigned type, const unsigned long *nums, size_t n)
{
	char text[3][NUMBER_SIZE];
	struct part parts[3];

	for (size_t i = 0; i < n; i++) {
		int len = snprintf(text[i], NUMBER_SIZE, "%lu", nums[i]);

		parts[i] = (struct part){ text[i], (size_t)len + 1 };
	}
	return handle_ask(h, type, XBT_NULL, parts, n);
}

bool
xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long gfn,
    unsigned int port)
{
	const unsigned long nums[] = { domid, gfn, port };

	return handle_done(ask_numbers(h, WIRE_INTRODUCE, nums, 3));
}

bool
xs_set_target(struct xs_handle *h, unsigned int domid, unsigned int target)
{
	const unsigned long nums[] = { domid, target };

	return handle_done(ask_numbers(h, WIRE_SET_TARGET, nums, 2));
}

bool
xs_resume_domain(struct xs_handle *h, unsigned int domid)
{
	const unsigned long nums[] = { domid };

	return handle_done(ask_numbers(h, WIRE_RESUME, nums, 1));
}

bool
xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	const unsigned long nums[] = { domid };

	return handle_done(ask_numbers(h, WIRE_RELEASE, nums, 1));
}

char *
xs_get_domain_path(struct xs_handle *h, unsigned int domid)
{
	const unsigned long nums[] = { domid };

	return handle_text(ask_numbers(h, WIRE_GET_DOMAIN_PATH, nums, 1));
}

bool
xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	const unsigned long nums[] = { domid };
	char *text =
	    handle_text(ask_numbers(h, WIRE_IS_DOMAIN_INTRODUCED, nums, 1));
	bool yes = text != NULL && strcmp(text, "T") == 0;

	free(text);
	return yes;
}

char *
xs_control_command(
    struct xs_handle *h, const char *cmd, void *data, unsigned int len)
{
	const struct part parts[] = {
		{ cmd, strlen(cmd) + 1 },
		{ data, len },
	};

	return handle_body(
	    handle_ask(h, WIRE_CONTROL, XBT_NULL, parts, 2), NULL);
}

char *
xs_debug_command(
    struct xs_handle *h, const char *cmd, void *data, unsigned int len)
{
	return xs_control_command(h, cmd, data, len);
}

int
xs_suspend_evtchn_port(int domid)
{
	struct xs_handle *h = xs_open(0);
	char path[80];
	char *text;
	uint64_t port;
	int result = -1;

	if (h == NULL)
		return -1;
	snprintf(path, sizeof(path),
	    "/local/domain/%d/device/suspend/event-channel", domid);
	text = xs_read(h, XBT_NULL, path, NULL);
	if (text != NULL && wire_number(text, INT32_MAX, &port))
		result = (int)port;
	free(text);
	xs_close(h);
	return result;
}
