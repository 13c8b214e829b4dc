#!/bin/sh
# interrupt.sh BUILD: Ctrl-C at any moment of the demo leaves no process, mount,
# interface or file behind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"

mark="INTERRUPT_MARK=$$"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/demo"
export TMPDIR="$tmp"
mounts() { cut -d' ' -f2 /proc/self/mounts | sort; }
links() { ip -o link | cut -d: -f2; }
mounts_before=$(mounts)
links_before=$(links)

# Every process of the demo inherits the mark. A script's background children
# ignore SIGINT; timeout's child does not.
interrupted()
{
	status=0
	env "$mark" TMPDIR="$tmp/demo" timeout -s INT "$2" sh "$here/../demo/demo" "$1" \
	    >"$tmp/out" 2>&1 </dev/null || status=$?
	[ "$status" = 124 ] || { echo "status $status"; tail -n 5 "$tmp/out"; return 1; }
}
# grep also fails on processes that end meanwhile: only what it finds counts
marked() { grep -l -z -x "$mark" /proc/[0-9]*/environ 2>/dev/null | grep .; }
none_marked() { ! marked; }
nothing_left()
{
	wait_until 2 none_marked || { echo 'a process is left'; marked; return 1; }
	[ "$(mounts)" = "$mounts_before" ] || { echo 'a mount is left'; mounts; return 1; }
	[ "$(links)" = "$links_before" ] || { echo 'an interface is left'; links; return 1; }
	[ -z "$(ls -A "$tmp/demo")" ] || { echo 'a file is left:'; ls -A "$tmp/demo"; return 1; }
}

env "$mark" sleep 1 &
check 'a marked process would be found' wait_until 1 marked
wait
for moment in 0.05 0.15 0.3 0.5 0.8 1.5 3; do
	check "Ctrl-C after $moment s ends it" interrupted "$1" "$moment"
	check "and leaves nothing behind" nothing_left
done
checks_end
