#!/bin/sh
# install.sh BUILD: `make install` into an empty folder, and a machine that has
# nothing but what was installed: the source and build trees are covered, and no
# variable says where anything is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
if [ -z "${WORLD_BUILD:-}" ]; then
	dest=$(mktemp -d)
	trap 'rm -rf "$dest"' EXIT
	trap 'exit 143' INT TERM HUP
	if ! ${MAKE:-make} -s -C "$here/../.." B="$1" install DESTDIR="$dest" >"$dest.log" 2>&1; then
		echo 'FAIL make install into an empty folder'
		cat "$dest.log"
		rm -f "$dest.log"
		exit 1
	fi
	rm -f "$dest.log"
	echo 'ok make install into an empty folder'
	status=0
	(DEST=$dest world_enter "$1" sh "$here/install.sh" "$1") || status=$?
	exit "$status"
fi
source=$(cd "$here/../.." && pwd)
dest=${DEST:?}
build=$WORLD_BUILD
world_setup "$1"
inst=/usr/local
unset HV_ROOT XENSTORED_RUNDIR XEN_RUN_DIR XEN_LOCK_DIR XEN_LOG_DIR XEN_CONFIG_DIR \
    XEN_SCRIPT_DIR XEN_LIBEXEC_DIR XEN_SBIN_DIR WORLD_SOURCE WORLD_GUESTS
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

elf_files() { find "$dest" -type f -exec sh -c 'head -c 4 "$1" | grep -q ELF' _ {} \; -print; }
# Nothing names the trees that it was made from, debugging information excepted.
names_no_tree()
{
	bad=0
	mkdir -p /run/look
	find "$dest" -type f >/run/look/files
	while read -r f; do
		look=$f
		case $f in
		*.gz) gzip -dc "$f" >/run/look/image && look=/run/look/image || return 1 ;;
		esac
		if head -c 4 "$look" | grep -q ELF; then
			objcopy --strip-debug "$look" /run/look/plain || return 1
			look=/run/look/plain
		fi
		if grep -aFq -e "$source" -e "$build" -e "$dest" "$look"; then
			echo "$f names $(grep -aFo -m 1 -e "$source" -e "$build" -e "$dest" "$look" | head -n 1)"
			bad=1
		fi
	done </run/look/files
	return $bad
}
ends()
{
	kill "$(cat /run/kernbus/hvd.pid)" && wait_until 5 test ! -e /run/kernbus
}
runpaths_are_relative()
{
	! elf_files | while read -r f; do
		readelf -d "$f" | sed -n "s|.*R[UN]*PATH.*\[\(.*\)\]|$f \1|p"
	done | grep -v ' [$]ORIGIN/[./]*lib$'
}
links_lead_somewhere() { [ -z "$(find "$dest" -xtype l | tee /dev/stderr)" ]; }
libraries_found()
{
	for f in "$inst"/bin/xl "$inst"/bin/xenstore "$inst"/sbin/* "$inst"/libexec/kernbus/hv-* \
	    "$inst"/libexec/kernbus/xenconsole; do
		# ldd takes a link's own folder for the program's; the kernel does not.
		ldd "$(readlink -f "$f")" >/run/ldd 2>&1 || grep -q 'not a dynamic' /run/ldd || { cat /run/ldd; return 1; }
		if grep 'not found' /run/ldd || grep -E 'libxen(store|evtchn|gnttab|foreign|call|manage)' /run/ldd | grep -v "$inst/"; then
			echo "... $f"
			return 1
		fi
	done
}
manuals() { for m in xl.1 xm.1 xenstore-ls.1 xenstore-control.8 xl.cfg.5 xenstored.8 hv-kernfs.8; do mandoc -Tlint -W error "$inst/share/man/man${m##*.}/$m" || return 1; done; }
client()
{
	cat >/run/client.c <<'C'
#include <stdlib.h>
#include <xenstore.h>
#include <xenstore_async.h>
#include <xenstore_lib.h>
#include <xs.h>
#include <xs_lib.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenforeignmemory.h>
#include <xencall.h>
#include <xenmanage.h>
#include <kbgnttab.h>

int
main(void)
{
	struct xs_handle *xs = xs_open(0);
	unsigned len;
	char *name = xs != NULL ? xs_read(xs, XBT_NULL, "/local/domain/0/name", &len) : NULL;

	return name != NULL && len == 8 ? 0 : 1;
}
C
	# shellcheck disable=SC2046 # several options
	${CC:-cc} -Wall -Werror -o /run/client /run/client.c \
	    $(PKG_CONFIG_PATH=$inst/lib/pkgconfig pkg-config --cflags --libs xenstore) &&
	    LD_LIBRARY_PATH=$inst/lib /run/client
}
completes()
{
	for m in xenstore xenstore-ls xenstore-history xenstore-control; do
		bash -c ". $inst/share/bash-completion/completions/$m && complete -p $m" || return 1
	done
}
boot()
{
	hv-boot -r "$inst/share/kernbus" "$inst/share/kernbus/boot.cfg" &&
	    /etc/rc.d/xencommons onestart && /etc/rc.d/xenbackendd onestart
}
# Of every process of this machine: what it runs and maps.
processes_are_installed()
{
	for m in /proc/[0-9]*/maps; do
		if grep -F -e "$source/" -e "$build/" "$m" 2>/dev/null ||
		    grep -E '/libxen(store|evtchn|gnttab|foreign|call|manage)' "$m" 2>/dev/null | grep -v " $inst/lib/"; then
			echo "... $(tr '\0' ' ' <"${m%maps}cmdline")"
			return 1
		fi
	done
	for d in hvd xenstored xenconsoled xenbackendd; do
		pid=$(cat "/run/$([ $d = hvd ] && echo kernbus || echo xen)/$d.pid") && kill -0 "$pid" || return 1
	done
}
data_is() { [ "$(xenstore-read "/local/domain/$(xl domid "$1")/data/$2")" = "$3" ]; }
console() { { sleep 0.3; printf '\035'; } | timeout 10 xl console idle; }
disk_is_connected() { [ "$(xenstore-read /local/domain/0/backend/vbd/2/0/state)" = 4 ]; }

check 'RUNPATH is relative to the program everywhere' runpaths_are_relative
check 'no file names the trees it was made from' names_no_tree
check 'every link leads somewhere' links_lead_somewhere

# The installed tree takes its place; what it came from goes out of sight.
mkdir /run/sysconf
cp -a /etc/. /run/sysconf/ 2>/dev/null || :
rm -rf /run/sysconf/xen /run/sysconf/rc.d
cp -a "$dest/etc/." /run/sysconf/
gzip -dc "$dest$inst/share/kernbus/idle.gz" >/run/idle
mount --bind /run/sysconf /etc
mount --bind "$dest$inst" "$inst"
mount -t tmpfs tmpfs /var/log
cd /
mount -t tmpfs tmpfs "$source"
[ ! -d "$build" ] || mount -t tmpfs tmpfs "$build"
check 'source and build tree are out of sight' test ! -e "$source/Makefile" -a ! -e "$build/bin"

check 'every program finds the installed libraries' libraries_found
check 'the man pages are there' manuals
check 'bash finds the completions' completes
check 'it boots: hv-boot, rc.d/xencommons, rc.d/xenbackendd' boot
if (: <>/dev/fuse) 2>/dev/null && [ -x "$inst/libexec/kernbus/hv-kernfs" ]; then
	check 'hvd finds hv-kernfs' grep -q ' /run/kernbus/dev/xenevt fuse' /proc/self/mounts
else
	skip 'hvd finds hv-kernfs' 'no /dev/fuse that can be opened, or hv-kernfs was not built'
fi
check 'xl list' xl list
printf 'kernel = "%s/share/kernbus/idle.gz"\nmemory = 32\n' "$inst" >/etc/xen/idle
check 'xl create idle: hv-spawn is found' xl create -q idle
check 'the guest is up' wait_until 10 data_is idle ready 1
check 'xl console: xenconsole is found' console
head -c 1048576 /dev/zero >/run/image
printf 'kernel = "%s/share/kernbus/fileserver.gz"\nmemory = 64\ndisk = [ "file:/run/image,0x0,w" ]\nvif = [ "bridge=bridge0" ]\n' \
    "$inst" >/etc/xen/served
check 'a domain with devices: the hotplug scripts are found' xl create -q served
check 'its disk is connected' wait_until 10 disk_is_connected
check 'a program is built and linked by pkg-config' client
check 'no process runs or maps anything of the trees' processes_are_installed
check 'xm is there' xm list
check 'they go' sh -c 'xl destroy served && xl shutdown -w idle'
check 'rc.d stops' sh -c 'xenstored_stop=YES; export xenstored_stop; /etc/rc.d/xenbackendd onestop && /etc/rc.d/xencommons onestop'
check 'hvd ends and leaves nothing' ends
checks_end
