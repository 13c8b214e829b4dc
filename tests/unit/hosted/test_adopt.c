/*
 * A client of event channels that died, and its successor on the same channel:
 * what hvd gives it, and what may stand in the pages by then.
 */
#include "fixture.h"

#include <sys/random.h>

#include "hv-core/lib/hosted/client_priv.h"

#define PEERS 200

/* Two joined ports: A's, which will be adopted, and B's. */
struct joined {
	struct hv_client *a, *b;
	uint32_t pa, pb;
};

static void
join(struct joined *j)
{
	struct evtchn_alloc_unbound u = { .dom = DOMID_SELF };
	struct evtchn_bind_interdomain i = { 0 };

	assert_int_equal(
	    evtchn_op(j->a, EVTCHNOP_alloc_unbound, &u, sizeof(u)), 0);
	i.remote_port = j->pa = u.port;
	assert_int_equal(
	    evtchn_op(j->b, EVTCHNOP_bind_interdomain, &i, sizeof(i)), 0);
	j->pb = i.local_port;
}

/* Read what hvd has to say. */
static void
news(struct hv_client *c)
{
	static unsigned heard[HV_PORTS];

	assert_true(hv_client_harvest(c, count_port, heard) >= 0);
}

/* PORT of C is sent on without hvd. */
static bool
direct(struct hv_client *c, uint32_t port)
{
	uint64_t tx = hv_port_tx(&c->ev.table[port]);

	news(c);
	return tx != 0 && HV_TX_SLOT(tx) < c->ev.nr_slots &&
	       c->ev.slots[HV_TX_SLOT(tx)].tx != NULL;
}

static void
pair_start(struct machine *m, struct joined *j)
{
	(void)m;
	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &j->a), 0);
	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &j->b), 0);
	join(j);
	await(direct(j->a, j->pa) && direct(j->b, j->pb));
}

/* A's client is gone, its channel is not. */
static int
bereave(struct joined *j)
{
	int fd = dup(hv_client_channel_fd(j->a));

	assert_true(fd >= 0);
	hv_client_close(j->a);
	j->a = NULL;
	return fd;
}

static void
succeed(struct joined *j, int fd)
{
	assert_int_equal(hv_client_adopt(fd, HV_CHAN_EVTCHN, &j->a), 0);
}

static void
expect_events_both_ways(struct joined *j)
{
	assert_int_equal(hv_client_send(j->b, j->pb), 0);
	assert_true(hear(j->a, j->pa, WAIT_MS) > 0);
	assert_int_equal(hv_client_send(j->a, j->pa), 0);
	assert_true(hear(j->b, j->pb, WAIT_MS) > 0);
}

static void
pair_stop(struct joined *j)
{
	hv_client_close(j->a);
	hv_client_close(j->b);
}

static void
events_go_directly_again_when_the_successor_hears_its_pairs(void **state)
{
	struct joined j;

	pair_start(*state, &j);
	succeed(&j, bereave(&j));
	/* b sends by the hypercall as long as a has not said that it hears */
	assert_int_equal(hv_port_tx(&j.b->ev.table[j.pb]), 0);
	assert_int_equal(hv_client_send(j.b, j.pb), 0);
	assert_true(hear(j.a, j.pa, WAIT_MS) > 0);
	await(direct(j.a, j.pa) && direct(j.b, j.pb));
	expect_events_both_ways(&j);
	pair_stop(&j);
}

static void
what_was_in_the_pages_is_heard_by_the_successor(void **state)
{
	struct joined j;
	int fd;

	pair_start(*state, &j);
	assert_int_equal(hv_client_send(j.b, j.pb), 0);
	fd = bereave(&j);
	assert_int_equal(hv_client_send(j.b, j.pb), 0);
	succeed(&j, fd);
	assert_true(hear(j.a, j.pa, WAIT_MS) > 0);
	pair_stop(&j);
}

/* Everything that a has mapped, filled with BYTE, or at random if it is -1. */
static void
spoil(struct hv_client *c, int byte)
{
	if (byte >= 0)
		memset(c->arena.base, byte, c->arena.size);
	for (uint32_t i = 0; i < c->ev.nr_slots; i++) {
		uint8_t *p = c->ev.slots[i].map;
		size_t left = c->ev.slots[i].map_size;

		for (; p != NULL && left > 0; left -= 256, p += 256)
			if (byte >= 0)
				memset(p, byte, 256);
			else
				assert_int_equal(getrandom(p, 256, 0), 256);
	}
}

static void
pages_in_any_state_do_not_stop_the_successor(void **state)
{
	struct joined j;

	for (int i = 0; i < 20; i++) {
		int fd;

		pair_start(*state, &j);
		spoil(j.a, i == 0 ? 0 : i == 1 ? 255 : -1);
		fd = bereave(&j);
		succeed(&j, fd);
		expect_events_both_ways(&j);
		await(direct(j.a, j.pa) && direct(j.b, j.pb));
		expect_events_both_ways(&j);
		pair_stop(&j);
	}
}

/* The dead one had taken the word that b sleeps, and not rung yet. */
static void
a_peer_is_rung_whose_bell_the_dead_one_owed(void **state)
{
	struct joined j;
	uint64_t tx;
	int fd;

	pair_start(*state, &j);
	tx = hv_port_tx(&j.a->ev.table[j.pa]);
	assert_int_equal(hv_client_wait(j.b, 0), 0);
	assert_int_equal(
	    pair_post(j.a->ev.slots[HV_TX_SLOT(tx)].tx, HV_TX_PORT(tx)), 1);
	fd = bereave(&j);
	assert_int_equal(hv_client_wait(j.b, 0), 0);
	succeed(&j, fd);
	assert_true(hear(j.b, j.pb, WAIT_MS) > 0);
	pair_stop(&j);
}

static void
a_successor_of_a_client_with_many_pairs_gets_all(void **state)
{
	static struct joined j[PEERS];
	struct hv_client *a;
	int fd;

	(void)state;
	assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &a), 0);
	for (int i = 0; i < PEERS; i++) {
		j[i].a = a;
		assert_int_equal(hv_client_open(HV_CHAN_EVTCHN, &j[i].b), 0);
		join(&j[i]);
		await(direct(a, j[i].pa) && direct(j[i].b, j[i].pb));
	}
	fd = bereave(&j[0]);
	succeed(&j[0], fd);
	a = j[0].a;
	for (int i = 0; i < PEERS; i++) {
		j[i].a = a;
		expect_events_both_ways(&j[i]);
	}
	for (int i = 0; i < PEERS; i++)
		await(direct(a, j[i].pa) && direct(j[i].b, j[i].pb));
	for (int i = 0; i < PEERS; i++) {
		expect_events_both_ways(&j[i]);
		hv_client_close(j[i].b);
	}
	hv_client_close(a);
}

static void
successions_leave_nothing_in_hvd(void **state)
{
	struct machine *m = *state;
	struct joined j;
	int before;

	pair_start(m, &j);
	before = machine_fds(m);
	for (int i = 0; i < 50; i++) {
		int fd = bereave(&j);

		/* now and then nobody reads what comes, and dies of it */
		if (i % 3 == 0) {
			struct hv_msg a = { .type = HV_MSG_ATTACH,
				.u.attach = { HV_PROTO_VERSION, HV_CHAN_EVTCHN,
				    1 << 20, 1 } };

			assert_int_equal(send(fd, &a, sizeof(a), 0), sizeof(a));
		}
		succeed(&j, fd);
		expect_events_both_ways(&j);
	}
	assert_int_equal(machine_fds(m), before);
	pair_stop(&j);
}

/* An ATTACH that is refused changes nothing. */
static void
a_bad_second_attach_is_refused_and_the_first_client_goes_on(void **state)
{
	static const struct hv_msg_attach bad[] = {
		{ HV_PROTO_VERSION + 1, HV_CHAN_EVTCHN, 1 << 20, 0 },
		{ HV_PROTO_VERSION, HV_CHAN_CALL, 1 << 20, 0 },
		{ HV_PROTO_VERSION, HV_CHAN_GUEST, 0, 0 },
		{ HV_PROTO_VERSION, HV_CHAN_EVTCHN, 0, 0 },
		{ HV_PROTO_VERSION, HV_CHAN_EVTCHN, 4095, 0 },
	};
	struct joined j;

	pair_start(*state, &j);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct hv_msg m = { .type = HV_MSG_ATTACH, .u.attach = bad[i] };
		struct parcel p;

		assert_int_equal(client_request(j.a, &m, &p), 0);
		assert_true(p.msg.u.attached.err < 0);
		assert_int_equal(p.fd[0], -1);
		assert_true(direct(j.b, j.pb));
		expect_events_both_ways(&j);
	}
	pair_stop(&j);
}

/* ------------------------------------------------------------------------- */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    events_go_directly_again_when_the_successor_hears_its_pairs),
		cmocka_unit_test(
		    what_was_in_the_pages_is_heard_by_the_successor),
		cmocka_unit_test(pages_in_any_state_do_not_stop_the_successor),
		cmocka_unit_test(a_peer_is_rung_whose_bell_the_dead_one_owed),
		cmocka_unit_test(
		    a_successor_of_a_client_with_many_pairs_gets_all),
		cmocka_unit_test(successions_leave_nothing_in_hvd),
		cmocka_unit_test(
		    a_bad_second_attach_is_refused_and_the_first_client_goes_on),
	};

	return cmocka_run_group_tests_name("adopt", tests, start_direct, stop);
}
