# daemons.sh: store daemons, each on a hypervisor of its own. Sourced after
# world.sh, inside a machine (world_setup).
#
#   daemons_libs            our hypervisor libraries, where Debian's daemons look
#   start_ours NAME, start_c417 NAME, start_ox417 NAME
#       a hypervisor in /run/NAME/hv and a daemon with its socket in
#       /run/NAME/xs; its process id is $started. XENSTORED_OPTIONS, C417_OPTIONS
#       and OX417_CONF (a file) add to how it is set up.
#   stop_all NAME           ends both
# shellcheck disable=SC2016 # for inner shells
debian=${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}

die()
{
	echo "diff: $1" >&2
	for log in /run/*/*.log; do
		echo "-- $log" >&2
		tail -n 5 "$log" >&2
	done
	exit 1
}

# machine NAME: hvd and domain 0's kernel in /run/NAME
machine()
{
	export HV_ROOT="/run/$1/hv" XENSTORED_RUNDIR="/run/$1/xs" XENSTORED_ROOTDIR="/run/$1/xs"
	mkdir -p "$HV_ROOT" "$XENSTORED_RUNDIR"
	hvd --log "/run/$1/hvd.log" &
	echo $! >"/run/$1/hvd.pid"
	wait_until 10 test -S "$HV_ROOT/hvd.sock" || die "$1: hvd does not come up"
	dom0 >"/run/$1/dom0.log" 2>&1 &
	wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port" || die "$1: no store ring"
}

# in_linux COMMAND...: where /proc/xen, /run/xenstored and /var/lib/xen are this
# machine's, with our hypervisor libraries and nothing else of ours. In the
# background: $! is the command itself.
in_linux()
{
	exec unshare --mount sh -c '
		mkdir -p /run/xenstored /run/proc /run/lock
		mount --bind "$XENSTORED_RUNDIR" /run/xenstored &&
		    mount -t tmpfs tmpfs /var/lib/xen &&
		    mount -t proc proc /run/proc && mount -t tmpfs tmpfs /proc || exit 1
		for e in /run/proc/*; do ln -s "$e" "/proc/${e##*/}"; done
		mkdir /proc/xen
		for n in kern/xen/xsd_port dev/xsd_kva; do
			: >"/proc/xen/${n##*/}"
			mount --bind "$HV_ROOT/$n" "/proc/xen/${n##*/}"
		done
		echo control_d >/proc/xen/capabilities
		LD_LIBRARY_PATH=/run/lib exec "$@"' - "$@"
}

daemons_libs()
{
	mkdir /run/lib
	for lib in evtchn gnttab foreignmemory call; do
		ln -s "$WORLD_BUILD/lib/libxen$lib.so.1" /run/lib/
	done
}

# kernel NAME: domain 0's kernel has reached its store
kernel_is_up()
{
	wait_until 10 grep -q 'xenbus is up' "/run/$1/dom0.log" ||
	    die "$1: domain 0's kernel does not reach its store"
}

start_ours()
{
	machine "$1"
	# shellcheck disable=SC2086 # options
	xenstored -N ${XENSTORED_OPTIONS:-} >"/run/$1/xenstored.log" 2>&1 &
	started=$!
	wait_until 10 test -S "/run/$1/xs/socket" || die 'our xenstored does not start'
	kernel_is_up "$1"
}

start_c417()
{
	machine "$1"
	# shellcheck disable=SC2086 # options
	in_linux "$debian/xenstored" --no-fork ${C417_OPTIONS:-} >"/run/$1/xenstored.log" 2>&1 &
	started=$!
	wait_until 10 test -S "/run/$1/xs/socket" || die "Debian's xenstored does not start"
	kernel_is_up "$1"
}

start_ox417()
{
	machine "$1"
	# it does not read a number with a newline behind it
	printf %s "$(cat "$HV_ROOT/kern/xen/xsd_port")" >"/run/$1/port"
	cat - ${OX417_CONF:+"$OX417_CONF"} >"/run/$1/conf" <<-CONF
		xenstored-kva=/proc/xen/xsd_kva
		xenstored-port=/run/$1/port
		pid-file=/run/$1/pid
		ring-scan-interval=20
		persistent=false
		access-log-file=/run/$1/access.log
		xenstored-log-file=/run/$1/xs.log
	CONF
	in_linux env LD_PRELOAD="$WORLD_BUILD/tests/diff/ox_preload.so" "$debian/oxenstored" \
	    --no-fork --config-file "/run/$1/conf" >"/run/$1/xenstored.log" 2>&1 &
	started=$!
	wait_until 10 test -S "/run/$1/xs/socket" || die "Debian's oxenstored does not start"
	kernel_is_up "$1"
}

stop_all()
{
	# oxenstored does not always end when it is asked to
	kill -KILL "$started" 2>/dev/null || true
	kill "$(cat "/run/$1/hvd.pid")" 2>/dev/null || true
	wait "$started" 2>/dev/null || true
}
