# scale.sh: the store daemon's work as its store grows, beside Debian's. What
# takes long is done once. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, peers_*: run

scale_start() { peers_start; }

# scale_one WHOSE SOCKET TEST [N]: "0" for a socket that is not there
scale_one()
{
	[ -n "$2" ] || return 0
	scale_whose=$1
	shift
	scale_socket=$1 scale_test=$2
	shift 2
	timeout "${scale_limit:-100}" taskset -c "$(($(nproc) - 1))" "$bench/benchscale/bench_scale" "$scale_test" "$scale_socket" "$@" >/run/scale ||
	    skip "$scale_whose, $scale_test $*" "given up after ${scale_limit:-100} s or failed"
	while IFS='	' read -r what unit figure; do
		sample "$what" "$scale_whose" "$unit" "$figure"
	done </run/scale
}

# scale_each TEST [N]: for all daemons
scale_each()
{
	scale_ours "$@"
	scale_peers "$@"
}
scale_peers()
{
	scale_one "Debian's xenstored 4.17" "$peers_c" "$@"
	scale_one "Debian's oxenstored 4.17" "$peers_ox" "$@"
}
scale_ours() { scale_one 'our xenstored' "$XENSTORED_RUNDIR/socket" "$@"; }

# scale_at_least SECONDS SOCKET TEST N WHAT: of Debian's xenstored, which may not
# come to an end (with 300 domains it had not after 500 s)
scale_at_least()
{
	[ -n "$2" ] || return 0
	if timeout "$1" taskset -c "$(($(nproc) - 1))" "$bench/benchscale/bench_scale" "$3" "$2" "$4" >/run/scale; then
		sample "$5" "Debian's xenstored 4.17" ms "$(cut -f3 /run/scale)"
	else
		sample "$5" "Debian's, given up" ms "$(($1 * 1000))"
	fi
}

# scale_take FIELDS: samples of /run/scale, whose lines say whose they are
scale_take()
{
	while IFS='	' read -r what whose unit figure; do
		sample "$what" "$whose" "$unit" "$figure"
	done </run/scale
}

# scale_stall CASE...: how long another client waits beside large requests
scale_stall()
{
	timeout 100 taskset -c "$(($(nproc) - 1))" "$bench/benchscale/bench_stall" "$XENSTORED_RUNDIR/socket" "$@" >/run/scale
	scale_take
}

# scale_turns: the longest pieces of work, in a process of their own; and how
# long another client waits beside them
scale_turns()
{
	"$bench/benchturn/bench_turn" >/run/scale
	while IFS='	' read -r what unit figure; do
		sample "$what" 'our xenstored' "$unit" "$figure"
	done </run/scale
	scale_stall rm-txn rm-guest rm-watched commit commit-over
}

# scale_daemon NAME: a daemon without rings in /run/flat/NAME; scale_pid is its
scale_daemon()
{
	mkdir -p "/run/flat/$1"
	XENSTORED_RUNDIR=/run/flat/$1 xenstored -D -N 2>"/run/flat/$1.log" &
	scale_pid=$!
	wait_until 10 grep -q '^standby [1-9]' "/run/flat/$1/status" || return 1
	taskset -a -p -c 0 "$(awk '$1 == "primary" { print $2 }' "/run/flat/$1/status")" >/dev/null
}

# scale_flat TEST N...: a small store and one that holds much, in turns
scale_flat()
{
	scale_daemon "small-$1" || return
	scale_small=$scale_pid
	scale_daemon "big-$1" || return
	scale_test=$1
	shift
	timeout 200 taskset -c "$(($(nproc) - 1))" "$bench/benchflat/bench_flat" "$scale_test" \
	    "/run/flat/small-$scale_test/socket" "/run/flat/big-$scale_test/socket" "$@" >/run/scale
	scale_take
	kill "$scale_small" "$scale_pid"
	wait "$scale_small" "$scale_pid"
}

# scale_fan: what telling many of a change costs at least
scale_fan()
{
	taskset -c 0 "$bench/benchscale/bench_fan" /run/fan &
	scale_pid=$!
	wait_until 5 test -S /run/fan
	for scale_n in 1 10 100 1000; do
		scale_one 'a send() to each and no store' /run/fan fanout "$scale_n"
		scale_ours fanout "$scale_n"
		[ "$scale_n" -ne 10 ] || scale_peers fanout 10
	done
	kill "$scale_pid"
	rm /run/fan
}

# scale_first: the same program that only says how it is used; our daemon on a hypervisor of its own, from its start with nothing
scale_first()
{
	for _ in 1 2 3 4 5 6 7 8 9; do
		sample 'first reply after exec' 'exec and end of the same program (--help)' ms \
		    "$("$bench/benchscale/bench_scale" exec xenstored --help)"
	done
	(
		export HV_ROOT=/run/first/hv XENSTORED_RUNDIR=/run/first/xs
		mkdir -p "$HV_ROOT" "$XENSTORED_RUNDIR"
		hvd --log /run/first/log &
		wait_until 10 test -S "$HV_ROOT/hvd.sock" || exit 1
		dom0 >/run/first/dom0.log 2>&1 &
		wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port" || exit 1
		for _ in 1 2 3 4 5 6 7 8 9; do
			"$bench/benchscale/bench_scale" first "$XENSTORED_RUNDIR/socket" xenstored -N
			rm -rf "$XENSTORED_RUNDIR"
			mkdir "$XENSTORED_RUNDIR"
			sleep 0.2 # until the last one and those who asked it have come to rest
		done
	) >/run/scale 2>/run/first.err
	while IFS='	' read -r what unit figure; do
		sample "$what" 'our xenstored' "$unit" "$figure"
	done </run/scale
}

# scale_rings: on rings, of a hypervisor of a few lines
scale_rings()
{
	"$bench/benchring/bench_ring" >/run/scale
	while IFS='	' read -r what whose figure; do
		sample "$what" "$whose" us "$figure"
	done </run/scale
}

scale_run()
{
	scale_first
	# what takes memory first: room that was given back would hide it
	scale_ours nodes 500000
	scale_peers nodes
	scale_each watches
	scale_each deaf
	scale_each idle
	scale_flat sockets 2000
	scale_flat nodes 1000000
	scale_flat watches 10000 1000000
	scale_turns
	for _ in $rounds; do
		scale_each txn 1000
		scale_each flood
		scale_each devices
		scale_ours siblings
		scale_stall nothing rm
		scale_ours txn
		scale_fan
		scale_rings
	done
	scale_peers txn
	scale_each domains 100
	scale_ours domains
	scale_one "Debian's oxenstored 4.17" "$peers_ox" domains
	scale_at_least 20 "$peers_c" domains 300 '300 domains created in parallel'
}
