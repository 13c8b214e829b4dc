# xs.sh: the store's socket: a server that only answers, our daemon, and Debian's
# on our hypervisor core. The servers are pinned to CPU 0, the client to the same
# or to the last one: left to the scheduler, round trips are now the one and now
# the other. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, peers_*: run

xs_start()
{
	taskset -c 0 "$bench/benchxs/bench_xs" floor /run/xs-floor &
	wait_until 5 grep -q '^standby [1-9]' "$XENSTORED_RUNDIR/status" || return 1
	# shellcheck disable=SC2013 # numbers
	for pid in $(awk '{ print $2 }' "$XENSTORED_RUNDIR/status"); do
		taskset -a -p -c 0 "$pid" >/dev/null || return 1
	done
	wait_until 5 test -S /run/xs-floor || return 1
	peers_start
}

# xs_ask SOCKET MODE WINDOW COUNT: a client on CPU $xs_cpu
xs_ask() { taskset -c "$xs_cpu" "$bench/benchxs/bench_xs" "$2" "$1" "$3" "$4"; }

# xs_each WHAT UNIT MODE WINDOW COUNT
xs_each()
{
	xs_what=$1 xs_unit=$2
	shift 2
	sample "$xs_what" 'a server that only answers' "$xs_unit" "$(xs_ask /run/xs-floor "$@")"
	sample "$xs_what" 'our xenstored' "$xs_unit" "$(xs_ask "$XENSTORED_RUNDIR/socket" "$@")"
	[ -z "$peers_c" ] ||
	    sample "$xs_what" "Debian's xenstored 4.17" "$xs_unit" "$(xs_ask "$peers_c" "$@")"
	[ -z "$peers_ox" ] ||
	    sample "$xs_what" "Debian's oxenstored 4.17" "$xs_unit" "$(xs_ask "$peers_ox" "$@")"
}

# xs_one_of_many WHAT WHOSE SOCKET MODE CLIENTS [PID]: how fast they are
# answered, and the CPU that this takes whoever serves
xs_one_of_many()
{
	[ -n "$3" ] || return 0
	xs_what=$1 xs_whose=$2
	taskset -c "$xs_cpu" "$bench/benchxs/bench_xs" "$4" "$3" "$5" 60000 ${6:+"$6"} >/run/xs
	read -r xs_rate xs_us </run/xs
	sample "$xs_what" "$xs_whose" /s "$xs_rate"
	sample "$xs_what: CPU of who serves" "$xs_whose" us "$xs_us"
}

# xs_many WHAT MODE CLIENTS
xs_many()
{
	xs_one_of_many "$1" 'a server that only answers' /run/xs-floor "$2" "$3"
	xs_one_of_many "$1" 'our xenstored' "$XENSTORED_RUNDIR/socket" "$2" "$3" \
	    "$(awk '$1 == "primary" { print $2 }' "$XENSTORED_RUNDIR/status")"
	xs_one_of_many "$1" "Debian's xenstored 4.17" "$peers_c" "$2" "$3"
	xs_one_of_many "$1" "Debian's oxenstored 4.17" "$peers_ox" "$2" "$3"
}

xs_run()
{
	for _ in $rounds; do
		xs_cpu=0
		xs_each 'xenstore: READ, one CPU' us read 1 5000
		xs_each 'xenstore: WRITE, one CPU' us write 1 5000
		xs_each 'xenstore: transaction of READ and WRITE, one CPU' us txn 1 1000
		xs_each 'xenstore: READ, 32 outstanding, one CPU' /s read 32 40000
		xs_each 'xenstore: WRITE, 32 outstanding, one CPU' /s write 32 20000
		[ "$(nproc)" -gt 1 ] || continue
		xs_cpu=$(($(nproc) - 1))
		xs_each 'xenstore: READ, two CPUs' us read 1 3000
		xs_each 'xenstore: WRITE, two CPUs' us write 1 3000
		xs_each 'xenstore: READ, 32 outstanding, two CPUs' /s read 32 40000
		xs_each 'xenstore: WRITE, 32 outstanding, two CPUs' /s write 32 20000
		for xs_n in 50 500; do
			xs_many "xenstore: READ, $xs_n clients at once, two CPUs" many-read $xs_n
			xs_many "xenstore: WRITE, $xs_n clients at once, two CPUs" many-write $xs_n
		done
	done
}
