# peers.sh: Debian's two store daemons, each on a hypervisor core of its own, for
# the groups that compare with them. Sourced by run.
# shellcheck disable=SC2016 # for inner shells
# shellcheck disable=SC2034,SC2154 # used by the groups; WORLD_BUILD: run

peers_bin=${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}
peers_c=/run/peers/c/socket # of Debian's xenstored; empty: it does not run
peers_ox=/run/peers/ox/socket
peers_started=

# peers_start_one NAME COMMAND...: Debian's daemons want /proc/xen: links to the
# real /proc and our nodes, in a mount namespace of its own.
peers_start_one()
{
	export HV_ROOT="/run/peers/hv-$1"
	export XENSTORED_RUNDIR="/run/peers/$1" XENSTORED_ROOTDIR="/run/peers/$1"
	peers_log=$HV_ROOT/xenstored.log
	mkdir -p "$HV_ROOT" "$XENSTORED_RUNDIR"
	hvd --log "$HV_ROOT/log" &
	wait_until 10 test -S "$HV_ROOT/hvd.sock" || return 1
	dom0 >"$HV_ROOT/dom0.log" 2>&1 &
	wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port" || return 1
	# it does not read a number with a newline behind it
	printf %s "$(cat "$HV_ROOT/kern/xen/xsd_port")" >"$HV_ROOT/port"
	cat >"$HV_ROOT/conf" <<-CONF
		xenstored-kva=/proc/xen/xsd_kva
		xenstored-port=$HV_ROOT/port
		pid-file=$HV_ROOT/pid
		persistent=false
		xenstored-log-file=$HV_ROOT/xs.log
		access-log-file=$HV_ROOT/access.log
	CONF
	shift
	unshare --mount sh -c '
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
		LD_LIBRARY_PATH=/run/peers/lib exec taskset -c 0 "$@"' - "$@" >"$peers_log" 2>&1 &
	wait_until 10 test -S "$XENSTORED_RUNDIR/socket"
}

# Starts what there is, once.
peers_start()
{
	[ -z "$peers_started" ] || return 0
	peers_started=1
	mkdir -p /run/peers/lib
	for lib in evtchn gnttab foreignmemory call; do
		ln -s "$WORLD_BUILD/lib/libxen$lib.so.1" /run/peers/lib/
	done
	if [ ! -x "$peers_bin/xenstored" ]; then
		skip "Debian's xenstored" 'apt-get install xen-utils-4.17'
		peers_c=
	elif ! (peers_start_one c "$peers_bin/xenstored" --no-fork); then
		skip "Debian's xenstored" "it does not start on our core: $(tail -n 1 /run/peers/hv-c/xenstored.log)"
		peers_c=
	fi
	if [ ! -x "$peers_bin/oxenstored" ]; then
		skip "Debian's oxenstored" 'apt-get install xen-utils-4.17'
		peers_ox=
	elif ! (peers_start_one ox env LD_PRELOAD="$WORLD_BUILD/tests/diff/ox_preload.so" \
	    "$peers_bin/oxenstored" --no-fork --config-file /run/peers/hv-ox/conf); then
		skip "Debian's oxenstored" "it does not start on our core: $(tail -n 1 /run/peers/hv-ox/xenstored.log)"
		peers_ox=
	fi
}
