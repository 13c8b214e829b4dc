#!/bin/sh
# isolation.sh BUILD: hostile guests. A guest that never connects, scribbles over
# its store ring and indexes, grants garbage, floods, or feeds nonsense to its
# backends hurts its own domain only: a polite neighbour's disk and interface go
# on through all of it, every daemon is the same process afterwards, and a new
# domain can be created.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/isolation.sh" "$1"
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
# progress: the neighbours' disk moves on and the other one answers ping
progress()
{
	before=$(number /local/domain/1/data/blk/bytes)
	ping -c 2 -i 0.2 -W 20 -q 10.77.0.20 || return 1
	for _ in $(seq 120); do
		[ "$(number /local/domain/1/data/blk/bytes)" = "$before" ] || return 0
		sleep 0.5
	done
	echo "the neighbour stands at $before bytes"
	xenstore-ls /local/domain/1/data
	return 1
}
daemons()
{
	primary
	cat "$HV_ROOT/hvd.pid" "$XEN_RUN_DIR/xenstored.pid" "$XEN_RUN_DIR/xenconsoled.pid" "$XEN_RUN_DIR/xenbackendd.pid"
}
same_daemons()
{
	[ "$(daemons)" = "$at_first" ] || { echo "they were: $at_first"; daemons; return 1; }
	for p in $at_first; do
		kill -0 "$p" || return 1
	done
}
primary() { awk '$1 == "primary" { print $2 }' "$XENSTORED_RUNDIR/status"; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

check 'the machine boots' world_boot
at_first=$(daemons)
disk neighbour
config blk blktest 'mode=loop' "disk = [ 'file:/run/n0/xen/neighbour,0x0,w' ]"
config net nettest 'ip=10.77.0.20' "vif = [ 'mac=aa:00:00:d1:00:20,bridge=bridge0' ]"
check 'a neighbour with a disk' xl create -q blk
check 'a neighbour with an interface' xl create -q net
check 'both are at work' wait_until 10 progress

# what the attacker does to the store daemon must not make it grow
store_before=$(resident "$(primary)")

disk victim
config mute mute spin
check 'mute: a guest that never connects and never sleeps is created' xl create -q mute
check 'mute: the neighbours go on' progress
check 'mute: destroyed' xl destroy mute

for mode in ring-index ring-garbage flood; do
	config evil evil "mode=$mode rounds=200 pause=2"
	check "$mode: the attacker starts" xl create -q evil
	home=/local/domain/$(xl domid evil) || :
	check "$mode: the neighbours go on" progress
	check "$mode: the store answers others" timeout 60 xenstore-read /local/domain/1/name
	sleep 1
	check "$mode: the neighbours still go on" progress
	check "$mode: every daemon is alive" same_daemons
	check "$mode: destroyed" xl destroy evil
	check "$mode: @releaseDomain was not lost: its nodes are gone" \
	    wait_until 10 sh -c "! xl list | grep -q '^evil ' && xenstore-exists /local/domain && ! xenstore-exists '$home'"
done
for mode in grant-garbage blk-garbage; do
	config evil evil "mode=$mode rounds=200 pause=2" "disk = [ 'file:/run/n0/xen/victim,0x0,w' ]"
	check "$mode: the attacker starts" xl create -q evil
	check "$mode: its disk is attached" sh -c "readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/victim"
	check "$mode: the neighbours go on" progress
	sleep 1
	check "$mode: the neighbours still go on" progress
	check "$mode: every daemon is alive" same_daemons
	check "$mode: destroyed" xl destroy evil
	check "$mode: its disk is released" wait_until 10 sh -c "! readlink $HV_ROOT/dev/vnd*d | grep -qx /run/n0/xen/victim"
done
config evil evil 'mode=net-garbage rounds=200 pause=2' "vif = [ 'mac=aa:00:00:d1:00:66,bridge=bridge0' ]"
check 'net-garbage: the attacker starts' xl create -q evil
check 'net-garbage: the neighbours go on' progress
sleep 1
check 'net-garbage: the neighbours still go on' progress
check 'net-garbage: every daemon is alive' same_daemons
check 'net-garbage: destroyed' xl destroy evil

store_after=$(resident "$(primary)")
grew() { [ $((store_after - store_before)) -lt 8192 ] || { echo "xenstored grew from $store_before to $store_after KiB"; return 1; }; }
check 'xenstored has not grown by more than 8 MiB' grew

config evil evil 'mode=sandbox'
check 'sandbox: a guest that asks the system for what it must not have' xl create -q evil
data_is() { [ "$(xenstore-read "/local/domain/$(xl domid "$1")/data/$2")" = "$3" ]; }
check 'sandbox: it is through' wait_until 10 data_is evil evil/done 1
refused()
{
	v=$(xenstore-read "/local/domain/$(xl domid evil)/data/evil/$1") || return 1
	[ "$v" != allowed ] || { echo "$1 was allowed"; return 1; }
}
for call in $(xenstore-list "/local/domain/$(xl domid evil)/data/evil" 2>/dev/null); do
	[ "$call" = 'done' ] || check "sandbox: $call is refused" refused "$call"
done
for call in open socket ptrace; do
	check "sandbox: $call was among them" refused "$call"
done
check 'sandbox: destroyed' xl destroy evil

config after idle ''
check 'a new domain can be created after all that' xl create -q after
check 'and comes up' wait_until 10 data_is after ready 1
check 'the neighbours went on to the end' progress
check 'no difference was ever read back' sh -c 'xenstore-exists /local/domain/1/data/blk/bytes && ! xenstore-exists /local/domain/1/data/blk/result'
for d in after net blk; do
	check "$d shuts down" timeout 300 xl shutdown -w "$d"
done
checks_end
