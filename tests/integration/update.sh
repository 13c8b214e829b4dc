#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# update.sh BUILD: a daemon at a socket is replaced by newer, older and bad
# programs while clients ask, and whatever happens the store is there.
# shellcheck disable=SC2317,SC2119,SC2120 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/serving.sh
. "$here/../support/serving.sh"

build=$(cd "${1:?usage: update.sh BUILD}" && pwd)
dir=$(scratch update 200)
# where nobody else could have put it, wherever it was built
ours=$dir/bin/xenstored
mkdir "$dir/bin"
cp "$build/bin/xenstored" "$dir/bin/"
export XENSTORED_RUNDIR="$dir/run" XENSTORED_PATH="$dir/run/socket" TMPDIR="$dir"
export PATH="$dir/bin:$build/bin:$PATH" LD_LIBRARY_PATH="$build/lib"
daemon=
watcher=
cleanup() {
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || :
	kill "$(pid_of supervisor)" 2>/dev/null || :
	remove_tree "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

start() { # [PROGRAM [WORD...]]
	[ $# -gt 0 ] || set -- "$ours"
	: >"$dir/out"
	"$@" -D -N >>"$dir/out" 2>&1 &
	daemon=$!
	wait_until 10 serves || { cat "$dir/out"; return 1; }
}
stop() {
	kill "$(pid_of supervisor)" || return 1
	wait_until 10 ended "$daemon"
}
stop_hard() {
	kill -9 "$daemon" || return 1
	wait_until 10 ended "$daemon"
}
says() { wait_until 10 grep -q "$1" "$dir/out" || { cat "$dir/out"; return 1; }; }
is_supervisor() { [ "$(readlink "/proc/$(pid_of supervisor)/exe")" = "$1" ] && serves; }

update() { # PROGRAM
	"$1" --replace >"$dir/said" 2>&1 || {
		cat "$dir/said"
		return 1
	}
}
# The same by the stock dialogue, which has pauses.
become() { # PROGRAM [WORD...]
	b_program=$1
	shift
	xenstore-control live-update "$@" "$b_program" >"$dir/said" 2>&1 || {
		cat "$dir/said"
		return 1
	}
}
fill() {
	i=0
	while [ $i -lt 200 ]; do
		echo "/u/dir$((i % 7))/key$i"
		echo "value $i"
		i=$((i + 1))
	done | xargs xenstore-write &&
	    xenstore-chmod /u/dir1 b0 r0 && xenstore-ls -fp /u >"$dir/before"
}
same() { xenstore-ls -fp /u >"$dir/after" && diff "$dir/before" "$dir/after"; }
start_watcher() {
	xenstore-watch /w >"$dir/watched" &
	watcher=$!
	wait_until 10 test -s "$dir/watched"
}
watcher_sees() {
	xenstore-write "/w/$1" x && wait_until 10 grep -q "^/w/$1\$" "$dir/watched"
}
all_is_well() { same && watcher_sees "$1"; }

# --- all three processes ---

# Clients that keep books, while the primary and the standby are killed and the
# program is another one again and again.
under_load() { # KILLS
	timeout 120 "$build/tests/crash/takeover" "$dir/run" "$1" >"$dir/figures" 2>&1 &
	load=$!
	n=0
	while kill -0 "$load" 2>/dev/null; do
		n=$((n + 1))
		cp --remove-destination "$ours" "$dir/load$((n % 2))"
		# whoever was asked may be killed meanwhile
		update "$dir/load$((n % 2))" || grep -q 'was killed\|Not in live-update\|does not answer\|does not listen' "$dir/said" || {
			kill "$load"
			return 1
		}
	done
	echo "$n updates"
	wait "$load" || {
		cat "$dir/figures"
		return 1
	}
	[ "$n" -gt 2 ] && wait_until 10 grep -q "takeover\|the new program, too" "$dir/out"
}

# The supervisor is killed at each EVERYth place from FIRST on, as the old program
# (supervisor) or in its first steps as the new one (heir), until the update is
# through; the next daemon goes on each time. PLACES there are at least.
dies_on_the_way() { # ROLE FIRST EVERY PLACES LAST
	at=$2
	places=0
	while :; do
		: >"$dir/out"
		XENSTORED_CRASH_ROLE=$1 XENSTORED_CRASH_AT=$at XENSTORED_CRASH_TIMES=100000 \
		    "$dir/crash" -D -N >>"$dir/out" 2>&1 &
		daemon=$!
		wait_until 10 serves_or_ended || return 1
		# it may die before it can reply
		update "$dir/crash2" >/dev/null 2>&1 || :
		wait_until 10 ended_or_new || return 1
		ended "$daemon" || break
		places=$((places + 1))
		start && same && stop_hard || return 1
		at=$((at + $3))
		[ "$at" -le "$5" ] || break
	done
	ended "$daemon" || { same && stop_hard && start && same && stop_hard; } || return 1
	echo "$places places"
	[ "$places" -ge "$4" ]
}
# It may end before it can reply.
told_on_the_way() {
	update "$dir/crash2" >/dev/null 2>&1 || :
	says 'live update to .* is done' && wait_until 10 ended "$daemon"
}
told_on_the_way_out() {
	become "$dir/exits0" >/dev/null 2>&1 || :
	wait_until 10 ended "$daemon" && ! grep -q 'goes on' "$dir/out" && [ ! -e "$dir/run/state_dump" ]
}
serves_or_ended() { serves || ended "$daemon"; }
ended_or_new() { ended "$daemon" || all_are "$dir/crash2"; }

check 'a daemon starts' start
check 'the store is filled' fill
check 'a client watches' start_watcher
cp "$ours" "$dir/one"
cp "$ours" "$dir/two"
check 'another program takes its place' update "$dir/one"
check 'in all three processes, the first of which is the same one' wait_until 10 all_are "$dir/one"
check 'all is there' all_is_well one
check 'and another one' update "$dir/two"
check 'in all three processes' wait_until 10 all_are "$dir/two"
check 'all is there' all_is_well two
check 'its primary is killed, and another one goes on' kill_primary
check 'all is there' all_is_well three
check 'clients keep books while it is replaced again and again, and killed' under_load "${KILLS:-60}"
sed -n 's/^[0-9].*/ok ... &/p' "$dir/figures"
check 'all is there' all_is_well four

cp "$build/tests/crash/xenstored-crash" "$dir/crash"
cp "$build/tests/crash/xenstored-crash" "$dir/crash2"
check 'it is told to end, and does' stop
kill "$watcher"
mkdir "$dir/pids"
check 'a daemon starts' start env XENSTORED_CRASH_FAULT=resume "$ours" -F "$dir/pids/pid"
check 'the store is filled' fill
check 'a client watches' start_watcher
check 'a program whose supervisor cannot go on takes its place' update "$dir/crash"
check 'it says so' says 'cannot go on for the supervisor'
check 'and the supervisor is the program before again' wait_until 10 is_supervisor "$ours"
check 'all is there' all_is_well five
check 'its primary is killed, and another one goes on' kill_primary
check 'a program that can takes its place' update "$dir/one"
check 'in all three processes' wait_until 10 all_are "$dir/one"
check 'all is there' all_is_well six

rm -r "$dir/pids"
check 'words that name a pid file which cannot be written are gone on with, too' \
    become "$dir/two" -c "-D -N -F $dir/pids/pid"
check 'in all three processes' wait_until 10 all_are "$dir/two"
check 'it says so' says 'cannot write the pid file'
check 'all is there' all_is_well seven
check 'another program takes its place' become "$dir/one" -c '-D -N -E 2000'
check 'in all three processes' wait_until 10 all_are "$dir/one"

# --- what may not be asked for ---

does_not_become() { # TEXT PROGRAM [WORD...]
	d_text=$1
	shift
	if become "$@" || ! grep -q -e "$d_text" "$dir/said"; then
		cat "$dir/said"
		return 1
	fi
	all_are "$dir/one"
}
check 'words that name another file are refused' \
    does_not_become '^-T: .* limits only' "$dir/two" -c "-D -N -T $dir/trace"
mkdir -m 777 "$dir/open"
cp "$ours" "$dir/open/program"
check 'a program that others could replace is refused' \
    does_not_become "can change $dir/open" "$dir/open/program"
check 'all is there' all_is_well eleven

# --- programs of other kinds ---

# What has in it what a store daemon has, and does WHAT.
fake() { # NAME WHAT
	printf '#!/bin/sh\n# live-update @releaseDomain\n%s\n' "$2" >"$dir/$1"
	chmod +x "$dir/$1"
}
is_back() {
	supervisor=$(pid_of supervisor)
	[ -n "$supervisor" ] && [ "$supervisor" != "$daemon" ] && [ "$(pid_of standby)" -gt 0 ] 2>/dev/null &&
	    [ "$(readlink "/proc/$supervisor/exe")" = "$dir/one" ]
}
comes_back() { # NAME WHY [WORD...]
	f_name=$1
	f_why=$2
	shift 2
	daemon=$(pid_of supervisor)
	become "$dir/$f_name" "$@" && says "$f_name: $f_why; this program goes on" &&
	    wait_until 10 is_back && all_is_well "$f_name"
}
fake exits1 'echo "bad words: $*" >&2; exit 1'
fake exits0 'exit 0'
fake segv 'kill -SEGV $$'
fake hangs 'exec sleep 60'
fake empty "rm -f \"\$XENSTORED_PATH\"; XENSTORED_RUNDIR=$dir/other exec $ours -D -N --fresh"
check 'a daemon that ends with an error at once is given up' comes_back exits1 "it .*ended.*"
check 'one that ends well, too' comes_back exits0 "it .*ended.*"
check 'one that crashes, too' comes_back segv "it .*ed.*"
check 'one that does nothing, too' comes_back hangs 'it did not answer in time' -t 2
check 'one that begins with an empty store, too' comes_back empty 'it serves a store in which nothing is that was there'
check 'afterwards a program of ours takes its place' update "$dir/two"
daemon=$(pid_of supervisor)
check 'in all three processes' wait_until 10 all_are "$dir/two"
check 'all is there' all_is_well eight
check 'it is killed' stop_hard
kill "$watcher"
check 'the supervisor is killed on its way to the new program: the next daemon goes on' \
    dies_on_the_way supervisor 3 "${EVERY:-5}" 8 1000
check 'and in its first steps as that' dies_on_the_way heir 1 1 2 2
check 'a daemon starts' start env XENSTORED_CRASH_FAULT=term "$dir/crash"
check 'told to end on its way to the new program it does' told_on_the_way
check 'a daemon starts' start env XENSTORED_CRASH_FAULT=leave "$dir/crash"
check 'told to end on its way to a daemon of another kind it does, too' told_on_the_way_out

# --- versions of ours (xenstored/next.h) ---

refuses() { # PROGRAM TEXT
	if update "$1" || ! grep -q "$2" "$dir/said"; then
		cat "$dir/said"
		return 1
	fi
}
# It ends at once, says TEXT, and touches nothing.
does_not_begin() { # TEXT
	stat -c '%n %i %s' "$dir/run/log" "$dir/run/flight" >"$dir/files"
	n_rc=0
	timeout 10 "$ours" -D -N >"$dir/out" 2>&1 || n_rc=$?
	cat "$dir/out"
	echo "status $n_rc"
	[ "$n_rc" -eq 1 ] && grep -q "$1" "$dir/out" && grep -q 'nothing was changed' "$dir/out" &&
	    stat -c '%n %i %s' "$dir/run/log" "$dir/run/flight" | diff "$dir/files" -
}
# So much that there is a checkpoint.
fill_more() {
	value=$(printf '%03000d' 7)
	i=0
	while [ $i -lt 500 ]; do
		echo "/more/key$((i % 100))"
		echo "$value"
		i=$((i + 1))
	done | xargs -n 20 xenstore-write && wait_until 10 test -s "$dir/run/checkpoint.1"
}
start_anew() { # PROGRAM... which finds nothing
	rm -rf "$dir/run"
	start "$@" && fill && start_watcher
}
end_hard() {
	kill "$watcher"
	stop_hard
}
cp "$build/tests/update/xenstored-next" "$dir/next"
cp "$build/tests/update/xenstored-later" "$dir/later"
marker=$(grep -ao 'kernbus:xenstored:stands-by:[0-9.]*' "$ours")
{ cat "$dir/later" && printf '%s\0' "$marker"; } >"$dir/liar"
chmod +x "$dir/liar"

check 'a daemon starts anew' start_anew env XENSTORED_NEXT=optional "$ours"
check 'a later program, which adds what may be skipped, takes its place' update "$dir/next"
check 'in all three processes' wait_until 10 all_are "$dir/next"
check 'all is there' all_is_well nine
check 'there is an image with it' fill_more
check 'the older one takes its place' update "$dir/one"
check 'in all three processes' wait_until 10 all_are "$dir/one"
check 'its primary is killed, and another one goes on' kill_primary
check 'all is there' all_is_well ten
check 'it is killed' end_hard

check 'a later program starts anew, whose log has what is not known' start_anew env XENSTORED_NEXT=record "$dir/next"
check 'it is killed' end_hard
check 'the older one does not begin' does_not_begin 'a later program was here before'
check 'the later one goes on' start env XENSTORED_NEXT=record "$dir/next"
check 'all is there' same
check 'a client watches' start_watcher
check 'the older one does not take its place' refuses "$ours" 'cannot follow: a record is of a kind that is not known here'
check 'which is still the later one' wait_until 10 all_are "$dir/next"
check 'all is there' all_is_well eleven
check 'it is killed' end_hard

check 'a later program starts anew, whose images have it' start_anew env XENSTORED_NEXT=part "$dir/next"
check 'there is an image' fill_more
check 'the older one does not take its place' refuses "$ours" 'cannot follow: image: a part is not known here'
check 'all is there' all_is_well twelve
check 'it is killed' end_hard
check 'the older one does not begin' does_not_begin 'a later program was here before'
check 'the later one goes on' start env XENSTORED_NEXT=part "$dir/next"
check 'all is there' same
check 'it is killed' stop_hard

check 'a daemon starts anew' start_anew
check 'one whose log is another one cannot stand by' refuses "$dir/liar" 'cannot follow: its version is not known here'
check 'but takes its place, by a stream' update "$dir/later"
check 'in all three processes, the first of which is the same one' wait_until 10 all_are "$dir/later"
check 'all is there' all_is_well thirteen
check 'its primary is killed, and another one goes on' kill_primary
check 'the older one takes its place' update "$ours"
check 'in all three processes' wait_until 10 all_are "$ours"
check 'all is there' all_is_well fourteen
check 'and the later one again' update "$dir/later"
check 'in all three processes' wait_until 10 all_are "$dir/later"
check 'it is killed' end_hard
check 'the older one does not begin' does_not_begin 'the log is of version'
check 'the later one goes on' start "$dir/later"
check 'all is there' same
check 'it is told to end, and does' stop
checks_end
