/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls to hvd: a message on the handle's own channel; buffers come from
 * the channel's argument arena, which hvd maps too and knows by our addresses.
 */
#include "provider.h"

#include <errno.h>

#include "../common/provider.h"
#include "../hosted/client.h"

static int
hosted_open(struct xencall_handle *xcall)
{
	int err = hv_client_open(HV_CHAN_CALL, &xcall->client);

	if (err == 0)
		return 0;
	provider_log_hvd(xcall->logger, "xencall", -err);
	errno = -err;
	return -1;
}

static void
hosted_close(struct xencall_handle *xcall)
{
	hv_client_close(xcall->client);
}

static long
hosted_call(struct xencall_handle *xcall, unsigned op, const uint64_t arg[5])
{
	return (long)hv_client_call(xcall->client, op, arg);
}

static void *
hosted_alloc(struct xencall_handle *xcall, size_t nr_pages)
{
	return hv_client_alloc(xcall->client, nr_pages * HV_PAGE_SIZE);
}

static void
hosted_free(struct xencall_handle *xcall, void *p, size_t nr_pages)
{
	(void)nr_pages;
	hv_client_free(xcall->client, p);
}

static void *
hosted_small_alloc(struct xencall_handle *xcall, size_t size)
{
	return hv_client_alloc(xcall->client, size);
}

static void
hosted_small_free(struct xencall_handle *xcall, void *p)
{
	hv_client_free(xcall->client, p);
}

const struct call_ops *
call_hosted_ops(void)
{
	static const struct call_ops ops = {
		.open = hosted_open,
		.close = hosted_close,
		.call = hosted_call,
		.alloc = hosted_alloc,
		.free = hosted_free,
		.small_alloc = hosted_small_alloc,
		.small_free = hosted_small_free,
		.never_fault = 1,
	};

	return &ops;
}
