#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# history.sh BUILD: a machine with a guest and both followers: who changed what,
# why something was refused, what there was before, figures; what a follower
# that was away, killed or too slow says; and that the store does not mind.
# shellcheck disable=SC2016,SC2317 # check calls what is defined here, and sh -c
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/history.sh" "$1"
world_setup "$1"
user=$WORLD_BUILD/tests/unit/xenhistoryd/history_user
LD_LIBRARY_PATH=$WORLD_BUILD/lib
export LD_LIBRARY_PATH
export XENHISTORYD=YES XENMETRICSD=YES XENMETRICSD_ARGS=--listen=9416

# soon COMMAND: followers are some milliseconds behind
soon() { wait_until 5 "$@"; }
# says PATTERN COMMAND...
says()
{
	says_pattern=$1
	shift
	"$@" >/run/said 2>&1 || { cat /run/said; return 1; }
	grep -q -e "$says_pattern" /run/said || { cat /run/said; return 1; }
}
# says_not PATTERN COMMAND...: it works, and does not say that
says_not()
{
	says_pattern=$1
	shift
	"$@" >/run/said 2>&1 && ! grep -e "$says_pattern" /run/said
}
same_tree() { xenstore-ls -fp >/run/now && xenstore-ls -fp --at now >/run/at && diff /run/now /run/at; }
refuses()
{
	says_status=$1
	shift
	status=0
	"$@" >/run/said 2>&1 || status=$?
	if [ "$status" != "$says_status" ] || [ "$(wc -l </run/said)" -gt 2 ]; then
		cat /run/said
		echo "exit status $status"
		return 1
	fi
}
boot() { world_images && world_config foo && world_boot; }
created() { xl create "$XEN_CONFIG_DIR/foo"; }
position() { xenstore-log --json -n 1 | sed -n 's/.*"seq":\([0-9]*\).*/\1/p'; }
metric() { curl -sS -m 5 http://127.0.0.1:9416/metrics >/run/said && grep -e "$1" /run/said; }
pid_of() { cat "$XEN_RUN_DIR/$1.pid"; }
gone() { ! kill -0 "$1" 2>/dev/null; }

check 'a machine with both followers boots' boot
check 'rc.d/xencommons knows of them' sh "$WORLD_SOURCE/rc.d/xencommons" onestatus
check 'the first act is what there was' soon says SNAPSHOT xenstore-log

# --- who ---
xenstore-write /test/a 1
check 'blame names a write' soon says '+ /test/a = "1"' xenstore-blame /test/a
seq=$(position)
xenstore-write /test/a 2 /test/b 3
check 'and the program, which is gone' says 'xenstore-write\[[0-9]*\]' xenstore-blame /test/a
check 'and what was before' soon says '~ /test/a = "2" (was "1")' xenstore-blame /test/a
check 'in a transaction' says 'transaction' xenstore-blame /test/b
check 'all of a node' says 'made' xenstore-blame --all --json /test/a
check 'all below a node' says '/test/b' xenstore-blame -r /test
check 'a guest comes' created
check 'which changes its own nodes' soon says 'domain 1 .* /local/domain/1/device/vif/0/state' xenstore-blame /local/domain/1/device/vif/0/state
check "and domain 0's kernel its own" soon says 'the kernel of domain 0  ' xenstore-log --domid 0
check 'log by domain' says_not 'the kernel of domain 0  ' xenstore-log --domid 1
check 'log by path' says_not '/local' xenstore-log --path /test

# --- before ---
check 'ls of a moment' says '^/test/a = "1"' xenstore-ls -f --at "$seq" /test
check 'and of now is what ls says' soon same_tree
check 'the difference of two moments' says '^~ /test/a = "2" (was "1")' xenstore-diff "$seq" now /test
check 'and nothing else' sh -c "xenstore-diff $seq now /test | grep -c . | grep -qx 2"

# --- why ---
check 'a transaction fails' "$user" conflict /test/a
check 'why says who was in the way' soon says '~ /test/a = "other"' xenstore-why /test/a
check 'and which request would be answered otherwise' says '"op":"READ","path":"/test/a"' xenstore-why --json /test/a
check 'log has the conflict' says 'refused: EAGAIN (READ /test/a' xenstore-log --refused
check 'the guest goes' xl destroy foo
check 'its nodes went with the toolstack or the hypervisor' soon says '- /local/domain/1 ' xenstore-log --path /local/domain/1
check 'a limit is set' "$user" quota nodes 3
check 'a guest that may own 3 nodes comes' created
check 'and is refused more' soon says 'refused: ENOSPC (nodes of domain 2' xenstore-log --refused --domid 2
path=$(xenstore-log --refused --domid 2 --json -n 1 | sed -n 's/.*"path":"\([^"]*\)","error".*/\1/p')
check 'why says which limit' says 'The limit "nodes" of domain 2 is 3' xenstore-why "$path"
check 'blame of what never was' refuses 1 xenstore-blame /never
check 'a time that is none' refuses 2 xenstore-ls --at yesterday
check 'an option that is none' refuses 2 xenstore-why --never /test

# --- figures ---
check 'figures: it is up' metric '^xenstored_up 1'
check 'figures: requests by duration' metric '^xenstored_request_duration_seconds_count{op="WRITE"} [1-9]'
check 'figures: limits' metric '^xenstored_quota_limit{domid="2",quota="nodes"} 3'
check 'figures: what was refused' metric '^xenstored_refusals_total{domid="2",why="nodes"} [1-9]'
check 'figures: conflicts' metric '^xenstored_conflicts_total{domid="0"} [1-9]'
check 'figures: connections' metric '^xenstored_connections{kind="ring"} [1-9]'

# --- the daemon is killed ---
primary() { sed -n 's/^primary \([1-9][0-9]*\)$/\1/p' "$XENSTORED_RUNDIR/status"; }
follows() { metric '^xenstored_standby_lag_records [0-9]$'; }
other_primary() { [ -n "$(primary)" ] && [ "$(primary)" != "$dead" ]; }
check 'figures: the standby keeps up' soon follows
dead=$(primary)
kill -9 "$dead"
check 'the standby takes over' wait_until 5 other_primary
xenstore-write /test/taken-over 1
check 'which makes no gap' soon says '+ /test/taken-over' xenstore-blame /test/taken-over
check 'none at all' says_not GAP xenstore-log
check 'figures: it is told' metric '^xenstored_takeovers_total 1$'

# --- away, killed, too slow ---
kill -9 "$(pid_of xenhistoryd)"
xenstore-write /test/killed 1
check 'a follower that was killed starts again' sh "$WORLD_SOURCE/rc.d/xencommons" onestart
check 'and has missed nothing' soon says '+ /test/killed' xenstore-blame /test/killed
check 'nor says so' says_not GAP xenstore-log
old=$(pid_of xenhistoryd)
kill "$old"
check 'a follower ends when told' wait_until 5 gone "$old"
xenstore-write /test/before-the-gap 1
check 'more happens than the log holds' "$user" burst 9000
check 'a follower that comes late' sh "$WORLD_SOURCE/rc.d/xencommons" onestart
check 'says that there is a gap' soon says ' GAP ' xenstore-log
check 'and has what changed in it' says '  unknown  + /test/before-the-gap' xenstore-blame /test/before-the-gap
xenstore-write /test/after 1
check 'and goes on' soon says '+ /test/after' xenstore-blame /test/after
check 'the tree is the same again' soon same_tree
check 'following shows what comes' sh -c '
	xenstore-log --follow --json >/run/followed &
	follower=$!
	for i in $(seq 600); do
		# what came before it began is not shown
		xenstore-write /test/followed "$i"
		! grep -q /test/followed /run/followed || break
		sleep 0.1
	done
	kill $follower
	grep -q /test/followed /run/followed'
check 'all stop' sh -c 'xenstored_stop=YES; export xenstored_stop; sh "$1" onestop' sh "$WORLD_SOURCE/rc.d/xencommons"
check 'the history is there without them' says '+ /test/after' xenstore-blame /test/after
checks_end
