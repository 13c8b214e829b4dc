#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# crash-points.sh BUILD: the store's processes are killed at every single place
# behind a store to what survives them, one after the other, in scenarios with
# sockets; nobody notices. EVERY (1): only each so many.
# shellcheck disable=SC2317 # check and trap call what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"

build=$(cd "${1:?usage: crash-points.sh BUILD}" && pwd)
top=$(scratch points 300)
cleanup() {
	remove_tree "$top"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

points() { # NAME ARG...
	dir="$top/$1"
	mkdir "$dir"
	shift
	p_status=0
	timeout 2000 "$build/tests/crash/points" -e "${EVERY:-1}" "$@" \
	    "$build/tests/crash/xenstored-crash" "$dir" || p_status=$?
	remove_tree "$dir"
	return "$p_status"
}
# Two at a time: most of it is waiting for processes to start.
primary() {
	points a -s requests -s transactions -s watches >"$top/a.out" 2>&1 &
	first=$!
	points b -s pipeline -s slow -s lives >"$top/b.out" 2>&1 || {
		cat "$top/b.out"
		return 1
	}
	wait "$first" || {
		cat "$top/a.out"
		return 1
	}
	cat "$top/a.out" "$top/b.out"
}
checkpoints() {
	mkdir "$top/$1"
	timeout 1000 "$build/tests/crash/checkpoints" -e "${EVERY:-2}" -r "$1" \
	    "$build/tests/crash/xenstored-crash" "$top/$1" || {
		cat "$top/$1/err"
		return 1
	}
	remove_tree "$top/$1"
}
differ() { # PROCESS ANSWER: only PROCESS has no memory
	mkdir "$top/differ-$1"
	(
		cd "$top/differ-$1"
		XENSTORED_RUNDIR=. XENSTORED_CRASH_ROLE=nobody XENSTORED_CRASH_FAULT="enomem@$1" \
		    exec "$build/tests/crash/xenstored-crash" -D -N >out 2>&1
	) &
	d_daemon=$!
	d_ok=0
	timeout 300 "$build/tests/crash/differ" "$top/differ-$1" "$2" || d_ok=1
	kill "$d_daemon"
	wait "$d_daemon" || :
	cat "$top/differ-$1/out"
	[ "$2" != OK ] || grep -q 'there was no memory for record' "$top/differ-$1/out" || d_ok=1
	remove_tree "$top/differ-$1"
	return "$d_ok"
}
finds() { # RULE
	! XENSTORED_CRASH_FAULT=$1 points "fault-$1" -s "$2" >"$top/fault" 2>&1 &&
		grep '^FAIL.*(xenstored/' "$top/fault"
}

check 'the primary may be killed anywhere' primary
check 'its successor may be killed while it takes over' points c -r takeover
check 'the standby may be killed anywhere' points d -r standby -s requests -s watches -s lives
check 'the supervisor may be killed anywhere: the next daemon goes on' points e -r supervisor
check 'who writes a checkpoint may be killed anywhere, and then all' checkpoints checkpoint
check 'the supervisor may be killed anywhere while one is written' checkpoints supervisor
check 'a standby that had no memory for a request is replaced' differ standby OK
check 'what the primary had no memory for is not done by the next' differ primary ENOMEM
check 'a successor that forgets what was taken is found' finds take watches
check 'a successor that does requests again is found' finds turn lives
check 'a successor that loses what a socket did not take is found' finds keep slow
check 'a successor that loses what was received is found' finds stash pipeline
checks_end
