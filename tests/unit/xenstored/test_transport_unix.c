/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"
#include "xenstored/server.h"
#include "xenstored/transport_unix.h"

struct t {
	char dir[64], path[96];
	struct log *log;
	struct server *server;
	struct unix_listener *listener;
};

static void
begin(struct t *t)
{
	struct server_config config;

	memset(&config, 0, sizeof(config));
	config.state.quotas = quota_defaults();
	strcpy(t->dir, "/tmp/xenstored-test-unix.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof(t->path), "%s/socket", t->dir);
	t->log = log_private(1 << 20, 1);
	t->server = server_new(&config, t->log);
	t->listener = unix_listen(t->server, t->path);
}

static void
end(struct t *t)
{
	assert_null(state_check(server_state(t->server)));
	unix_close(t->listener);
	assert_int_equal(access(t->path, F_OK), -1);
	server_free(t->server);
	log_close(t->log);
	assert_int_equal(rmdir(t->dir), 0);
}

static void
turns(struct t *t)
{
	int i;

	for (i = 0; i < 3 || server_turn(t->server, false); i++)
		assert_true(i < 100000);
}

static int
dial(struct t *t)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, t->path);
	assert_int_equal(
	    connect(fd, (const void *)&address, sizeof(address)), 0);
	turns(t);
	return fd;
}

static size_t
make(char *to, uint32_t type, uint32_t id, const char *payload, size_t len)
{
	struct wire_header header = {
		.type = type, .req_id = id, .len = (uint32_t)len
	};

	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), payload, len);
	return sizeof(header) + len;
}

/* Reads LEN bytes of a message that has begun, while the server goes on. */
static void
get_rest(struct t *t, int fd, char *to, size_t len)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = recv(fd, to + at, len - at, 0);
		if (n < 0)
			turns(t);
		else
			at += (size_t)n;
	}
}

/* Reads one message; its type, or UINT32_MAX: there is none, 0xdead: closed. */
static uint32_t
get(struct t *t, int fd, uint32_t *id_out, char payload[WIRE_PAYLOAD_MAX])
{
	struct wire_header header;
	ssize_t n = recv(fd, &header, sizeof(header), 0);

	if (n < 0)
		return errno == EAGAIN ? UINT32_MAX : 0xdead;
	if (n == 0)
		return 0xdead;
	get_rest(t, fd, (char *)&header + n, sizeof(header) - (size_t)n);
	get_rest(t, fd, payload, header.len);
	*id_out = header.req_id;
	return header.type;
}

static uint32_t
ask(struct t *t, int fd, uint32_t type, const char *payload, size_t len)
{
	char bytes[WIRE_MESSAGE_MAX];
	uint32_t id;
	size_t n = make(bytes, type, 3, payload, len);

	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
	turns(t);
	return get(t, fd, &id, bytes);
}

static void
the_socket_is_for_its_owner_only(void **unused)
{
	struct stat st;
	struct t t;

	(void)unused;
	begin(&t);
	assert_int_equal(stat(t.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	end(&t);
}

static void
messages_may_come_in_any_pieces(void **unused)
{
	char bytes[2 * WIRE_MESSAGE_MAX], payload[WIRE_PAYLOAD_MAX];
	char value[WIRE_PAYLOAD_MAX];
	size_t len, i, step;
	uint32_t id;
	struct t t;
	int fd;

	(void)unused;
	begin(&t);
	fd = dial(&t);
	memset(value, 'v', sizeof(value));
	memcpy(value, "/a", 3);
	for (step = 1; step < 6000; step += 997) {
		len = make(bytes, WIRE_WRITE, 1, value, sizeof(value));
		len += make(bytes + len, WIRE_READ, 2, "/a", 3);
		for (i = 0; i < len; i += step) {
			size_t n = len - i < step ? len - i : step;

			assert_int_equal(send(fd, bytes + i, n, 0), n);
			if (step > 1 || i % 50 == 0)
				turns(&t);
		}
		turns(&t);
		assert_int_equal(get(&t, fd, &id, payload), WIRE_WRITE);
		assert_int_equal(get(&t, fd, &id, payload), WIRE_READ);
		assert_int_equal(id, 2);
		assert_int_equal(get(&t, fd, &id, payload), UINT32_MAX);
	}
	close(fd);
	turns(&t);
	end(&t);
}

static void
many_requests_at_once_are_answered_in_order(void **unused)
{
	static char bytes[1000 * 24];
	char payload[WIRE_PAYLOAD_MAX];
	size_t len = 0, sent = 0;
	uint32_t id, i;
	struct t t;
	int fd;

	(void)unused;
	begin(&t);
	fd = dial(&t);
	for (i = 0; i < 1000; i++)
		len += make(bytes + len, WIRE_READ, i, "/tool", 6);
	while (sent < len) {
		ssize_t n = send(fd, bytes + sent, len - sent, 0);

		if (n > 0)
			sent += (size_t)n;
		turns(&t);
	}
	for (i = 0; i < 1000; i++) {
		assert_int_equal(get(&t, fd, &id, payload), WIRE_READ);
		assert_int_equal(id, i);
	}
	close(fd);
	turns(&t);
	end(&t);
}

static void
one_who_never_reads_costs_little_and_loses_nothing(void **unused)
{
	char bytes[64], payload[WIRE_PAYLOAD_MAX], value[4000];
	uint32_t id, want = 0, sent = 0;
	ssize_t n, len;
	struct t t;
	int greedy, other, i;

	(void)unused;
	begin(&t);
	greedy = dial(&t);
	other = dial(&t);
	memcpy(value, "/big", 5);
	memset(value + 5, 'v', sizeof(value) - 5);
	assert_int_equal(
	    ask(&t, other, WIRE_WRITE, value, sizeof(value)), WIRE_WRITE);
	for (i = 0; i < 20000; i++) {
		len = (ssize_t)make(bytes, WIRE_READ, sent, "/big", 5);
		n = send(greedy, bytes, (size_t)len, MSG_NOSIGNAL);
		if (n != len)
			break;
		sent++;
		if (i % 16 == 0)
			turns(&t);
	}
	assert_true(i < 20000); /* its requests stay where they are */
	assert_int_equal(ask(&t, other, WIRE_READ, "/tool", 6), WIRE_READ);
	while (want < sent) {
		if (get(&t, greedy, &id, payload) == UINT32_MAX) {
			turns(&t);
			continue;
		}
		assert_int_equal(id, want);
		want++;
	}
	close(greedy);
	close(other);
	turns(&t);
	end(&t);
}

static void
too_long_a_message_closes_only_its_sender(void **unused)
{
	struct wire_header header = { .type = WIRE_READ, .len = 4097 };
	char payload[WIRE_PAYLOAD_MAX];
	uint32_t id;
	struct t t;
	int bad, good;

	(void)unused;
	begin(&t);
	bad = dial(&t);
	good = dial(&t);
	assert_int_equal(send(bad, &header, sizeof(header), 0), 16);
	turns(&t);
	assert_int_equal(get(&t, bad, &id, payload), 0xdead);
	assert_int_equal(ask(&t, good, WIRE_READ, "/tool", 6), WIRE_READ);
	/* a mere mistake does not */
	assert_int_equal(ask(&t, good, 99, "", 0), WIRE_ERROR);
	assert_int_equal(ask(&t, good, WIRE_READ, "/tool", 6), WIRE_READ);
	close(bad);
	close(good);
	turns(&t);
	end(&t);
}

static void
who_leaves_takes_watches_and_transactions_along(void **unused)
{
	struct state *st;
	struct t t;
	int fd, other;

	(void)unused;
	begin(&t);
	st = server_state(t.server);
	fd = dial(&t);
	other = dial(&t);
	assert_int_equal(ask(&t, fd, WIRE_WATCH, "/a\0t", 5), WIRE_WATCH);
	assert_int_equal(ask(&t, fd, WIRE_TRANSACTION_START, "", 1),
	    WIRE_WATCH_EVENT); /* the first event, then the id */
	assert_int_equal(st->dom0->usage.n[QUOTA_WATCHES], 1);
	assert_int_equal(st->dom0->usage.n[QUOTA_TXNS], 1);
	close(fd);
	turns(&t);
	assert_int_equal(st->dom0->usage.n[QUOTA_WATCHES], 0);
	assert_int_equal(st->dom0->usage.n[QUOTA_TXNS], 0);
	/* one that goes away while it is sent to */
	fd = dial(&t);
	assert_int_equal(ask(&t, fd, WIRE_WATCH, "/a\0t", 5), WIRE_WATCH);
	shutdown(fd, SHUT_RD);
	assert_int_equal(ask(&t, other, WIRE_WRITE, "/a\0v", 4), WIRE_WRITE);
	close(fd);
	turns(&t);
	assert_int_equal(st->dom0->usage.n[QUOTA_WATCHES], 0);
	close(other);
	turns(&t);
	end(&t);
}

/* As often as the kernel may be asked until it has nothing to say. */
static void
all_turns(struct t *t)
{
	int i;

	for (i = 0; i < 10; i++)
		turns(t);
}

/* How many clients the server has. */
static int
clients(struct t *t)
{
	struct conn *conn = NULL;
	int n = 0;

	while ((conn = state_next_conn(server_state(t->server), conn)) != NULL)
		n++;
	return n;
}

static void
who_sends_and_is_gone_at_once_is_noticed(void **unused)
{
	/* a request, a part of one, one and a part, nothing */
	static const struct {
		size_t whole, part;
	} sent[] = { { 1, 0 }, { 0, 20 }, { 1, 20 }, { 0, 3 }, { 0, 0 } };
	char bytes[WIRE_MESSAGE_MAX];
	struct t t;
	size_t i, len;
	uint32_t id;
	int fd, how;

	(void)unused;
	begin(&t);
	for (how = 0; how < 3; how++) {
		for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
			fd = dial(&t);
			if (how == 2) /* it leaves a reply unread */
				assert_int_equal(
				    make(bytes, WIRE_READ, 1, "/", 2),
				    send(fd, bytes, 18, MSG_NOSIGNAL));
			if (how == 2)
				all_turns(&t);
			assert_int_equal(clients(&t), 1);
			len = make(bytes, WIRE_READ, 1, "/", 2);
			(void)make(bytes + len, WIRE_READ, 2, "/none", 6);
			len = sent[i].whole * len + sent[i].part;
			assert_int_equal(
			    send(fd, bytes + (sent[i].whole ? 0 : 18), len,
				MSG_NOSIGNAL),
			    len);
			if (how == 1)
				shutdown(fd, SHUT_WR);
			else
				close(fd);
			all_turns(&t);
			assert_int_equal(clients(&t), 0);
			if (how != 1)
				continue;
			if (sent[i].whole > 0)
				assert_int_equal(
				    get(&t, fd, &id, bytes), WIRE_READ);
			assert_int_equal(get(&t, fd, &id, bytes), 0xdead);
			close(fd);
		}
	}
	end(&t);
}

static void
what_follows_descriptors_is_read_too(void **unused)
{
	char bytes[WIRE_MESSAGE_MAX], room[CMSG_SPACE(sizeof(int))];
	struct iovec vec = { bytes, 0 };
	struct msghdr msg = { .msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof(room) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&msg);
	uint32_t id, i;
	struct t t;
	int fd;

	(void)unused;
	begin(&t);
	fd = dial(&t);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &fd, sizeof(int));
	for (i = 0; i < 4; i++) {
		vec.iov_len = make(bytes, WIRE_READ, i, "/", 2);
		msg.msg_control = i % 2 == 0 ? room : NULL;
		msg.msg_controllen = i % 2 == 0 ? sizeof(room) : 0;
		assert_int_equal(sendmsg(fd, &msg, 0), vec.iov_len);
	}
	all_turns(&t);
	for (i = 0; i < 4; i++) {
		assert_int_equal(get(&t, fd, &id, bytes), WIRE_READ);
		assert_int_equal(id, i);
	}
	close(fd);
	all_turns(&t);
	assert_int_equal(clients(&t), 0);
	end(&t);
}

static void
a_thousand_clients_come_and_go(void **unused)
{
	static int fd[1000];
	struct t t;
	int i;

	(void)unused;
	begin(&t);
	for (i = 0; i < 1000; i++) {
		fd[i] = dial(&t);
		if (fd[i] > 900)
			break;
	}
	assert_true(i > 200);
	assert_int_equal(ask(&t, fd[100], WIRE_READ, "/tool", 6), WIRE_READ);
	while (i > 0)
		close(fd[--i]);
	turns(&t);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_is_for_its_owner_only),
		cmocka_unit_test(messages_may_come_in_any_pieces),
		cmocka_unit_test(many_requests_at_once_are_answered_in_order),
		cmocka_unit_test(
		    one_who_never_reads_costs_little_and_loses_nothing),
		cmocka_unit_test(too_long_a_message_closes_only_its_sender),
		cmocka_unit_test(
		    who_leaves_takes_watches_and_transactions_along),
		cmocka_unit_test(who_sends_and_is_gone_at_once_is_noticed),
		cmocka_unit_test(what_follows_descriptors_is_read_too),
		cmocka_unit_test(a_thousand_clients_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
