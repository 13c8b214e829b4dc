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
cleanup() {
	[ ! -s "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null || :
	remove_tree "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

XENSTORED_RUNDIR=$dir
XEN_RUN_DIR=$dir
export XENSTORED_RUNDIR XEN_RUN_DIR
unset XENSTORE_RECONNECT

# restart SECONDS: the daemon, if there is one, dies, and is away that long.
cat >"$dir/restart" <<'RESTART'
dir=$1 build=$2 away=$3
if [ -s "$dir/pid" ]; then
	kill -9 "$(cat "$dir/pid")"
	while kill -0 "$(cat "$dir/pid")" 2>/dev/null; do sleep 0.01; done
	sleep "$away"
fi
for _ in 1 2 3 4 5; do
	"$build/bin/xenstored" -D -N >>"$dir/out" 2>&1 &
	echo $! >"$dir/pid"
	for _ in $(seq 1000); do
		if XENSTORE_RECONNECT=0 timeout 60 "$build/bin/xenstore-exists" / 2>/dev/null; then
			exit 0
		fi
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
		sleep 0.05
	done
done
cat "$dir/out"
exit 1
RESTART
restart() { sh "$dir/restart" "$dir" "$build" "$1"; }
start() { restart 0; }
busy() { "$build/tests/unit/xenstore/restart_user" "sh $dir/restart $dir $build 0.2" 5; }
# watched COMMAND: its first event, the one after a restart, and a change
watched() {
	"$@" -n 3 /w >"$dir/watch" 2>&1 &
	watcher=$!
	for _ in $(seq 1000); do
		[ ! -s "$dir/watch" ] || break
		sleep 0.05
	done
	restart 0.3 || return 1
	for _ in $(seq 1000); do
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
	for _ in $(seq 1000); do
		[ ! -s "$dir/watch" ] || break
		sleep 0.05
	done
	kill -9 "$(cat "$dir/pid")"
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
