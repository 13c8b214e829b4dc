/*
 * blktest: exercises a virtual disk and says in the store how it went.
 *
 * Command line: mode=verify (default: writes a pattern in transfers of many
 * sizes, flushes, reads it back), mode=read (a checksum of the whole disk),
 * mode=loop (verify for ever), mode=stat (only says what the disk is),
 * mode=bench (moves data when told to, below);
 * disk=N (0), sectors=N (at most so many from the start), seed=N, and "halt" to
 * power off at the end.
 *
 * Store: data/blk/{sectors,read-only} once connected, data/blk/{bytes,rounds}
 * while at work, data/blk/sum (FNV-1a, 64 bits, hexadecimal), and at the end
 * data/blk/result: "ok", or "error <number> at <sector>", or "differs at
 * <sector>".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv-core/guest/blkfront.h"
#include "hv-core/guest/control.h"
#include "hv-core/guest/frontend.h"
#include "hv-core/guest/guest.h"
#include "hv-core/guest/xenbus.h"

#define STORE_TIMEOUT (30 * GUEST_NS_PER_S)
#define DISK_TIMEOUT (60 * GUEST_NS_PER_S)
#define CHUNK 512u  /* sectors in the longest transfer */
#define BENCH 1024u /* the same, for mode=bench */
#define REPORT_NS (GUEST_NS_PER_S / 2)
#define ORDER_NS (2 * GUEST_NS_PER_MS)

static struct xenbus *xb;
static struct blkfront *disk;
static uint64_t bytes, seed, rounds, next_report;
static uint8_t *pages; /* BENCH sectors of RAM: used in place */
static uint8_t heap[CHUNK * BLKFRONT_SECTOR + 1]; /* goes by bounce pages */

static void
say(const char *node, const char *text)
{
	guest_printf("blktest: %s %s\n", node, text);
	(void)xenbus_printf(xb, XENBUS_NO_TX, "data/blk", node, "%s", text);
}

/* One turn of the main loop between transfers; reports now and then. */
static void
breathe(void)
{
	(void)guest_step(0);
	if (guest_now() < next_report)
		return;
	next_report = guest_now() + REPORT_NS;
	(void)xenbus_printf(xb, XENBUS_NO_TX, "data/blk", "bytes", "%llu",
	    (unsigned long long)bytes);
	(void)xenbus_printf(xb, XENBUS_NO_TX, "data/blk", "rounds", "%llu",
	    (unsigned long long)rounds);
}

/* What sector SECTOR contains: itself, the seed, and noise from both. */
static void
pattern(uint64_t sector, uint8_t *out)
{
	uint64_t x = sector * UINT64_C(0x9e3779b97f4a7c15) + seed + rounds;
	unsigned int i;

	memcpy(out, &sector, 8);
	for (i = 8; i < BLKFRONT_SECTOR; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(out + i, &x, 8);
	}
}

static int
failed(const char *what, int err, uint64_t sector)
{
	char text[64];

	if (err != 0)
		(void)snprintf(text, sizeof(text), "error %d at %llu %s", -err,
		    (unsigned long long)sector, what);
	else
		(void)snprintf(text, sizeof(text), "differs at %llu",
		    (unsigned long long)sector);
	say("result", text);
	return -1;
}

/* The length and buffer of the transfer at SECTOR: all sorts come up. */
static size_t
shape(uint64_t sector, uint64_t end, uint8_t **buf, unsigned int unit)
{
	size_t n = (size_t)((sector * 7 + sector / 64 + seed) % CHUNK) + 1;

	n = n < unit ? unit : n - n % unit;
	if (n > end - sector)
		n = (size_t)(end - sector);
	switch ((sector / unit + seed) % 3) {
	case 0: /* odd address outside of RAM */
		*buf = heap + 1;
		break;
	case 1: /* whole pages */
		*buf = pages;
		break;
	default: /* begins within a page */
		*buf = pages + 3 * BLKFRONT_SECTOR;
		if (n > CHUNK - 8)
			n = CHUNK - 8;
		break;
	}
	return n;
}

static int
write_all(uint64_t end, unsigned int unit)
{
	uint64_t sector;
	size_t n, i;
	uint8_t *buf;
	int rc;

	for (sector = 0; sector < end; sector += n) {
		n = shape(sector, end, &buf, unit);
		for (i = 0; i < n; i++)
			pattern(sector + i, buf + i * BLKFRONT_SECTOR);
		rc = blkfront_rw(disk, sector, buf, n, BLKFRONT_WRITE);
		if (rc != 0)
			return failed("writing", rc, sector);
		bytes += n * BLKFRONT_SECTOR;
		breathe();
	}
	rc = blkfront_flush(disk);
	return rc != 0 ? failed("flushing", rc, end) : 0;
}

static int
check_all(uint64_t end, unsigned int unit)
{
	uint8_t want[BLKFRONT_SECTOR];
	uint64_t sector;
	size_t n, i;
	uint8_t *buf;
	int rc;

	seed++; /* other transfers than when writing */
	for (sector = 0; sector < end; sector += n) {
		n = shape(sector, end, &buf, unit);
		memset(buf, 0xee, n * BLKFRONT_SECTOR);
		rc = blkfront_rw(disk, sector, buf, n, BLKFRONT_READ);
		if (rc != 0)
			return failed("reading", rc, sector);
		seed--;
		for (i = 0; i < n; i++) {
			pattern(sector + i, want);
			if (memcmp(want, buf + i * BLKFRONT_SECTOR,
				sizeof(want)) != 0)
				return failed("", 0, sector + i);
		}
		seed++;
		bytes += n * BLKFRONT_SECTOR;
		breathe();
	}
	seed--;
	return 0;
}

static int
sum_all(uint64_t end)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325), sector;
	char text[24];
	size_t n, i;
	int rc;

	for (sector = 0; sector < end; sector += n) {
		n = end - sector < CHUNK ? (size_t)(end - sector) : CHUNK;
		rc = blkfront_rw(disk, sector, pages, n, BLKFRONT_READ);
		if (rc != 0)
			return failed("reading", rc, sector);
		for (i = 0; i < n * BLKFRONT_SECTOR; i++)
			sum = (sum ^ pages[i]) * UINT64_C(0x100000001b3);
		bytes += n * BLKFRONT_SECTOR;
		breathe();
	}
	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)sum);
	say("sum", text);
	return 0;
}

/* One order of mode=bench; the nanoseconds it took, or 0. */
static uint64_t
move_all(uint64_t total, uint64_t chunk, enum blkfront_dir dir)
{
	uint64_t start = guest_now(), sector;
	int rc = 0;

	for (sector = 0; sector < total && rc == 0; sector += chunk)
		rc = blkfront_rw(disk, sector, pages, (size_t)chunk, dir);
	if (rc == 0 && dir == BLKFRONT_WRITE)
		rc = blkfront_flush(disk);
	if (rc != 0) {
		(void)failed("moving", rc, sector);
		return 0;
	}
	return guest_now() - start;
}

static void
obey_orders(uint64_t end)
{
	unsigned int number = 0, got, kib, mib;
	char text[64], word[8];

	for (;;) {
		uint64_t chunk, total, ns;

		(void)guest_step(guest_now() + ORDER_NS);
		if (xenbus_read_str(xb, XENBUS_NO_TX, "data/blk", "go", text,
			sizeof(text)) != 0 ||
		    sscanf(text, "%u %7s %u %u", &got, word, &kib, &mib) != 4 ||
		    got == number || kib == 0 ||
		    kib > BENCH * BLKFRONT_SECTOR / 1024)
			continue;
		number = got;
		chunk = kib * 1024 / BLKFRONT_SECTOR;
		total = mib * (UINT64_C(1048576) / BLKFRONT_SECTOR);
		total = (total < end ? total : end) / chunk * chunk;
		ns = move_all(total, chunk,
		    word[0] == 'w' ? BLKFRONT_WRITE : BLKFRONT_READ);
		(void)xenbus_printf(xb, XENBUS_NO_TX, "data/blk", "done",
		    "%u %llu %llu", number,
		    (unsigned long long)total * BLKFRONT_SECTOR,
		    (unsigned long long)ns);
	}
}

static int
run(const char *mode, const struct blkfront_info *info, uint64_t end)
{
	unsigned int unit = info->sector_size / BLKFRONT_SECTOR;
	int rc;

	if (strcmp(mode, "stat") == 0)
		return 0;
	if (strcmp(mode, "read") == 0)
		return sum_all(end);
	if (strcmp(mode, "bench") == 0)
		obey_orders(end);
	do {
		rc = write_all(end, unit);
		if (rc == 0)
			rc = check_all(end, unit);
		rounds++;
	} while (rc == 0 && strcmp(mode, "loop") == 0);
	return rc;
}

static void
find_disk(unsigned int index, struct blkfront_info *info)
{
	char text[32];
	int rc;

	rc = frontend_start(xb, frontend_drivers);
	if (rc == 0)
		rc = blkfront_wait(index, guest_now() + DISK_TIMEOUT, &disk);
	if (rc == 0)
		rc = blkfront_info(disk, info);
	if (rc != 0) {
		(void)failed("connecting", rc, 0);
		guest_panic("no disk");
	}
	(void)snprintf(
	    text, sizeof(text), "%llu", (unsigned long long)info->sectors);
	say("sectors", text);
	say("read-only", info->read_only ? "1" : "0");
}

int
guest_main(const struct guest_boot *boot)
{
	struct blkfront_info info;
	char mode[16], word[8];
	uint64_t end;
	int rc;

	if (guest_option(boot->cmdline, "mode", mode, sizeof(mode)) == NULL)
		memcpy(mode, "verify", 7);
	seed = guest_option_num(boot->cmdline, "seed", 1);
	pages = guest_alloc_pages(BENCH * BLKFRONT_SECTOR / GUEST_PAGE_SIZE);
	rc = guest_store(STORE_TIMEOUT, &xb);
	if (rc != 0 || pages == NULL)
		guest_panic("no store, or no memory: %d", rc);
	(void)control_start(xb, control_obey, NULL);
	find_disk(
	    (unsigned int)guest_option_num(boot->cmdline, "disk", 0), &info);
	end = guest_option_num(boot->cmdline, "sectors", info.sectors);
	if (end > info.sectors)
		end = info.sectors;
	if (run(mode, &info, end) == 0)
		say("result", "ok");
	next_report = 0;
	breathe();
	if (guest_option(boot->cmdline, "halt", word, sizeof(word)) != NULL)
		control_obey(NULL, CONTROL_POWEROFF);
	for (;;)
		(void)guest_step(GUEST_FOREVER);
}
