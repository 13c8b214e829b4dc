#!/bin/sh
# keep.sh BUILD: what README.md says to do by hand, in the machine that
# "make demo KEEP=1" leaves running, in the shell that it names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/talk.sh
. "$here/../support/talk.sh"
# In a machine of its own, so that nothing can be left behind.
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/keep.sh" "$1"
build=$WORLD_BUILD
unset WORLD_BUILD
mount -t tmpfs -o mode=755 tmpfs /run
export TMPDIR=/run

demo() { KEEP=1 sh "$here/../demo/demo" "$build" >/run/said 2>&1 </dev/null || { cat /run/said; return 1; }; }
# inside COMMAND: by the line that the demo has named
inside() { printf '%s -c "%s"\n' "$(grep -o 'nsenter .* sh$' /run/said)" "$1" >/run/line && sh /run/line; }
shell_of_guest() { talk_begin /run/talk inside 'xl console foo' && talk_asks 'mount\n' 'xbd1.* on ' && talk_end; }
readme() { inside sh </run/second; }
answers() { inside 'curl -sS --fail -m 10 -o /dev/null http://10.77.0.9/'; }
ended() { ! kill -0 "$(sed -n 's/^To end it: kill //p' /run/said)" 2>/dev/null; }

check 'make demo KEEP=1 leaves a machine and returns' demo
check 'xl list' inside 'xl list foo'
check 'xl console foo, and ^] leaves' shell_of_guest
check 'xenstore-ls' inside 'xenstore-ls -f /local/domain/1'
check 'the shell is in the source tree' inside "test README.md -ef '$here/../../README.md'"
# README.md takes this build to be build/cc.
sed -n 's/^    xl create /xl create /p' "$here/../../README.md" | sed "s|\$PWD/build/guest|$build/../guest|" >/run/second
check 'README.md creates a second domain' test -s /run/second
check 'which works' readme
check 'xl shutdown -w foo' inside 'xl shutdown -w foo'
check 'xl create foo, with other memory' inside "xl create foo 'memory=64'"
check 'its files are served again' wait_until 10 answers
check 'and destroyed' inside 'xl destroy foo'
kill "$(sed -n 's/^To end it: kill //p' /run/said)"
check 'the machine ends as it was told' wait_until 5 ended
checks_end
