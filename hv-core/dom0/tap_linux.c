#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hv-core/dom0/tap.h"

#define TUN_NODE "/dev/net/tun"

static int
complain(char *why, size_t size, const char *what, const char *hint)
{
	int err = errno;

	snprintf(why, size, "%s: %s%s", what, strerror(err), hint);
	errno = err;
	return -1;
}

static const char *
open_hint(void)
{
	switch (errno) {
	case ENOENT:
		return " (modprobe tun; mknod " TUN_NODE " c 10 200)";
	case EACCES:
	case EPERM:
		return " (chmod 666 " TUN_NODE ")";
	default:
		return "";
	}
}

int
tap_open(const char *name, const uint8_t mac[6], char *why, size_t size)
{
	struct ifreq ifr;
	int err, fd = open(TUN_NODE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return complain(why, size, TUN_NODE, open_hint());
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) != 0) {
		complain(why, size, name,
		    errno == EPERM ? " (making it needs CAP_NET_ADMIN)" : "");
		goto fail;
	}
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	if (ioctl(fd, SIOCSIFHWADDR, &ifr) != 0) {
		complain(why, size, name, " (setting its address)");
		goto fail;
	}
	return fd;

fail:
	err = errno;
	close(fd);
	errno = err;
	return -1;
}
