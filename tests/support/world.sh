# world.sh: a whole machine in namespaces of its own. Sourced.
#
#   world_enter BUILD SCRIPT [ARG...]   run SCRIPT as the machine's first process
# and, inside it:
#   world_setup BUILD    private /run, environment, loopback, bridge0 (10.77.0.1)
#   world_images         the HOWTO's two disk images in /run/n0/xen
#   world_boot           boot.cfg, hv-boot, rc.d/xencommons, rc.d/xenbackendd
#   world_guest_pid DOMID  the process that a guest is
#   world_config NAME    the HOWTO's configuration in $XEN_CONFIG_DIR/NAME
#   wait_until SECONDS COMMAND...       poll; the last output of COMMAND on failure.
#                        SECONDS are ample on an idle machine; a busy one gets ten times that
#
# When the first process ends, the kernel ends every other one and drops the
# mounts, interfaces and files: nothing can be left behind.

world_enter()
{
	world_build=$(cd "$1" && pwd)
	shift
	command -v unshare >/dev/null 2>&1 || {
		echo "unshare is missing: apt-get install util-linux" >&2
		return 1
	}
	if ! unshare --user --map-root-user --net --mount --pid --fork true 2>/dev/null; then
		echo "no user namespaces here: as root, sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000" >&2
		return 1
	fi
	WORLD_BUILD=$world_build exec unshare --user --map-root-user --net --mount \
	    --pid --ipc --uts --fork --kill-child --mount-proc -- "$@"
}

world_setup()
{
	WORLD_BUILD=${1:-$WORLD_BUILD}
	WORLD_GUESTS=$WORLD_BUILD/../guest
	WORLD_SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mount -t tmpfs -o mode=755 tmpfs /run
	hostname dom0 2>/dev/null || true
	export HV_ROOT=/run/kernbus XENSTORED_RUNDIR=/run/xenstored \
	    XEN_RUN_DIR=/run/xen XEN_LOCK_DIR=/run/lock/xen XEN_LOG_DIR=/run/log/xen \
	    XEN_CONFIG_DIR=/run/etc/xen XEN_SCRIPT_DIR="$WORLD_SOURCE/tools/hotplug" \
	    XEN_LIBEXEC_DIR="$WORLD_BUILD/bin" XEN_SBIN_DIR="$WORLD_BUILD/bin"
	unset XENSTORED_PATH HV_PROVIDER
	export TMPDIR=/run
	export PATH="$WORLD_BUILD/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	mkdir -p "$HV_ROOT" "$XENSTORED_RUNDIR" "$XEN_RUN_DIR" "$XEN_LOCK_DIR" \
	    "$XEN_LOG_DIR" "$XEN_CONFIG_DIR" /run/n0/xen
	ip link set lo up
	ip link add bridge0 type bridge
	ip address add 10.77.0.1/24 dev bridge0
	ip link set bridge0 up
}

# world_images: foo-wd0 holds files of known content, foo-wd1 is empty.
world_images()
{
	t=/run/tree
	mkdir -p "$t/etc" "$t/htdocs/deep/er" "$t/upload"
	printf '/dev/xbd0a / ext2fs ro\n/dev/xbd1a /upload ext2fs rw\n' >"$t/etc/fstab"
	printf 'inet 10.77.0.9 netmask 255.255.255.0\n' >"$t/etc/ifconfig.xennet0"
	printf '10.77.0.1\n' >"$t/etc/mygate"
	printf 'foo\n' >"$t/etc/myname"
	printf 'Hello from xbd0.\n' >"$t/htdocs/hello.txt"
	printf 'deep\n' >"$t/htdocs/deep/er/file.txt"
	# 8 MiB that no cache or zero page can fake.
	head -c 8388608 /dev/urandom >"$t/htdocs/big.bin"
	(cd "$t" && find . -type f -exec sha256sum {} +) >/run/sums
	mke2fs -q -F -t ext2 -b 4096 -L foo-wd0 -d "$t" /run/n0/xen/foo-wd0 32M >/dev/null
	mke2fs -q -F -t ext2 -b 4096 -L foo-wd1 /run/n0/xen/foo-wd1 64M >/dev/null
	rm -rf "$t"
}

world_config()
{
	cat >"$XEN_CONFIG_DIR/$1" <<CONFIG
# -*- mode: python; -*-

kernel = "/run/netbsd-XEN3PAE_DOMU-i386-foo.gz"
memory = 1024
vif = [ 'mac=aa:00:00:d1:00:09,bridge=bridge0' ]
disk = [ 'file:/run/n0/xen/foo-wd0,0x0,w',
         'file:/run/n0/xen/foo-wd1,0x1,w' ]
CONFIG
	cp "$WORLD_GUESTS/fileserver.gz" /run/netbsd-XEN3PAE_DOMU-i386-foo.gz
}

world_boot()
{
	gzip -1c "$WORLD_BUILD/bin/hvd" >/run/xen.gz
	gzip -1c "$WORLD_BUILD/bin/dom0" >/run/netbsd-XEN3_DOM0.gz
	cat >/run/boot.cfg <<'BOOT'
menu=Xen:load /netbsd-XEN3_DOM0.gz console=pc;multiboot /xen.gz dom0_mem=256M
menu=Boot normally:boot
default=1
timeout=0
BOOT
	hv-boot -r /run /run/boot.cfg &&
	    sh "$WORLD_SOURCE/rc.d/xencommons" onestart &&
	    sh "$WORLD_SOURCE/rc.d/xenbackendd" onestart
}

# world_guest_pid DOMID: the process that the domain's guest is
world_guest_pid()
{
	sed -n "s/.* d$1: running as process \([0-9]*\)\$/\1/p" "$XEN_LOG_DIR/hvd.log" | tail -n 1
}

wait_until()
{
	wu_end=$(($(date +%s) + $1 * 10))
	shift
	until wu_out=$("$@" 2>&1); do
		if [ "$(date +%s)" -ge "$wu_end" ]; then
			printf '%s\n' "$wu_out"
			return 1
		fi
		sleep 0.05
	done
}
