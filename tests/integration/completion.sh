#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# completion.sh BUILD: what <Tab> offers behind the xenstore commands, in bash and zsh.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

script=$here/../../tools/completion/xenstore.bash
if ! command -v bash >/dev/null 2>&1; then
	skip 'completion' 'bash is not installed'
	exit 0
fi
build=$(cd "${1:?usage: completion.sh BUILD}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/completion.XXXXXX")
store_in "$dir"
PATH=$build/bin:$PATH

# tab WORD...: what is offered for the last one, in one line
cat >"$dir/tab" <<'TAB'
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
function=$(complete -p "${1##*/}" | sed 's/.*-F \([^ ]*\) .*/\1/')
$function
printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ' | sed 's/ $//'
TAB
tab() { timeout 200 bash "$dir/tab" "$script" "$@"; }
# offers WANT WORD...
offers() {
	want=$1
	shift
	got=$(tab "$@")
	printf 'wanted: %s\ngot:    %s\n' "$want" "$got"
	[ "$got" = "$want" ]
}
# Every long option of its --help, and only those.
offers_its_options() {
	for m in chmod exists list ls read rm watch write; do
		want=$("xenstore-$m" --help | grep -o -e '--[a-z][a-z-]*' | sort -u | tr '\n' ' ' | sed 's/ $//')
		[ -n "$want" ] && offers "$want" "xenstore-$m" -- || return 1
		offers "$want" xenstore "$m" -- || return 1
	done
}
offers_domain_0() {
	xenstore-write /local/domain/0/x 1
	tab xenstore-chmod /t/abc n | tr ' ' '\n' | grep -cx n0 | grep -qx 1
}
# zsh_makes WANT LINE
zsh_makes() {
	want=$1
	got=$(timeout 200 zsh -f "$here/completion.zsh" "$here/../../tools/completion" "$2")
	printf 'wanted: %s\ngot:    %s\n' "$want" "$got"
	[ "$got" = "$want" ]
}
fill() {
	xenstore-write /t/abc 1 /t/abd/x 1 /t/abd/y 1 /t/z/deep/er 1 &&
	    xenstore-write /local/domain/7/name seven
}

check 'xenstored starts' store_start "$build"
check 'nodes are made' fill
check 'nothing yet: the root' offers / xenstore-ls ''
check 'the children of the root' offers '/local /t /tool' xenstore-ls /
check 'some begin so' offers '/t/abc /t/abd' xenstore-read /t/ab
check 'the only one that has children gets a slash' offers /t/abd/ xenstore-read /t/abd
check 'and those come next' offers '/t/abd/x /t/abd/y' xenstore-read /t/abd/
check 'one without children gets none' offers /t/abc xenstore-read /t/abc
check 'none begins so' offers '' xenstore-read /t/q
check 'a node that is not there' offers '' xenstore-read /nope/
check 'modes of xenstore' offers 'read rm' xenstore r
check 'paths behind a mode' offers '/t/abc /t/abd' xenstore read /t/ab
check 'paths behind a path' offers '/t/abc /t/abd' xenstore-rm /t/z /t/ab
check 'paths behind options' offers '/t/abc /t/abd' xenstore-ls -f --depth 2 /t/ab
check "write's values are not paths" offers '' xenstore-write /t/abc /t/ab
check 'but what follows one is' offers '/t/abc /t/abd' xenstore-write /t/abc 1 /t/ab
check 'rights of the domains that there are' offers 'r0 r7' xenstore-chmod /t/abc r
check "domain 0's once, though it has nodes" offers_domain_0
check 'moments, then a path' offers now xenstore-diff ''
check 'the second moment, too' offers now xenstore-diff 5m n
check 'and then a path' offers '/t/abc /t/abd' xenstore-diff 5m now /t/ab
check 'modes of xenstore-history' offers 'log ls' xenstore-history l
check 'and what is behind them' offers '/t/abc /t/abd' xenstore-history blame /t/ab
check 'their options' offers '--since' xenstore-history log --si
check 'special names to watch' offers '/ @introduceDomain @releaseDomain' xenstore-watch ''
check 'special names, as bash cuts words' offers releaseDomain xenstore-watch @ rel
check "an option's value is not completed" offers '' xenstore-ls --glob ''
check 'nor a number' offers '' xenstore-log -n ''
check 'nor a file of the history' offers '' xenstore log --database ''
check 'but a path is' offers '/t/abc /t/abd' xenstore-log --path /t/ab
check 'nor behind =' offers '' xenstore-ls --glob = /t
check 'options are those that --help shows' offers_its_options
check "the daemon's commands" offers 'quota quota-soft' xenstore-control qu
check 'live-update wants a file' offers "$dir/out" xenstore-control live-update "$dir/ou"
if command -v zsh >/dev/null 2>&1; then
	check 'zsh: a path' zsh_makes 'xenstore-read /t/z/' 'xenstore-read /t/z'
	check 'zsh: what several have in common' zsh_makes 'xenstore-read /t/ab' 'xenstore-read /t/a'
	check 'zsh: below it' zsh_makes 'xenstore ls /t/z/deep/er' 'xenstore ls /t/z/deep/'
	check 'zsh: an option' zsh_makes 'xenstore-ls --glob ' 'xenstore-ls --gl'
	check 'zsh: behind a mode of the history' zsh_makes 'xenstore-history blame /t/z/' 'xenstore-history blame /t/z'
	check 'zsh: a command' zsh_makes 'xenstore-control memreport ' 'xenstore-control mem'
else
	skip 'zsh' 'it is not installed'
fi
kill "$daemon"
wait "$daemon" || :
daemon=
check 'without a daemon nothing is offered, at once' offers '' xenstore-ls /t
checks_end
