/* SPDX-License-Identifier: BSD-2-Clause */
#include "xenstored/supmsg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xenstored/crash_point.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(SUPMSG_FDS * sizeof(int))];
};

bool
supmsg_send(int sock, const struct supmsg *msg, const int *fds, unsigned n_fds)
{
	struct iovec iov = { (void *)(uintptr_t)msg, sizeof(*msg) };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	struct cmsghdr *c;
	ssize_t n;

	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(sock, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	CRASH_POINT();
	return n == (ssize_t)sizeof(*msg);
}

bool
supmsg_say(int sock, enum supmsg_type type, uint64_t a)
{
	struct supmsg msg = { .type = type, .a = a };

	return supmsg_send(sock, &msg, NULL, 0);
}

bool
supmsg_say_text(int sock, enum supmsg_type type, uint64_t a, const char *text)
{
	struct supmsg msg = { .type = type, .a = a };
	size_t len = strlen(text);

	if (len >= sizeof(msg.id))
		len = sizeof(msg.id) - 1;
	memcpy(msg.id, text, len);
	return supmsg_send(sock, &msg, NULL, 0);
}

const char *
supmsg_text(struct supmsg *msg)
{
	char *text = (char *)msg->id;

	text[sizeof(msg->id) - 1] = '\0';
	return text;
}

int
supmsg_receive(int sock, struct supmsg *msg_out, int fds_out[SUPMSG_FDS],
    unsigned *n_fds_out)
{
	struct iovec iov = { msg_out, sizeof(*msg_out) };
	union control control;
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	bool reset = false, again;
	ssize_t n;

	*n_fds_out = 0;
	do {
		n = recvmsg(sock, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		again = n < 0 &&
			(errno == EINTR || (errno == ECONNRESET && !reset));
		/* it left without reading all: said once, before its last
		 * words */
		reset = reset || (n < 0 && errno == ECONNRESET);
	} while (again);
	CRASH_POINT();
	if (n == 0)
		return 0;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -1;
	for (c = CMSG_FIRSTHDR(&header); c != NULL;
	     c = CMSG_NXTHDR(&header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*n_fds_out =
		    (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds_out, CMSG_DATA(c), *n_fds_out * sizeof(int));
	}
	if (n == (ssize_t)sizeof(*msg_out) && msg_out->n <= SUPMSG_FDS &&
	    (header.msg_flags & MSG_TRUNC) == 0)
		return 1;
	while (*n_fds_out > 0)
		close(fds_out[--*n_fds_out]);
	errno = EPROTO;
	return -1;
}
