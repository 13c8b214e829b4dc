#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cli-more.sh BUILD: what our xenstore-* commands can do beside what others do:
# JSON, conditions, patterns, limits; and the walk through a large tree.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

build=$(cd "${1:?usage: cli-more.sh BUILD}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/cli-more.XXXXXX")
store_in "$dir"
PATH=$build/bin:$PATH

# says WANT COMMAND...: its whole output, with a final newline or without
says() {
	want=$1
	shift
	got=$("$@" 2>&1) || :
	[ "$got" = "$want" ] || {
		printf 'wanted: %s\ngot:    %s\n' "$want" "$got"
		return 1
	}
}
# exits CODE COMMAND...
exits() {
	want=$1
	shift
	code=0
	"$@" >"$dir/got" 2>&1 || code=$?
	cat "$dir/got"
	echo "exit $code"
	[ "$code" -eq "$want" ]
}
nul() { "$@" | tr '\0' '|'; }

fill() {
	xenstore-write /t/a hello /t/b/c 'x\ty' /t/b/d '' /t/bin '\xff' &&
	    xenstore-write /l/domain/1/name one /l/domain/2/name two /l/domain/2/state 4
}

# --- JSON, NUL
json_read() {
	says '[
{"path":"/t/a","value":"hello"},
{"path":"/t/bin","value_base64":"/w=="}
]' xenstore-read --json /t/a /t/bin
}
json_list() { says '[
{"path":"/t","children":["a","b","bin"]},
{"path":"/t/a","children":[]}
]' xenstore-list --json /t /t/a; }
json_ls() { says '[
{"path":"/t/a","value":"hello"},
{"path":"/t/b","value":""},
{"path":"/t/b/c","value":"x\ty"},
{"path":"/t/b/d","value":""},
{"path":"/t/bin","value_base64":"/w=="}
]' xenstore-ls --json /t; }
json_ls_perms() { says '[
{"path":"/t/b/c","value":"x\ty","perms":["n0"]}
]' xenstore-ls --json -p --glob c /t; }
json_ls_empty() { says '[]' xenstore-ls --json /t/a; }
json_exists() { says '[
{"path":"/t/a","exists":true},
{"path":"/nope","exists":false},
{"path":"/t","exists":true}
]' xenstore-exists --json /t/a /nope /t && exits 1 xenstore-exists --json /nope /t; }
json_missing() { says "xenstore-read: couldn't read path /nope" xenstore-read --json /nope; }
nul_read() { says 'hello|x	y|' nul xenstore-read --null /t/a /t/b/c; }
nul_list() { says '/t/a|/t/b|/t/bin|' nul xenstore-list -p --null /t; }

# --- part of the tree
depth() { says '/t/a = "hello"
/t/b = ""
/t/bin = "\xff"' xenstore-ls -f --depth 1 /t; }
depth_wrong() {
	exits 1 xenstore-ls -d -1 /t && exits 1 xenstore-ls -d 4294967296 /t &&
	    exits 1 xenstore-watch -d -1 -n 1 /t &&
	    exits 1 xenstore-watch -d 4294967297 -n 1 /t
}
depth_none() { says '' xenstore-ls -d 0 /t; }
glob_path() { says '/l/domain/1/name = "one"
/l/domain/2/name = "two"' xenstore-ls -f --glob '/l/domain/*/name' /l; }
glob_name() { says '/l/domain/2/state = "4"' xenstore-ls -f --glob 'st*'; }
glob_any() { says '/l/domain/2/name = "two"
/l/domain/2/state = "4"' xenstore-ls -f --glob '/l/**/2/*'; }
glob_tree() { says 'domain = ""
 2 = ""
  state = "4"' xenstore-ls --glob state /l; }
glob_nothing() { says '' xenstore-ls --glob nope /l; }

# --- conditions
if_absent() {
	exits 0 xenstore-write --if-absent /w/x 1 && exits 3 xenstore-write --if-absent /w/x 2 &&
	    says 1 xenstore-read /w/x
}
if_equals() {
	exits 0 xenstore-write --if-equals 1 /w/x 2 && exits 3 xenstore-write --if-equals 1 /w/x 3 &&
	    says 2 xenstore-read /w/x
}
if_equals_missing() { exits 3 xenstore-write --if-equals '' /w/y 1 && exits 1 xenstore-exists /w/y; }
if_equals_bytes() {
	xenstore-write /w/e '\x01\n' && exits 0 xenstore-write --if-equals '\001\x0a' /w/e ok
}
if_several() {
	exits 3 xenstore-write --if-absent /w/new 1 /w/x 1 && exits 1 xenstore-exists /w/new
}
if_both() { exits 2 xenstore-write --if-absent --if-equals 1 /w/x 1; }
# Only one of many at once may win.
if_race() {
	rm -f "$dir"/race.*
	for n in 1 2 3 4 5 6 7 8; do
		(xenstore-write --if-absent /w/race "$n" 2>/dev/null && echo "$n" >"$dir/race.$n") &
		pids="${pids:-} $!"
	done
	# shellcheck disable=SC2086 # one word each
	wait $pids || :
	[ "$(find "$dir" -name 'race.*' | wc -l)" -eq 1 ] && [ "$(cat "$dir"/race.*)" = "$(xenstore-read /w/race)" ]
}

# --- watches
watch_timeout() {
	exits 3 xenstore-watch --timeout 2 /t && says /t cat "$dir/got"
}
watch_number() { exits 0 xenstore-watch --timeout 100 -n 1 /t; }
watch_json() { says '{"path":"/t","watch":"/t"}' xenstore-watch --json -n 1 /t; }
watch_nul() { says '/t|/w|' nul xenstore-watch --null -n 2 /t /w; }
# shellcheck disable=SC2016 # for the shell that it starts
watch_exec() {
	says '/t and /t
/w and /w' xenstore-watch --exec 'echo "$1 and $XENSTORE_PATH"' -n 2 /t /w
}
watch_exec_fails() { exits 0 xenstore-watch --exec 'exit 5' -n 1 /t; }
watch_bad() { exits 2 xenstore-watch --timeout soon /t; }

# --- old abbreviations
abbreviations() {
	says /t xenstore-watch --n 1 /t && says /t xenstore-watch --nu=1 /t &&
	    exits 0 xenstore-rm --t /w/x
}
elsewhere() { # an option of another mode
	exits 0 xenstore-ls --help && ! grep -q if-absent "$dir/got" &&
	    says "xenstore-read: unrecognized option '--glob'
hello" env POSIXLY_CORRECT= xenstore-read --glob /t/a
}

# --- misuse: of what others lack, nothing is done
no_argument() {
	xenstore-write /w/m before
	exits 2 xenstore-write /w/m after --if-equals && says before xenstore-read /w/m &&
	    exits 2 xenstore-ls /t --glob && exits 2 xenstore-watch -n 1 /t --exec &&
	    exits 2 xenstore-watch -n 1 /t --timeout && exits 1 xenstore-ls /t -d &&
	    ! grep -q hello "$dir/got"
}
too_many() { exits 2 xenstore-read --json=3 /t/a && exits 2 xenstore-write --if-absent=no /w/many 1; }
both_forms() {
	exits 2 xenstore-read --json --null /t/a && exits 2 xenstore-list --null --json /t &&
	    exits 2 xenstore-watch --json --null -n 1 /t &&
	    says 'xenstore-watch: --exec and --json exclude each other' xenstore-watch --json --exec : -n 1 /t &&
	    exits 2 xenstore-watch --null --exec : -n 1 /t
}
chmod_whole() {
	says "xenstore-chmod: Invalid permission specification: 'n0x'" xenstore-chmod /t/a n0x &&
	    says "xenstore-chmod: Invalid permission specification: 'r'" xenstore-chmod /t/a n0 r &&
	    says "xenstore-chmod: Invalid permission specification: 'x'" xenstore-chmod /t/a x0 &&
	    says "xenstore-chmod: Invalid permission specification: 'r-1'" xenstore-chmod /t/a r-1 &&
	    says '/t/a = "hello"   (n0)' xenstore-ls -fp --glob a /t
}

# --- many nodes
many() {
	for d in $(seq 40); do
		# shellcheck disable=SC2046 # two words a line
		xenstore-write $(seq 99 | sed "s|.*|/big/d$d/node-& value-&|") || return 1
	done
	# shellcheck disable=SC2046
	xenstore-write $(seq 1500 | sed 's|.*|/big/wide/child-& v|')
}
same_as_debian() {
	for o in -f -fp '' -p; do
		xenstore-ls ${o:+"$o"} /big >"$dir/ours" && /usr/bin/xenstore-ls ${o:+"$o"} /big >"$dir/theirs" &&
		    cmp "$dir/ours" "$dir/theirs" || return 1
	done
	wc -l <"$dir/ours"
	[ "$(wc -l <"$dir/ours")" -eq 5501 ]
}
few_turns() { # 5501 nodes, 11002 requests
	strace -f -e trace=poll -o "$dir/trace" xenstore-ls -f /big >"$dir/ours"
	turns=$(grep -c poll "$dir/trace")
	echo "$turns turns"
	[ "$turns" -lt 300 ]
}
# Nodes come and go under the walk.
changing() {
	(while [ ! -e "$dir/stop" ]; do
		xenstore-write /big/d1/come/and/go 1 && xenstore-rm /big/d1/come || exit
	done) &
	changer=$!
	ok=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		xenstore-ls -f /big >"$dir/ours" 2>"$dir/err" || ok=1
		[ "$(grep -vc come "$dir/ours")" -eq 5501 ] || ok=1
	done
	: >"$dir/stop"
	wait "$changer" || ok=1
	cat "$dir/err"
	return "$ok"
}

check 'xenstored starts' store_start "$build"
check 'nodes are made' fill
check 'read --json' json_read
check 'list --json' json_list
check 'ls --json' json_ls
check 'ls --json -p' json_ls_perms
check 'ls --json of nothing is an empty array' json_ls_empty
check 'exists --json tells about each' json_exists
check 'read --json of a missing node says so and nothing else' json_missing
check 'read --null' nul_read
check 'list --null' nul_list
check 'ls --depth' depth
check 'ls --depth 0' depth_none
check 'no depth below 0, and none that means another' depth_wrong
check 'ls --glob of paths' glob_path
check 'ls --glob of names' glob_name
check 'ls --glob with **' glob_any
check 'ls --glob shows what leads there' glob_tree
check 'ls --glob that matches nothing' glob_nothing
check 'write --if-absent' if_absent
check 'write --if-equals' if_equals
check 'write --if-equals of a missing node does not make it' if_equals_missing
check 'write --if-equals knows escapes' if_equals_bytes
check 'write --if-absent writes all or nothing' if_several
check 'write --if-absent --if-equals is refused' if_both
check 'of many write --if-absent one wins' if_race
check 'watch --timeout' watch_timeout
check 'watch --timeout -n' watch_number
check 'watch --json' watch_json
check 'watch --null' watch_nul
check 'watch --exec' watch_exec
check 'watch --exec of a command that fails goes on' watch_exec_fails
check 'watch --timeout wants a number' watch_bad
check 'abbreviations that others know mean what they meant' abbreviations
check 'an option belongs to its mode' elsewhere
check 'an option that lacks its argument is not passed over' no_argument
check 'nor is one that wants none' too_many
check 'one form of output alone' both_forms
check 'chmod names what it does not understand' chmod_whole
check 'many nodes are made' many
if [ -x /usr/bin/xenstore-ls ]; then
	check "ls of many nodes shows what Debian's does" same_as_debian
else
	skip "ls of many nodes shows what Debian's does" 'xenstore-utils is not installed'
fi
if command -v strace >/dev/null 2>&1; then
	check 'ls of many nodes needs few turns' few_turns
else
	skip 'ls of many nodes needs few turns' 'strace is not installed'
fi
check 'ls of a tree that changes' changing
checks_end
