# ring.sh: requests on the store ring of a guest, on a hypervisor core of its
# own: a process that only moves bytes at the other end, and our daemon. All on
# CPU 0, so that a round trip is what it takes and not where it is. Sourced by
# run.
# shellcheck disable=SC2154 # bench, rounds, WORLD_GUESTS: run

ring_root=/run/ring

ring_start()
{
	mkdir -p $ring_root/hv $ring_root/xs
	(
		export HV_ROOT=$ring_root/hv XENSTORED_RUNDIR=$ring_root/xs
		taskset -c 0 hvd --log $ring_root/log dom0_mem=256M &
		wait_until 10 test -S $ring_root/hv/hvd.sock || exit 1
		taskset -c 0 dom0 >$ring_root/dom0.log 2>&1 &
		wait_until 10 test -s $ring_root/hv/kern/xen/xsd_port || exit 1
		taskset -c 0 xenstored -N 2>$ring_root/xenstored.log &
		wait_until 10 test -S $ring_root/xs/socket
	)
}

# ring_one WHOSE ROLE BATCH TIMES WHAT
ring_one()
{
	HV_ROOT=$ring_root/hv taskset -c 0 "$bench/benchguest/bench_guest" "$2" \
	    $ring_root/xs/socket "$WORLD_GUESTS/storebench.gz" "$3" "$4" >/run/ring.out || return
	read -r ring_trip ring_cpu </run/ring.out
	sample "$5" "$1" us "$ring_trip"
	sample "$5: each, daemon" "$1" us "$ring_cpu"
}

# ring_both BATCH TIMES WHAT
ring_both()
{
	ring_one 'a page and an event, no store' floor "$@"
	ring_one 'our xenstored' daemon "$@"
}

ring_run()
{
	for _ in $rounds; do
		ring_both 1 10000 "guest's ring: READ, one CPU"
		ring_both 16 3000 "guest's ring: READ, 16 per event"
	done
}
