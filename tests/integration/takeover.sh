#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# takeover.sh BUILD: the store's processes are killed while clients ask, and no
# client notices: each reply is there once and right. Then all of it is killed,
# and the next daemon goes on. KILLS says how often (800).
# shellcheck disable=SC2317,SC2119,SC2120 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/serving.sh
. "$here/../support/serving.sh"

kills=${KILLS:-800}
build=$(cd "${1:?usage: takeover.sh BUILD}" && pwd)
dir=$(scratch takeover 100)
export XENSTORED_RUNDIR="$dir" XENSTORED_PATH="$dir/socket"
daemon=
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
	remove_tree "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

start() {
	"$build/bin/xenstored" -D -N "$@" >>"$dir/out" 2>&1 &
	daemon=$!
	wait_until 10 serves
}
says() { wait_until 10 grep -q "$1" "$dir/out"; }
reads() { [ "$(timeout 100 "$build/bin/xenstore-read" "$1")" = "$2" ]; }
nobody() { ! "$build/bin/xenstore-exists" "$1"; }
stop() {
	kill "$daemon"
	wait_until 10 ended "$daemon"
}
kill_all() {
	kill -9 "$daemon"
	wait_until 10 ended "$1" && wait_until 10 ended "$2"
}
crashed() { [ "$(grep -c 'was killed by signal 6' "$dir/out")" = "$1" ] || { grep -c 'was killed by signal 6' "$dir/out"; return 1; }; }
kill_under_load() {
	timeout "$((600 + kills))" "$build/tests/crash/takeover" "$dir" "$kills" >"$dir/figures" && return
	cat "$dir/figures"
	return 1
}
fails_to_start() {
	f_rc=0
	timeout 100 "$build/bin/xenstored" -D -N --trace-control +nothing >>"$dir/out" 2>&1 || f_rc=$?
	[ "$f_rc" -eq 1 ] && says "unknown switch '+nothing'"
}
does_not_start() {
	f_rc=0
	timeout 100 "$build/bin/xenstored" -D -N >>"$dir/out" 2>&1 || f_rc=$?
	[ "$f_rc" -eq 1 ]
}
ten_deaths() {
	f_rc=0
	XENSTORED_CRASH_ROLE=takeover XENSTORED_CRASH_AT=1 XENSTORED_CRASH_TIMES=1000 \
	    timeout 300 "$build/tests/crash/xenstored-crash" -D -N >>"$dir/out" 2>&1 || f_rc=$?
	[ "$f_rc" -eq 1 ]
}
same_files() { stat -c '%i %n' "$dir/log" "$dir/flight" | diff "$dir/before" -; }
kept() {
	stat -c '%i %n' "$dir/log.before" "$dir/flight.before" | sed 's/\.before//' | diff "$dir/before" - && nobody /kept
}
alone() {
	"$build/bin/xenstored" -D -N --no-standby "$@" >>"$dir/out" 2>&1 &
	daemon=$!
	wait_until 10 "$build/bin/xenstore-exists" /
}
kill_alone() { kill -9 "$daemon" && wait_until 10 ended "$daemon"; }
# another is told that one runs until all of the one before has ended
not_alone() {
	! timeout 100 "$build/bin/xenstored" -D -N --no-standby >>"$dir/out" 2>&1 &&
	    grep -q 'no-standby cannot go on with.*nothing was changed' "$dir/out"
}
later() {
	"$build/tests/update/xenstored-later" -D -N >>"$dir/out" 2>&1 &
	daemon=$!
	wait_until 10 serves
}
unreadable() {
	dd if=/dev/zero of="$dir/log" bs=1 seek=4200 count=64 conv=notrunc 2>/dev/null
}

# How long each of their threads has run. One that never sleeps counts, too.
ran() {
	for who in supervisor primary standby; do
		cat "/proc/$(pid_of "$who")/task/"*/schedstat
	done
}
sleeps() {
	before=$(ran)
	sleep 1
	[ "$before" = "$(ran)" ]
}

# Each is told of early unless the one before is still being taken down, or the
# watcher has to wait for a processor.
early() {
	futex=$(grep -c 'noticed by its futex' "$dir/out") || :
	all=$(grep -c 'took over in' "$dir/out")
	[ "$((futex * 20))" -ge "$all" ]
}
pids() { cut -d ' ' -f 2 "$dir/status"; }
nobody_minds() {
	before=$(pids)
	"$build/tests/crash/scribble" "$dir" "$1" || return 1
	[ "$before" = "$(pids)" ] || { echo "$before; $(pids)"; return 1; }
	"$build/bin/xenstore-write" /scribbled "$1" && reads /scribbled "$1"
}
# kill_one HOW: it is succeeded, which HOW told
kill_one() {
	before=$(grep -c "noticed by $1" "$dir/out") || :
	primary=$(pid_of primary)
	kill -9 "$primary"
	wait_until 10 another_serves "$primary" &&
	    [ "$(grep -c "noticed by $1" "$dir/out")" -eq "$((before + 1))" ]
}
# one_told_early RUMOURS: a primary's, after so many that were not true. Where the
# watcher has to wait for a processor, SIGCHLD may be there first; not always.
one_told_early() {
	for _ in $(seq 1 100); do
		[ "$1" -eq 0 ] || nobody_minds "$1" || return 1
		! kill_one 'its futex' || return 0
	done
	return 1
}

check 'the daemon starts with a standby' start
check 'when nothing happens none of its processes wakes up' wait_until 10 sleeps
check "the store's processes are killed $kills times, and no client notices" \
    kill_under_load
sed -n 's/^[0-9].*/ok ... &/p' "$dir/figures"
sed -n 's/^.*took over in/& /p' "$dir/out" | tail -n 1
case $(uname) in
Linux)
	check 'ends are told before the memory is taken down' early
	printf 'ok ... %s of %s\n' "$futex" "$all"
	check 'an end that is not true is not believed' nobody_minds 3
	check '... and the true one after it is' one_told_early 3
	check 'many that are not true are not believed' nobody_minds 50
	check '... nor is there anything said against the true one' kill_one SIGCHLD
	check '... and the next ones are believed again' one_told_early 0
	check 'when nothing happens after that none of its processes wakes up' wait_until 10 sleeps
	;;
*) skip 'ends are told before the memory is taken down' 'not on this system' ;;
esac
"$build/bin/xenstore-write" /kept yes
check 'when the supervisor is killed, its children end' kill_all "$(pid_of primary)" "$(pid_of standby)"
check 'the next daemon goes on' start
check '... and says so' says 'did not end well: goes on'
check '... with what was in the store' reads /kept yes
check 'it can be killed in turn' kill_all "$(pid_of primary)" "$(pid_of standby)"
check 'a start that fails' fails_to_start
check '... leaves what is there to the next one' start
check '... with what was in the store' reads /kept yes
check 'that is killed, too' kill_all "$(pid_of primary)" "$(pid_of standby)"
check 'ten that die before they serve end the start' ten_deaths
check '... which says so' says 'as 9 before it did: nobody can serve'
check '... and leave what is there to the next one' start
check '... with what was in the store' reads /kept yes
check 'that is killed, too' kill_all "$(pid_of primary)" "$(pid_of standby)"
check '--fresh begins anew' start --fresh
check '... with nothing' nobody /kept
"$build/bin/xenstore-write" /kept again
check 'a daemon that is told to end does' stop
case $(nm -D "$build/bin/xenstored") in
*__asan*) skip 'a request that breaks down who runs it' 'not under ASan' ;;
*)
	LD_PRELOAD="$build/tests/crash/abort_preload.so" start || :
	check 'a request that breaks down two processes is not tried a third time' \
	    timeout 200 "$build/tests/crash/twice" "$dir"
	check '... which is said' says 'made two processes crash'
	check '... and there were two' crashed 2
	stop
	;;
esac
check 'the next one starts' start
check '... with nothing, as nothing was lost' nobody /kept
"$build/bin/xenstore-write" /kept third
check 'all of it is killed' kill_all "$(pid_of primary)" "$(pid_of standby)"
unreadable
stat -c '%i %n' "$dir/log" "$dir/flight" >"$dir/before"
check 'where nothing of the log can be read nobody begins with an empty store' does_not_start
check '... which says what can be done' says 'nothing was changed in .*--fresh'
check '... and leaves the files' same_files
check '--fresh begins with an empty store' start --fresh
check '... and keeps what was there' kept
check '... as it says' says "is kept there as \*.before"
"$build/bin/xenstore-write" /kept fourth
check 'all of it is killed' kill_all "$(pid_of primary)" "$(pid_of standby)"
stat -c '%i %n' "$dir/log" "$dir/flight" >"$dir/before"
check 'a daemon without a standby does not begin in place of that' wait_until 10 not_alone
check '... and leaves the files' same_files
check '... with --fresh it does' alone --fresh
check '... and keeps what was there' kept
"$build/bin/xenstore-write" /kept alone
check 'it is killed' kill_alone
check 'another daemon goes on' start
check '... with what was in the store' reads /kept alone
check 'a daemon that is told to end does' stop
check 'one without a standby starts after that' alone
check '... with nothing' nobody /kept
check 'that ends, too' stop
check 'one that writes a later version of the log starts' later
check 'that ends, too' stop
check 'this one starts all the same' start
check 'that ends, too' stop
checks_end
