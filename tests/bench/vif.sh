# vif.sh: guests behind bridge and tap beside a network namespace behind a veth
# pair. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, samples: run

vif_far=10.78.0.2
vif_file=10.77.0.9
vif_net=10.77.0.30

vif_config()
{
	cat >"$XEN_CONFIG_DIR/$1" <<CONFIG
kernel = "$WORLD_GUESTS/nettest.gz"
memory = 32
extra = "ip=10.77.0.$2 $3"
vif = [ 'mac=aa:00:00:d1:00:$2,bridge=bridge0' ]
CONFIG
}

vif_start()
{
	world_images
	world_config foo
	vif_config net 30 ''
	head -c 8388608 /dev/urandom >/run/up.bin
	cp /run/up.bin /run/far.bin
	mkdir -p /run/netns
	ip netns add far &&
	    ip link add veth0 type veth peer name veth1 netns far &&
	    ip address add 10.78.0.1/24 dev veth0 && ip link set veth0 up &&
	    ip -n far address add $vif_far/24 dev veth1 && ip -n far link set veth1 up ||
	    return 1
	ip netns exec far "$bench/benchnet/bench_httpd" 80 /run/far.bin &
	ip netns exec far "$bench/benchnet/bench_udp" echo 7 &
	xl create -q "$XEN_CONFIG_DIR/foo" && xl create -q "$XEN_CONFIG_DIR/net" || return 1
	wait_until 10 curl -sS --fail -m 2 -o /dev/null http://$vif_file/ &&
	    wait_until 10 curl -sS --fail -m 2 -o /dev/null http://$vif_far/ &&
	    wait_until 10 ping -c 1 -W 1 -q $vif_net
}

# vif_curl CURL-ARGUMENT...: seconds of the transfer
vif_curl() { curl -sS --fail -m 20 -w '%{time_total}' -o /dev/null "$@"; }
# vif_segments N: the veth pair may pass N frames' worth of TCP in one piece
vif_segments()
{
	ip link set veth0 gso_max_segs "$1" && ip -n far link set veth1 gso_max_segs "$1"
}
vif_ping()
{
	ping -q -c 300 -i 0.002 "$1" | sed -n 's|^rtt.*= [^/]*/\([^/]*\)/.*|\1|p' |
	    awk '{ printf "%.1f", $1 * 1000 }'
}
vif_ask() { "$bench/benchnet/bench_udp" ask "$1" 7 "$2" "$3" "$4"; }

vif_both()
{
	# the two ends in turns: WHAT UNIT COMMAND... with @ for the address
	what=$1 unit=$2
	shift 2
	sample "$what" 'a process behind a veth pair' "$unit" "$("$1" $vif_far "$2" "$3" "$4")"
	sample "$what" 'a guest behind bridge and tap' "$unit" "$("$1" $vif_net "$2" "$3" "$4")"
}

vif_get() { mbit_s 8388608 "$(vif_curl "http://$1/$2")"; }
vif_put() { mbit_s 8388608 "$(vif_curl -T /run/up.bin "http://$1/$2")"; }

vif_run()
{
	for _ in $rounds; do
		what='vif: GET of 8 MiB by curl'
		sample "$what" 'veth' Mbit/s "$(vif_get $vif_far far)"
		if vif_segments 1 2>/dev/null; then
			sample "$what" 'veth, frame by frame' Mbit/s "$(vif_get $vif_far far)"
			vif_segments 65535
		fi
		sample "$what" 'the file server guest' Mbit/s "$(vif_get $vif_file htdocs/big.bin)"
		what='vif and vbd: PUT of 8 MiB by curl'
		sample "$what" 'veth, to a file' Mbit/s "$(vif_put $vif_far far)"
		sample "$what" 'the file server guest' Mbit/s "$(vif_put $vif_file upload/up.bin)"
		vif_both 'vif: ping' us vif_ping '' '' ''
		vif_both 'vif: UDP round trip, 64 bytes' us vif_ask 64 1 3000
		vif_both 'vif: UDP round trips, 64 bytes, 32 out' /s vif_ask 64 32 30000
		vif_both 'vif: UDP round trips, 1400 bytes, 32 out' /s vif_ask 1400 32 30000
	done
	vif_flood
	xl destroy foo
	xl destroy net
}

# A flood hinders everything else: a time of its own for each.
vif_flood()
{
	what='vif: UDP flood, 1400 bytes, received'
	vif_config flood 31 'flood=10.77.0.1 port=9 size=1400'
	for _ in $rounds; do
		ip netns exec far "$bench/benchnet/bench_udp" flood 10.78.0.1 9 1400 &
		flooder=$!
		sample "$what" 'veth' /s "$("$bench/benchnet/bench_udp" count 9 400)"
		kill $flooder
		wait $flooder 2>/dev/null
		if [ -e /run/flooding ]; then
			xl unpause flood
		else
			xl create -q "$XEN_CONFIG_DIR/flood" && : >/run/flooding
		fi
		sample "$what" 'a guest' /s "$("$bench/benchnet/bench_udp" count 9 400)"
		xl pause flood
	done
	xl destroy flood
}
