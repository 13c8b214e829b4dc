# shellcheck shell=sh
# limit: 2400
# Fifty creations and destructions, and the store is what it was before. The
# guests are not started: it is the toolstack, the kernel's backends, the scripts
# and consoles that make the store's work.
guest_config fifty pv 192.0.2.7

cycle()
{
	xl create -p /root/fifty.cfg || return 1
	id=$(xl domid fifty)
	xl destroy fifty && wait_for 60 guest_gone fifty && wait_for 30 store_clean "$id"
}

cycles()
{
	local i
	i=0
	while [ "$i" -lt "$1" ]; do
		i=$((i + 1))
		cycle || {
			echo "in round $i"
			return 1
		}
	done
}

# What a domain leaves for good (empty folders) is left after the first.
check 'the first time' cycle
store_names >/tmp/before
memory=$(store_memory)
start=$(now)
check '49 times more' cycles 49
note "one creation and destruction: $((($(now) - start) / 49)) hundredths of a second"
store_names >/tmp/after
check 'the store has the same nodes as before' diff /tmp/before /tmp/after
check 'domain ids were not reused' [ "$id" -ge 50 ]
note "the daemon's processes: $memory before, $(store_memory) after"
