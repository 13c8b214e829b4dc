/*
 * Domains as the world has them: memory and a process each.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/sched.h"
#include "hv-core/hosted/hvd.h"

/* What a guest is told of where its Xen pages are: beyond all RAM. */
#define XEN_PAGES_GFN (UINT64_C(1) << 28)

struct hvd_domain *
guest_find(struct hvd *h, domid_t domid)
{
	return domid < DOMID_FIRST_RESERVED ? h->domains[domid] : NULL;
}

/* -------------------------------------------------------------- creating -- */

static int
xen_pages_init(struct hvd_domain *d, struct hv_domain_pages *out)
{
	void *map;
	int fd;

	d->xen_size = (1 + (uint64_t)d->max_grant_frames) * HV_PAGE_SIZE;
	fd = ram_memfd("guest-xen", d->xen_size,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, &map);
	if (fd < 0)
		return fd;
	d->xen_fd = fd;
	d->xen = map;
	out->shared_info = map;
	out->grant_table = (void *)(d->xen + HV_PAGE_SIZE);
	out->shared_info_gfn = XEN_PAGES_GFN;
	out->grant_table_gfn = XEN_PAGES_GFN + 1;
	return 0;
}

static void
guest_release(struct hvd_domain *d)
{
	ram_fini(d);
	if (d->xen != NULL)
		munmap(d->xen, d->xen_size);
	if (d->xen_fd >= 0)
		close(d->xen_fd);
	if (d->pidfd >= 0)
		close(d->pidfd);
	free(d);
}

int
guest_create(
    void *world, const struct hv_domain_spec *spec, struct hv_domain_pages *out)
{
	struct hvd *h = world;
	struct hvd_domain *d = calloc(1, sizeof(*d));
	int err = 0;

	if (d == NULL)
		return -XEN_ENOMEM;
	memset(out, 0, sizeof(*out));
	d->hvd = h;
	d->domid = spec->domid;
	d->serial = spec->unique_id;
	d->max_grant_frames = spec->max_grant_frames;
	d->max_ports = spec->max_evtchn_port < HV_PORTS
			   ? spec->max_evtchn_port + 1
			   : HV_PORTS;
	d->ram_fd = d->xen_fd = d->pidfd = -1;
	if (d->domid != 0) {
		err = ram_init(d);
		if (err == 0)
			err = xen_pages_init(d, out);
	}
	if (err != 0) {
		guest_release(d);
		return -XEN_ENOMEM;
	}
	h->domains[d->domid] = d;
	log_note(h, "d%u: created", d->domid);
	return 0;
}

void
guest_free(void *world, domid_t domid)
{
	struct hvd *h = world;
	struct hvd_domain *d = guest_find(h, domid);

	if (d == NULL)
		return;
	h->domains[domid] = NULL;
	if (d->channel != NULL)
		channel_close(d->channel);
	channels_ram_gone(h, domid, d->serial);
	log_note(h, "d%u: gone", domid);
	guest_release(d);
}

/* -------------------------------------------------------------- starting -- */

/* Both ends of a new channel: D has one, the other is returned. */
static int
make_channel(struct hvd_domain *d)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0)
		return -ENOMEM;
	d->channel = channel_guest(d, sv[0]);
	if (d->channel == NULL) {
		close(sv[0]);
		close(sv[1]);
		return -ENOMEM;
	}
	return sv[1];
}

int
guest_start(void *world, domid_t domid, uint64_t start_info)
{
	struct hvd_domain *d = guest_find(world, domid);
	const char *why = "";
	int image, sock, err;

	if (d == NULL || d->process != PROCESS_NONE)
		return -XEN_EINVAL;
	image = image_take(d, start_info, &why);
	if (image < 0) {
		log_note(d->hvd, "d%u: not started: %s", domid, why);
		return image;
	}
	sock = make_channel(d);
	if (sock < 0) {
		close(image);
		return sock;
	}
	err = spawner_guest(d, image, sock);
	close(image);
	close(sock);
	if (err != 0) {
		channel_close(d->channel);
		return err;
	}
	/* From now on the guest has what it has. */
	fcntl(d->ram_fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL);
	d->process = PROCESS_STARTING;
	d->start_info = start_info;
	return 0;
}

void
guest_started(
    struct hvd_domain *d, pid_t pid, int pidfd, int err, const char *why)
{
	if (err != 0) {
		d->process = PROCESS_ENDED;
		log_note(d->hvd, "d%u: not started: %s: %s", d->domid, why,
		    strerror(err));
		if (d->channel != NULL)
			channel_close(d->channel);
		if (!d->killed)
			hv_domain_shutdown(
			    d->hvd->hv, d->domid, SHUTDOWN_crash);
		return;
	}
	d->process = PROCESS_RUNNING;
	d->pid = pid;
	d->pidfd = pidfd;
	log_note(d->hvd, "d%u: running as process %d", d->domid, (int)pid);
	if (d->killed)
		guest_signal(d, SIGKILL);
	else if (d->paused)
		guest_signal(d, SIGSTOP);
}

/* --------------------------------------------------------------- running -- */

void
guest_signal(struct hvd_domain *d, int sig)
{
	if (d->process == PROCESS_RUNNING)
		syscall(SYS_pidfd_send_signal, d->pidfd, sig, NULL, 0);
}

void
guest_died(struct hvd_domain *d, const char *why)
{
	struct hv_domain_info info;

	guest_signal(d, SIGKILL);
	if (d->channel != NULL)
		channel_close(d->channel);
	if (hv_domain_info(d->hvd->hv, d->domid, &info) != 0 || info.shutdown ||
	    info.dying)
		return;
	log_note(d->hvd, "d%u: crashed: %s", d->domid, why);
	hv_domain_shutdown(d->hvd->hv, d->domid, SHUTDOWN_crash);
}

void
guest_pause(void *world, domid_t domid)
{
	struct hvd_domain *d = guest_find(world, domid);

	if (d == NULL || d->paused)
		return;
	d->paused = true;
	guest_signal(d, SIGSTOP);
	log_note(d->hvd, "d%u: paused", domid);
}

void
guest_unpause(void *world, domid_t domid)
{
	struct hvd_domain *d = guest_find(world, domid);

	if (d == NULL || !d->paused)
		return;
	d->paused = false;
	guest_signal(d, SIGCONT);
	log_note(d->hvd, "d%u: unpaused", domid);
}

void
guest_kill(void *world, domid_t domid)
{
	struct hvd_domain *d = guest_find(world, domid);

	if (d == NULL)
		return;
	d->killed = true;
	guest_signal(d, SIGKILL);
	if (d->channel != NULL)
		channel_close(d->channel);
	log_note(d->hvd, "d%u: killed", domid);
}
