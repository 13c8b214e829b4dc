# shellcheck shell=sh
# limit: 2400
# memory: 3072
# Ten guests at once: each is up, has its own disk and address, works at the same
# time as the others, and leaves nothing.
names=
for i in 1 2 3 4 5 6 7 8 9 10; do
	names="$names many-$i"
	guest_config "many-$i" pv "192.0.2.$((10 + i))"
done

all()
{
	local name
	for name in $names; do
		"$@" "$name" || return 1
	done
}

create()
{
	guest_create "$1" && note "$1 is created"
}

up()
{
	wait_for 900 guest_ready "$1"
}

begin()
{
	guest_job "$1" 120 background rounds xvda 3
}

collect()
{
	guest_job "$1" 900 collect
}

reach()
{
	ping -c 2 -W 10 "192.0.2.$((10 + ${1#many-}))"
}

gone()
{
	wait_for 120 guest_gone "$1"
}

check 'ten guests are created' all create
check 'ten guests are up' all up
ids=$(for name in $names; do xl domid "$name"; done)
check 'their domids differ' [ "$(echo "$ids" | sort -u | wc -l)" = 10 ]
check 'all of them work on their disks at once' all begin
check 'domain 0 reaches each meanwhile' all reach
check 'each finishes its work' all collect
check 'xl shutdown -a -w' xl shutdown -a -w
check 'all of them are gone' all gone
for id in $ids; do
	wait_for 30 store_clean "$id" || break
done
check 'the store is clean' sh -c '! xenstore-ls -f / | grep -E "^/local/domain/[1-9]|^/vm/.|^/libxl/."'
