#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# crash-domains.sh BUILD: the store's processes are killed at every single place
# of introducing a domain with a real ring, of its requests, its release and its
# death: all is done once, and nothing is left over. And what a takeover must not
# leave out is left out, which is found.
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/crash-domains.sh" "$1"
world_setup "$1"

# boot NAME ROLE [FAULT]: a hypervisor of its own with the store
boot()
{
	export HV_ROOT="/run/$1/hv" XENSTORED_RUNDIR="/run/$1/xs"
	mkdir -p "$HV_ROOT" "$XENSTORED_RUNDIR"
	hvd --log "$XEN_LOG_DIR/hvd.$1" dom0_mem=256M &
	wait_until 10 test -S "$HV_ROOT/hvd.sock" || return 1
	dom0 >"$XEN_LOG_DIR/dom0.$1" 2>&1 &
	wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port" || return 1
	XENSTORED_CRASH_ROLE=$2 XENSTORED_CRASH_FAULT=${3:-} \
	    "$WORLD_BUILD/tests/crash/xenstored-crash" -N >"$XEN_LOG_DIR/xenstored.$1" 2>&1 &
	wait_until 10 grep -q 'xenbus is up' "$XEN_LOG_DIR/dom0.$1"
}
# domains NAME ROLE FAULT ARG...
domains()
{
	d_name=$1 d_role=$2
	boot "$1" "$2" "$3" || return 1
	shift 3
	timeout 500 "$WORLD_BUILD/tests/crash/domains" -r "$d_role" "$@" \
	    "$HV_ROOT" "$XENSTORED_RUNDIR" "$WORLD_GUESTS/puppet.gz" >"/run/$d_name/said" 2>&1 && {
		cat "/run/$d_name/said"
		return
	}
	cat "/run/$d_name/said"
	return 1
}
# finds RULE STEP: what breaks the rule is found, and by that
finds()
{
	! domains "fault-$1" primary "$1" -t 5000 -s "$2" && grep '^FAIL.*(xenstored/' "/run/fault-$1/said"
}

figures() { tr '\n' ';' <"/run/$1/said" | sed 's/^/ok ... /; s/;$/\n/'; }

check 'the primary may be killed anywhere in what happens to a domain' domains primary primary ''
figures primary
check 'its successor, too' domains takeover takeover ''
figures takeover
check 'a takeover that tells no guest is found' finds notify ask
check 'a takeover that looks at no ring is found' finds pending ask
checks_end
