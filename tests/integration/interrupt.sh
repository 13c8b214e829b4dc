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

# interrupted DEMO-ARG SECONDS STEPS: a signal after that time and so many steps.
# Every process of the demo inherits the mark. A script's background children
# ignore SIGINT; timeout's child does not, and timeout passes it on.
interrupted()
{
	: >"$tmp/out"
	env "$mark" TMPDIR="$tmp/demo" timeout 1000 sh "$here/../demo/demo" "$1" \
	    >"$tmp/out" 2>&1 </dev/null &
	demo=$!
	sleep "$2"
	wait_until 30 took_steps "$3" || { cat "$tmp/out"; kill "$demo"; return 1; }
	kill -INT "$demo"
	status=0
	wait "$demo" || status=$?
	[ "$status" -ge 124 ] || { echo "status $status"; tail -n 5 "$tmp/out"; return 1; }
}
took_steps() { [ "$(grep -c '^  ok' "$tmp/out")" -ge "$1" ]; }
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
check 'Ctrl-C at once ends it' interrupted "$1" 0.05 0
check 'and leaves nothing behind' nothing_left
check 'Ctrl-C after 0.15 s ends it' interrupted "$1" 0.15 0
check 'and leaves nothing behind' nothing_left
for steps in 1 2 5 6 9 10; do
	check "Ctrl-C after $steps steps ends it" interrupted "$1" 0 "$steps"
	check 'and leaves nothing behind' nothing_left
done
checks_end
