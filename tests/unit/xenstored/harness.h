/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A state machine in a world made for tests: domains are what the test says, a
 * ring is a connection, and each request is answered at once.
 */
#ifndef TESTS_XENSTORED_HARNESS_H
#define TESTS_XENSTORED_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "xenstored/core.h"
#include "xenstored/state.h"

enum { H_DOMAINS = 16, H_EVENTS = 4096 };

/* One message from the daemon. */
struct h_message {
	struct wire_header header;
	char payload[WIRE_PAYLOAD_MAX + 1]; /* with a NUL behind it */
};

struct h {
	struct state *st;
	struct state_env env;
	struct state_config config;
	struct domain_info domain[H_DOMAINS];
	enum xs_err ring_error; /* what ring_open answers */
	unsigned n_ring_open, n_ring_close, n_wakes;
	unsigned n_records; /* but those of what was sent */
	enum record_type last_record;
	struct conn *last_ring;
	void (*tap)(void *tap_ctx, const struct record *record); /* or NULL */
	void *tap_ctx;
	/* events that came before the last reply, and after it */
	char event[H_EVENTS];
	unsigned n_events, n_late;
};

static struct domain_info
h_domain_info(void *ctx, uint32_t domid)
{
	struct h *h = ctx;

	return domid < H_DOMAINS ? h->domain[domid]
				 : (struct domain_info){ .exists = false };
}

static enum xs_err
h_ring_open(void *ctx, struct conn *conn, uint32_t domid, uint32_t port,
    uint32_t features)
{
	struct h *h = ctx;

	(void)domid;
	(void)port;
	(void)features;
	h->n_ring_open++;
	if (h->ring_error == XS_OK)
		h->last_ring = conn;
	return h->ring_error;
}

static void
h_ring_close(void *ctx, struct conn *conn)
{
	struct h *h = ctx;

	(void)conn;
	h->n_ring_close++;
}

static void
h_wake(void *ctx, struct conn *conn)
{
	struct h *h = ctx;

	(void)conn;
	h->n_wakes++;
}

static void
h_record(void *ctx, const struct record *record)
{
	struct h *h = ctx;

	if (record->type < RECORD_TAKE || record->type > RECORD_SENT) {
		h->n_records++;
		h->last_record = record->type;
	}
	if (h->tap != NULL)
		h->tap(h->tap_ctx, record);
}

static void
h_trace(void *ctx, const struct conn *conn, const char *direction,
    const struct wire_header *header, const void *payload)
{
	(void)ctx;
	(void)conn;
	(void)direction;
	(void)header;
	(void)payload;
}

static enum xs_err
h_control(void *ctx, int argc, const char *const argv[], char *buf, size_t size,
    size_t *len_out)
{
	(void)ctx;
	(void)argc;
	(void)argv;
	(void)size;
	memcpy(buf, "shell", 5);
	*len_out = 5;
	return XS_OK;
}

/* Domains 1 to 9 exist. */
static void
h_start(struct h *h)
{
	unsigned i;

	memset(h, 0, sizeof(*h));
	h->env = (struct state_env){
		.ctx = h,
		.domain_info = h_domain_info,
		.ring_open = h_ring_open,
		.ring_close = h_ring_close,
		.wake = h_wake,
		.record = h_record,
		.trace = h_trace,
		.control = h_control,
	};
	h->config.seed.k[0] = 1;
	h->config.quotas = quota_defaults();
	for (i = 1; i < 10; i++)
		h->domain[i] = (struct domain_info){ .exists = true,
			.unique_id = 100 + i };
	h->st = state_new(&h->config, &h->env);
	assert_non_null(h->st);
}

static void
h_stop(struct h *h)
{
	const char *wrong = state_check(h->st);

	if (wrong != NULL)
		fail_msg("%s", wrong);
	state_free(h->st);
}

static struct conn *
h_socket(struct h *h)
{
	struct conn *conn = state_open_socket(h->st, 0, 1, NULL);

	assert_non_null(conn);
	return conn;
}

/* Hands a raw request in; how the state took it. */
static enum input_result
h_send(struct conn *conn, uint32_t type, uint32_t tx, const void *payload,
    size_t len)
{
	char bytes[WIRE_MESSAGE_MAX];
	struct wire_header header = {
		.type = type, .req_id = 7, .tx_id = tx, .len = (uint32_t)len
	};
	enum input_result result;
	int budget = 1000;
	size_t used;

	memcpy(bytes, &header, sizeof(header));
	if (len > 0)
		memcpy(bytes + sizeof(header), payload, len);
	/* without memory for a reply it is not even begun: it comes again */
	do
		result = state_input(
		    conn, bytes, sizeof(header) + len, &budget, &used);
	while (result == INPUT_BUSY);
	assert_true(used == 0 || used == sizeof(header) + len);
	return result;
}

/* Whether messages are taken piece by piece. */
static bool h_in_pieces;

/* Takes one whole message; false: there is none. */
static bool
h_take(struct conn *conn, struct h_message *m)
{
	struct taken taken;
	size_t n;

	if (!h_in_pieces && outq_kept(&conn->q) == 0) {
		state_take(
		    conn, (char *)&m->header, WIRE_MESSAGE_MAX, 1, &taken);
		state_taken(conn, &taken);
		if (taken.len == 0)
			return false;
		assert_int_equal(taken.len, sizeof(m->header) + m->header.len);
		m->payload[m->header.len] = '\0';
		return true;
	}
	n = state_output(conn, (char *)&m->header, sizeof(m->header));
	if (n == 0)
		return false;
	assert_int_equal(n, sizeof(m->header));
	assert_true(m->header.len <= WIRE_PAYLOAD_MAX);
	n = m->header.len > 0 ? state_output(conn, m->payload, m->header.len)
			      : 0;
	assert_int_equal(n, m->header.len);
	m->payload[n] = '\0';
	return true;
}

/* Notes the event M as "path|token;". */
static void
h_note_event(struct h *h, const struct h_message *m)
{
	const char *token = m->payload + strlen(m->payload) + 1;
	size_t len = strlen(h->event);

	assert_int_equal(m->header.req_id, 0);
	assert_int_equal(m->header.tx_id, 0);
	assert_int_equal(m->header.len, strlen(m->payload) + strlen(token) + 2);
	snprintf(h->event + len, sizeof(h->event) - len, "%s|%s;", m->payload,
	    token);
	h->n_events++;
}

/* The events that wait for CONN, as text. */
static const char *
h_events(struct h *h, struct conn *conn)
{
	struct h_message m;

	h->event[0] = '\0';
	h->n_events = 0;
	while (h_take(conn, &m)) {
		assert_int_equal(m.header.type, WIRE_WATCH_EVENT);
		h_note_event(h, &m);
	}
	return h->event;
}

/*
 * Sends a request and takes its reply. XS_OK or the error; *M is the reply.
 * Events are left in h->event; h->n_late counts those behind the reply.
 */
static enum xs_err
h_call(struct h *h, struct conn *conn, uint32_t type, uint32_t tx,
    const void *payload, size_t len, struct h_message *m)
{
	struct h_message other;

	assert_int_not_equal(h_send(conn, type, tx, payload, len), INPUT_BAD);
	h->event[0] = '\0';
	h->n_events = h->n_late = 0;
	for (;;) {
		assert_true(h_take(conn, m));
		if (m->header.type != WIRE_WATCH_EVENT)
			break;
		h_note_event(h, m);
	}
	while (h_take(conn, &other)) {
		assert_int_equal(other.header.type, WIRE_WATCH_EVENT);
		h_note_event(h, &other);
		h->n_late++;
	}
	assert_int_equal(m->header.req_id, 7);
	assert_int_equal(m->header.tx_id, tx);
	if (m->header.type != WIRE_ERROR) {
		assert_int_equal(m->header.type, type);
		return XS_OK;
	}
	return error_from_name(m->payload, m->header.len);
}

/* The same with a payload of strings, each with its NUL; ends with NULL. */
static enum xs_err
h_strings(struct h *h, struct conn *conn, uint32_t type, uint32_t tx,
    struct h_message *m, ...)
{
	char payload[WIRE_PAYLOAD_MAX];
	const char *str;
	size_t len = 0;
	va_list ap;

	va_start(ap, m);
	while ((str = va_arg(ap, const char *)) != NULL) {
		assert_true(len + strlen(str) + 1 <= sizeof(payload));
		memcpy(payload + len, str, strlen(str) + 1);
		len += strlen(str) + 1;
	}
	va_end(ap);
	return h_call(h, conn, type, tx, payload, len, m);
}

static enum xs_err
h_write(struct h *h, struct conn *conn, uint32_t tx, const char *path,
    const char *value)
{
	char payload[WIRE_PAYLOAD_MAX];
	size_t len = strlen(path) + 1;
	struct h_message m;

	memcpy(payload, path, len);
	memcpy(payload + len, value, strlen(value));
	return h_call(
	    h, conn, WIRE_WRITE, tx, payload, len + strlen(value), &m);
}

static enum xs_err
h_one(
    struct h *h, struct conn *conn, uint32_t type, uint32_t tx, const char *arg)
{
	struct h_message m;

	return h_strings(h, conn, type, tx, &m, arg, NULL);
}

/* The reply to TYPE with ARG as text, NULs shown as spaces; or "ENOENT". */
static const char *
h_text(
    struct h *h, struct conn *conn, uint32_t type, uint32_t tx, const char *arg)
{
	static struct h_message m;
	enum xs_err err = h_strings(h, conn, type, tx, &m, arg, NULL);
	uint32_t i;

	if (err != XS_OK)
		return error_name(err);
	for (i = 0; i + 1 < m.header.len; i++)
		if (m.payload[i] == '\0')
			m.payload[i] = ' ';
	return m.payload;
}

static const char *
h_read(struct h *h, struct conn *conn, uint32_t tx, const char *path)
{
	return h_text(h, conn, WIRE_READ, tx, path);
}

static enum xs_err
h_watch(struct h *h, struct conn *conn, const char *path, const char *token)
{
	struct h_message m;

	return h_strings(h, conn, WIRE_WATCH, 0, &m, path, token, NULL);
}

static enum xs_err
h_perms(struct h *h, struct conn *conn, uint32_t tx, const char *path,
    const char *a, const char *b, const char *c)
{
	struct h_message m;

	return h_strings(h, conn, WIRE_SET_PERMS, tx, &m, path, a, b, c, NULL);
}

static uint32_t
h_begin(struct h *h, struct conn *conn)
{
	struct h_message m;
	uint64_t id;

	assert_int_equal(
	    h_strings(h, conn, WIRE_TRANSACTION_START, 0, &m, "", NULL), XS_OK);
	assert_true(wire_number(m.payload, UINT32_MAX, &id));
	assert_true(id != 0);
	return (uint32_t)id;
}

static enum xs_err
h_end(struct h *h, struct conn *conn, uint32_t tx, const char *how)
{
	return h_one(h, conn, WIRE_TRANSACTION_END, tx, how);
}

/* Introduces DOMID through the socket S and gives it its home. */
static struct conn *
h_guest(struct h *h, struct conn *s, unsigned domid)
{
	char text[16], home[64], owner[16];
	struct h_message m;

	snprintf(text, sizeof(text), "%u", domid);
	snprintf(home, sizeof(home), "/local/domain/%u", domid);
	snprintf(owner, sizeof(owner), "n%u", domid);
	assert_int_equal(
	    h_strings(h, s, WIRE_INTRODUCE, 0, &m, text, "1", "5", NULL),
	    XS_OK);
	assert_int_equal(h_one(h, s, WIRE_MKDIR, 0, home), XS_OK);
	assert_int_equal(h_perms(h, s, 0, home, owner, NULL, NULL), XS_OK);
	return h->last_ring;
}

/* A limit of domain 1. */
static inline void
h_quota(struct h *h, struct conn *s, const char *name, const char *value)
{
	struct h_message m;

	assert_int_equal(
	    h_strings(h, s, WIRE_SET_QUOTA, 0, &m, "1", name, value, NULL),
	    XS_OK);
}

/* A host of 1,000 domains with 100,000 nodes. */
static inline void
h_fill(struct h *h)
{
	char path[64], value[32];
	struct bytes bytes = { value, 0 };
	struct node *created;

	for (unsigned i = 0; i < 100000; i++) {
		snprintf(path, sizeof(path),
		    "/local/domain/%u/device/vif/%u/key%u", i / 100,
		    i / 10 % 10, i % 10);
		bytes.len =
		    (size_t)snprintf(value, sizeof(value), "value %u", i);
		assert_int_equal(store_put(&h->st->heap, &h->st->live, path,
				     &bytes, h->st->live->acl, &created),
		    XS_OK);
	}
	account_live(&h->st->books, h->st->live);
}

/* Of this process. */
static inline double
h_cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What each test uses some of. */
static inline void
h_use_all(void)
{
	(void)h_start;
	(void)h_stop;
	(void)h_socket;
	(void)h_events;
	(void)h_write;
	(void)h_read;
	(void)h_watch;
	(void)h_begin;
	(void)h_end;
	(void)h_guest;
}

#endif
