# shellcheck shell=sh
# The daemon is replaced under a guest that works on its disk: it is told to update
# itself; then its processes are killed, one after the other. Nobody notices: not a
# watch, not a connection, no guest. At last all of it is killed and started again:
# the store is there, and so are the guest's ring and watches.
guest_config replaced pv 192.0.2.40

watch_start()
{
	xenstore-watch /lab >/out/watch.txt 2>&1 &
	watcher=$!
	wait_for 10 grep -q /lab /out/watch.txt
}

# An old connection's watch still tells.
watch_works()
{
	number=$((${number:-0} + 1))
	xenstore-write "/lab/$number" x && kill -0 "$watcher" && wait_for 20 grep -q "^/lab/$number\$" /out/watch.txt
}

live_update()
{
	timeout 120 xenstore-control live-update "$LAB_STORE"
}

kill_child()
{
	kill -9 "$1"
	sleep 1
	timeout 60 xenstore-read -s /local/domain/0/name
}

# The daemon as a whole
killed_and_started()
{
	local pid
	pid=$(store_pid)
	# shellcheck disable=SC2046
	kill -9 "$pid" $(store_children)
	wait_for 20 fails kill -0 "$pid" 2>/dev/null || return 1
	store_start
}

# same_names: the store has what it had
same_names()
{
	store_names | grep -v '^/lab/' >/tmp/after
	diff /tmp/before /tmp/after
}

if guest_start replaced; then
	id=$(xl domid replaced)
	check 'a watch on an open connection' watch_start
	check 'it tells' watch_works
	check 'the guest works on its disk' guest_job replaced 60 background rounds xvda 40
	store_names | grep -v '^/lab/' >/tmp/before
	check 'live update' live_update
	check 'the store has what it had' same_names
	check 'the watch tells' watch_works
	if [ -n "$(store_children)" ]; then
		for round in 1 2 3; do
			for child in $(store_children); do
				check "round $round: kill -9 $(tr '\0' ' ' <"/proc/$child/cmdline" | cut -c1-60)" kill_child "$child"
				check 'the watch tells' watch_works
			done
		done
		check 'kill -9 of all of it, and a start' killed_and_started
		check 'the store has what it had' same_names
		check 'the watch tells, on a new connection' watch_works
	else
		note 'the daemon is one process: it was not killed'
	fi
	check "the guest's work was not disturbed" guest_job replaced 600 collect
	check 'the guest reads and writes the store' guest_job replaced 120 store
	check 'the kernel of domain 0 hears: block-attach' sh -c 'truncate -s 8M /root/y.img; xl block-attach replaced /root/y.img,raw,xvdb,w'
	check 'the guest finds the disk' guest_job replaced 300 disk xvdb
	check 'xl shutdown' xl shutdown -w replaced
	check 'it is gone' wait_for 90 guest_gone replaced
	check 'the store is clean' wait_for 30 store_clean "$id"
fi
