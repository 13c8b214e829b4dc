/*
 * The conversation with hv-spawn, which has all of the machine's processes for
 * children. When it goes, so does the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv-core/hosted/hvd.h"
#include "hv-core/hosted/spawn_proto.h"

#define DOM0_TAG UINT64_MAX /* no domain's serial */

/* A guest's process is made slower than a domain is asked to run. */
struct waiting {
	struct waiting *next;
	uint64_t serial;
	int image_fd, channel_fd;
};

struct spawner {
	struct source source; /* first */
	struct hvd *hvd;
	pid_t pid;
	struct waiting *first, **end; /* there was no room for */
};

/* 0, -EAGAIN: there is no room now, or another -errno. */
static int
send_request(
    struct spawner *s, const struct spawn_msg *m, const int *fd, int nfds)
{
	union {
		char buf[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t len = (size_t)nfds * sizeof(int);
	ssize_t n;

	memset(&control, 0, sizeof(control));
	mh.msg_control = control.buf;
	mh.msg_controllen = CMSG_SPACE(len);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(&control.align), fd, len);
	do
		n = sendmsg(s->source.fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* so many descriptors are under way, or so many bytes */
	if (n < 0 && (errno == EAGAIN || errno == ETOOMANYREFS))
		return -EAGAIN;
	return n < 0 ? -ENOMEM : 0;
}

static int
ask_for_guest(struct hvd_domain *d, int image_fd, int channel_fd)
{
	struct spawn_msg m = { .type = SPAWN_GUEST,
		.tag = d->serial,
		.map_size = d->ram_size + d->xen_size,
		.mem_size = d->pages * HV_PAGE_SIZE };
	int fd[3] = { image_fd, channel_fd, log_fd() };

	return send_request(
	    d->hvd->spawner, &m, fd, d->hvd->config->guest_stderr ? 3 : 2);
}

static void
drop_first(struct spawner *s)
{
	struct waiting *w = s->first;

	s->first = w->next;
	if (s->first == NULL)
		s->end = &s->first;
	close(w->image_fd);
	close(w->channel_fd);
	free(w);
}

static int
wait_for_room(struct spawner *s, uint64_t serial, int image_fd, int channel_fd)
{
	struct waiting *w = malloc(sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	*w = (struct waiting){
		.serial = serial,
		.image_fd = fcntl(image_fd, F_DUPFD_CLOEXEC, 0),
		.channel_fd = fcntl(channel_fd, F_DUPFD_CLOEXEC, 0),
	};
	*s->end = w;
	if (w->image_fd < 0 || w->channel_fd < 0) {
		if (w->image_fd >= 0)
			close(w->image_fd);
		if (w->channel_fd >= 0)
			close(w->channel_fd);
		free(w);
		*s->end = NULL;
		return -ENOMEM;
	}
	s->end = &w->next;
	loop_change(s->hvd, &s->source, EPOLLIN | EPOLLOUT);
	return 0;
}

int
spawner_guest(struct hvd_domain *d, int image_fd, int channel_fd)
{
	struct spawner *s = d->hvd->spawner;
	int err = -EAGAIN;

	if (s->first == NULL)
		err = ask_for_guest(d, image_fd, channel_fd);
	if (err == -EAGAIN)
		err = wait_for_room(s, d->serial, image_fd, channel_fd);
	return err;
}

int
spawner_dom0(struct hvd *h)
{
	struct spawn_msg *m = calloc(1, sizeof(*m));
	const char *args = h->config->kernel_args;
	int err = -E2BIG;

	if (m == NULL)
		return -ENOMEM;
	m->type = SPAWN_DOM0;
	m->tag = DOM0_TAG;
	if (strlen(args) < sizeof(m->args)) {
		/* Words become strings, one after the other. */
		while (*args != '\0') {
			size_t n = strcspn(args, " ");

			memcpy(m->args + m->args_len, args, n);
			m->args_len += (uint32_t)(n > 0 ? n + 1 : 0);
			args += n + (args[n] == ' ');
		}
		err = send_request(h->spawner, m, &h->config->kernel_fd, 1);
	}
	free(m);
	return err;
}

static void
describe_exit(char *buf, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
}

static struct hvd_domain *
domain_by_serial(struct hvd *h, uint64_t serial)
{
	for (domid_t id = 0; id < DOMID_FIRST_RESERVED; id++)
		if (h->domains[id] != NULL && h->domains[id]->serial == serial)
			return h->domains[id];
	return NULL;
}

static void
dom0_message(struct hvd *h, const struct spawn_msg *m)
{
	char how[64];

	if (m->type == SPAWN_DONE && m->err == 0) {
		h->dom0_pid = m->pid;
		log_note(h, "d0: kernel running as process %d", m->pid);
		return;
	}
	if (m->type == SPAWN_DONE) {
		log_loud("domain 0's kernel was not started: %s: %s", m->why,
		    strerror(m->err));
		loop_stop(h, 1);
		return;
	}
	describe_exit(how, sizeof(how), m->status);
	h->dom0_pid = 0;
	if (h->stop_at != 0) {
		log_note(h, "d0: kernel has ended: %s", how);
		loop_stop(h, 0);
		return;
	}
	log_loud(
	    "domain 0's kernel has ended (%s): the machine goes down", how);
	loop_stop(h, m->status == 0 ? 0 : 1);
}

static void
spawner_message(struct hvd *h, struct spawn_msg *m, int pidfd)
{
	struct hvd_domain *d;
	char how[64];

	m->why[sizeof(m->why) - 1] = '\0';
	if (m->tag == DOM0_TAG) {
		dom0_message(h, m);
		if (pidfd >= 0)
			close(pidfd);
		return;
	}
	d = domain_by_serial(h, m->tag);
	if (d == NULL) {
		/* Destroyed while it was being started. */
		if (pidfd >= 0) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			close(pidfd);
		}
		return;
	}
	if (m->type == SPAWN_DONE) {
		guest_started(d, m->pid, pidfd, m->err, m->why);
		return;
	}
	describe_exit(how, sizeof(how), m->status);
	log_note(
	    h, "d%u: process %d has ended: %s", d->domid, (int)d->pid, how);
	d->process = PROCESS_ENDED;
	d->pid = 0;
	guest_died(d, how);
}

/* Asks for what waited, in order. */
static void
ask_for_waiting(struct spawner *s)
{
	struct hvd_domain *d;
	struct waiting *w;
	int err;

	while ((w = s->first) != NULL) {
		d = domain_by_serial(s->hvd, w->serial);
		err = 0;
		if (d != NULL && !d->killed)
			err = ask_for_guest(d, w->image_fd, w->channel_fd);
		if (err == -EAGAIN)
			return;
		if (err != 0)
			guest_started(d, 0, -1, -err, "asking for its process");
		drop_first(s);
	}
	loop_change(s->hvd, &s->source, EPOLLIN);
}

static void
hear_spawner(struct spawner *s)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct spawn_msg m;
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c;
	int pidfd = -1;
	ssize_t n;

	n = recvmsg(s->source.fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n != (ssize_t)sizeof(m)) {
		log_loud("hv-spawn has ended: the machine goes down");
		loop_stop(s->hvd, 1);
		return;
	}
	c = CMSG_FIRSTHDR(&mh);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
	spawner_message(s->hvd, &m, pidfd);
}

static void
spawner_ready(struct source *source, uint32_t events)
{
	struct spawner *s = (struct spawner *)source;

	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		hear_spawner(s);
	if (!s->hvd->stop && s->first != NULL)
		ask_for_waiting(s);
}

int
spawner_start(struct hvd *h)
{
	struct spawner *s = calloc(1, sizeof(*s));
	const int std[3] = { -1, log_fd(), log_fd() };
	int sv[2], err;

	if (s == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0) {
		log_loud("starting hv-spawn: %s", strerror(errno));
		free(s);
		return -1;
	}
	s->hvd = h;
	s->end = &s->first;
	s->source = (struct source){ .fd = sv[0], .ready = spawner_ready };
	err = helper_start(h, "hv-spawn", NULL, std, sv[1], &s->pid);
	close(sv[1]);
	if (err != 0)
		log_loud("%s/hv-spawn: %s", h->config->libexec, strerror(-err));
	if (err != 0 || loop_add(h, &s->source, EPOLLIN) != 0) {
		close(sv[0]);
		free(s);
		return -1;
	}
	h->spawner = s;
	return 0;
}

void
spawner_stop(struct hvd *h)
{
	struct spawner *s = h->spawner;

	if (s == NULL)
		return;
	/* End of file tells it to kill all of its children and to end. */
	close(s->source.fd);
	waitpid(s->pid, NULL, 0);
	while (s->first != NULL)
		drop_first(s);
	free(s);
	h->spawner = NULL;
}
