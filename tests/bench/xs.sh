# xs.sh: the store's socket: a server that only answers, our daemon, and Debian's
# on our hypervisor core. Sourced by run.
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
		LD_LIBRARY_PATH=/run/lib exec "$0" --no-fork' "$xs_debian" >$HV_ROOT/xenstored.log 2>&1 &
	wait_until 10 test -S $XENSTORED_RUNDIR/socket
}

xs_start()
{
	"$bench/benchxs/bench_xs" floor /run/xs-floor &
	wait_until 5 test -S /run/xs-floor || return 1
	if [ ! -x "$xs_debian" ]; then
		skip "Debian's xenstored" 'apt-get install xen-utils-4.17'
	elif (xs_start_debian) >/run/xs-debian.log 2>&1; then
		xs_has_debian=1
	else
		skip "Debian's xenstored" "it does not start on our core: $(tail -n 1 /run/hv-debian/xenstored.log)"
	fi
}

# xs_each WHAT UNIT MODE WINDOW COUNT
xs_each()
{
	sample "$1" 'a server that only answers' "$2" "$("$bench/benchxs/bench_xs" "$3" /run/xs-floor "$4" "$5")"
	sample "$1" 'our xenstored' "$2" "$("$bench/benchxs/bench_xs" "$3" "$XENSTORED_RUNDIR/socket" "$4" "$5")"
	[ -z "${xs_has_debian:-}" ] ||
	    sample "$1" "Debian's xenstored 4.17" "$2" "$("$bench/benchxs/bench_xs" "$3" /run/xs-debian/socket "$4" "$5")"
}

xs_run()
{
	for _ in $rounds; do
		xs_each 'xenstore: READ' us read 1 5000
		xs_each 'xenstore: WRITE' us write 1 5000
		xs_each 'xenstore: transaction of READ and WRITE' us txn 1 1000
		xs_each 'xenstore: READ, 32 outstanding' /s read 32 40000
		xs_each 'xenstore: WRITE, 32 outstanding' /s write 32 20000
	done
}
