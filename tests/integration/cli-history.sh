#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cli-history.sh BUILD: what xenstore-log, -blame, -diff, -why and ls --at say to
# odd questions, with a store daemon and a follower alone; history.sh asks the
# sensible ones.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

build=$(cd "${1:?usage: cli-history.sh BUILD}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/cli-history.XXXXXX")
store_in "$dir"
PATH=$build/bin:$PATH
export XEN_LOG_DIR="$dir"

follower=
gone() {
	[ -z "$follower" ] || kill "$follower" 2>/dev/null || :
	store_gone
}
trap gone EXIT

# exits CODE COMMAND...: at most a line and the usage
exits() {
	want=$1
	shift
	code=0
	timeout 100 "$@" >"$dir/got" 2>&1 </dev/null || code=$?
	cat "$dir/got"
	echo "exit $code"
	[ "$code" -eq "$want" ]
}
# says PATTERN
says() { grep -q -e "$1" "$dir/got"; }
silent() { [ ! -s "$dir/got" ]; }

follow() {
	xenhistoryd -N >"$dir/followed" 2>&1 &
	follower=$!
	xenstore-write /t/a 1 && xenstore-write /t/a 2 '/t/odd' 'q"\xff'
	for _ in $(seq 1000); do
		! xenstore-blame /t/odd >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	cat "$dir/followed"
	return 1
}
last_none() { exits 0 xenstore-log -n 0 && silent; }
last_some() { exits 0 xenstore-log -n 1 && says /t/odd && ! says '/t/a = "1"'; }
no_moment() {
	exits 2 xenstore-ls --at yesterday /t && says 'neither a time' &&
	    exits 2 xenstore-diff now tomorrow && exits 2 xenstore-blame -t '' /t/a &&
	    exits 2 xenstore-log -s 5x
}
# An hour of today that is not yet over is not silently taken for now.
to_come() {
	exits 1 xenstore-diff '2999-01-01 20:45' now && says 'still to come' &&
	    exits 1 xenstore-ls --at @99999999999 /t && exits 1 xenstore-log -s 2999-01-01
}
# What there was at first was written down after what the log has of it.
to_the_second() { exits 0 xenstore-ls --at "$(date +%H:%M:%S)" /t && says '^a = "2"'; }
before() { exits 1 xenstore-ls --at 1d /t && says 'before the history begins'; }
same_json() {
	xenstore-ls --json -p / >"$dir/live" && xenstore-ls --at now --json -p / >"$dir/then" &&
	    cmp "$dir/live" "$dir/then"
}
no_history() { exits 1 xenstore-log -D "$dir/none" && says 'there is no history' && [ ! -e "$dir/none" ]; }

check 'xenstored starts' store_start "$build"
check 'xenhistoryd follows' follow
check 'log --number 0 shows nothing' last_none
check 'log --number 1 shows the last' last_some
check 'what is no moment is a wrong command line' no_moment
check 'a moment that is still to come is refused' to_come
check 'this second is not' to_the_second
check 'a moment before the history is refused' before
check 'ls --json of now is what ls --json says, odd bytes too' same_json
check 'a history that does not exist is not made' no_history
checks_end
