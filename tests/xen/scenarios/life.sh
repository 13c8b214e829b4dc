# shellcheck shell=sh
# guest_life TYPE: a guest's life with its devices, seen from both sides: made,
# shut down, made again, destroyed. Sourced by other scenarios.

disk_sum_matches()
{
	local sum
	sum=$(sed -n 's/.*GUEST .*disk ok.* sum \([0-9a-f]*\).*/\1/p' "$(guest_log "$1")" | tail -n 1)
	echo "the guest's: $sum"
	[ "$sum" = "$(dd if="/root/$1.img" bs=64k skip=1 count=16 2>/dev/null | md5sum | cut -d ' ' -f 1)" ]
}

# check_guest NAME TYPE IP
check_guest()
{
	local name id
	name=$1
	id=$(xl domid "$name") || return 1
	check "$name: its console is logged" guest_said "$name" "hello from xen/$(echo "$2" | tr pvh PVH)"
	check "$name: reads and writes the store on its ring" guest_said "$name" "store ok domid $id name $name"
	check "$name: may not write domain 0's nodes" guest_said "$name" 'refusal ok'
	check "$name: reads its disk, and flushes it" guest_said "$name" "disk ok DISK-$name.img cache write back"
	check "$name: domain 0 finds on the disk what the guest wrote" disk_sum_matches "$name"
	check "$name: reaches domain 0" guest_said "$name" 'net ok .* 0% packet loss'
	check "$name: domain 0 reaches it" ping -c 3 -W 5 "$3"
	check "$name: vbd is connected" state_is "/local/domain/0/backend/vbd/$id/51712" 4
	check "$name: vif is connected" state_is "/local/domain/0/backend/vif/$id/0" 4
}

guest_life()
{
	local type name ip id
	type=$1 name=$1-guest ip=$2
	guest_config "$name" "$type" "$ip"
	guest_start "$name" || return
	id=$(xl domid "$name")
	xenstore-ls -fp / >"/out/$name.txt"
	check_guest "$name" "$type" "$ip"
	check "$name: xl shutdown -w" xl shutdown -w "$name"
	check "$name: is gone" wait_for 90 guest_gone "$name"
	check "$name: the store is clean" wait_for 30 store_clean "$id"

	guest_start "$name" || return
	id=$(xl domid "$name")
	check "$name: xl destroy" xl destroy "$name"
	check "$name: is gone" wait_for 90 guest_gone "$name"
	check "$name: the store is clean" wait_for 30 store_clean "$id"
}
