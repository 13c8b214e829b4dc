#!/bin/sh
# sandbox.sh BUILD: what the kernel says of the serving store daemon, and that
# what it does at run time works although it may open and make nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/sandbox.sh" "$1"
world_setup "$WORLD_BUILD"

hvd --log /run/hvd.log &
wait_until 10 test -S "$HV_ROOT/hvd.sock"
dom0 >/run/dom0.log 2>&1 &
wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port"
xenstored -N -F /run/pid -T /run/log/xen/trace >/run/log/xen/xenstored.log 2>&1 &
wait_until 10 xenstore-exists /tool/xenstored

# The process of the pid file holds descriptors and parses nothing; what serves,
# and what stands by, are its children.
says() { grep -q "^$2:[[:space:]]*$3\$" "/proc/$1/status"; }
serving() { pgrep -P "$(cat /run/pid)"; }
for_all() { [ -n "$(serving)" ] || return 1;  for p in $(serving); do says "$p" "$1" "$2" || return 1; done; }
appears() { xenstore-write /sandbox "$1" && grep -q "/sandbox $1" /run/log/xen/trace; }
rotated()
{
	mv /run/log/xen/trace /run/log/xen/trace.1
	kill -HUP "$(cat /run/pid)"
	wait_until 5 test -e /run/log/xen/trace && xenstore-ls / >/dev/null && wait_until 5 test -s /run/log/xen/trace
}
control() { "${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}/xenstore-control" "$@"; }
ended() { ! kill -0 "$(cat /run/pid.copy)" 2>/dev/null; }
introduced() { xl create /run/guest.cfg && wait_until 10 xenstore-exists /local/domain/1; }

if [ "$(nm -D "$WORLD_BUILD/bin/xenstored" | grep -c __asan_init)" -gt 0 ]; then
	skip 'the sandbox' "sanitizers' runtime does not work in it"
	checks_end
fi
check 'what serves and stands by has a filter of system calls' for_all Seccomp 2
check '... can gain no privileges' for_all NoNewPrivs 1
check '... has no capabilities' for_all CapEff 0000000000000000
check 'requests are served and traced' appears one
check 'the trace file is opened anew after it was moved' rotated
check '... and written' appears two
cat >/run/guest.cfg <<CONFIG
name = "idle"
type = "pvh"
kernel = "$WORLD_GUESTS/idle.gz"
memory = 16
CONFIG
check 'a domain is introduced' introduced
check '... and its end is heard of' sh -c 'xl destroy idle && ! xenstore-exists /local/domain/1'
if [ -x "${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}/xenstore-control" ]; then
	check 'the trace goes to another file of that directory' control logfile /run/log/xen/other
	check '... where it is found' sh -c 'xenstore-write /sandbox three && grep -q three /run/log/xen/other'
	refused() { ! control logfile /run/elsewhere || test ! -e /run/elsewhere; }
	check 'files elsewhere are refused' refused
fi
cp /run/pid /run/pid.copy
kill "$(cat /run/pid)"
check 'it ends' wait_until 5 ended
check '... and nothing is left of pid file and socket' sh -c "! test -e /run/pid && ! test -e $XENSTORED_RUNDIR/socket"
check 'nothing was complained of' sh -c '! grep -i "not permitted" /run/log/xen/xenstored.log'
checks_end
