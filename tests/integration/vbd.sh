#!/bin/sh
# vbd.sh BUILD: one virtual disk's life, followed by watches: attach, hot-unplug
# while I/O runs, the backend killed and restarted, the guest killed. Another
# domain's I/O goes on through all of it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/vbd.sh" "$1"
world_setup "$1"

disk() { head -c "$2" /dev/zero >"/run/n0/xen/$1"; }
config()
{
	cat >"$XEN_CONFIG_DIR/$1" <<CONFIG
kernel = "$WORLD_GUESTS/blktest.gz"
memory = 32
extra = "$2"
disk = [ $3 ]
on_crash = "destroy"
CONFIG
}
number() { xenstore-read "/local/domain/$1/data/blk/$2" 2>/dev/null || echo 0; }
# progress DOMID: its I/O counter moves within five seconds
progress()
{
	before=$(number "$1" bytes)
	for _ in $(seq 120); do
		sleep 0.5
		[ "$(number "$1" bytes)" = "$before" ] || return 0
	done
	echo "domain $1 stands at $before bytes: $(xenstore-ls "/local/domain/$1/data" 2>&1)"
	return 1
}
state_is() { [ "$(xenstore-read "$1/state" 2>&1)" = "$2" ]; }
gone() { ! xenstore-exists "$1" 2>/dev/null; }
back=/local/domain/0/backend/vbd

check 'the machine boots' world_boot
disk neighbour 4194304
disk victim 4194304
disk second 4194304
config neighbour 'mode=loop' "'file:/run/n0/xen/neighbour,0x0,w'"
config victim 'mode=loop' "'file:/run/n0/xen/victim,0x0,w'"

# attach, watched
xenstore-watch "$back" >/run/watched 2>&1 &
watcher=$!
check 'a neighbour is created' xl create -q neighbour
check 'attach: xl create waits for the disk' xl create -q victim
check 'attach: both ends are Connected' wait_until 10 state_is "$back/2/0" 4
check 'attach: the frontend too' wait_until 10 state_is /local/domain/2/device/vbd/0 4
check 'attach: a watch on the backend saw its state change' wait_until 5 grep -q "^$back/2/0/state$" /run/watched
check 'attach: a watch saw physical-device and hotplug-status' \
    grep -q "^$back/2/0/hotplug-status$" /run/watched
check 'attach: the image is on a vnd' sh -c "readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/victim"
check 'the guest does I/O' progress 2
check 'the neighbour does I/O' progress 1

# a disk more, while running, and its hot-unplug
check 'hot-plug: block-attach of a second disk' xl block-attach victim 'file:/run/n0/xen/second,0x1,w'
check 'hot-plug: it is Connected' wait_until 10 state_is "$back/2/1" 4
check 'hot-unplug of the idle disk: block-detach' xl block-detach victim 0x1
check 'hot-unplug: its nodes are gone' wait_until 10 gone "$back/2/1"
check 'hot-unplug: its vnd is released' sh -c "! readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/second"

# the backend killed and restarted
kill_backend()
{
	pid=$(xenstore-read "$back/2/0/worker") || return 1
	kill -9 "$pid"
}
check 'backend: the worker of the disk is killed' kill_backend
check 'backend: restarted, the guest never noticed and goes on' progress 2
check 'backend: still Connected' state_is "$back/2/0" 4
for _ in 1 2 3 4 5; do kill_backend >/dev/null 2>&1 || :; sleep 0.3; done
check 'backend: five more kills, the guest goes on' progress 2
check 'backend: no difference was read back' sh -c "! xenstore-read /local/domain/2/data/blk/result 2>/dev/null | grep -q differs"
check 'the neighbour went on' progress 1

# hot-unplug while I/O runs
check 'hot-unplug under I/O: block-detach' xl block-detach victim 0x0
check 'hot-unplug under I/O: backend nodes are gone' wait_until 10 gone "$back/2/0"
check 'hot-unplug under I/O: the vnd is released' sh -c "! readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/victim"
check 'hot-unplug under I/O: the guest got an error and lives' \
    wait_until 10 sh -c "xenstore-read /local/domain/2/data/blk/result | grep -q '^error'"
check 'the neighbour went on' progress 1
xl destroy victim

# the guest killed
disk third 4194304
config third 'mode=loop' "'file:/run/n0/xen/third,0x0,w'"
check 'a third domain is created' xl create -q third
check 'and does I/O' progress 3
kill_guest()
{
	pid=$(world_guest_pid 3)
	[ -n "$pid" ] || { echo 'no process known for domain 3'; return 1; }
	kill -9 "$pid"
}
check 'guest: its process is killed' kill_guest
check 'guest: the domain, its nodes and its disk are gone' \
    wait_until 15 sh -c "! xl list | grep -q '^third ' && ! xenstore-exists $back/3 && ! xenstore-exists /local/domain/3"
check 'guest: its vnd is released' wait_until 5 sh -c "! readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/third"
check 'the neighbour went on' progress 1
check 'the neighbour shuts down' xl shutdown -w neighbour
check 'no vnd is left' sh -c "! ls $HV_ROOT/dev/vnd*d"
kill "$watcher" 2>/dev/null || :
checks_end
