# shellcheck shell=sh
# What changes while a guest runs: devices come and go, memory, name, pauses. A
# watch on the whole store sees it. Then the ways to end: reboot, a crash.
config()
{
	guest_config devices pv 192.0.2.4
}

watch_start()
{
	xenstore-watch / @introduceDomain @releaseDomain >/out/watch.txt 2>&1 &
	wait_for 10 grep -q '^/$' /out/watch.txt
}

# watched WORDS: a line of what the watch has told
watched()
{
	wait_for 10 grep -q "$1" /out/watch.txt
}

disk_attached()
{
	xl block-attach devices "/root/extra.img,raw,xvdb,w" || return 1
	wait_for 60 state_is "/local/domain/0/backend/vbd/$id/51728" 4
}

disk_detached()
{
	xl block-detach devices xvdb || return 1
	wait_for 60 fails xenstore-exists "/local/domain/0/backend/vbd/$id/51728"
}

net_attached()
{
	xl network-attach devices bridge=xenbr0 || return 1
	wait_for 60 state_is "/local/domain/0/backend/vif/$id/1" 4
}

net_detached()
{
	xl network-detach devices 1 || return 1
	wait_for 60 fails xenstore-exists "/local/domain/0/backend/vif/$id/1"
}

# The guest's clock stands still: what it is asked is answered later only.
paused()
{
	xl pause devices || return 1
	xenstore-write "/local/domain/$id/data/job" '7000000 clock'
	sleep 3
	[ "$(xenstore-read "/local/domain/$id/data/answer" | cut -d ' ' -f 1)" != 7000000 ] || return 1
	xl unpause devices || return 1
	wait_for 60 sh -c "xenstore-read /local/domain/$id/data/answer | grep -q '^7000000 ok'"
}

# memory_is MB: what the guest's kernel has follows its target
memory_is()
{
	local kb
	kb=$(guest_job devices 60 memory | sed 's/.* ok \([0-9]*\) kB/\1/')
	echo "it has $kb kB"
	[ "$kb" -gt $((($1 - 40) * 1024)) ] && [ "$kb" -lt $(($1 * 1024)) ]
}

renamed()
{
	xl rename devices other && [ "$(xl domid other)" = "$id" ] &&
		[ "$(xenstore-read "/local/domain/$id/name")" = other ] && xl rename other devices
}

rebooted()
{
	rm -f "$(guest_log devices)"
	xl reboot devices || return 1
	wait_for 400 sh -c "new=\$(xl domid devices 2>/dev/null) && [ \$new != $id ]" || return 1
	wait_for 400 guest_ready devices
}

crashed()
{
	xl sysrq devices c || return 1
	wait_for 120 sh -c "xl list devices | grep -q -- '---.c-'"
}

config
check 'a watch on the whole store' watch_start
disk /root/extra.img 8
if guest_start devices; then
	id=$(xl domid devices)
	check 'the watch saw the guest introduced' watched '^@introduceDomain'
	check 'the watch saw its backend' watched "^/local/domain/0/backend/vbd/$id/51712/state"
	check 'the watch saw what the guest wrote' watched "^/local/domain/$id/data/hello"
	check 'block-attach' disk_attached
	check 'the guest writes to the new disk and reads it back' guest_job devices 120 disk xvdb
	check 'xl block-list shows both' sh -c "[ \"\$(xl block-list devices | grep -c /local/domain)\" = 2 ]"
	check 'block-detach' disk_detached
	check 'network-attach' net_attached
	check 'the guest uses the new interface' guest_job devices 120 net eth1 192.0.2.104
	check 'network-detach' net_detached
	check 'xl pause and unpause' paused
	check 'xl mem-set 96' xl mem-set devices 96
	check 'the guest has less memory' wait_for 120 memory_is 96
	check 'xl mem-set 128' xl mem-set devices 128
	check 'the guest has more memory' wait_for 120 memory_is 128
	check 'xl rename' renamed
	check 'xl reboot: up again with a new domid' rebooted
	check 'the store is clean of the old domid' wait_for 30 store_clean "$id"
	id=$(xl domid devices)
	check 'the guest works' guest_job devices 120 rounds xvda 3
	check 'the guest crashes and is kept' crashed
	check 'xl destroy' xl destroy devices
	check 'the watch saw it released' watched '^@releaseDomain'
	check 'the store is clean' wait_for 30 store_clean "$id"
fi
