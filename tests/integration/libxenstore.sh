#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# libxenstore.sh BUILD: our libxenstore.so.4 takes the place of Debian's: same
# name, at least its symbols and version nodes, and Debian's own test of the
# library passes over it. Against our daemon; cli-identical.sh runs the commands.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

build=$(cd "${1:?usage: libxenstore.sh BUILD}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/libxenstore.XXXXXX")
store_in "$dir"
lib=$build/lib/libxenstore.so.4

soname_is() { readelf -d "$lib" | grep -F "soname: [$1]"; }
symbols() { nm -D --defined-only "$1" | awk '{ print $3 }' | sort; }
all_symbols() {
	symbols "$1" >"$dir/theirs"
	symbols "$lib" >"$dir/ours"
	comm -23 "$dir/theirs" "$dir/ours" >"$dir/missing"
	cat "$dir/missing"
	[ -s "$dir/theirs" ] && [ -s "$dir/ours" ] && [ ! -s "$dir/missing" ]
}
no_others() { symbols "$lib" | grep -q '^xs_open@' && ! symbols "$lib" | grep -v '^xs_[a-z_]*@@VERS_4\.[012]$\|^VERS_4\.[012]$\|^xs_\(async_[a-z_]*\|transaction_retry\)@@KERNBUS_1\.0$\|^KERNBUS_1\.0$'; }
passes() {
	LD_LIBRARY_PATH=$build/lib "$1" >"$dir/test" 2>&1 || :
	cat "$dir/test"
	grep -q '^ta err *: [0-9]' "$dir/test" && ! grep -q failed "$dir/test"
}
first() { [ ! -e "$1" ] || echo "$1"; }


check 'the soname is libxenstore.so.4' soname_is libxenstore.so.4
theirs=$(first /usr/lib/*/libxenstore.so.4)
text="all of Debian's symbols are there, with their versions"
if [ -n "$theirs" ]; then
	check "$text" all_symbols "$theirs"
else
	skip "$text" 'libxenstore4 is not installed'
fi
check 'no symbols but the xs_ ones are exported' no_others
check 'xenstored starts' store_start "$build"
theirs=$(first /usr/lib/xen-*/bin/test-xenstore)
text="Debian's test-xenstore passes over it"
if [ -n "$theirs" ]; then
	check "$text" passes "$theirs"
else
	skip "$text" 'xen-utils is not installed'
fi
checks_end
