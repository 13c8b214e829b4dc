#!/bin/sh
# live-update.sh BUILD: the store moves from one daemon to the next while
# clients and domain 0's kernel are connected: from ours to ours, and from and
# to Debian's xenstored 4.17, with Debian's and with our xenstore-control.
# shellcheck disable=SC2016,SC2317 # for inner shells; functions are called by check
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
. "$here/../support/serving.sh"

if [ -z "${WORLD_BUILD:-}" ]; then
	world_enter "$1" sh "$0"
	exit 1
fi
world_setup "$WORLD_BUILD"
D=${DEBIAN_XEN:-/usr/lib/xen-4.17/bin}

# Debian's daemon looks for what Linux has on Xen, and loads our libraries.
in_linux()
{
	unshare --mount sh -c '
		mkdir -p /run/proc
		mount -t tmpfs tmpfs /var/lib/xen &&
		    mount -t proc proc /run/proc && mount -t tmpfs tmpfs /proc || exit 1
		for e in /run/proc/*; do ln -s "$e" "/proc/${e##*/}"; done
		ln -s /run/proc/self /proc/self 2>/dev/null
		mkdir /proc/xen
		for n in kern/xen/xsd_port dev/xsd_kva; do
			: >"/proc/xen/${n##*/}"
			mount --bind "$HV_ROOT/$n" "/proc/xen/${n##*/}"
		done
		echo control_d >/proc/xen/capabilities
		LD_LIBRARY_PATH=/run/lib exec "$@"' - "$@"
}

start_machine()
{
	hvd --log /run/hvd.log &
	wait_until 10 test -S "$HV_ROOT/hvd.sock" || return 1
	dom0 >/run/dom0.log 2>&1 &
	wait_until 10 test -s "$HV_ROOT/kern/xen/xsd_port"
}

# What is in the store, with permissions.
tree()
{
	xenstore-ls -fp /lu
}

fill()
{
	i=0
	while [ $i -lt 300 ]; do
		echo "/lu/dir$((i % 7))/key$i"
		echo "value $i"
		i=$((i + 1))
	done | xargs xenstore-write &&
	    xenstore-chmod -u /lu n0 r1 &&
	    xenstore-chmod /lu/dir1 b0 r0 &&
	    tree >/run/before
}

# A client that stays connected and sees each change below /watched.
start_watcher()
{
	xenstore-watch /watched >/run/watched &
	watcher=$!
	wait_until 5 test -s /run/watched
}

same_tree()
{
	tree >/run/after && diff /run/before /run/after
}

# The watcher, connected before the first daemon ended, sees what is written.
watcher_sees()
{
	xenstore-write "/watched/$1" x &&
	    wait_until 5 grep -q "^/watched/$1\$" /run/watched
}

# A guest, which is connected when the daemon ends.
guest_comes()
{
	cat >"$XEN_CONFIG_DIR/$1" <<-CONFIG
		kernel = "$WORLD_GUESTS/idle.gz"
		memory = 32
	CONFIG
	xl create -q "$1" &&
	    wait_until 10 xenstore-exists "/local/domain/$(xl domid "$1")/data/ready"
}

# It learns by its watch that it is to go, and domain 0 that it went.
guest_goes()
{
	xl shutdown "$1" && wait_until 10 guest_is_gone "$1"
}

guest_is_gone()
{
	! xl domid "$1" >/dev/null 2>&1
}

update()
{
	"$1" live-update -t 20 "$2" >/run/said 2>&1 || {
		cat /run/said
		return 1
	}
}

# What says it is one of ours and then ends is given up.
refuses_a_bad_one()
{
	cp /bin/true /run/bad
	printf '%s\0' "$(grep -ao 'kernbus:xenstored:stands-by:[0-9.]*' "$ours")" >>/run/bad
	! xenstore-control live-update /run/bad >/run/said 2>&1 &&
	    grep -q 'The new program ended with status 0.' /run/said && same_tree &&
	    ! xenstore-control live-update /etc/passwd >/run/said 2>&1 &&
	    grep -q 'File not executable.' /run/said && same_tree &&
	    printf '#!/bin/sh\nexec /bin/true "$@"\n' >/run/script &&
	    chmod +x /run/script && refuses /bin/true && refuses /run/script
}

# What cannot be a store daemon is not executed at all.
refuses()
{
	! xenstore-control live-update "$1" >/run/said 2>&1 &&
	    grep -q 'File is no store daemon.' /run/said && same_tree
}

is_program()
{
	[ "$(readlink "/proc/$daemon/exe")" = "$1" ]
}

what_runs()
{
	wait_until 5 is_program "$1"
}

# The first of them with its old number.
all_became()
{
	[ "$(pid_of supervisor)" = "$daemon" ] && all_are "$1"
}

all_become()
{
	wait_until 5 all_became "$1"
}

mkdir /run/lib
for lib in evtchn gnttab foreignmemory call manage store; do
	for so in "$WORLD_BUILD/lib/libxen$lib".so.?; do
		ln -s "$so" /run/lib/
	done
done
# where nobody else could have put it, wherever it was built
mkdir /run/bin
cp "$WORLD_BUILD/bin/xenstored" /run/bin/
ours=/run/bin/xenstored
PATH=/run/bin:$PATH
check 'a machine starts' start_machine

if [ ! -x "$D/xenstored" ]; then
	xenstored -N >/run/xenstored.log 2>&1 &
	daemon=$!
	wait_until 10 test -S /run/xenstored/socket
else
	in_linux "$D/xenstored" --no-fork >/run/xenstored.log 2>&1 &
	wait_until 10 test -S /run/xenstored/socket
	daemon=$(pgrep -f "^$D/xenstored" | head -n 1)
fi
check 'domain 0 reaches its store' wait_until 10 grep -q 'xenbus is up' /run/dom0.log
check 'the store is filled' fill
start_watcher

check 'a guest comes' guest_comes one

if [ -x "$D/xenstored" ]; then
	check "from Debian's daemon to ours" update "$D/xenstore-control" "$ours"
	check 'it is ours in the same process' what_runs "$ours"
	check 'with the same tree and permissions' same_tree
	check 'clients and their watches are still there' watcher_sees one
	check 'the guest has its ring and its watch: it goes when told to' guest_goes one
	check 'another guest comes' guest_comes two
fi
check 'from ours to ours' update xenstore-control "$ours"
check 'with the same tree and permissions' same_tree
check 'clients and their watches are still there' watcher_sees two
cp "$ours" /run/new-one
cp "$ours" /run/new-two
check 'from ours to a newer one' update xenstore-control /run/new-one
check 'all three processes are the newer one' all_become /run/new-one
check 'with the same tree and permissions' same_tree
check 'clients and their watches are still there' watcher_sees newer
check 'and to one that is newer still' update xenstore-control /run/new-two
check 'all three processes are that one' all_become /run/new-two
check 'its primary is killed and another one takes over' kill_primary
check 'which is the newer one' all_become /run/new-two
check 'with the same tree and permissions' same_tree
check 'clients and their watches are still there' watcher_sees newest
check 'xenstored --replace' xenstored --replace
check 'all three processes are the one that asked' all_become "$ours"
check 'with the same tree and permissions' same_tree
check 'what is no program of ours leaves the old one' refuses_a_bad_one
if [ -x "$D/xenstored" ]; then
	check 'the guest goes when told to' guest_goes two
	check 'another guest comes' guest_comes three
else
	check 'the guest goes when told to' guest_goes one
fi
if [ -x "$D/xenstored" ]; then
	check "from ours to Debian's" update "$D/xenstore-control" "$D/xenstored"
	check "it is Debian's in the same process" what_runs "$D/xenstored"
	check 'with the same tree and permissions' same_tree
	check 'clients and their watches are still there' watcher_sees three
	check 'the guest goes when told to' guest_goes three
	check 'another guest comes' guest_comes four
	check 'and back' update "$D/xenstore-control" "$ours"
	check 'with the same tree and permissions' same_tree
	check 'clients and their watches are still there' watcher_sees four
	check 'the guest goes when told to' guest_goes four
fi
kill "$watcher"
# shellcheck disable=SC2154 # checks.sh counts
[ "$checks_failed" -eq 0 ] || tail -n 20 /run/xenstored.log
checks_end
