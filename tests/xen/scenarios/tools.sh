# shellcheck shell=sh
# Our xenconsoled and xenbackendd, with our libraries, in the place of Debian's
# xenconsoled and xl's own way to run the scripts.
. /lab/scenarios/life.sh
ours=/opt/kernbus/bin

stopped()
{
	local pid
	pid=$(cat "$1")
	kill "$pid" && wait_for 20 fails kill -0 "$pid" 2>/dev/null
}

console_start()
{
	start-stop-daemon --start --quiet --pidfile /run/xenconsoled.pid --exec $ours/xenconsoled -- \
		--log=all --log-dir=/var/log/xen/console --pid-file /run/xenconsoled.pid
}

backend_start()
{
	echo 'run_hotplug_scripts=0' >>/etc/xen/xl.conf
	xenstore-rm /local/domain/0/libxl/disable_udev 2>/dev/null
	XEN_LOCK_DIR=/run/lock $ours/xenbackendd -d -l /out/xenbackendd.log -p /run/xenbackendd.pid
}

# The guest says on its console what it was told there.
console_talk()
{
	rm -f /tmp/console.out
	(
		sleep 3
		echo 'good morning'
		sleep 5
	) | timeout 60 xenconsole --interactive --num 0 --type pv "$(xl domid "$1")" >/tmp/console.out 2>&1
	cat /tmp/console.out
	grep -q 'GUEST .*heard good morning' /tmp/console.out
}

devices="disk = [ \"format=raw, vdev=xvda, access=w, script=/lab/hotplug, target=/root/tools.img\" ]
vif = [ \"bridge=xenbr0, script=/lab/hotplug\" ]"

check "Debian's xenconsoled ends" stopped /run/xenconsoled.pid
check 'our xenconsoled starts' console_start
check 'our xenbackendd starts' backend_start
for type in pv pvh; do
	guest_config tools $type 192.0.2.30 "$devices"
	guest_start tools || break
	id=$(xl domid tools)
	check_guest tools $type 192.0.2.30
	check 'xenconsole: the guest hears what is typed' console_talk tools
	check 'xl shutdown' xl shutdown -w tools
	check 'it is gone' wait_for 90 guest_gone tools
	check 'the store is clean' wait_for 30 store_clean "$id"
	check 'no loop device is left' wait_for 30 sh -c '! losetup -a | grep root/tools.img'
done
check 'the hypervisor log is written' grep -q Xen /var/log/xen/console/hypervisor.log
check 'our xenbackendd ends' stopped /run/xenbackendd.pid
check 'our xenconsoled ends' stopped /run/xenconsoled.pid
