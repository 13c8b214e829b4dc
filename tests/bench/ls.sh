# ls.sh: xenstore-ls of 50,000 nodes, Debian's and ours, on our daemon and on
# Debian's. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, samples: run; peers_c: peers.sh

ls_theirs=/usr/bin/xenstore-ls

# ls_fill RUNDIR: 500 directories of 99 nodes
ls_fill()
{
	for d in $(seq 500); do
		pairs=$(seq 99 | sed "s|.*|/bench/d$d/node-& value-&|")
		# shellcheck disable=SC2086 # two words a line
		XENSTORED_RUNDIR=$1 xenstore-write $pairs || return 1
	done
}

# ls_time RUNDIR COMMAND: milliseconds; nothing unless it shows every node
ls_time()
{
	ls_from=$(date +%s%N)
	XENSTORED_RUNDIR=$1 "$2" -f /bench >/run/ls.out || return 0
	ls_to=$(date +%s%N)
	[ "$(wc -l </run/ls.out)" -eq 50000 ] || return 0
	awk -v ns=$((ls_to - ls_from)) 'BEGIN { printf "%.1f", ns / 1e6 }'
}

ls_each()
{
	what="xenstore-ls of 50,000 nodes, $1"
	sample "$what" "Debian's xenstore-ls" ms "$(ls_time "$2" $ls_theirs)"
	sample "$what" 'our xenstore-ls' ms "$(ls_time "$2" "$WORLD_BUILD/bin/xenstore-ls")"
}

ls_start()
{
	if [ ! -x $ls_theirs ]; then
		skip "Debian's xenstore-ls" 'apt-get install xenstore-utils'
		return 0
	fi
	peers_start
}

ls_run()
{
	[ -x $ls_theirs ] || return 0
	# now: others remove what is under /bench
	ls_fill "$XENSTORED_RUNDIR" || return 1
	[ -z "$peers_c" ] || ls_fill "${peers_c%/*}" || return 1
	for _ in $rounds; do
		ls_each 'our xenstored' "$XENSTORED_RUNDIR"
		[ -z "$peers_c" ] || ls_each "Debian's xenstored" "${peers_c%/*}"
	done
}
