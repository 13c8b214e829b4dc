#!/bin/sh
# devices.sh BUILD: devices and their scripts on a whole machine: what is
# refused and why, xenbackendd absent and restarted, many at once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/devices.sh" "$1"
world_setup "$1"
back=/local/domain/0/backend

# config NAME DISKS [VIFS]
config()
{
	cat >"$XEN_CONFIG_DIR/$1" <<CONFIG
kernel = "$WORLD_GUESTS/blktest.gz"
memory = 16
extra = "mode=loop"
disk = [ $2 ]
vif = [ ${3:-} ]
CONFIG
}
image() { head -c 1048576 /dev/zero >"/run/n0/xen/$1"; }
# refused WORDS COMMAND...: fails, and says WORDS
refused()
{
	words=$1
	shift
	if "$@" >/run/refused 2>&1; then
		echo "it was not refused"
		return 1
	fi
	cat /run/refused
	grep -Fq -e "$words" /run/refused
}
vnds() { find "$HV_ROOT/dev" -name 'vnd*d' | wc -l; }
has_vnds() { [ "$(vnds)" = "$1" ] || { ls -l "$HV_ROOT/dev"; return 1; }; }
state_is() { [ "$(xenstore-read "$1/state" 2>&1)" = "$2" ]; }
not_listed() { ! xl list | grep -q "^$1 "; }

check 'the machine boots' world_boot
image one
config a "'file:/run/n0/xen/one,0x0,w'"
config b "'file:/run/n0/xen/one,0x0,w'"
config c "'file:/run/n0/xen/one,0x0,r'"
check 'a domain with a disk' xl create -q a
check 'a second writer is refused, and the first one named' refused 'domain a' xl create -q b
check 'a reader beside the writer too' refused 'domain a' xl create -q c
check 'what was refused left no domain behind' not_listed b
check 'and no vnd' has_vnds 1
check 'the first one is still connected' state_is $back/vbd/1/0 4
check 'it goes' xl destroy a
check 'its vnd goes with it' has_vnds 0
sed 's/,r/,r/' "$XEN_CONFIG_DIR/c" >"$XEN_CONFIG_DIR/d"
check 'two readers' sh -c 'xl create -q c && xl create -q d'
check 'one image, two vnds' has_vnds 2
check 'they go' sh -c 'xl destroy c && xl destroy d'

config missing "'file:/run/n0/xen/nothing,0x0,w'"
check 'a missing image is named' refused '/run/n0/xen/nothing' xl create -q missing
config nobridge '' "'bridge=bridge7'"
check 'a missing bridge is named' refused 'bridge bridge7 does not exist' xl create -q nobridge
check 'no interface is left' sh -c '! ip -o link | grep -q xvif'
check 'no vnd either' has_vnds 0

kill "$(cat "$XEN_RUN_DIR/xenbackendd.pid")"
sleep 0.2
config late "'file:/run/n0/xen/one,0x0,w'" "'bridge=bridge0'"
xl create -q late >/run/late 2>&1 &
late=$!
sleep 0.5
check 'xenbackendd comes late' sh "$WORLD_SOURCE/rc.d/xenbackendd" onestart
check 'and finds the device that waits' wait "$late"
check 'it is connected' wait_until 5 state_is "$back/vbd/$(xl domid late)/0" 4
kill -9 "$(cat "$XEN_RUN_DIR/xenbackendd.pid")"
sleep 0.2
check 'killed, it starts again' sh "$WORLD_SOURCE/rc.d/xenbackendd" onestart
check 'and detaches what it did not attach' xl destroy late
check 'no vnd is left' wait_until 5 has_vnds 0

n=12
i=0
while [ "$i" -lt "$n" ]; do
	image "m$i.0"
	image "m$i.1"
	config "m$i" "'file:/run/n0/xen/m$i.0,0x0,w','file:/run/n0/xen/m$i.1,0x1,w'" "'bridge=bridge0'"
	i=$((i + 1))
done
many()
{
	pids=
	i=0
	while [ "$i" -lt "$n" ]; do
		xl create -q "m$i" &
		pids="$pids $!"
		i=$((i + 1))
	done
	bad=0
	for p in $pids; do
		wait "$p" || bad=1
	done
	return "$bad"
}
check "$n domains at once" many
check 'each disk has its own vnd' has_vnds $((2 * n))
check 'each vnd another image' sh -c "[ \"\$(readlink $HV_ROOT/dev/vnd*d | sort -u | wc -l)\" = $((2 * n)) ]"
connected()
{
	for d in $(xenstore-list $back/vbd); do
		state_is "$back/vbd/$d/0" 4 && state_is "$back/vbd/$d/1" 4 || return 1
	done
}
check 'all disks are connected' wait_until 10 connected
check 'all interfaces are on the bridge' sh -c "[ \"\$(ip -o link show master bridge0 | wc -l)\" = $n ]"
gone()
{
	i=0
	while [ "$i" -lt "$n" ]; do
		xl destroy "m$i" || return 1
		i=$((i + 1))
	done
}
check 'all go' gone
check 'nothing is left of them' has_vnds 0
check 'nor on the bridge' sh -c '! ip -o link show master bridge0 | grep -q .'
checks_end
