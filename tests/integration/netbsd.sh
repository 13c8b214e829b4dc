#!/bin/sh
# netbsd.sh BUILD: our store daemon with the netbsd providers of all libraries,
# on an imitation of NetBSD's nodes: hv-kernfs serves /dev/xenevt, a preloaded
# object plays what only a kernel can (tests/netbsd). It serves a hosted guest.
# shellcheck disable=SC2317 # functions are called by check
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
if [ -z "${WORLD_BUILD:-}" ]; then
	world_enter "$1" sh "$0"
	exit 1
fi
world_setup "$WORLD_BUILD"
nodes=$WORLD_BUILD/tests/netbsd/nodes_preload.so
units=$WORLD_BUILD/tests/unit/lib
notes=/run/notes
lose=/run/lose

if ! (: <>/dev/fuse) 2>/dev/null || [ ! -x "$WORLD_BUILD/bin/hv-kernfs" ]; then
	skip "NetBSD's nodes" 'no /dev/fuse that can be opened, or hv-kernfs was not built'
	checks_end
fi
case $WORLD_BUILD in
*-san)
	skip "NetBSD's nodes" 'a sanitizer wants to be loaded first'
	checks_end
	;;
esac

# netbsd COMMAND...: as it would run on NetBSD
netbsd()
{
	HV_PROVIDER=netbsd LD_PRELOAD=$nodes NETBSD_LOG=$notes NETBSD_LOSE=$lose "$@"
}
hosted() { HV_PROVIDER=hosted "$@"; }
mounted() { grep -q " $HV_ROOT/dev/xenevt fuse" /proc/self/mounts; }
noted() { grep -q "$1" "$notes"; }
not_noted() { ! noted "$1"; }
holds_node()
{
	for hn_pid in $(pgrep -x xenstored); do
		for hn_fd in "/proc/$hn_pid/fd"/*; do
			case $(readlink "$hn_fd") in */dev/xenevt) return 0 ;; esac
		done
	done
	return 1
}
# The guest hears over its ring, by a watch, that it shall end, and ends.
lives_and_dies()
{
	hosted xl create -q idle && hosted timeout 300 xl shutdown -w idle
}
# process NAME: which one it is at present
process() { sed -n "s/^$1 //p" "$XENSTORED_RUNDIR/status"; }
succeeded()
{
	s_now=$(process primary)
	[ -n "$s_now" ] && [ "$s_now" != 0 ] && [ "$s_now" != "$primary" ] &&
	    grep -q 'took over' "$XEN_LOG_DIR/xenstored.log"
}
all_gone() { [ "$(xenstore-list /local/domain)" = 0 ]; }

check 'hypercalls, foreign memory and grants by privcmd' \
    netbsd "$units/test_netbsd_nodes"

hvd --log "$XEN_LOG_DIR/hvd.log" &
check 'hvd comes up' wait_until 10 test -S "$HV_ROOT/hvd.sock"
: >"$HV_ROOT/dev/xenevt"
hv-kernfs -f "$HV_ROOT/dev/xenevt" >"$XEN_LOG_DIR/hv-kernfs.log" 2>&1 &
check 'xenevt is served' wait_until 10 mounted
dom0 >"$XEN_LOG_DIR/dom0.log" 2>&1 &
check "domain 0's kernel offers its store ring" wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port"
netbsd xenstored -N -F /run/xenstored.pid >"$XEN_LOG_DIR/xenstored.log" 2>&1 &
check 'xenstored starts on the nodes' wait_until 10 test -S "$XENSTORED_RUNDIR/socket"
[ -S "$XENSTORED_RUNDIR/socket" ] || checks_end
check 'its event channels are the node' wait_until 10 holds_node
check 'it avoids kqueue, which xenevt does not serve' noted 'kqueue is avoided'
check 'and puts xenevt into none' not_noted 'put into a kqueue'
check 'and does not ask for its status' not_noted 'fstat'
check "domain 0's kernel was kicked and reaches it over the ring" \
    wait_until 10 grep -q 'xenbus is up' "$XEN_LOG_DIR/dom0.log"
printf 'kernel = "%s/idle.gz"\nmemory = 16\n' "$WORLD_GUESTS" >"$XEN_CONFIG_DIR/idle"
check "a guest's granted ring is mapped and served" lives_and_dies
check "its death is heard" wait_until 5 all_gone
echo >"$lose"
check 'again, with the first events lost' lives_and_dies
check 'they were lost' noted 'events lost'
check 'a guest is there' hosted xl create -q idle
primary=$(process primary)
check 'the daemon is killed' kill -9 "$primary"
check 'another one takes over, with the ports of the first' wait_until 5 succeeded
check 'and with the ring' hosted timeout 300 xl shutdown -w idle
check 'and hears of the death' wait_until 5 all_gone
check 'xl sees the domains by privcmd' netbsd xl list
cat "$XEN_LOG_DIR/xenstored.log"
checks_end
