# shellcheck shell=sh
# serving.sh: the three processes of the store daemon at $XENSTORED_RUNDIR.
# Sourced after world.sh.
#
#   pid_of WHO           supervisor, primary or standby; 0 or nothing: nobody
#   both                 there are a primary and a standby
#   serves               that, and $daemon is the supervisor
#   ended PID            it has, whether or not anybody has waited for it
#   another_serves PID   the primary is another one, and there is a standby
#   kill_primary         and waits for that
#   all_are PROGRAM      each of the three is it

pid_of() { awk -v who="$1" '$1 == who { print $2 }' "$XENSTORED_RUNDIR/status" 2>/dev/null; }

is_there() { it_pid=$(pid_of "$1") && [ "${it_pid:-0}" -gt 0 ] && ! ended "$it_pid"; }

both() { is_there primary && is_there standby; }

# shellcheck disable=SC2154 # the script's own
serves() { [ "$(pid_of supervisor)" = "$daemon" ] && both; }

ended()
{
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

another_serves() { [ "$(pid_of primary)" != "$1" ] && both; }

kill_primary()
{
	kp_old=$(pid_of primary)
	kill -9 "$kp_old" && wait_until 10 another_serves "$kp_old"
}

all_are()
{
	for aa_who in supervisor primary standby; do
		[ "$(readlink "/proc/$(pid_of "$aa_who")/exe")" = "$1" ] || return 1
	done
}
