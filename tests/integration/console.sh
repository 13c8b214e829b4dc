#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# console.sh BUILD: a guest's console: what it writes, what is typed, one client
# at a time, logs, a restart of xenconsoled, and the end of the guest.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/talk.sh
. "$here/../support/talk.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/console.sh" "$1"
world_setup "$1"
export XENCONSOLED_TRACE=all XENCONSOLED_ARGS=--timestamp=guest

config()
{
	cat >"$XEN_CONFIG_DIR/$1" <<CONFIG
kernel = "$WORLD_GUESTS/idle.gz"
memory = 32
CONFIG
}
tty_of() { xenstore-read "/local/domain/$1/console/tty"; }
has_tty() { [ -c "$(tty_of "$1")" ]; }
shows() { talk_begin /run/said xenconsole "$1" && talk_hears "$2" && talk_end; }
# echoes TEXT COMMAND...: COMMAND is at the console of a guest, which echoes
echoes()
{
	e_text=$1
	shift
	talk_begin /run/said "$@" && talk_asks "$e_text\\n" "$e_text" && talk_end
}
refuses_a_second()
{
	talk_begin /run/said xenconsole "$1" && talk_asks 'first\n' first || return 1
	refused=0
	! xenconsole "$1" </dev/null >/run/second 2>&1 && grep -q "pid ${talk_pid:?}" /run/second || refused=1
	talk_end && return "$refused"
}
private() { xenstore-ls -fp "/local/domain/$1/console" | grep '/tty ' | grep -q '(n0)$'; }
log_has() { grep -q "$2" "$XEN_LOG_DIR/$1"; }
rotate()
{
	mv "$XEN_LOG_DIR/guest-idle.log" "$XEN_LOG_DIR/guest-idle.log.1" &&
	    kill -HUP "$(cat "$XEN_RUN_DIR/xenconsoled.pid")" &&
	    wait_until 5 test -f "$XEN_LOG_DIR/guest-idle.log"
}
restart()
{
	old=$(cat "$XEN_RUN_DIR/xenconsoled.pid")
	kill "$old" && wait_until 5 test ! -e "$XEN_RUN_DIR/xenconsoled.pid" &&
	    xenconsoled --log=all &&
	    [ "$(cat "$XEN_RUN_DIR/xenconsoled.pid")" != "$old" ]
}
only_one() { ! xenconsoled -i >/run/other 2>&1 && grep -q 'runs already' /run/other; }
# What is written before the client is back at the terminal may be gone.
says_to_follower() { printf 'after the restart\n' >"$(tty_of "$1")" && sleep 0.2 && talk_said 'after the restart'; }
client_follows_a_restart()
{
	talk_begin /run/follower xenconsole "$1" && talk_asks 'before it\n' 'before it' &&
	    restart && wait_until 5 has_tty "$1" && wait_until 5 says_to_follower "$1"
}
follower_ended() { ! kill -0 "${talk_pid:?}" 2>/dev/null; }
client_ends_with_guest()
{
	xl destroy "$1" && wait_until 5 follower_ended && talk_leave
}
gone() { ! xenstore-exists "/local/domain/$1"; }

check 'the machine boots' world_boot
config idle
check 'xl create' xl create -q idle
check 'the terminal is named in the store' wait_until 5 has_tty 1
check 'only domain 0 can read the name' private 1
check 'what the guest wrote before anybody looked is shown' shows 1 'idle: ready'
check 'what is typed arrives: the guest echoes it' echoes 'some words 123' xenconsole 1
check 'xl console is the same' echoes 'via xl' xl console idle
check 'a second client is refused, with the pid of the first' refuses_a_second 1
check 'the log has the output' wait_until 5 log_has guest-idle.log 'idle: ready'
check 'the log has times' wait_until 5 log_has guest-idle.log '^\[20..-..-.. ..:..:..\] '
if [ -n "$(xl dmesg)" ]; then
	check 'the hypervisor'\''s messages are logged' wait_until 5 log_has hypervisor.log .
else
	skip 'the hypervisor'\''s messages are logged' 'it has said nothing'
fi
check 'rotation: SIGHUP begins a new log' rotate
check 'xenconsoled runs once' only_one
check 'a restarted xenconsoled serves the guest, a client follows' client_follows_a_restart 1
check 'the client ends with the guest' client_ends_with_guest 1
check 'nothing is left in the store' wait_until 5 gone 1
console_pid=$(cat "$XEN_RUN_DIR/xenconsoled.pid")
ended() { ! kill -0 "$console_pid" 2>/dev/null && [ ! -e "$XEN_RUN_DIR/xenconsoled.pid" ]; }
kill -9 "$(cat "$HV_ROOT/hvd.pid")"
check 'without its hypervisor xenconsoled ends: the next machine gets one of its own' wait_until 5 ended
check 'and says so' wait_until 5 log_has xenconsoled.log 'the hypervisor has gone'
checks_end
