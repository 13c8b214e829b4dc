#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# stock-daemons.sh BUILD: our commands and our libxenstore with Debian's daemons,
# C xenstored and oxenstored, each on our hypervisor: the commands say what
# Debian's say (cli-identical.sh), and Debian's test of the library passes over
# ours.
# shellcheck disable=SC2317 # check calls what is defined here
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
if [ -z "${WORLD_BUILD:-}" ]; then
	world_enter "$1" sh "$here/stock-daemons.sh"
	exit 1
fi
world_setup "$WORLD_BUILD"
# shellcheck source=tests/diff/daemons.sh
. "$here/../diff/daemons.sh"
daemons_libs

# over_ours COMMAND...: a program of Debian's with our libraries
over_ours()
{
	LD_LIBRARY_PATH=$WORLD_BUILD/lib timeout 600 "$@" >/run/said 2>&1 && return 0
	tail -n 5 /run/said
	return 1
}

same_words()
{
	sh "$here/cli-identical.sh" "$WORLD_BUILD" "/run/$1/xs" >/run/said 2>&1 &&
	    ! grep -q skip /run/said && [ "$(grep -c '^ok' /run/said)" -eq 2 ] && return 0
	cat /run/said
	return 1
}

# All of it in one walk, with requests under way that nobody waited for yet.
walks_many()
{
	i=0
	while [ "$i" -lt 3000 ]; do
		echo "/many/dir$((i % 30))/node$i"
		echo "$i"
		i=$((i + 1))
	done | xargs xenstore-write && [ "$(xenstore-ls -f /many | wc -l)" -eq 3030 ]
}

control_helps()
{
	xenstore-control help | grep -q quota
}

for name in c417 ox417; do
	# shellcheck disable=SC2154 # daemons.sh
	case $name in
	c417) program=$debian/xenstored ;;
	ox417) program=$debian/oxenstored ;;
	esac
	if [ ! -x "$program" ]; then
		skip "our tools with Debian's ${program##*/}" 'apt-get install xen-utils-4.17'
		continue
	fi
	"start_$name" "$name"
	# oxenstored removes the root, if it is told to: then nothing is left to compare
	[ "$name" = c417 ] || export CLI_KEEP_ROOT=1
	check "our xenstore-* and our library with Debian's ${program##*/}: what Debian's say" same_words "$name"
	check "Debian's test-xenstore over our library, with ${program##*/}" over_ours "$debian/test-xenstore" -i 20
	check "our xenstore-ls of 3,030 nodes, with ${program##*/}" walks_many
	[ "$name" != c417 ] || check "our xenstore-control, with ${program##*/}" control_helps
	stop_all "$name"
done
checks_end
