/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block backend against a guest that does what the bytes say, and its
 * successor where the bytes let it die. Nothing is mapped when it has answered,
 * the disk keeps its size, a read-only disk its bytes.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "hv-core/dom0/blkio.h"

enum { SECTORS = 64 };

static struct blkio io;

static void
request(void)
{
	static const uint8_t ops[] = { BLKIF_OP_READ, BLKIF_OP_WRITE,
		BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_READ, BLKIF_OP_WRITE, 77 };
	RING_IDX *prod = guest_word(0, 0);
	struct blkif_request req;
	uint8_t i;

	memset(&req, 0, sizeof(req));
	req.operation = ops[script_pick(&script, sizeof(ops))];
	req.nr_segments = script_byte(&script) & 15;
	req.sector_number = script_byte(&script);
	if (req.sector_number == 255)
		req.sector_number = UINT64_MAX - script_byte(&script);
	req.id = script_byte(&script);
	for (i = 0; i < req.nr_segments && i < 11; i++) {
		req.seg[i].gref = script_byte(&script) % (GUEST_PAGES + 4);
		req.seg[i].first_sect = script_byte(&script) & 7;
		req.seg[i].last_sect =
		    req.seg[i].first_sect + (script_byte(&script) & 3);
	}
	memcpy(guest_ring[0] + 64 + (*prod & 31) * sizeof(union blkif_slot),
	    &req, sizeof(req));
	++*prod;
}

static int
make_disk(void)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, SECTORS * 512) == 0);
	return fd;
}

/* A read-only disk holds zeroes. */
static void
check_disk(void)
{
	static const uint8_t zeroes[SECTORS * 512];
	static uint8_t bytes[SECTORS * 512];

	must(lseek(io.disk.fd, 0, SEEK_END) == SECTORS * 512);
	if (!io.disk.readonly)
		return;
	must(pread(io.disk.fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
	must(memcmp(bytes, zeroes, sizeof(bytes)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd[2];
	struct backring_journal *journal = calloc(1, sizeof(*journal));
	int notify = 0, n = 0;

	if (fd[0] == 0) {
		fd[0] = make_disk();
		fd[1] = make_disk();
	}
	guest_ring[0] = calloc(1, 4096);
	must(guest_ring[0] != NULL && journal != NULL);
	guest_request = request;
	guest_reset(data, size);
	memset(&io, 0, sizeof(io));
	io.pages = guest_pages();
	io.disk.sectors = SECTORS;
	io.disk.readonly = script_byte(&script) & 1;
	io.disk.fd = fd[io.disk.readonly];
	backring_init(
	    &io.ring, guest_ring[0], sizeof(union blkif_slot), journal);
	while (script.left > 0 && n >= 0) {
		guest_acts();
		n = blkio_run(&io, &notify);
		must(n <= BLKIO_RING_SLOTS);
		must(guest.mapped == 0);
		(void)backring_final_check(&io.ring);
		if (script_byte(&script) == 'x')
			backring_init(&io.ring, guest_ring[0],
			    sizeof(union blkif_slot), journal);
	}
	check_disk();
	free(guest_ring[0]);
	free(journal);
	return 0;
}
