#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# starved.sh BUILD: the store daemon without descriptors, without room on the
# disk, with a standby that does not move, with checkpoints that cannot be
# written, and without its own program: it serves on, says so, and goes back to
# normal when it can.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/serving.sh
. "$here/../support/serving.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/starved.sh" "$1"
world_setup "$1"
export TMPDIR=/run
crowd="$WORLD_BUILD/tests/crash/crowd"

# start NAME [PROGRAM ARG...]: a daemon with the directory /run/NAME, which is
# there
start()
{
	export XENSTORED_RUNDIR="/run/$1"
	s_said="/run/$1.said"
	shift
	[ $# -gt 0 ] || set -- xenstored
	"$@" -D -N >>"$s_said" 2>&1 &
	daemon=$!
	wait_until 10 serves
}
stop() { kill "$daemon" && wait_until 10 ended "$daemon"; }
kill_all() { kill -9 "$daemon" && wait_until 10 ended "$daemon"; }
says() { wait_until 10 grep -q "$2" "/run/$1.said"; }
reads() { [ "$(timeout 100 xenstore-read "$1")" = "$2" ]; }
kill_and_ask()
{
	k_pid=$(pid_of primary)
	kill -9 "$k_pid"
	xenstore-write /kill "$1" && reads /kill "$1"
}
flood() { timeout 300 "$crowd" "$XENSTORED_RUNDIR" flood "$1"; }
# fewer N: the supervisor may open no more
fewer() { prlimit --pid "$daemon" --nofile="$1:"; }

mkdir /run/fds
export XENSTORED_RUNDIR=/run/fds
few()
{
	prlimit --nofile=120:120 xenstored -D -N >>/run/fds.said 2>&1 &
	daemon=$!
	wait_until 10 serves
}
check 'a daemon with few descriptors' few
check 'more clients than that are served one after the other, over a kill, too' timeout 300 "$crowd" /run/fds 100
check '... which is said' says fds 'cannot accept a client'
check 'and there is a standby' wait_until 10 serves
xenstore-write /kept yes || cat /run/*.said
check 'no descriptor is left at all' fewer 8
k_before=$(pid_of standby)
kill -9 "$(pid_of primary)"
(reads /kept yes && : >/run/fds.read) &
check 'the standby takes over, and another one cannot be started' says fds 'cannot make a pair of sockets'
test ! -e /run/fds.read
check 'there are descriptors again' fewer 120
check 'who came meanwhile is served' wait_until 10 test -e /run/fds.read
stands_by() { serves && [ "$(pid_of standby)" != "$k_before" ]; }
check 'and there is a standby' wait_until 10 stands_by
check 'it can take over' kill_and_ask 2
stop

mkdir /run/stuck
check 'another daemon' start stuck
stuck=$(pid_of standby)
kill -STOP "$stuck"
check 'the standby does not move while three logs are written: nobody waits long' flood 48
replaced() { serves && [ "$(pid_of standby)" != "$stuck" ]; }
check '... and another one stands by' wait_until 10 replaced
xenstore-write /kept yes || cat /run/*.said
check '... which takes over' kill_and_ask 3
check 'with what was in the store' reads /kept yes
stop

mkdir /run/full
mount -t tmpfs -o size=17600k,mode=755 tmpfs /run/full
check 'a daemon with little room for its files' start full xenstored -T /run/full/trace
reserved() { [ "$(stat -c %b /run/full/log)" -ge 32768 ]; }
check 'which has the memory of its log' wait_until 10 reserved
check 'more than its log is written' flood 24
check '... no checkpoint could be, which is said' says full 'checkpoint could not be written'
xenstore-write /kept yes || cat /run/*.said
kill_two() { kill -9 "$(pid_of primary)" "$(pid_of standby)"; reads /kept yes; }
check 'primary and standby are killed: the image in memory does' kill_two
check 'there is room again' mount -o remount,size=160m /run/full
check 'a checkpoint can be written' flood 16
traced() { xenstore-write /traced yes && grep -q /traced /run/full/trace; }
check 'and the trace, of which a part is missing' traced
check 'all is killed' kill_all
check 'and goes on' start full
check 'with what was in the store' reads /kept yes
stop

mkdir /run/small
mount -t tmpfs -o size=17600k,mode=755 tmpfs /run/small
reserved() { [ "$(stat -c %b /run/small/log)" -ge 32768 ]; }
check 'a daemon whose directory has room for one log' start small
check 'which has the memory of it' wait_until 10 reserved
check 'all is killed' kill_all
check 'another begins anew' start small xenstored --fresh
check '... and has the memory of its log, too' wait_until 10 reserved
check '... for which the old one had to go, as it says' says small 'was removed'
check '... and went' test ! -e /run/small/log.before
stop

mkdir -p /run/barred/checkpoint.0/x /run/barred/checkpoint.1/x
barred() { start barred; mkdir -p /run/barred/checkpoint.0/x /run/barred/checkpoint.1/x; }
check 'a daemon whose checkpoints cannot be opened' barred
check 'it serves on' flood 24
check '... and says so' says barred 'checkpoint could not be written'
rm -rf /run/barred/checkpoint.0 /run/barred/checkpoint.1
xenstore-write /kept yes || cat /run/*.said
check 'a checkpoint can be written' flood 16
check 'all is killed' kill_all
check 'and goes on' start barred
check 'with what was in the store' reads /kept yes
# what is left when none could be written any more
mkdir /run/old
cp /run/barred/checkpoint.* /run/old/
check 'much more is written' flood 40
check 'all is killed' kill_all
rm /run/barred/checkpoint.*
cp /run/old/checkpoint.* /run/barred/
does_not_start() {
	d_rc=0
	XENSTORED_RUNDIR=/run/barred timeout 100 xenstored -D -N >>/run/barred.said 2>&1 || d_rc=$?
	[ "$d_rc" -eq 1 ]
}
check 'with an old checkpoint it does not begin with an empty store' does_not_start
check '... and says so' says barred 'could not be made anew: nothing was changed in'
check '... unless it is told to' start barred xenstored --fresh
empty() { ! reads /kept yes && xenstore-write /kept again && reads /kept again; }
check '... and then serves that' empty
check '... and keeps the other one' test -s /run/barred/checkpoint.0.before -a -s /run/barred/log.before
stop

mkdir /run/tight
check 'a daemon' start tight
xenstore-write /kept yes || cat /run/*.said
t_before=$(grep -c 'another one starts' /run/tight.said || :)
t_start=$(date +%s%3N)
prlimit --pid "$daemon" --as=15000000:
kill -9 "$(pid_of standby)"
tried() { [ "$(grep -c 'another one starts' /run/tight.said)" -ge $((t_before + 7)) ]; }
check 'without memory for a standby another one is tried' wait_until 10 tried
# thrice 0.2 s, then 0.4 and 0.8
seldom() { [ $(($(date +%s%3N) - t_start)) -ge 1700 ] || { date "+%s%3N, not 1700 behind $t_start"; return 1; }; }
check '... more and more seldom' seldom
prlimit --pid "$daemon" --as=unlimited:
check '... until there is memory again' wait_until 15 serves
check '... and that one takes over' kill_and_ask 1
check 'with what was in the store' reads /kept yes
stop

mkdir -p /run/gone /run/bin
cp "$WORLD_BUILD/bin/xenstored" /run/bin/
export LD_LIBRARY_PATH="$WORLD_BUILD/lib"
check 'a daemon' start gone /run/bin/xenstored
rm /run/bin/xenstored
check 'its program is removed, and it goes on' kill_and_ask 1
check '... with a standby' wait_until 10 serves
check '... which takes over' kill_and_ask 2
stop
checks_end
