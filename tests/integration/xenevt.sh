#!/bin/sh
# xenevt.sh BUILD: NetBSD's xenevt node is there when the machine is up, works,
# and never outlives the machine, however that ends.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/xenevt.sh" "$1"
world_setup "$1"
node=$HV_ROOT/dev/xenevt
user=$WORLD_BUILD/tests/unit/kernfs/xenevt_user

mounted() { grep -q " $node fuse" /proc/self/mounts; }
not_mounted() { ! mounted || { cat /proc/self/mounts; return 1; }; }
# A stale mount "does not exist" either, so look at the folder.
no_file() { ! find "$HV_ROOT/dev" | grep xenevt; }
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
says() { grep "$1" "$XEN_LOG_DIR/hvd.log"; }
says_once() { [ "$(says "$1" | tee /dev/stderr | wc -l)" = 1 ]; }
server() { sed -n 's/.* xenevt: served by process //p' "$XEN_LOG_DIR/hvd.log" | tail -n 1; }
hvd() { cat "$HV_ROOT/hvd.pid"; }
boot() { hv-boot -r /run "$@" /run/boot.cfg; }
down()
{
	d_pid=$(hvd)
	kill "$d_pid" && wait_until 5 gone "$d_pid"
}
root_is_gone() { [ ! -e "$HV_ROOT" ] || { find "$HV_ROOT"; return 1; }; }
# holder: a program that has the node open; it ends with descriptor 9
holder()
{
	mkfifo /run/hold
	HV_ROOT=$HV_ROOT "$user" hold </run/hold >/run/held 2>&1 9>&- &
	exec 9>/run/hold
	rm /run/hold
	wait_until 10 grep -q 'each way' /run/held
}

check 'the machine boots' world_boot
if ! (: <>/dev/fuse) 2>/dev/null || [ ! -x "$WORLD_BUILD/bin/hv-kernfs" ]; then
	skip 'the xenevt node' 'no /dev/fuse that can be opened, or hv-kernfs was not built'
	check 'the log says why there is no node' says_once 'no xenevt node: '
	check 'no file pretends to be one' no_file
	checks_end
fi
check 'the node is there' mounted
check 'the log says who serves it' says_once 'xenevt: served by process'
check 'events go both ways through it, by libxenevtchn' "$user"
check 'xenstored and the rest do as well' xenstore-read /local/domain/0/name

check 'a program holds the node open' holder
pid=$(server)
check 'SIGTERM: hvd ends' down
check 'its mount is gone' not_mounted
check 'so is its server' gone "$pid"
check 'and all of HV_ROOT' root_is_gone
exec 9>&-

check 'a second boot has it again' boot
check 'the node is there when hv-boot is back' mounted
pid=$(server)
kill -9 "$pid"
check 'its server is killed: the log says so once' \
    wait_until 5 says_once 'no xenevt node: hv-kernfs: killed by Killed'
check 'the mount is gone' not_mounted
check 'and the file' no_file
check 'hvd goes on' xl info
check 'and down' down
check 'nothing is left' root_is_gone

check 'a third boot' boot
check 'a program holds the node open' holder
pid=$(server)
old=$(hvd)
kill -9 "$old"
check 'hvd is killed: its mount goes by itself' wait_until 5 not_mounted
check 'its server ends' wait_until 5 gone "$pid"
exec 9>&-
check 'a boot on what it left' boot
check 'has the node' mounted
pid=$(server)
old=$(hvd)
kill -STOP "$pid"
kill -9 "$old" "$pid"
check 'both killed at once: the mount is stale' wait_until 5 gone "$old"
check 'a boot on it' boot
check 'has the node, mounted once' sh -c "[ \"\$(grep -c ' $node fuse' /proc/self/mounts)\" = 1 ]"
check 'events go through it' "$user"
pid=$(server)
kill -STOP "$pid"
check 'a server that hangs does not keep hvd from its end' down
check 'nothing is left of it' root_is_gone
check 'no mount either' not_mounted

mkdir /run/libexec
cp "$WORLD_BUILD/bin/hv-spawn" /run/libexec
: >"$XEN_LOG_DIR/hvd.log"
check 'without hv-kernfs the machine boots' boot --libexec /run/libexec
check 'one line of the log says why' says_once 'no xenevt node: .*hv-kernfs: No such file'
check 'no file pretends to be a node' no_file
check 'it goes down' down
mount -t tmpfs tmpfs /dev
mknod /dev/null c 1 3 2>/dev/null || : >/dev/null
: >"$XEN_LOG_DIR/hvd.log"
check 'without /dev/fuse the machine boots' boot
check 'one line of the log says why' says_once 'no xenevt node: .*/dev/fuse: No such file'
check 'no file pretends to be a node' no_file
check 'it goes down' down
checks_end
