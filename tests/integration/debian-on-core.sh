#!/bin/sh
# debian-on-core.sh BUILD: software that nobody here wrote, on our hypervisor
# core: Debian's unmodified xenstored, xl and friends with our libraries in the
# place of libxenevtchn, libxengnttab, libxencall and libxenforeignmemory.
# shellcheck disable=SC2317 # functions are called by check
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"

if [ -z "${WORLD_BUILD:-}" ]; then
	world_enter "$1" sh "$0"
	exit 1
fi

D=${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}
if [ ! -x "$D/xenstored" ]; then
	skip "Debian's Xen software" "apt-get install xen-utils-4.17 xenstore-utils"
	exit 0
fi
world_setup "$WORLD_BUILD"

# They look for what Linux has on Xen: /proc/xen/xsd_port and xsd_kva, and a bus
# of backends (without any). So: a /proc of links to the real one and of bind
# mounts of our nodes.
make_linux_nodes()
{
	mkdir /run/proc
	mount -t proc proc /run/proc
	mount -t tmpfs tmpfs /proc
	for mp_entry in /run/proc/*; do
		ln -s "$mp_entry" "/proc/${mp_entry##*/}"
	done
	ln -s /run/proc/self /proc/self 2>/dev/null || true
	mkdir /proc/xen
	for mp_node in kern/xen/xsd_port dev/xsd_kva; do
		: >"/proc/xen/${mp_node##*/}"
		mount --bind "$HV_ROOT/$mp_node" "/proc/xen/${mp_node##*/}"
	done
	echo control_d >/proc/xen/capabilities
	mount -t tmpfs tmpfs /sys
	mkdir -p /sys/bus/xen-backend/devices /sys/class/net
}

# foreign COMMAND...: with our hypervisor libraries and nothing else of ours.
foreign()
{
	LD_LIBRARY_PATH=/run/lib "$@"
}

says()
{
	says_text=$1
	shift
	foreign "$@" >/run/said 2>&1
	says_status=$?
	grep -q -- "$says_text" /run/said || {
		cat /run/said
		return 1
	}
	return $says_status
}

uses_ours()
{
	foreign ldd "$1" >/run/said
	for uo_lib in $2; do
		grep -q "libxen$uo_lib.so.1 => /run/lib/" /run/said || {
			cat /run/said
			return 1
		}
	done
}

same_symbols()
{
	for ss_lib in evtchn gnttab foreignmemory call; do
		for ss_dir in /usr/lib/x86_64-linux-gnu /run/lib; do
			nm -D --with-symbol-versions "$ss_dir/libxen$ss_lib.so.1" |
			    awk '$2 ~ /[TA]/ && $3 !~ /KERNBUS/ { print $3 }' |
			    sort >"/run/symbols.${ss_dir##*/}"
			[ -s "/run/symbols.${ss_dir##*/}" ] || return 1
		done
		diff /run/symbols.x86_64-linux-gnu /run/symbols.lib || return 1
	done
}

mkdir /run/lib
for lib in evtchn gnttab foreignmemory call; do
	ln -s "$WORLD_BUILD/lib/libxen$lib.so.1" /run/lib/
done
mkdir -p /run/lock "$XENSTORED_RUNDIR"
mount -t tmpfs tmpfs /var/lib/xen

if command -v nm >/dev/null && [ -e /usr/lib/x86_64-linux-gnu/libxencall.so.1 ]; then
	check "our four libraries export Debian's symbols at Debian's version nodes" same_symbols
else
	skip "comparing symbols with Debian's libraries" "nm or libxencall1 is missing"
fi

hvd --log "$XEN_LOG_DIR/hvd.log" &
check "hvd comes up" wait_until 10 test -S "$HV_ROOT/hvd.sock"
dom0 >"$XEN_LOG_DIR/dom0.log" 2>&1 &
check "domain 0's kernel offers its store ring" wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port"
make_linux_nodes

check "Debian's xenstored is linked with our libraries" \
    uses_ours "$D/xenstored" "evtchn gnttab"
XENSTORED_ROOTDIR=$XENSTORED_RUNDIR foreign "$D/xenstored" --no-fork \
    >"$XEN_LOG_DIR/xenstored.log" 2>&1 &
check "Debian's xenstored starts on our core" wait_until 10 test -S "$XENSTORED_RUNDIR/socket"
check "domain 0's kernel reaches it over the ring" \
    wait_until 10 grep -q "xenbus is up" "$XEN_LOG_DIR/dom0.log"
check "Debian's xen-init-dom0" says "Done setting up Dom0" "$D/xen-init-dom0"
check "Debian's xenstore-read" says "Domain-0" /usr/bin/xenstore-read /local/domain/0/name

check "Debian's xl is linked with our libraries" \
    uses_ours "$D/xl" "evtchn gnttab foreignmemory call"
check "Debian's xl list" says "^Domain-0 .* 0 .*r-----" "$D/xl" list
check "Debian's xl info" says "^xen_version *: 4.17.0-kernbus" "$D/xl" info
check "Debian's xl vcpu-list" says "^Domain-0" "$D/xl" vcpu-list
check "Debian's xl cpupool-list" says "^Pool-0" "$D/xl" cpupool-list
check "Debian's xl uptime" says "^Domain-0" "$D/xl" uptime
check "Debian's xl dmesg" foreign "$D/xl" dmesg
check "Debian's xl finds no domain that is not there" \
    says "this domain does not exist" sh -c "! '$D/xl' domid stranger"
check "Debian's lsevtchn" says "Virtual IRQ 3" "$D/lsevtchn" 0
check "Debian's xentop" says "Domain-0" "$D/xentop" -b -i 1

foreign "$D/xenconsoled" -i --log=hv --log-dir="$XEN_LOG_DIR" &
check "Debian's xenconsoled binds the console VIRQ and logs" \
    wait_until 10 test -e "$XEN_LOG_DIR/hypervisor.log"

ring=$WORLD_BUILD/tests/unit/lib/test_store_ring
if [ -x "$ring" ]; then
	check "Debian's xenstored maps a guest's granted ring, serves it, hears it die" \
	    env KB_STORE_SOCKET="$XENSTORED_RUNDIR/socket" HV_PROVIDER=hosted "$ring"
else
	skip "Debian's xenstored and a guest's ring" "make $ring"
fi
check "Debian's test-xenstore" foreign timeout 600 "$D/test-xenstore" -i 100

check "Debian's test-paging-mempool" foreign "$D/test-paging-mempool"
foreign "$D/test-resource" >/run/said 2>&1
if grep -q 'Skip: HVM' /run/said; then
	skip "Debian's test-resource" "it wants a hypervisor that says it can do HVM"
else
	check "Debian's test-resource maps the grant table of a new domain" \
	    foreign "$D/test-resource"
fi
skip "Debian's xl create" "its builder loads real kernels; a hosted domain is a process"
skip "Debian's libxenvchan server" "a process of domain 0 has no memory to grant (xengntshr)"
checks_end
