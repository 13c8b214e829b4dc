#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# control-identical.sh BUILD: our xenstore-control does and says what Debian's
# does, byte for byte: stdout, stderr, exit codes. Against our daemon. (What
# live-update asks of a daemon: tests/unit/xscontrol.)
#
# Not compared, since ours differs on purpose: --help is ours; live-update knows
# -v, as newer releases do.
set -eu

build=$(cd "${1:?usage: control-identical.sh BUILD}" && pwd)
theirs=
for f in /usr/lib/xen-*/bin/xenstore-control; do
	[ ! -x "$f" ] || theirs=$f
done
if [ -z "$theirs" ]; then
	echo "skip xenstore-control says what Debian's says: xen-utils is not installed"
	exit 0
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/control-identical.XXXXXX")
daemon=
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
	rm -rf "$dir" 2>/dev/null || { sleep 1 && rm -rf "$dir"; } || :
}
trap cleanup EXIT
trap 'exit 1' INT TERM
XENSTORED_RUNDIR=$dir
XEN_RUN_DIR=$dir
XENSTORE_RECONNECT=0
export XENSTORED_RUNDIR XEN_RUN_DIR XENSTORE_RECONNECT
mkdir "$dir/bin"

r() {
	printf '== '
	printf ' [%s]' "$@"
	echo
	code=0
	timeout 20 "$dir/bin/xenstore-control" "$@" </dev/null 2>"$dir/err" || code=$?
	sed 's/^/2> /' "$dir/err"
	echo "-> $code"
}
all() {
	ln -sf "$1" "$dir/bin/xenstore-control"
	r
	r help
	r help more
	r ''
	r foo
	r foo bar
	r -h
	r check
	r check x
	r print
	r print hello
	r print 'two words' more
	r log
	r log on
	r log
	r log +io
	r log -io
	r log off
	r log foo
	r logfile
	r logfile /nonexistent/folder/file
	r memreport x y
	r quota
	r quota x
	r quota 0
	r quota 77777
	r quota set nodes 1000
	r quota set nodes x
	r quota set nope 1
	r quota set nodes 1 2 3 4 5 6 7 8 9 10
	r quota max -x
	r quota-soft
	r quota-soft set memory 100
	r quota-soft set nope 1
	r live-update
	r live-update -c
	r live-update -c x
	r live-update -t
	r live-update -F
	r live-update /nonexistent
	r live-update -t 1 -F /nonexistent
	r live-update -c 'a b' /nonexistent
	r live-update -t 0 /nonexistent
	(
		XENSTORED_RUNDIR=/nonexistent
		r
		r help
		r live-update
	)
	r print "$(printf '%5000s' x)"
}

"$build/bin/xenstored" -D -N >"$dir/xenstored.log" 2>&1 &
daemon=$!
n=0
until [ -S "$dir/socket" ]; do
	n=$((n + 1))
	if [ "$n" -gt 100 ] || ! kill -0 "$daemon" 2>/dev/null; then
		echo "FAIL xenstored starts"
		cat "$dir/xenstored.log"
		exit 1
	fi
	sleep 0.1
done
all "$build/bin/xenstore-control" >/dev/null # the same traces for both
all "$theirs" >"$dir/theirs"
all "$build/bin/xenstore-control" >"$dir/ours"
if ! diff -a "$dir/theirs" "$dir/ours" >"$dir/diff"; then
	echo "FAIL xenstore-control says what Debian's (<) says"
	head -n 60 "$dir/diff"
	exit 1
fi
echo "ok xenstore-control says what Debian's says in $(grep -c '^== ' "$dir/ours") commands"
