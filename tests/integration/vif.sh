#!/bin/sh
# vif.sh BUILD: one virtual interface's life, followed by watches: attach,
# hot-unplug while packets flow, the backend killed and restarted, the guest
# killed. Another domain's packets go on through all of it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/vif.sh" "$1"
world_setup "$1"

config()
{
	cat >"$XEN_CONFIG_DIR/$1" <<CONFIG
kernel = "$WORLD_GUESTS/nettest.gz"
memory = 32
extra = "ip=10.77.0.$2"
vif = [ 'mac=aa:00:00:d1:00:$2,bridge=bridge0' ]
CONFIG
}
pings() { ping -c 3 -i 0.2 -W 20 -q "10.77.0.$1"; }
state_is() { [ "$(xenstore-read "$1/state" 2>&1)" = "$2" ]; }
gone() { ! xenstore-exists "$1" 2>/dev/null; }
port_exists() { ip -o link show master bridge0 | grep -q " $1:"; }
no_port() { ! port_exists "$1"; }
back=/local/domain/0/backend/vif

check 'the machine boots' world_boot
config neighbour 20
config victim 21
xenstore-watch "$back" >/run/watched 2>&1 &
check 'a neighbour is created' xl create -q neighbour
check 'attach: xl create waits for the interface' xl create -q victim
check 'attach: the backend is Connected' wait_until 10 state_is "$back/2/0" 4
check 'attach: the frontend too' wait_until 10 state_is /local/domain/2/device/vif/0 4
check 'attach: a watch saw the states' wait_until 5 grep -q "^$back/2/0/state$" /run/watched
check 'attach: xvif2i0 is a port of bridge0' port_exists xvif2i0
check 'attach: its address is the guest'\''s with the fourth octet one more' \
    sh -c "ip -o link show xvif2i0 | grep -qi 'aa:00:00:d2:00:21'"
check 'attach: the guest answers ping' wait_until 10 pings 21
check 'the neighbour answers ping' pings 20
check 'large packets pass' ping -c 3 -i 0.2 -W 20 -q -s 1400 10.77.0.21

kill_backend()
{
	pid=$(xenstore-read "$back/2/0/worker") || return 1
	kill -9 "$pid"
}
check 'backend: the worker of the interface is killed' kill_backend
check 'backend: restarted, the guest answers again' wait_until 10 pings 21
check 'backend: still Connected and still a port' sh -c "[ \$(xenstore-read $back/2/0/state) = 4 ] && ip -o link show master bridge0 | grep -q xvif2i0"
check 'the neighbour went on' pings 20

ping -f -q -w 20 10.77.0.21 >/dev/null 2>&1 &
flood=$!
check 'hot-unplug under load: network-detach' xl network-detach victim 0
check 'hot-unplug under load: backend nodes are gone' wait_until 10 gone "$back/2/0"
check 'hot-unplug under load: the interface is gone' wait_until 5 no_port xvif2i0
kill "$flood" 2>/dev/null || :
check 'hot-unplug: the guest lives' xl domid victim
check 'hot-plug: network-attach' xl network-attach victim mac=aa:00:00:d1:00:21 bridge=bridge0
check 'hot-plug: Connected' wait_until 10 state_is "$back/2/0" 4
check 'the neighbour went on' pings 20

kill_guest()
{
	pid=$(world_guest_pid 2)
	[ -n "$pid" ] || { echo 'no process known for domain 2'; return 1; }
	kill -9 "$pid"
}
check 'guest: its process is killed' kill_guest
check 'guest: the domain, its nodes and its interface are gone' \
    wait_until 15 sh -c "! xl list | grep -q '^victim ' && ! xenstore-exists $back/2 && ! ip link show xvif2i0"
check 'the neighbour went on' pings 20
check 'the neighbour shuts down' xl shutdown -w neighbour
no_ports() { [ -z "$(ip -o link show master bridge0)" ]; }
check 'bridge0 has no port left' no_ports
checks_end
