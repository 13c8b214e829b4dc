#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# account.sh BUILD: the store daemon on a machine that has the account
# _xenstored: what serves and what stands by are that account's processes, in
# their sandbox, and everything goes on, also over kills, although they could
# not open one file of the daemon's.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/serving.sh
. "$here/../support/serving.sh"
enter() { unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc -- "$@"; }
if [ -z "${WORLD_BUILD:-}" ]; then
	# A user namespace of one account has no other one to change to.
	if [ "$(id -u)" != 0 ] || ! enter true 2>/dev/null; then
		skip 'the account of the store daemon' 'only root can change to it'
		exit 0
	fi
	WORLD_BUILD=$(cd "$1" && pwd)
	export WORLD_BUILD
	enter sh "$here/account.sh" "$WORLD_BUILD"
	exit
fi
world_setup "$WORLD_BUILD"
if [ "$(nm -D "$WORLD_BUILD/bin/xenstored" | grep -c __asan_init)" -gt 0 ]; then
	skip 'the account of the store daemon' "sanitizers' runtime does not work in the sandbox"
	checks_end
fi
uid=4242
grep -v '^_xenstored:' /etc/passwd >/run/passwd
echo "_xenstored:x:$uid:$uid:the store:/nonexistent:/usr/sbin/nologin" >>/run/passwd
mount --bind /run/passwd /etc/passwd

hvd --log /run/hvd.log &
wait_until 10 test -S "$HV_ROOT/hvd.sock"
dom0 >/run/dom0.log 2>&1 &
wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port"
start() # [COMMAND...] to execute it by
{
	"$@" xenstored -N -F /run/pid -T /run/log/xen/trace >>/run/log/xen/xenstored.log 2>&1 &
	wait_until 10 all_three
}
all_three() { is_there supervisor && both; }
# is WHO UID: all four of them, and without further groups
is()
{
	i_pid=$(pid_of "$1")
	for i in Uid Gid; do
		grep -q "^$i:[[:space:]]$2[[:space:]]$2[[:space:]]$2[[:space:]]$2\$" "/proc/$i_pid/status" || return 1
	done
	[ "$2" = 0 ] || grep -q '^Groups:[[:space:]]*$' "/proc/$i_pid/status"
}
reads() { [ "$(timeout 100 xenstore-read "$1")" = "$2" ]; }
kill_and_ask()
{
	wait_until 10 all_three || return 1
	before=$(pid_of primary)
	kill -9 "$before"
	xenstore-write /kills "$1" && reads /kills "$1" && wait_until 10 another_serves "$before"
}
rotated()
{
	mv /run/log/xen/trace /run/log/xen/trace.1
	kill -HUP "$(cat /run/pid)"
	wait_until 5 test -e /run/log/xen/trace && xenstore-write /traced yes && wait_until 5 grep -q '/traced' /run/log/xen/trace
}
checkpoint()
{
	value=$(head -c 3500 /dev/zero | tr '\0' x)
	for c in $(seq 1 30); do
		set --
		for c_n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
			set -- "$@" "/big/$c_n" "$c$value"
		done
		xenstore-write "$@" || return 1
	done
	wait_until 10 test -s "$XENSTORED_RUNDIR/checkpoint.1"
}
# owned: all that is the daemon's is root's, and nobody else's to read or write
owned()
{
	for f in log flight checkpoint.0 checkpoint.1 socket stats lock peers; do
		stat -c '%n %u %a' "$XENSTORED_RUNDIR/$f"
		[ "$(stat -c '%u %a' "$XENSTORED_RUNDIR/$f")" = '0 600' ] || return 1
	done
}
# A supervisor without CAP_SYS_PTRACE is told by SIGCHLD alone how the others end.
knows_of_a_crash()
{
	crashed=$(pid_of primary)
	kill -SEGV "$crashed"
	wait_until 5 grep "primary (pid $crashed) was killed by signal 11" /run/log/xen/xenstored.log
}
end_hard()
{
	supervisor=$(cat /run/pid)
	kill -9 "$supervisor"
	wait_until 10 ended "$supervisor"
}
guest() { xl create /run/guest.cfg && wait_until 10 xenstore-exists /local/domain/1/name; }
cat >/run/guest.cfg <<CONFIG
name = "idle"
type = "pvh"
kernel = "$WORLD_GUESTS/idle.gz"
memory = 16
CONFIG

check 'the daemon starts' start
check 'what holds the descriptors is root' is supervisor 0
check 'what serves is the account' is primary "$uid"
check 'what stands by, too' is standby "$uid"
check 'the sandbox of that account holds' "$WORLD_BUILD/tests/unit/xenstored/test_priv"
check 'a domain is introduced' guest
check 'the primary is killed, and the next serves' kill_and_ask 1
check 'and the next' kill_and_ask 2
check 'it is the account, too' is primary "$uid"
check 'the domain is destroyed, which is heard of' sh -c 'xl destroy idle && ! xenstore-exists /local/domain/1'
check 'the trace file is opened anew' rotated
check 'a checkpoint is written' checkpoint
check "all files are root's" owned
xenstore-write /kept yes
check 'all of it is killed' end_hard
check 'the next daemon starts' start
check '... with what was in the store' reads /kept yes
check '... as the account' is primary "$uid"
check 'all of it is killed again' end_hard
check 'the next one may not look into other processes' start setpriv --bounding-set -sys_ptrace
check '... and knows a crash as one' knows_of_a_crash
check '... with what was in the store' reads /kept yes
check 'nothing was complained of' sh -c '! grep -iE "not permitted|denied|cannot" /run/log/xen/xenstored.log'
checks_end
