#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# takeover-guests.sh BUILD: the store's processes are killed under guests with a
# disk and an interface, while others are created and destroyed; then all of them
# are killed at once, and then told to end: the next daemon finds the rings again.
# KILLS says how often (40).
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/serving.sh
. "$here/../support/serving.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/takeover-guests.sh" "$1"
world_setup "$1"

disk() { head -c 4194304 /dev/zero >"/run/n0/xen/$1"; }
config()
{
	name=$1
	shift
	printf 'kernel = "%s/%s.gz"\nmemory = 32\nextra = "%s"\n' "$WORLD_GUESTS" "$1" "$2" >"$XEN_CONFIG_DIR/$name"
	shift 2
	printf '%s\n' "$@" >>"$XEN_CONFIG_DIR/$name"
}
number() { xenstore-read "$1" 2>/dev/null || echo 0; }
# progress: the disk's counter, which the guest writes over its ring, moves on
progress()
{
	before=$(number /local/domain/1/data/blk/bytes)
	ping -c 2 -i 0.2 -W 20 -q 10.77.0.20 || return 1
	for _ in $(seq 120); do
		[ "$(number /local/domain/1/data/blk/bytes)" = "$before" ] || return 0
		sleep 0.5
	done
	echo "the guest stands at $before bytes"
	return 1
}
kill_when_both()
{
	wait_until 10 both || { cat "$XENSTORED_RUNDIR/status"; return 1; }
	kill -9 "$(pid_of primary)"
}
kill_many()
{
	for i in $(seq 1 "$1"); do
		kill_when_both || return 1
		xenstore-write "/tool/kills" "$i" || return 1
		[ "$(xenstore-read /tool/kills)" = "$i" ] || return 1
	done
}
kill_while()
{
	kill_many 8 &
	killer=$!
	"$@" || { wait "$killer"; return 1; }
	wait "$killer"
}
sound() { [ "$(xenstore-control check)" = OK ]; }

check 'the machine boots' world_boot
disk neighbour
config blk blktest 'mode=loop' "disk = [ 'file:/run/n0/xen/neighbour,0x0,w' ]"
config net nettest 'ip=10.77.0.20' "vif = [ 'mac=aa:00:00:d1:00:20,bridge=bridge0' ]"
check 'a guest with a disk' xl create -q blk
check 'a guest with an interface' xl create -q net
check 'both are at work' wait_until 10 progress
check 'the store daemon is killed many times' kill_many "${KILLS:-40}"
check 'both guests go on' progress
disk third
config third blktest 'mode=loop' "disk = [ 'file:/run/n0/xen/third,0x0,w' ]"
check 'a domain is created while it is killed' kill_while xl create -q third
check 'and destroyed while it is killed' kill_while xl destroy third
check 'its disk is released' wait_until 10 sh -c "! readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/third"
check 'both guests go on' progress
check 'the books are right' sound

supervisor=$(pid_of supervisor)
xenstore-write /kept yes
kill -9 "$supervisor"
check 'all of the daemon is killed' wait_until 10 ended "$supervisor"
start() { xenstored --pid-file "$XEN_RUN_DIR/xenstored.pid" && wait_until 10 both; }
check 'the next one starts' start
kept() { [ "$(xenstore-read /kept)" = yes ]; }
check 'with what was in the store' kept
check 'both guests go on' progress

supervisor=$(pid_of supervisor)
kill "$supervisor"
check 'the daemon is told to end' wait_until 10 ended "$supervisor"
check 'the next one starts' start
check 'with what was in the store' kept
check 'both guests go on' progress
check 'a domain can be created' xl create -q third
check 'and destroyed' xl destroy third
check 'the books are right' sound
check 'a guest shuts down' xl shutdown -w net
checks_end
