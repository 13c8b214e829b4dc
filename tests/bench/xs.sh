# xs.sh: the store's socket: a server that only answers, our daemon, and Debian's
# on our hypervisor core. The servers are pinned to CPU 0, the client to the same
# or to the last one: left to the scheduler, round trips are now the one and now
# the other. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, samples: run

xs_debian=${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}/xenstored

# Debian's daemon wants /proc/xen: links to the real /proc and our nodes, in a
# mount namespace of its own.
xs_start_debian()
{
	export HV_ROOT=/run/hv-debian
	export XENSTORED_RUNDIR=/run/xs-debian XENSTORED_ROOTDIR=/run/xs-debian
	mkdir -p $HV_ROOT $XENSTORED_RUNDIR /run/lib
	for lib in evtchn gnttab foreignmemory call; do
		ln -s "$WORLD_BUILD/lib/libxen$lib.so.1" /run/lib/
	done
	hvd --log $HV_ROOT/log &
	wait_until 10 test -S $HV_ROOT/hvd.sock || return 1
	dom0 >$HV_ROOT/dom0.log 2>&1 &
	wait_until 10 test -s $HV_ROOT/kern/xen/xsd_port || return 1
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -c '
		mkdir -p /run/proc && mount -t proc proc /run/proc && mount -t tmpfs tmpfs /proc || exit 1
		for e in /run/proc/*; do ln -s "$e" "/proc/${e##*/}"; done
		mkdir /proc/xen
		for n in kern/xen/xsd_port dev/xsd_kva; do
			: >"/proc/xen/${n##*/}"
			mount --bind "$HV_ROOT/$n" "/proc/xen/${n##*/}"
		done
		echo control_d >/proc/xen/capabilities
		mount -t tmpfs tmpfs /var/lib/xen
		mkdir -p /run/lock
		LD_LIBRARY_PATH=/run/lib exec taskset -c 0 "$0" --no-fork' "$xs_debian" >$HV_ROOT/xenstored.log 2>&1 &
	wait_until 10 test -S $XENSTORED_RUNDIR/socket
}

xs_start()
{
	taskset -c 0 "$bench/benchxs/bench_xs" floor /run/xs-floor &
	taskset -a -p -c 0 "$(cat "$XEN_RUN_DIR/xenstored.pid")" >/dev/null || return 1
	wait_until 5 test -S /run/xs-floor || return 1
	if [ ! -x "$xs_debian" ]; then
		skip "Debian's xenstored" 'apt-get install xen-utils-4.17'
	elif (xs_start_debian) >/run/xs-debian.log 2>&1; then
		xs_has_debian=1
	else
		skip "Debian's xenstored" "it does not start on our core: $(tail -n 1 /run/hv-debian/xenstored.log)"
	fi
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
	[ -z "${xs_has_debian:-}" ] ||
	    sample "$xs_what" "Debian's xenstored 4.17" "$xs_unit" "$(xs_ask /run/xs-debian/socket "$@")"
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
	done
}
