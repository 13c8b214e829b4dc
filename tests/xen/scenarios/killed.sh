# shellcheck shell=sh
# xl is killed at several moments of a creation. The store answers, what it had
# begun can be destroyed, and the next creation is complete.
guest_config killed pv 192.0.2.8

# killed_after SECONDS
killed_after()
{
	xl create /root/killed.cfg >/tmp/xl.out 2>&1 &
	pid=$!
	sleep "$1"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	store_answers || return 1
	if id=$(xl domid killed 2>/dev/null); then
		echo "there is a domain $id"
		xl destroy killed || return 1
	fi
	wait_for 60 guest_gone killed
}

# Domains that have no name yet
nameless_gone()
{
	for id in $(xl list | awk 'NR > 1 && $2 > 0 { print $2 }'); do
		xl destroy "$id" || return 1
	done
	[ "$(xl list | wc -l)" = 2 ]
}

for seconds in 0.5 1 1.5 2 2.5 3 4 5; do
	check "xl is killed after $seconds s" killed_after "$seconds"
	check 'nothing of it stays' nameless_gone
done
guest_start killed && check 'the guest works' guest_job killed 120 rounds xvda 2
check 'xl destroy' xl destroy killed
