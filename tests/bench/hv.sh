# hv.sh: events and hypercalls, on hypervisors of their own. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, samples: run

hv_start()
{
	for mode in direct strict; do
		mkdir -p "/run/hv-$mode"
		HV_ROOT=/run/hv-$mode HV_EVTCHN=$mode hvd --log "/run/hv-$mode/log" &
	done
	for mode in direct strict; do
		wait_until 10 test -S "/run/hv-$mode/hvd.sock" || return 1
	done
}

hv_run()
{
	for _ in $rounds; do
		HV_ROOT=/run/hv-direct "$bench/benchhv/bench_hv" 'event channel, direct'
		HV_ROOT=/run/hv-strict "$bench/benchhv/bench_hv" 'event channel, strict' |
		    grep -v 'eventfd\|futex\|hypercall'
	done | sed 's/\(hypercall.*\)event channel, direct/\1hvd, by its socket/' >>"$samples"
}
