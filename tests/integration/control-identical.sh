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
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

theirs=
for f in /usr/lib/xen-*/bin/xenstore-control; do
	[ ! -x "$f" ] || theirs=$f
done
if [ -z "$theirs" ]; then
	skip "xenstore-control says what Debian's says" 'xen-utils is not installed'
	exit 0
fi

build=$(cd "${1:?usage: control-identical.sh BUILD}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/control-identical.XXXXXX")
store_in "$dir"
export XENSTORE_RECONNECT=0
mkdir "$dir/bin"

r() {
	printf '== '
	printf ' [%s]' "$@"
	echo
	code=0
	timeout 200 "$dir/bin/xenstore-control" "$@" </dev/null 2>"$dir/err" || code=$?
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
	r quota 5
	r quota 77777
	r quota set nodes 1000
	r quota set nodes x
	r quota set permissions 6
	r quota set node-permissions 5
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
		export XENSTORED_RUNDIR=/nonexistent
		r
		r help
		r live-update
	)
	r print "$(printf '%5000s' x)"
}

check 'xenstored starts' store_start "$build"
all "$build/bin/xenstore-control" >/dev/null # the same traces for both
all "$theirs" >"$dir/theirs"
all "$build/bin/xenstore-control" >"$dir/ours"
same() { diff -a "$dir/theirs" "$dir/ours"; }
check "xenstore-control says what Debian's (<) says in $(grep -c '^== ' "$dir/ours") commands" same
checks_end
