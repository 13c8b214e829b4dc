#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hv-core/dom0/blkio.h"

#define SECTOR 512u
#define SECTORS_PER_PAGE 8u

/* The requests of one round and the pages they name. */
struct batch {
	struct blkif_request req[BLKIO_RING_SLOTS];
	int16_t status[BLKIO_RING_SLOTS];
	/* Where a request's segments are in pages[], grouped by access. */
	uint32_t first[BLKIO_RING_SLOTS];
	uint32_t count;

	uint32_t refs[BLKIO_SEGMENTS];
	void *pages[BLKIO_SEGMENTS];
	uint32_t handles[BLKIO_SEGMENTS];
	uint32_t segments;
};

static uint32_t
request_sectors(const struct blkif_request *req)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < req->nr_segments; i++)
		n += req->seg[i].last_sect - req->seg[i].first_sect + 1u;
	return n;
}

static int
check_transfer(const struct blkio_disk *disk, const struct blkif_request *req)
{
	uint32_t n;

	if (req->nr_segments == 0 ||
	    req->nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		return BLKIF_RSP_ERROR;
	for (unsigned i = 0; i < req->nr_segments; i++)
		if (req->seg[i].last_sect >= SECTORS_PER_PAGE ||
		    req->seg[i].first_sect > req->seg[i].last_sect)
			return BLKIF_RSP_ERROR;
	n = request_sectors(req);
	if (req->sector_number > disk->sectors ||
	    n > disk->sectors - req->sector_number)
		return BLKIF_RSP_ERROR;
	return BLKIF_RSP_OKAY;
}

/* Why a request is refused: a BLKIF_RSP_* code, or BLKIF_RSP_OKAY. */
static int
blkio_check(const struct blkio_disk *disk, const struct blkif_request *req)
{
	switch (req->operation) {
	case BLKIF_OP_READ:
		return check_transfer(disk, req);
	case BLKIF_OP_WRITE:
		if (disk->readonly)
			return BLKIF_RSP_ERROR;
		return check_transfer(disk, req);
	case BLKIF_OP_FLUSH_DISKCACHE:
		return req->nr_segments == 0 ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
	default:
		return BLKIF_RSP_EOPNOTSUPP;
	}
}

/* Takes and checks COUNT requests. */
static void
batch_take(struct blkio *io, struct batch *b, uint32_t count)
{
	b->count = count;
	for (uint32_t i = 0; i < count; i++) {
		backring_take(&io->ring, &b->req[i], sizeof(b->req[i]));
		b->status[i] = (int16_t)blkio_check(&io->disk, &b->req[i]);
		io->stats.requests++;
		io->stats.refused += b->status[i] != BLKIF_RSP_OKAY;
	}
}

/* Maps the pages of all requests with OPERATION in one go. */
static void
batch_map(struct blkio *io, struct batch *b, uint8_t operation,
    enum pages_access access)
{
	uint32_t from = b->segments;

	for (uint32_t i = 0; i < b->count; i++) {
		if (b->status[i] != BLKIF_RSP_OKAY ||
		    b->req[i].operation != operation)
			continue;
		b->first[i] = b->segments;
		for (unsigned s = 0; s < b->req[i].nr_segments; s++)
			b->refs[b->segments++] = b->req[i].seg[s].gref;
	}
	if (b->segments > from)
		io->pages.map(io->pages.arg, b->segments - from, &b->refs[from],
		    access, &b->pages[from], &b->handles[from]);
}

/* Appends request I's memory to IOV. The number of pieces, or -1 if a page
 * could not be mapped. */
static int
request_iov(const struct batch *b, uint32_t i, struct iovec *iov)
{
	const struct blkif_request *req = &b->req[i];

	for (unsigned s = 0; s < req->nr_segments; s++) {
		char *page = b->pages[b->first[i] + s];
		uint8_t first = req->seg[s].first_sect;

		if (page == NULL)
			return -1;
		iov[s].iov_base = page + first * SECTOR;
		iov[s].iov_len = (req->seg[s].last_sect - first + 1u) * SECTOR;
	}
	return req->nr_segments;
}

static size_t
iov_bytes(const struct iovec *iov, int count)
{
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += iov[i].iov_len;
	return bytes;
}

/* Transfers all of IOV (which it changes) at OFFSET. 0, or -1. */
static int
transfer(int fd, uint8_t operation, struct iovec *iov, int count, off_t offset)
{
	size_t left = iov_bytes(iov, count);

	while (left > 0) {
		ssize_t n = operation == BLKIF_OP_WRITE
				? pwritev(fd, iov, count, offset)
				: preadv(fd, iov, count, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		left -= (size_t)n;
		offset += n;
		while (count > 0 && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			count--;
		}
		if (count > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* Can request NEXT be one system call with the one before it? */
static int
follows(const struct batch *b, uint32_t next)
{
	const struct blkif_request *a = &b->req[next - 1], *c = &b->req[next];

	return b->status[next] == BLKIF_RSP_OKAY &&
	       a->operation == c->operation &&
	       a->sector_number + request_sectors(a) == c->sector_number;
}

/* Executes requests from FROM on that lie one behind the other on the disk;
 * returns the index behind the last. One of them failing fails just itself. */
static uint32_t
batch_transfer(struct blkio *io, struct batch *b, uint32_t from)
{
	struct iovec iov[BLKIO_SEGMENTS];
	uint8_t operation = b->req[from].operation;
	off_t offset = (off_t)(b->req[from].sector_number * SECTOR);
	uint32_t end = from;
	int count = 0, n;

	do {
		n = request_iov(b, end, iov + count);
		if (n < 0)
			break;
		count += n;
		end++;
	} while (end < b->count && follows(b, end));

	if (count > 0 &&
	    transfer(io->disk.fd, operation, iov, count, offset) == 0) {
		size_t bytes = 0;

		for (uint32_t i = from; i < end; i++)
			bytes += request_sectors(&b->req[i]) * (size_t)SECTOR;
		if (operation == BLKIF_OP_WRITE)
			io->stats.bytes_written += bytes;
		else
			io->stats.bytes_read += bytes;
		return end;
	}
	if (end > from + 1) {
		/* Find out which: each on its own. */
		for (uint32_t i = from; i < end; i++) {
			n = request_iov(b, i, iov);
			offset = (off_t)(b->req[i].sector_number * SECTOR);
			if (transfer(io->disk.fd, operation, iov, n, offset))
				b->status[i] = BLKIF_RSP_ERROR;
		}
		return end;
	}
	b->status[from] = BLKIF_RSP_ERROR;
	return from + 1;
}

static void
batch_execute(struct blkio *io, struct batch *b)
{
	uint32_t i = 0;

	while (i < b->count) {
		if (b->status[i] != BLKIF_RSP_OKAY) {
			i++;
		} else if (b->req[i].operation == BLKIF_OP_FLUSH_DISKCACHE) {
			if (fdatasync(io->disk.fd) != 0)
				b->status[i] = BLKIF_RSP_ERROR;
			i++;
		} else {
			i = batch_transfer(io, b, i);
		}
	}
}

static int
batch_answer(struct blkio *io, const struct batch *b)
{
	for (uint32_t i = 0; i < b->count; i++) {
		struct blkif_response rsp;

		memset(&rsp, 0, sizeof(rsp));
		rsp.id = b->req[i].id;
		rsp.operation = b->req[i].operation;
		rsp.status = b->status[i];
		backring_put(&io->ring, &rsp, sizeof(rsp));
		io->stats.failed += b->status[i] == BLKIF_RSP_ERROR;
	}
	return backring_push(&io->ring);
}

int
blkio_run(struct blkio *io, int *notify_out)
{
	static struct batch b;
	int count = backring_pending(&io->ring);

	if (count <= 0)
		return count;
	if (count > BLKIO_RING_SLOTS)
		count = BLKIO_RING_SLOTS;
	b.segments = 0;
	batch_take(io, &b, (uint32_t)count);
	batch_map(io, &b, BLKIF_OP_READ, PAGES_WRITE);
	batch_map(io, &b, BLKIF_OP_WRITE, PAGES_READ);
	batch_execute(io, &b);
	/* The guest may do as it likes with its pages once it is answered. */
	if (b.segments > 0)
		io->pages.unmap(io->pages.arg, b.segments, b.handles);
	if (batch_answer(io, &b))
		*notify_out = 1;
	return count;
}
