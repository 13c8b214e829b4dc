#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cli-identical.sh BUILD [RUNDIR]: our xenstore-* commands do and say what
# Debian's do, byte for byte: stdout, stderr, exit codes, and the state of the
# store that they leave behind. Against our daemon, or the one that serves RUNDIR
# (CLI_KEEP_ROOT: which must not be told to remove the root).
#
# Not compared, since ours differ on purpose: -h exits 0; a permission must have
# a decimal domain id; -n wants a number; list -p / shows /name, not //name;
# chmod -r / works; watch outlives the daemon's restart and ends if it stays away.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

theirs=/usr/bin
if [ ! -x "$theirs/xenstore-ls" ]; then
	skip "xenstore-* say what Debian's say" 'xenstore-utils is not installed'
	exit 0
fi

build=$(cd "${1:?usage: cli-identical.sh BUILD [RUNDIR]}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/cli-identical.XXXXXX")
store_in "$dir"
if [ $# -gt 1 ]; then
	export XENSTORED_RUNDIR="$2"
else
	check 'xenstored starts' store_start "$build"
fi

r() {
	mode=$1
	shift
	printf '== %s' "$mode"
	printf ' [%s]' "$@"
	echo
	code=0
	timeout 200 "$dir/bin/xenstore$mode" "$@" </dev/null 2>"$dir/err" ||
		code=$?
	sed 's/^/2> /' "$dir/err"
	echo "-> $code"
}

# repeat CHARACTER COUNT
repeat() {
	printf "%$2s" '' | tr ' ' "$1"
}

values() {
	r -write /t/a hello /t/b 'tab\tnl\nbs\\cr\roct\101\x41end\q' /t/c ''
	r -read /t/a /t/b /t/c
	r -read -p /t/a /t/b /t/c
	r -read -R /t/b
	r -read -R /t/a /t/b
	r -read -pR /t/a /t/b
	r -read /t/nope
	r -read /t/a /t/nope
	r -read /t/nope /t/a
	r -read /t/a//
	r -read ''
	r -write /t/q
	r -write /t/q 1 /t/r
	r -write -R /t/raw 'a\tb'
	r -read /t/raw
	r -write --raw /t/raw '\t\x'
	r -read --raw /t/raw
	# shellcheck disable=SC1003
	for v in '\x' '\x4' '\xg1' '\x41' '\x4g' '\8' '\18' '\012' '\x041' \
	    '\X41' '\e' '\400' '\7x' '\1\12\123\1234\777' 'a\' '\' "\"'" \
	    "$(printf '\001\177\200\377')" '\xAf\xfA' '\\x' '\\\\'; do
		r -write /t/esc "$v"
		r -read /t/esc
	done
	r -write /t/big "$(repeat v 2000)"
	r -read /t/big
	r -write '/t/bad path' 1
	r -write /t/ok 1 '/t/bad path' 1
	r -exists /t/ok
	r -exists /t/a
	r -exists /t/a /t/nope
	r -exists /t/nope /t/a
	r -exists 'bad path'
}

listing() {
	r -list /t
	r -list -p /t
	r -list --prefix /t
	r -list /
	r -list /t/a
	r -list /t/nope
	r -list /t /t/nope
	r -list /t /t
	r -list 'bad path'
	r -ls /t
	r -ls -f /t
	r -ls -p /t
	r -ls -fp /t
	r -ls --fl --prefix /t
	r -ls
	r -ls -f /
	r -ls /t/nope
	r -ls /t/a
	r -ls /t /t
	r -ls /t/
	r -ls 'bad path'
	for n in 2050 3100 4092 4093 4095 6200; do
		r -write "/t/$(repeat a "$n")" 1
		r -write /t/long "$(repeat a "$n")"
		for m in read ls list exists rm; do
			r "-$m" "/t/$(repeat a "$n")"
		done
	done
	r -rm /t/long
	r -write rel/x/y 1
	r -ls rel
	r -ls -f rel
	r -list -p rel
	r -rm rel
}

widths() {
	for n in 46 49 50 51 52 55 56 57 66 67 68 69 70 71 72 73 200; do
		r -write "/w/v$n" "$(repeat z "$n")"
		r -write "/w/$(repeat n "$n")" ab
	done
	r -write /w/bs "$(repeat '\134' 100)" /w/tabs "$(repeat '\t' 50)"
	r -write /w/more "$(repeat '\t' 73)" /w/del "$(repeat '\177' 19)"
	p=/w
	for n in 1 2 3 4 5 6 7 8; do
		p=$p/a/b/c/d/e/f/g/h/i
	done
	r -write "$p/$(repeat n 10)/$(repeat m 5)/o" vv
	r -ls /w
	r -ls -p /w
	r -ls -f /w
	r -ls -fp /w
	r -rm /w
}

rights() {
	r -chmod /t/a n0 r1 w2 b3
	r -ls -p /t
	r -ls -fp /t
	r -chmod /t/a x0
	r -chmod /t/a n0 q
	r -chmod /t/nope n0
	r -chmod 'bad path' n0
	r -write /t/d/e/f/g deep
	r -chmod -r /t/d n1 r2
	r -ls -p /t
	r -chmod -u /t/d/e/f n3
	r -ls -p /
	r -chmod --upto --recurse /t/d n0
	r -chmod -r /t n0
	r -ls -p /t
	r -chmod /t/d/e
	r -chmod -u /t/nope n0
	r -chmod -r /t/nope n0
	r -write rel/x 1
	r -chmod rel n0
	r -chmod -u rel/x n0
	r -chmod -u rel n0
	r -rm rel
}

removal() {
	r -rm /t/nope
	r -rm /t/nope/nope2
	r -rm /t/a /t/nope/nope2
	r -exists /t/a
	r -rm /t/a /t/b
	r -list /t
	r -write /u/v/w/x 1
	r -rm -t /u/v/w/x
	r -exists /u
	r -write /u/v/w/x 1 /u/k 1
	r -rm -t /u/v/w/x
	r -ls /u
	r -write /u/v val /u/v/w/x 1
	r -rm --tidy /u/v/w/x
	r -ls /u
	r -rm -t /u/zzz
	r -rm -t /u
	[ -n "${CLI_KEEP_ROOT:-}" ] || r -rm /
	r -rm 'bad path'
}

watching() {
	r -watch -n 1 /t
	r -watch -n 2 /t /t/c
	r -watch -n 0 /t
	r -watch /t/x -n 1
	r -watch -n1 'bad path'
	r -watch -n 1 @releaseDomain
	r -watch -n 3 /t rel @introduceDomain
	r -watch --number=1 /t
	r -watch --num 1 /t
}

options() {
	r '' read /t/c
	r '' foo
	r ''
	r '' list -p /t
	r '' read
	r '' write /t/c
	r '' -p list
	r -read /t/c -p
	r -read -- -p
	r -read --pre /t/c
	r -read --p /t/c
	for m in chmod exists list ls read rm watch write; do
		for o in --nope -x -t -p -u '' -R -n -s -f -r --prefix=3; do
			# what would wait, or is not compared
			case $m$o in
			watch-n | watch-s | watch--nope | watch-x | watch--prefix=3 | watch)
				continue ;;
			esac
			r "-$m" ${o:+"$o"}
			r "-$m" ${o:+"$o"} /t/c
		done
	done
}

all() {
	# both begin with the same store: rel's parents are made, if missing
	"$dir/bin/xenstore-write" rel ''
	for path in /t /u /w rel; do
		"$dir/bin/xenstore-rm" "$path" 2>/dev/null || :
	done
	values
	listing
	widths
	rights
	removal
	r -write /t/c ''
	watching
	options
	r -ls -fp /
	"$dir/bin/xenstore-rm" /t
}

fill_bin() {
	rm -rf "${dir:?}/bin"
	mkdir "$dir/bin"
	for m in '' -chmod -exists -list -ls -read -rm -watch -write; do
		ln -s "$1/xenstore$m" "$dir/bin/xenstore$m"
	done
}

fill_bin "$theirs"
all >"$dir/theirs"
fill_bin "$build/bin"
all >"$dir/ours"
fill_bin "$theirs"
(
	LD_LIBRARY_PATH=$build/lib
	export LD_LIBRARY_PATH
	all >"$dir/mixed"
)
# same WHO: says what Debian's says
same() { diff -a "$dir/theirs" "$dir/$1"; }
check "Debian's xenstore-* say over our libxenstore what they say (<) over theirs" same mixed
check "xenstore-* say what Debian's (<) say in $(grep -c '^== ' "$dir/ours") commands" same ours
checks_end
