/* SPDX-License-Identifier: BSD-2-Clause */
/* Transactions, and running something in one until it succeeds. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "common/wire.h"
#include "handle.h"

enum {
	TRIES_AT_ONCE = 3, /* before the first pause */
	PAUSE_MIN_US = 500,
	PAUSE_MAX_US = 50000,
};

xs_transaction_t
xs_transaction_start(struct xs_handle *h)
{
	char *text = handle_text(
	    handle_ask_string(h, WIRE_TRANSACTION_START, XBT_NULL, ""));
	xs_transaction_t id = XBT_NULL;
	uint64_t num;
	bool ok;

	if (text == NULL)
		return XBT_NULL;
	ok = wire_number(text, UINT32_MAX, &num) && num != 0;
	free(text);
	if (!ok) {
		errno = EIO;
		return XBT_NULL;
	}
	pthread_mutex_lock(&h->lock);
	id = txns_add(&h->txns, (uint32_t)num);
	pthread_mutex_unlock(&h->lock);
	if (id == XBT_NULL) { /* no memory to know it by */
		xs_transaction_end(h, (xs_transaction_t)num, true);
		errno = ENOMEM;
	}
	return id;
}

/* Ends what a lost transaction went on in. */
static void
end_shadow(struct xs_handle *h, xs_transaction_t txn)
{
	enum txns_state state;
	uint32_t wire;

	pthread_mutex_lock(&h->lock);
	state = txns_find(&h->txns, txn, &wire);
	if (state == TXNS_LOST && wire != XBT_NULL) {
		/* from now on an open one, with the server's number */
		txns_drop(&h->txns, txn);
		txn = txns_add(&h->txns, wire);
	}
	pthread_mutex_unlock(&h->lock);
	if (state == TXNS_LOST && wire != XBT_NULL && txn != XBT_NULL)
		handle_done(
		    handle_ask_string(h, WIRE_TRANSACTION_END, txn, "F"));
	pthread_mutex_lock(&h->lock);
	txns_drop(&h->txns, txn);
	pthread_mutex_unlock(&h->lock);
}

bool
xs_transaction_end(struct xs_handle *h, xs_transaction_t txn, bool abort)
{
	bool ok = handle_done(
	    handle_ask_string(h, WIRE_TRANSACTION_END, txn, abort ? "F" : "T"));
	int err = errno;

	end_shadow(h, txn);
	if (!ok && abort && (err == EAGAIN || err == ECONNRESET)) {
		ok = true; /* it went with its connection */
		err = 0;
	}
	errno = err;
	return ok;
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Once. 0, or an errno value. */
static int
try_once(struct xs_handle *h,
    int (*body)(struct xs_handle *h, xs_transaction_t txn, void *ctx),
    void *ctx)
{
	xs_transaction_t txn = xs_transaction_start(h);
	int err;

	if (txn == XBT_NULL)
		return errno;
	err = body(h, txn, ctx);
	if (err != 0) {
		xs_transaction_end(h, txn, true);
		return err;
	}
	return xs_transaction_end(h, txn, false) ? 0 : errno;
}

int
xs_transaction_retry(struct xs_handle *h,
    int (*body)(struct xs_handle *h, xs_transaction_t txn, void *ctx),
    void *ctx, unsigned int timeout_ms)
{
	int64_t until = now_us() + (int64_t)timeout_ms * 1000;
	unsigned pause_us = PAUSE_MIN_US;
	/* others that collided with us shall not wait as long as we do */
	unsigned seed = (unsigned)now_us();

	for (int n = 1;; n++) {
		int err = try_once(h, body, ctx);
		int64_t left = until - now_us();
		struct timespec ts = { 0 };

		if (err != EAGAIN || left <= 0)
			return err;
		if (n < TRIES_AT_ONCE)
			continue;
		ts.tv_nsec = (pause_us + rand_r(&seed) % pause_us) * 1000L;
		if (ts.tv_nsec / 1000 > left)
			ts.tv_nsec = (long)left * 1000;
		(void)nanosleep(&ts, NULL);
		if (pause_us < PAUSE_MAX_US)
			pause_us *= 2;
	}
}
