# durability.sh: what it takes that the store cannot be lost: how long nobody is
# answered when its processes are killed, with 100,000 nodes and 1,000 domains
# connected; and what the log and the standby cost while all is well. On a
# hypervisor of its own. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds: run

durability_start() { :; }

# durability_machine NODES DOMAINS KILLS
durability_machine()
{
	(
		export HV_ROOT=/run/dur/hv XENSTORED_RUNDIR=/run/dur/xs
		mkdir -p "$HV_ROOT" "$XENSTORED_RUNDIR"
		hvd --log /run/dur/log dom0_mem=256M &
		wait_until 10 test -S "$HV_ROOT/hvd.sock" || exit 1
		dom0 >/run/dur/dom0.log 2>&1 &
		wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port" || exit 1
		xenstored -N 2>/run/dur/xenstored.log &
		wait_until 10 test -S "$XENSTORED_RUNDIR/socket" || exit 1
		"$bench/benchdur/bench_dur" fill "$XENSTORED_RUNDIR/socket" "$1" "$2" || exit 1
		"$bench/benchdur/bench_dur" kill "$XENSTORED_RUNDIR" "$3" >/run/dur/killed || exit 1
		for _ in $rounds; do
			wait_until 10 grep -q '^standby [1-9]' "$XENSTORED_RUNDIR/status" || exit 1
			kill -9 "$(awk '$1 == "supervisor" { print $2 }' "$XENSTORED_RUNDIR/status")"
			sleep 0.1
			rm -f "$XENSTORED_RUNDIR/socket"
			xenstored -N 2>>/run/dur/xenstored.log &
			"$bench/benchdur/bench_dur" wait "$XENSTORED_RUNDIR" || exit 1
		done >/run/dur/cold
		kill "$(awk '$1 == "supervisor" { print $2 }' "$XENSTORED_RUNDIR/status")"
	) || { echo 'durability: no figures' >&2; tail -n 5 /run/dur/*log >&2; return; }
	what="primary killed, $1 nodes, $2 rings: no reply for"
	while IFS='	' read -r which unit figure; do
		sample "$what, $which" 'our xenstored' "$unit" "$figure"
	done </run/dur/killed
	while read -r figure; do
		sample "all killed, $1 nodes, $2 rings: a new start answers after" 'our xenstored' ms "$figure"
	done </run/dur/cold
	grep -o 'took over in [0-9.]*' /run/dur/xenstored.log | while read -r _ _ _ figure; do
		sample "primary killed, $1 nodes, $2 rings: from its end to serving" 'our xenstored' ms "$figure"
	done
}

# durability_daemon NAME OPTION...: a daemon without rings in /run/dur/NAME
durability_daemon()
{
	mkdir -p "/run/dur/$1"
	name=$1
	shift
	XENSTORED_RUNDIR=/run/dur/$name xenstored -D -N "$@" 2>"/run/dur/$name.log" &
	wait_until 10 test -S "/run/dur/$name/socket" || return 1
	# whoever serves has a CPU, and the one who follows shares the clients'
	sleep 0.5
	serving=$!
	[ ! -e "/run/dur/$name/status" ] ||
	    serving=$(awk '$1 == "primary" { print $2 }' "/run/dur/$name/status")
	echo "$serving" >"/run/dur/$name.serves"
	[ ! -e "/run/dur/$name/status" ] ||
	    awk '$1 == "standby" { print $2 }' "/run/dur/$name/status" >"/run/dur/$name.follows"
	taskset -a -p -c 0 "$serving" >/dev/null
}

# durability_cpu NAME ROLE: nanoseconds that this process took; 0: there is none
durability_cpu()
{
	[ -e "/run/dur/$1.$2" ] || { echo 0; return; }
	awk '{ print $1 }' "/proc/$(cat "/run/dur/$1.$2")/schedstat"
}

# durability_each ROLE BEFORE NOW COUNT WHAT WHOSE
durability_each()
{
	[ "$2" -ne "$3" ] || return 0
	sample "$5: CPU of who $1" "$6" us \
	    "$(awk -v ns="$(($3 - $2))" -v n="$4" 'BEGIN { printf "%.3f", ns / n / 1000 }')"
}

# durability_cost WHAT UNIT MODE WINDOW COUNT [CPU]: CPU is the client's. In
# short turns, each side first in half of them: what else happens in the machine
# falls on both.
durability_cost()
{
	cpu=${6:-$(($(nproc) - 1))}
	for sides in 'alone with' 'with alone' 'alone with' 'with alone'; do
		for name in $sides; do
			whose='with log and standby'
			[ "$name" = with ] || whose='without (--no-standby)'
			served=$(durability_cpu "$name" serves)
			followed=$(durability_cpu "$name" follows)
			sample "$1" "$whose" "$2" \
			    "$(taskset -c "$cpu" "$bench/benchxs/bench_xs" "$3" "/run/dur/$name/socket" "$4" "$5")"
			[ "$4" -gt 1 ] || continue
			sleep 0.02 # until it has followed
			durability_each serves "$served" "$(durability_cpu "$name" serves)" "$5" "$1" "$whose"
			durability_each follows "$followed" "$(durability_cpu "$name" follows)" "$5" "$1" "$whose"
		done
	done
}

durability_run()
{
	durability_machine "${NODES:-100000}" "${DOMAINS:-1000}" "${KILLS:-200}"
	durability_daemon alone --no-standby || return
	durability_daemon with || return
	for _ in $rounds; do
		durability_cost 'durability: READ' us read 1 2000
		durability_cost 'durability: WRITE' us write 1 2000
		durability_cost 'durability: transaction of READ and WRITE' us txn 1 400
		durability_cost 'durability: READ, 32 outstanding' /s read 32 20000
		durability_cost 'durability: WRITE, 32 outstanding' /s write 32 20000
		# two CPUs are full with client and server: so that the one who
		# follows has one of its own, those two share the other
		durability_cost 'durability: READ, 32 outstanding, a CPU for the standby' /s read 32 20000 0
		durability_cost 'durability: WRITE, 32 outstanding, a CPU for the standby' /s write 32 20000 0
	done
}
