# shellcheck shell=sh
# Debian's xl, xenconsoled and the rest with our libraries under them: evtchn,
# gnttab, call, foreignmemory, store. They build, run, save and restore a guest.
. /lab/scenarios/life.sh
export LD_LIBRARY_PATH=/opt/kernbus/lib

restart_xenconsoled()
{
	local pid
	pid=$(cat /run/xenconsoled.pid)
	kill "$pid"
	wait_for 20 fails kill -0 "$pid" 2>/dev/null || return 1
	start-stop-daemon --start --quiet --pidfile /run/xenconsoled.pid --exec "$LAB_XENCONSOLED" -- \
		--log=all --log-dir=/var/log/xen/console --pid-file /run/xenconsoled.pid || return 1
	grep -q /opt/kernbus/lib/libxengnttab "/proc/$(cat /run/xenconsoled.pid)/maps"
}

saved_and_restored()
{
	xl save libs /root/libs.save && wait_for 60 guest_gone libs && xl restore /root/libs.save
}

check "Debian's xenconsoled runs on our libraries" restart_xenconsoled
check 'xl list' xl list
check 'xl dmesg' xl dmesg
check 'lsevtchn' lsevtchn 0
check 'test-xenstore' test-xenstore -i 5
for type in pv pvh; do
	guest_life $type 192.0.2.5${#type}
done
guest_config libs pv 192.0.2.54
guest_start libs
check 'xl save and restore' saved_and_restored
check 'the guest works' guest_job libs 240 rounds xvda 3
check 'xl destroy' xl destroy libs
