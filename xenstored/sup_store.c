/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/sup_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xenstored/apply.h"
#include "xenstored/aside.h"
#include "xenstored/checkpoint.h"
#include "xenstored/crash_point.h"
#include "xenstored/flight.h"
#include "xenstored/left.h"
#include "xenstored/msg.h"
#include "xenstored/plat.h"
#include "xenstored/priv.h"
#include "xenstored/supmsg.h"
#include "xenstored/takeover.h"

enum { PATH_SIZE = 4096, GONE_MS = 2000, WRITE_TRIES = 3 };

/* NAME in the directory, in static storage. */
static const char *
path_of(const struct sup_store *store, const char *name)
{
	static char path[PATH_SIZE];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", store->dir, name) >=
	    sizeof(path))
		fatalx("the directory's name is too long: %s", store->dir);
	return path;
}

/* --- beginning --- */

static void
make_flight(struct sup_store *store)
{
	store->flight_fd = flight_make(path_of(store, "flight"));
	if (store->flight_fd >= 0)
		store->flight = flight_map(store->flight_fd);
	if (store->flight == NULL)
		fatal("cannot make %s", path_of(store, "flight"));
}

static void
drop_image(struct sup_store *store)
{
	if (store->image_fd >= 0)
		close(store->image_fd);
	store->image_fd = -1;
}

static void
let_go(struct sup_store *store)
{
	drop_image(store);
	log_close(store->log);
	flight_unmap(store->flight);
	if (store->log_fd >= 0)
		close(store->log_fd);
	if (store->flight_fd >= 0)
		close(store->flight_fd);
	store->log = NULL;
	store->flight = NULL;
	store->log_fd = store->flight_fd = -1;
}

/* Begins with an empty store in place of what was found. */
static void
begin(struct sup_store *store, const struct server_config *config)
{
	static const struct log_pos start;
	struct record_start data;
	struct record record = apply_start(&config->state, &data);
	uint64_t epoch;

	let_go(store);
	store->recovered = false;
	store->reserved = 0;
	left_clear(store->dir);
	if (!plat_random(&epoch, sizeof(epoch)))
		fatal("cannot get random numbers");
	do
		store->log_fd = log_make(
		    path_of(store, "log"), LOG_SIZE, epoch, store->boot);
	while (store->log_fd < 0 && errno == ENOSPC && aside_drop(store->dir));
	if (store->log_fd >= 0)
		store->log = log_map(store->log_fd);
	if (store->log == NULL)
		fatal("cannot make the commit log %s", path_of(store, "log"));
	make_flight(store);
	log_resume(store->log, &start);
	log_append(store->log, &record);
	store->flight->keep_from = 0;
}

/* --- going on --- */

void
sup_store_say_refused(const struct sup_store *store, const char *why)
{
	left_say_refused(store->dir, why);
}

/* What is there cannot be gone on with: it is left as it is, as guests may
 * depend on what was in it. */
static _Noreturn void
refuse(const struct sup_store *store, const char *why)
{
	sup_store_say_refused(store, why);
	exit(1);
}

/* Refuses a flight of another version than this program's. */
static void
refuse_another_flight(const struct sup_store *store)
{
	struct {
		uint64_t magic;
		uint32_t version;
	} start;
	char why[80];

	if (pread(store->flight_fd, &start, sizeof(start), 0) !=
		sizeof(start) ||
	    start.magic != FLIGHT_MAGIC || start.version == FLIGHT_VERSION)
		return;
	snprintf(why, sizeof(why),
	    "the flight is of version %u; this program knows %u",
	    (unsigned)start.version, (unsigned)FLIGHT_VERSION);
	refuse(store, why);
}

/* The file of the image to memory. False: there is none that can be used. */
static bool
load_checkpoint(struct sup_store *store)
{
	char why[IMAGE_WHY_SIZE];
	struct image_mark mark = { 0, { 0, 0 } };
	struct image image;
	struct boot_id boot;
	bool ok;

	memcpy(boot.byte, store->boot, sizeof(boot.byte));
	switch (
	    checkpoint_load(path_of(store, "checkpoint"), &boot, &image, why)) {
	case CHECKPOINT_OK:
		if (why[0] != '\0')
			msg_warnx("%s: %s", path_of(store, "checkpoint"), why);
		break;
	case CHECKPOINT_NONE:
		return false;
	case CHECKPOINT_LATER:
		refuse(store, why);
	default:
		msg_warnx("%s: %s", path_of(store, "checkpoint"), why);
		return false;
	}
	store->image_fd = plat_memory_file("xenstored-image");
	ok =
	    image_whole(image.data, image.len, &mark, why) &&
	    store->image_fd >= 0 &&
	    write(store->image_fd, image.data, image.len) == (ssize_t)image.len;
	image_free(&image);
	if (!ok) {
		drop_image(store);
		return false;
	}
	/* need not be the last one that there was in memory */
	store->image_at = mark.pos.offset;
	store->flight->keep_from = mark.pos.offset;
	return true;
}

/* Opens the flight that belongs to the log. */
static void
open_flight(struct sup_store *store)
{
	store->flight_fd = open(path_of(store, "flight"), O_RDWR | O_CLOEXEC);
	if (store->flight_fd >= 0)
		store->flight = flight_map(store->flight_fd);
	if (store->flight == NULL && store->flight_fd >= 0)
		refuse_another_flight(store);
	if (store->flight != NULL) {
		plat_wait_gone((pid_t)store->flight->primary_pid, GONE_MS);
		plat_wait_gone((pid_t)store->flight->standby_pid, GONE_MS);
		plat_wait_gone((pid_t)store->flight->leaving_pid, GONE_MS);
		store->flight->leaving_pid = 0;
		return;
	}
	msg_warnx("%s is missing or damaged: a request that was being answered "
		  "may be answered again",
	    path_of(store, "flight"));
	if (store->flight_fd >= 0)
		close(store->flight_fd);
	make_flight(store);
}

static void
tell_where(const struct sup_store *store, const struct log_header *header)
{
	unsigned long long pid = store->flight->supervisor_pid;
	unsigned long long seq = header->next_seq;

	if (header->closed == LOG_RESTS)
		msg_info("goes on where the daemon before (pid %llu) ended, "
			 "at record %llu",
		    pid, seq);
	else
		msg_warnx("the daemon before (pid %llu) did not end well: goes "
			  "on where it was, at record %llu",
		    pid, seq);
}

/* Opens what another daemon left. False: there is nothing, and why
 * was said if it was not to be expected. */
static bool
recover(struct sup_store *store)
{
	const struct log_header *header;
	char why[LEFT_WHY_SIZE];
	uint64_t begins;

	switch (left_judge(store->dir, store->boot, why)) {
	case LEFT_NOTHING:
		if (why[0] != '\0')
			msg_info("%s: %s", store->dir, why);
		return false;
	case LEFT_USELESS:
		refuse(store, why);
	case LEFT_STORE:
		break;
	}
	store->log_fd = open(path_of(store, "log"), O_RDWR | O_CLOEXEC);
	if (store->log_fd >= 0)
		store->log = log_map(store->log_fd);
	if (store->log == NULL)
		fatal("cannot open %s", path_of(store, "log"));
	header = log_header(store->log);
	open_flight(store);
	store->flight->keep_from = 0;
	begins = load_checkpoint(store) ? store->image_at : 0;
	if (begins < header->first)
		refuse(store,
		    store->image_fd >= 0
			? "the log does not reach back to the checkpoint, "
			  "which could not be made anew"
			: "the log does not reach back to its beginning, and "
			  "there is no checkpoint");
	tell_where(store, header);
	log_mark(store->log, LOG_OPEN);
	store->recovered = true;
	return true;
}

void
sup_store_open(struct sup_store *store, const char *dir,
    const struct server_config *config, bool fresh)
{
	store->dir = dir;
	store->log_fd = store->flight_fd = store->image_fd = -1;
	if (fresh && !left_is_closed(dir))
		aside_keep(dir);
	if (fresh || !recover(store))
		begin(store, config);
}

bool
sup_store_resume(
    struct sup_store *store, const struct sup_store *before, const char *dir)
{
	*store = *before;
	store->dir = dir;
	store->log = log_map(store->log_fd);
	store->flight = flight_map(store->flight_fd);
	if (store->log == NULL || store->flight == NULL)
		return false;
	memcpy(store->boot, log_header(store->log)->boot, LOG_BOOT_SIZE);
	return true;
}

bool
sup_store_reserve(struct sup_store *store)
{
	int more;

	do
		more = log_reserve(store->log_fd, &store->reserved);
	while (more < 0 && errno == ENOSPC && aside_drop(store->dir));
	if (more < 0)
		fatal("no memory for the commit log %s", path_of(store, "log"));
	return more == 1;
}

/* --- images --- */

enum sup_source
sup_store_source(const struct sup_store *store, bool primary_serves)
{
	uint64_t first =
	    __atomic_load_n(&log_header(store->log)->first, __ATOMIC_ACQUIRE);

	if (store->distrusted && primary_serves)
		return SUP_SOURCE_PRIMARY;
	if (store->writer != 0 && store->written_at >= first)
		return SUP_SOURCE_IMAGE;
	if (store->image_fd >= 0 && store->image_at >= first)
		return SUP_SOURCE_IMAGE;
	if (first == 0)
		return SUP_SOURCE_START;
	return primary_serves ? SUP_SOURCE_PRIMARY : SUP_SOURCE_NONE;
}

int
sup_store_image(const struct sup_store *store)
{
	/* it is newer, and need not be in the file yet */
	return store->writer != 0 ? store->written_fd : store->image_fd;
}

/* The child that writes the file: the image in FD. */
static _Noreturn void
write_file(const struct sup_store *store, int fd, pid_t parent)
{
	char why[IMAGE_WHY_SIZE];
	struct checkpoint *cp;
	struct boot_id boot;
	struct image image;
	struct stat st;
	void *data;

	plat_die_with(parent);
	priv_give_way();
	crash_role("checkpoint", store->flight);
	memset(&image, 0, sizeof(image));
	memcpy(boot.byte, store->boot, sizeof(boot.byte));
	if (fstat(fd, &st) != 0)
		_exit(1);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		_exit(1);
	image.data = data;
	image.len = image.cap = (size_t)st.st_size;
	cp = checkpoint_open(path_of(store, "checkpoint"), why);
	if (cp != NULL && checkpoint_put(cp, &boot, &image, why))
		_exit(0);
	msg_warnx("%s: %s", path_of(store, "checkpoint"), why);
	_exit(1);
}

/* What the tail of the log was at the image goes where it survives. */
static void
keep_tail(struct sup_store *store, const struct supmsg *msg)
{
	struct flight *flight = store->flight;
	struct flight_tail *tail = &flight->tail[0];

	if (flight->tail[0].seq > flight->tail[1].seq)
		tail = &flight->tail[1];
	tail->seq = 0;
	_Static_assert(sizeof(struct tail) == sizeof(tail->word), "tail");
	memcpy(tail->word, msg->id, sizeof(tail->word));
	__atomic_store_n(&tail->seq, msg->b, __ATOMIC_RELEASE);
	CRASH_POINT();
}

/* Has the image that is to be written put into the file. */
static void
start_writer(struct sup_store *store)
{
	pid_t self = getpid();

	store->writer = fork();
	if (store->writer == 0)
		write_file(store, store->written_fd, self);
	if (store->writer < 0)
		sup_store_writer_ended(store, store->writer, false);
}

void
sup_store_keep_image(struct sup_store *store, const struct supmsg *msg, int fd)
{
	if (store->writer != 0) { /* the next one will do */
		close(fd);
		return;
	}
	store->distrusted = false;
	keep_tail(store, msg);
	store->written_fd = fd;
	store->written_at = msg->a;
	store->tries = 0;
	start_writer(store);
}

bool
sup_store_keep_now(struct sup_store *store, uint64_t at, int fd)
{
	pid_t self = getpid(), writer = fork();
	int status;
	bool ok;

	if (writer == 0)
		write_file(store, fd, self);
	ok = writer > 0 && waitpid(writer, &status, 0) == writer && status == 0;
	store->writer = writer;
	store->written_fd = fd;
	store->written_at = at;
	sup_store_writer_ended(store, writer, ok);
	return ok;
}

void
sup_store_writer_ended(struct sup_store *store, pid_t pid, bool well)
{
	if (pid != store->writer)
		return;
	CRASH_POINT();
	store->writer = 0;
	/* until it is there the log is kept from the one before on */
	if (!well && ++store->tries < WRITE_TRIES) {
		start_writer(store);
		return;
	}
	if (!well)
		msg_warnx("the checkpoint could not be written: should this "
			  "process be killed, the store may be lost");
	drop_image(store);
	store->image_fd = store->written_fd;
	store->image_at = store->written_at;
	__atomic_store_n(
	    &store->flight->keep_from, store->image_at, __ATOMIC_RELEASE);
}

void
sup_store_distrust(struct sup_store *store, bool useless)
{
	store->distrusted = true;
	if (useless)
		drop_image(store);
}

/* --- status --- */

void
sup_store_status(const struct sup_store *store, pid_t primary, pid_t standby)
{
	char name[PATH_SIZE];
	FILE *file;

	snprintf(name, sizeof(name), "%s", path_of(store, "status.new"));
	file = fopen(name, "we");
	if (file == NULL)
		return;
	fprintf(file, "supervisor %ld\nprimary %ld\nstandby %ld\n",
	    (long)getpid(), (long)primary, (long)standby);
	if (fclose(file) == 0)
		(void)rename(name, path_of(store, "status"));
}

/* --- ending --- */

void
sup_store_hand_over(struct sup_store *store, bool yes)
{
	log_mark(store->log, yes ? LOG_CLOSED : LOG_OPEN);
	if (!yes)
		return;
	(void)unlink(path_of(store, "status"));
}

void
sup_store_end(struct sup_store *store, enum log_closed how)
{
	log_mark(store->log, how);
	if (how != LOG_OPEN)
		(void)unlink(path_of(store, "status"));
	if (how == LOG_CLOSED)
		left_clear(store->dir);
	let_go(store);
}
