# shellcheck shell=sh
# Guests move through files: saved, restored with another domid, still at work.
saved()
{
	xl save "$1" "/root/$1.save" && wait_for 60 guest_gone "$1"
}

# save_restore NAME TYPE IP
save_restore()
{
	local id
	guest_config "$1" "$2" "$3"
	guest_start "$1" || return
	id=$(xl domid "$1")
	check "$1: xl save" saved "$1"
	check "$1: the store is clean" wait_for 30 store_clean "$id"
	check "$1: xl restore" xl restore "/root/$1.save"
	rm -f "/root/$1.save"
	check "$1: it has another domid" [ "$(xl domid "$1")" != "$id" ]
	id=$(xl domid "$1")
	check "$1: its ring, watch and disk work" guest_job "$1" 240 rounds xvda 3
	check "$1: reads and writes the store" guest_job "$1" 120 store
	check "$1: domain 0 reaches it" wait_for 60 ping -c 1 -W 5 "$3"
	check "$1: xl destroy" xl destroy "$1"
	check "$1: the store is clean" wait_for 30 store_clean "$id"
}

save_restore pv-guest pv 192.0.2.5
save_restore pvh-guest pvh 192.0.2.6
