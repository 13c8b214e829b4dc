#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# reconnect.sh BUILD: the daemon is killed and started again under its clients,
# who do not notice: a program of our own that asks all the time, our commands
# and Debian's over our library.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"

build=$(cd "${1:?usage: reconnect.sh BUILD}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/reconnect.XXXXXX")
daemon=
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

XENSTORED_RUNDIR=$dir
XEN_RUN_DIR=$dir
export XENSTORED_RUNDIR XEN_RUN_DIR
unset XENSTORE_RECONNECT

answers() { XENSTORE_RECONNECT=0 timeout 5 "$build/bin/xenstore-exists" / 2>/dev/null; }
start() {
	for _ in 1 2 3 4 5; do
		"$build/bin/xenstored" -D -N >>"$dir/out" 2>&1 &
		daemon=$!
		for _ in $(seq 50); do
			if answers; then
				return 0
			fi
			kill -0 "$daemon" 2>/dev/null || break
			sleep 0.05
		done
	done
	cat "$dir/out"
	return 1
}
# The daemon dies, and is away for $1 seconds.
kill_for() {
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null || :
	sleep "$1"
	start
}

busy() {
	LD_LIBRARY_PATH=$build/lib "$build/tests/unit/xenstore/restart_user" 6 5 >"$dir/user" 2>&1 &
	user=$!
	for away in 0 0.2 0 0.7 0; do
		sleep 0.7
		kill_for $away || return 1
	done
	code=0
	wait "$user" || code=$?
	cat "$dir/user"
	return $code
}
# watched COMMAND: its first event, the one after a restart, and a change
watched() {
	"$@" -n 3 /w >"$dir/watch" 2>&1 &
	watcher=$!
	for _ in $(seq 100); do
		[ ! -s "$dir/watch" ] || break
		sleep 0.05
	done
	kill_for 0.3 || return 1
	for _ in $(seq 100); do
		[ "$(wc -l <"$dir/watch")" -lt 2 ] || break
		sleep 0.05
	done
	"$build/bin/xenstore-write" /w/x 1
	code=0
	wait "$watcher" || code=$?
	cat "$dir/watch"
	[ "$code" -eq 0 ] && [ "$(cat "$dir/watch")" = "$(printf '/w\n/w\n/w/x')" ]
}
debian_watched() {
	LD_LIBRARY_PATH=$build/lib
	export LD_LIBRARY_PATH
	code=0
	watched /usr/bin/xenstore-watch || code=$?
	unset LD_LIBRARY_PATH
	return $code
}
# A daemon that stays away: a definite end, after the time that was set.
given_up() {
	XENSTORE_RECONNECT=1 "$build/bin/xenstore-watch" /w >"$dir/watch" 2>&1 &
	watcher=$!
	for _ in $(seq 100); do
		[ ! -s "$dir/watch" ] || break
		sleep 0.05
	done
	kill -9 "$daemon"
	code=0
	wait "$watcher" || code=$?
	cat "$dir/watch"
	[ "$code" -eq 1 ] && grep -q 'connection to xenstored has ended' "$dir/watch"
}

check 'xenstored starts' start
check 'calls by six threads do not notice five deaths' busy
check 'xenstore-watch does not notice, and shows that something may have changed' watched "$build/bin/xenstore-watch"
if [ -x /usr/bin/xenstore-watch ]; then
	check "nor does Debian's xenstore-watch over our library" debian_watched
else
	skip "nor does Debian's xenstore-watch over our library" 'xenstore-utils is not installed'
fi
check 'a daemon that stays away is given up after a while' given_up
checks_end
