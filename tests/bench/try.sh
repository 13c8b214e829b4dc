. /tmp/wt/scale/tests/bench/scale.sh
try_start() { [ -z "all" ] || peers_start; [ -n "all" ] || { peers_c= peers_ox=; }; }
try_run() {
scale_each nodes 100000
scale_each watches
scale_each deaf
scale_each idle
scale_each txn 1000
scale_each fanout 10
scale_each flood
scale_each devices
}
