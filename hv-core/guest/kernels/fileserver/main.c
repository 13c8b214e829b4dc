/* The HOWTO's network file server: mounts xbd0 and what its /etc/fstab names,
 * configures xennet0, serves the files by HTTP, has a shell on the console. */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blkfront.h"
#include "control.h"
#include "frontend.h"
#include "fs.h"
#include "guest.h"
#include "http.h"
#include "net.h"
#include "netfront.h"
#include "shell.h"
#include "xenbus.h"

#define DEVICE_WAIT (10 * GUEST_NS_PER_S)

static bool asked;
static enum control_request request;

static void
on_control(void *arg, enum control_request what)
{
	(void)arg;
	asked = true;
	request = what;
}

static void
mount_one(unsigned int unit, const char *where, enum fs_mode mode)
{
	struct blkfront *dev;
	int err = blkfront_wait(unit, guest_now() + DEVICE_WAIT, &dev);

	if (err == 0)
		err = fs_mount(unit, where, mode);
	if (err == 0)
		guest_printf("/dev/xbd%ua mounted on %s\n", unit, where);
	else
		guest_printf("/dev/xbd%ua: cannot mount on %s: %s\n", unit,
		    where, strerror(-err));
}

/* One line of fstab: "/dev/xbd<N>a WHERE ext2fs ro|rw". */
static void
fstab_line(const char *text, unsigned int number)
{
	char dev[32], where[256], type[16], opts[16];
	unsigned int unit;
	char part;

	if (text[0] == '#' || text[strspn(text, " \t")] == '\0')
		return;
	if (sscanf(text, "%31s %255s %15s %15s", dev, where, type, opts) != 4 ||
	    sscanf(dev, "/dev/xbd%u%c", &unit, &part) < 1 ||
	    strcmp(type, "ext2fs") != 0 ||
	    (strncmp(opts, "ro", 2) != 0 && strncmp(opts, "rw", 2) != 0)) {
		guest_printf("/etc/fstab:%u: want \"/dev/xbd<N>a PATH ext2fs "
			     "ro|rw\", not: %s\n",
		    number, text);
		return;
	}
	if (strcmp(where, "/") == 0)
		return; /* is mounted: that is how this file was read */
	mount_one(unit, where, opts[1] == 'w' ? FS_READWRITE : FS_READONLY);
}

static void
mount_all(void)
{
	struct fs_file *f;
	char text[4096];
	char *save = NULL;
	unsigned int number = 0;
	long n;

	mount_one(0, "/", FS_READONLY);
	if (fs_open("/etc/fstab", &f) != 0)
		return;
	n = fs_pread(f, text, sizeof(text) - 1, 0);
	fs_close(f);
	if (n < 0)
		return;
	text[n] = '\0';
	for (char *l = strtok_r(text, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save))
		fstab_line(l, ++number);
}

static void
start_network(void)
{
	struct netfront *nf;
	int err = netfront_wait(0, guest_now() + DEVICE_WAIT, &nf);

	if (err != 0) {
		guest_printf("xennet0: %s\n", strerror(-err));
		return;
	}
	if (net_start(nf) != 0)
		return;
	err = http_start();
	if (err != 0)
		guest_printf("port 80: %s\n", strerror(-err));
	else
		guest_printf("serving / on port 80\n");
}

static void
serve(void)
{
	int more = 0;

	while (!asked) {
		guest_step(more ? 0 : net_deadline());
		more = net_poll();
		more |= http_poll();
		switch (shell_poll()) {
		case SHELL_POWEROFF:
			on_control(NULL, CONTROL_POWEROFF);
			break;
		case SHELL_REBOOT:
			on_control(NULL, CONTROL_REBOOT);
			break;
		case SHELL_NOTHING:
			break;
		}
	}
}

int
guest_main(const struct guest_boot *boot)
{
	struct xenbus *xb;
	int err;

	guest_printf("kernbus file server, %zu MiB\n",
	    boot->ram_pages / (1024 * 1024 / GUEST_PAGE_SIZE));
	err = guest_store(DEVICE_WAIT, &xb);
	if (err != 0) {
		guest_printf("no store: %s\n", strerror(-err));
		return 1;
	}
	err = control_start(xb, on_control, NULL);
	if (err == 0)
		err = frontend_start(xb, frontend_drivers);
	if (err != 0) {
		guest_printf("no devices: %s\n", strerror(-err));
		return 1;
	}
	mount_all();
	start_network();
	shell_start(xb);
	serve();

	guest_printf("\nshutting down\n");
	http_stop();
	shell_stop();
	net_poll();
	err = fs_unmount_all();
	if (err != 0)
		guest_printf("unmount: %s\n", strerror(-err));
	else
		guest_printf("file systems unmounted\n");
	control_obey(NULL, request);
	return 0;
}
