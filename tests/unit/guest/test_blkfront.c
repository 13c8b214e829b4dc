/* Disks against a backend in this process that checks every request. */
#include "tests/unit/guest/fake_world.h"

#include "abi/io/blkif.h"
#include "abi/io/ring.h"
#include "hv-core/guest/blkfront.h"

#define SECTORS 4096u
#define VDEV 768u
#define FRONT "device/vbd/768"
#define BACK "/local/domain/0/backend/vbd/5/768"

/* The backend. */
static struct {
	uint8_t data[SECTORS * BLKFRONT_SECTOR];
	struct ring_back ring;
	int mapped;
	uint32_t port;
	int paused; /* takes nothing */
	int hoard;  /* take all, answer later in reverse */
	struct blkif_request held[64];
	unsigned int nheld, most; /* in flight at once */
	unsigned int requests, flushes;
	int16_t status; /* for the next one */
	int keep;	/* goes on using one page after its response */
	uint32_t kept;
	unsigned int unit; /* whole so many sectors are expected */
	/* nonsense, once */
	int bad_id, bad_op, bad_index;
} be;

static size_t free_pages;
static uint32_t free_refs;

static struct grant_entry_v1 *
grant(uint32_t ref)
{
	assert_in_range(ref, GNTTAB_NR_RESERVED_ENTRIES, WORLD_GRANTS - 1);
	assert_int_equal(
	    world.grants[ref].flags & GTF_type_mask, GTF_permit_access);
	assert_int_equal(world.grants[ref].domid, 0);
	return &world.grants[ref];
}

static void
move_segment(const struct blkif_request *req,
    const struct blkif_request_segment *seg, uint64_t sector)
{
	struct grant_entry_v1 *g = grant(seg->gref);
	size_t len =
	    (size_t)(seg->last_sect - seg->first_sect + 1) * BLKFRONT_SECTOR;
	uint8_t *page =
	    (uint8_t *)guest_page(g->frame) + seg->first_sect * BLKFRONT_SECTOR;
	uint8_t *at = be.data + sector * BLKFRONT_SECTOR;

	assert_in_range(seg->last_sect, seg->first_sect, 7);
	if (req->operation == BLKIF_OP_WRITE) {
		assert_true(g->flags & GTF_readonly);
		memcpy(at, page, len);
	} else {
		assert_false(g->flags & GTF_readonly);
		memcpy(page, at, len);
	}
	if (be.keep) {
		be.keep = 0;
		be.kept = seg->gref;
		g->flags |= GTF_reading;
	}
}

static void
answer(const struct blkif_request *req)
{
	struct blkif_response rsp = { req->id, req->operation, be.status };
	uint64_t sector = req->sector_number;
	unsigned int i;

	be.requests++;
	if (req->operation == BLKIF_OP_FLUSH_DISKCACHE)
		be.flushes++;
	assert_in_range(req->nr_segments, 0, 11);
	assert_int_equal(req->handle, VDEV);
	for (i = 0; i < req->nr_segments && be.status == 0; i++) {
		move_segment(req, &req->seg[i], sector);
		sector += req->seg[i].last_sect - req->seg[i].first_sect + 1u;
	}
	assert_int_equal(req->sector_number % be.unit, 0);
	if (be.status == 0)
		assert_int_equal((sector - req->sector_number) % be.unit, 0);
	be.status = 0;
	if (be.bad_id)
		rsp.id = be.bad_id == 1 ? 31 : UINT64_MAX;
	if (be.bad_op)
		rsp.operation = BLKIF_OP_DISCARD;
	be.bad_id = be.bad_op = 0;
	ring_back_put(&be.ring, &rsp, sizeof(rsp));
}

static void
map_ring(void)
{
	uint32_t ref =
	    (uint32_t)atoi(fake_get(&world.store, FRONT "/ring-ref"));

	be.port =
	    (uint32_t)atoi(fake_get(&world.store, FRONT "/event-channel"));
	ring_back_init(&be.ring, guest_page(grant(ref)->frame), 4096, 112, 0);
	world.grants[ref].flags |= GTF_reading | GTF_writing;
	be.mapped = (int)ref;
	fake_set(&world.store, BACK "/state", "4");
}

static void
unmap_ring(void)
{
	if (be.mapped)
		world.grants[be.mapped].flags &=
		    (uint16_t) ~(GTF_reading | GTF_writing);
	be.mapped = 0;
}

static int
backend(void *arg)
{
	int did = 0;

	(void)arg;
	if (!be.mapped &&
	    strcmp(fake_get(&world.store, FRONT "/state"), "3") == 0) {
		map_ring();
		return 1;
	}
	if (!be.mapped || be.paused)
		return 0;
	while (ring_back_pending(&be.ring) > 0) {
		ring_back_take(&be.ring, &be.held[be.nheld++], 112);
		if (be.nheld > be.most)
			be.most = be.nheld;
		did = 1;
	}
	if (be.hoard > 0 && be.nheld > 0) {
		be.hoard--;
		return did;
	}
	while (be.nheld > 0) {
		answer(&be.held[--be.nheld]);
		did = 1;
	}
	if (did && ring_back_push(&be.ring))
		guest_evtchn_raise(be.port);
	if (be.bad_index && did) {
		be.bad_index = 0;
		be.ring.shared->rsp_prod += 100;
	}
	ring_back_final_check(&be.ring);
	return did;
}

static void
plug(const char *sectors, const char *size, const char *info)
{
	memset(&be, 0, sizeof(be));
	be.unit = (unsigned int)atoi(size) / BLKFRONT_SECTOR;
	fake_set(&world.store, BACK "/state", "2");
	fake_set(&world.store, BACK "/sectors", sectors);
	fake_set(&world.store, BACK "/sector-size", size);
	fake_set(&world.store, BACK "/info", info);
	fake_set(&world.store, BACK "/feature-flush-cache", "1");
	fake_set(&world.store, FRONT "/backend", BACK);
	fake_set(&world.store, FRONT "/backend-id", "0");
	fake_set(&world.store, FRONT "/state", "1");
}

static struct blkfront *
connect(const char *size, const char *info)
{
	struct blkfront *dev = NULL;

	plug("4096", size, info);
	while (blkfront_get(0) == NULL || blkfront_wait(0, 0, &dev) != 0)
		(void)guest_step(guest_now() + GUEST_NS_PER_S);
	return dev;
}

/* The toolstack takes the disk away, and everything is as it was before. */
static int
unplug(void **state)
{
	(void)state;
	fake_rm(&world.store, FRONT);
	fake_rm(&world.store, BACK);
	unmap_ring();
	while (guest_step(0) > 0)
		;
	world.now += GUEST_NS_PER_S;
	(void)gnttab_retry();
	assert_int_equal(gnttab_deferred(), 0);
	assert_int_equal(gnttab_free_refs(), free_refs);
	assert_int_equal(guest_pages_free(), free_pages);
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "");
	fake_rm(&world.store, "error");
	return 0;
}

static void
fill_disk(void)
{
	for (size_t i = 0; i < sizeof(be.data); i++)
		be.data[i] = (uint8_t)(i * 7 + i / 512);
}

/* --- tests -------------------------------------------------------------- */

static void
a_disk_connects_as_netbsd_does(void **state)
{
	struct blkfront *dev = connect("512", "4");
	struct blkfront_info info;

	(void)state;
	assert_int_equal(blkfront_info(dev, &info), 0);
	assert_int_equal(info.vdev, VDEV);
	assert_int_equal(info.sectors, SECTORS);
	assert_int_equal(info.sector_size, 512);
	assert_true(info.read_only);
	assert_false(info.cdrom);
	assert_true(info.flushes);
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "4");
	assert_string_equal(
	    fake_get(&world.store, FRONT "/protocol"), "x86_64-abi");
}

static void
transfers_of_every_shape_arrive(void **state)
{
	static const struct {
		size_t offset, sectors;
		uint64_t sector;
	} shape[] = {
		{ 0, 1, 0 },
		{ 0, 8, 8 },
		{ 0, 88, 3 },
		{ 0, 89, 100 },
		{ 512, 7, 9 },
		{ 3584, 9, 1 },
		{ 1536, 1000, 77 },
		{ 1, 5, 40 },
		{ 3, 200, 4096 - 200 },
		{ 0, 0, 4096 },
	};
	struct blkfront *dev = connect("512", "0");
	uint8_t *ram = guest_alloc_pages(140), *heap = malloc(140 * 4096);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(shape) / sizeof(shape[0]); i++) {
		uint8_t *buf = (i % 2 ? ram : heap) + shape[i / 2].offset;
		size_t n = shape[i / 2].sectors;
		uint8_t *at = be.data + shape[i / 2].sector * 512;

		fill_disk();
		assert_int_equal(blkfront_rw(dev, shape[i / 2].sector, buf, n,
				     BLKFRONT_READ),
		    0);
		assert_memory_equal(buf, at, n * 512);
		for (size_t k = 0; k < n * 512; k++)
			buf[k] = (uint8_t)(k * 3 + i);
		uint8_t before = n > 0 ? at[-1 + (at == be.data)] : 0;
		assert_int_equal(blkfront_rw(dev, shape[i / 2].sector, buf, n,
				     BLKFRONT_WRITE),
		    0);
		assert_memory_equal(buf, at, n * 512);
		if (n > 0 && at != be.data)
			assert_int_equal(at[-1], before); /* and no more */
	}
	guest_free_pages(ram, 140);
	free(heap);
}

static void
a_long_transfer_keeps_the_ring_full(void **state)
{
	struct blkfront *dev = connect("512", "0");
	uint8_t *heap = malloc(sizeof(be.data));

	(void)state;
	fill_disk();
	be.hoard = 3;
	assert_int_equal(blkfront_rw(dev, 0, heap, SECTORS, BLKFRONT_READ), 0);
	assert_memory_equal(heap, be.data, sizeof(be.data));
	assert_int_equal(be.most, 32);
	free(heap);
}

static void
an_error_is_reported_and_the_disk_lives_on(void **state)
{
	struct blkfront *dev = connect("512", "0");
	uint8_t buf[512] = { 0 };

	(void)state;
	be.status = BLKIF_RSP_ERROR;
	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ), -EIO);
	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ), 0);
}

static void
what_cannot_be_is_refused_unsent(void **state)
{
	struct blkfront *dev = connect("512", "0");
	uint8_t buf[1024];

	(void)state;
	assert_int_equal(
	    blkfront_rw(dev, SECTORS, buf, 1, BLKFRONT_READ), -EINVAL);
	assert_int_equal(
	    blkfront_rw(dev, SECTORS - 1, buf, 2, BLKFRONT_READ), -EINVAL);
	assert_int_equal(
	    blkfront_rw(dev, UINT64_MAX, buf, 2, BLKFRONT_READ), -EINVAL);
	assert_int_equal(
	    blkfront_rw(dev, 0, buf, SIZE_MAX, BLKFRONT_READ), -EINVAL);
	assert_int_equal(be.requests, 0);
	frontend_stop();
	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ), -ENXIO);
	assert_int_equal(blkfront_flush(dev), -ENXIO);
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
}

static void
a_read_only_disk_is_not_written(void **state)
{
	struct blkfront *dev = connect("512", "4");
	uint8_t buf[512] = { 0 };

	(void)state;
	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_WRITE), -EROFS);
	assert_int_equal(blkfront_flush(dev), 0);
	assert_int_equal(be.requests, 0);
}

static void
big_sectors_are_kept_whole(void **state)
{
	struct blkfront *dev = connect("4096", "0");
	uint8_t *ram = guest_alloc_pages(60), *buf = ram + 512;

	(void)state;
	fill_disk();
	assert_int_equal(blkfront_rw(dev, 1, buf, 8, BLKFRONT_READ), -EINVAL);
	assert_int_equal(blkfront_rw(dev, 0, buf, 7, BLKFRONT_READ), -EINVAL);
	assert_int_equal(be.requests, 0);
	/* The backend checks that each request is a multiple of eight. */
	assert_int_equal(blkfront_rw(dev, 8, buf, 400, BLKFRONT_READ), 0);
	assert_memory_equal(buf, be.data + 8 * 512, 400 * 512);
	guest_free_pages(ram, 60);
}

static void
a_flush_is_sent_unless_it_is_not_known(void **state)
{
	struct blkfront *dev = connect("512", "0");

	(void)state;
	assert_int_equal(blkfront_flush(dev), 0);
	assert_int_equal(be.flushes, 1);
	be.status = BLKIF_RSP_ERROR;
	assert_int_equal(blkfront_flush(dev), -EIO);
	be.status = BLKIF_RSP_EOPNOTSUPP;
	assert_int_equal(blkfront_flush(dev), 0);
	assert_int_equal(be.flushes, 3);
	assert_int_equal(blkfront_flush(dev), 0);
	assert_int_equal(be.flushes, 3);
}

static void
assert_given_up(struct blkfront *dev)
{
	uint8_t buf[512];

	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ), -ENXIO);
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
}

static void
nonsense_from_the_backend_ends_the_connection(void **state)
{
	int *const bad[] = { &be.bad_id, &be.bad_id, &be.bad_op,
		&be.bad_index };
	static const int value[] = { 1, 2, 1, 1 };
	uint8_t buf[512];

	for (size_t i = 0; i < 4; i++) {
		struct blkfront *dev = connect("512", "0");

		*bad[i] = value[i];
		/* The one whose answer came is told of the first nonsense. */
		(void)blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ);
		if (i == 3)
			(void)blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ);
		assert_given_up(dev);
		assert_string_not_equal(
		    fake_get(&world.store, "error/" FRONT "/error"), "");
		(void)unplug(state);
	}
}

static int
backend_closes(void *arg)
{
	(void)arg;
	world.backend = NULL;
	fake_set(&world.store, BACK "/state", "5");
	return 1;
}

static int
disk_is_pulled(void *arg)
{
	(void)arg;
	world.backend = NULL;
	fake_rm(&world.store, FRONT);
	return 1;
}

static void
whoever_waits_is_told_when_the_disk_goes(void **state)
{
	uint8_t *ram = guest_alloc_pages(8);
	struct blkfront *dev = connect("512", "0");

	(void)state;
	world.backend = backend_closes;
	assert_int_equal(blkfront_rw(dev, 0, ram, 64, BLKFRONT_READ), -EIO);
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
	assert_int_equal(blkfront_rw(dev, 0, ram, 1, BLKFRONT_READ), -ENXIO);
	fake_rm(&world.store, FRONT);
	unmap_ring();

	world.backend = backend;
	dev = connect("512", "0");
	world.backend = disk_is_pulled;
	assert_int_equal(blkfront_rw(dev, 0, ram, 64, BLKFRONT_WRITE), -EIO);
	world.backend = backend;
	guest_free_pages(ram, 8);
}

static void
a_page_the_backend_holds_on_to_is_not_used_again(void **state)
{
	struct blkfront *dev = connect("512", "0");
	uint8_t buf[512];
	uint32_t frame;

	(void)state;
	be.keep = 1;
	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ), 0);
	assert_int_equal(gnttab_deferred(), 1);
	frame = world.grants[be.kept].frame;
	be.hoard = 1;
	assert_int_equal(blkfront_rw(dev, 0, buf, 1, BLKFRONT_READ), 0);
	assert_int_equal(world.grants[be.kept].frame, frame);
	assert_true(world.grants[be.kept].flags & GTF_permit_access);
	world.grants[be.kept].flags &= (uint16_t)~GTF_reading;
	assert_int_equal(gnttab_retry(), 0);
	assert_int_equal(world.grants[be.kept].flags, 0);
}

static void
a_replaced_backend_goes_on_where_the_old_one_stood(void **state)
{
	struct blkfront *dev = connect("512", "0");
	uint8_t buf[512];

	(void)state;
	fill_disk();
	for (int i = 0; i < 40; i++)
		assert_int_equal(blkfront_rw(dev, 5, buf, 1, BLKFRONT_READ), 0);
	ring_back_init(
	    &be.ring, be.ring.shared, 4096, 112, be.ring.shared->rsp_prod);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(blkfront_rw(dev, 5, buf, 1, BLKFRONT_READ), 0);
	assert_memory_equal(buf, be.data + 5 * 512, 512);
}

static void
few_grants_make_it_slow_but_not_wrong(void **state)
{
	struct blkfront *dev = connect("512", "0");
	uint8_t *ram = guest_alloc_pages(64);
	static uint32_t refs[WORLD_GRANTS];
	unsigned int n = 0;

	(void)state;
	fill_disk();
	while (gnttab_free_refs() > 15)
		assert_int_equal(gnttab_grant(0, 1, GNTTAB_RO, &refs[n++]), 0);
	assert_int_equal(blkfront_rw(dev, 0, ram, 512, BLKFRONT_READ), 0);
	assert_memory_equal(ram, be.data, 512 * 512);
	while (gnttab_free_refs() > 3)
		assert_int_equal(gnttab_grant(0, 1, GNTTAB_RO, &refs[n++]), 0);
	assert_int_equal(blkfront_rw(dev, 0, ram, 512, BLKFRONT_READ), -ENOMEM);
	while (n > 0)
		assert_int_equal(gnttab_end(refs[--n]), 0);
	assert_int_equal(blkfront_rw(dev, 0, ram, 512, BLKFRONT_READ), 0);
	guest_free_pages(ram, 64);
}

static void
only_new_devices_are_attached(void **state)
{
	(void)state;
	plug("4096", "512", "0");
	fake_set(&world.store, FRONT "/state", "6");
	while (guest_step(0) > 0)
		;
	assert_string_equal(fake_get(&world.store, FRONT "/ring-ref"), "");
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
}

static void
devices_are_attached_in_ascending_order(void **state)
{
	static const char *const ids[] = { "900", "20", "100", "zebra", "0x5" };
	uint32_t port[5];
	char path[64], back[64];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		snprintf(back, sizeof(back), "/local/domain/0/b/%s", ids[i]);
		snprintf(path, sizeof(path), "device/vbd/%s/backend", ids[i]);
		fake_set(&world.store, path, back);
		snprintf(
		    path, sizeof(path), "device/vbd/%s/backend-id", ids[i]);
		fake_set(&world.store, path, "0");
		snprintf(path, sizeof(path), "device/vbd/%s/state", ids[i]);
		fake_set(&world.store, path, "1");
		snprintf(
		    back, sizeof(back), "/local/domain/0/b/%s/state", ids[i]);
		fake_set(&world.store, back, "2");
	}
	while (guest_step(0) > 0)
		;
	for (size_t i = 0; i < 5; i++) {
		snprintf(
		    path, sizeof(path), "device/vbd/%s/event-channel", ids[i]);
		port[i] = (uint32_t)atoi(fake_get(&world.store, path));
	}
	assert_true(port[1] > 0 && port[1] < port[2] && port[2] < port[0]);
	assert_int_equal(port[3], 0); /* not numbers, not devices */
	assert_int_equal(port[4], 0);
	fake_rm(&world.store, "device/vbd");
	fake_rm(&world.store, "/local/domain/0/b");
}

static void
a_device_without_a_backend_is_closed(void **state)
{
	(void)state;
	plug("4096", "512", "0");
	fake_set(&world.store, FRONT "/backend-id", "x");
	while (guest_step(0) > 0)
		;
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
	assert_string_not_equal(
	    fake_get(&world.store, "error/" FRONT "/error"), "");
}

static void
a_backend_that_says_rubbish_is_refused(void **state)
{
	(void)state;
	plug("4096", "513", "0");
	while (guest_step(0) > 0)
		;
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
	(void)unplug(state);
	plug("-5", "512", "0");
	while (guest_step(0) > 0)
		;
	assert_string_equal(fake_get(&world.store, FRONT "/state"), "6");
}

static int
start_world(void **state)
{
	(void)state;
	world_start();
	world.backend = backend;
	assert_int_equal(frontend_start(world.xb, frontend_drivers), 0);
	/* The pages of hypercall arguments are allocated now, and stay. */
	guest_early_write("\n", 1);
	(void)connect("512", "0");
	fake_rm(&world.store, FRONT);
	fake_rm(&world.store, BACK);
	unmap_ring();
	while (guest_step(0) > 0)
		;
	world.now += GUEST_NS_PER_S;
	(void)gnttab_retry();
	free_pages = guest_pages_free();
	free_refs = gnttab_free_refs();
	return 0;
}

static int
end_world(void **state)
{
	(void)state;
	world_end();
	return 0;
}

int
main(void)
{
#define T(name) cmocka_unit_test_teardown(name, unplug)
	const struct CMUnitTest tests[] = {
		T(a_disk_connects_as_netbsd_does),
		T(transfers_of_every_shape_arrive),
		T(a_long_transfer_keeps_the_ring_full),
		T(an_error_is_reported_and_the_disk_lives_on),
		T(what_cannot_be_is_refused_unsent),
		T(a_read_only_disk_is_not_written),
		T(big_sectors_are_kept_whole),
		T(a_flush_is_sent_unless_it_is_not_known),
		T(nonsense_from_the_backend_ends_the_connection),
		T(whoever_waits_is_told_when_the_disk_goes),
		T(a_page_the_backend_holds_on_to_is_not_used_again),
		T(a_replaced_backend_goes_on_where_the_old_one_stood),
		T(few_grants_make_it_slow_but_not_wrong),
		T(only_new_devices_are_attached),
		T(devices_are_attached_in_ascending_order),
		T(a_device_without_a_backend_is_closed),
		T(a_backend_that_says_rubbish_is_refused),
	};

	return cmocka_run_group_tests(tests, start_world, end_world);
}
