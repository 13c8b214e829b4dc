#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# takeover-rings.sh BUILD: 50 guests at their rings and 20 clients at the socket
# ask without pause while the store's processes are killed, and none notices.
# KILLS says how often (1200).
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/takeover-rings.sh" "$1"
world_setup "$1"
kills=${KILLS:-1200}

# boot: just the hypervisor, domain 0's kernel and the store
boot()
{
	hvd --log "$XEN_LOG_DIR/hvd.log" dom0_mem=256M &
	wait_until 10 test -S "$HV_ROOT/hvd.sock" || return 1
	dom0 >"$XEN_LOG_DIR/dom0.log" 2>&1 &
	wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port" || return 1
	xenstored -N >"$XEN_LOG_DIR/xenstored.log" 2>&1 &
	wait_until 10 grep -q 'xenbus is up' "$XEN_LOG_DIR/dom0.log"
}
# kill_under_load SEED KILLS
kill_under_load()
{
	timeout "$((600 + $2))" "$WORLD_BUILD/tests/crash/rings" "$HV_ROOT" "$XENSTORED_RUNDIR" \
	    "$WORLD_GUESTS/puppet.gz" "${GUESTS:-50}" "$2" "$1" >/run/figures && return
	cat /run/figures
	return 1
}
took_over()
{
	grep -o 'took over in [0-9.]* ms' "$XEN_LOG_DIR/xenstored.log" | awk '{ print $4 }' | sort -n | awk '
	    { t[NR] = $1 }
	    END { if (NR > 0) printf "ok ... took over (ms): median %s, p99 %s, most %s\n",
	        t[int((NR + 1) / 2)], t[int((NR * 99 + 99) / 100)], t[NR] }'
}

check 'the machine boots' boot
check "the store's processes are killed $kills times under rings, and no guest notices" kill_under_load "${SEED:-$(date +%s)}" "$kills"
sed -n 's/^[0-9].*/ok ... &/p' /run/figures
took_over
checks_end
