#!/bin/sh
# The hotplug scripts on their own: xenstore-* are stand-ins over a folder
# (one file a node), the host is the hosted hypervisor's. Needs no daemon and
# no privilege; the bridge tests run in a namespace when one can be had.
# shellcheck disable=SC2317 # functions are called through ok
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
scripts=$root/tools/hotplug

# In a network namespace of our own, so that interfaces can be made.
if [ "${1-}" != --inside ]; then
	if unshare -rn true 2>/dev/null; then
		exec unshare -rn sh "$0" --inside
	elif unshare -n true 2>/dev/null; then
		exec unshare -n sh "$0" --inside
	fi
	net=no
else
	net=yes
fi

tmp=$(mktemp -d /tmp/hotplug-test.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/store" "$tmp/root" "$tmp/root/dev"
: >"$tmp/root/hvd.sock"
export STORE="$tmp/store" HV_ROOT="$tmp/root" XEN_RUN_DIR="$tmp/run" \
    XEN_LOCK_DIR="$tmp/lock" PATH="$tmp/bin:$PATH"

stub()
{
	{ echo '#!/bin/sh'; cat; } >"$tmp/bin/xenstore-$1"
	chmod +x "$tmp/bin/xenstore-$1"
}
stub read <<'E'
for p; do [ -f "$STORE$p/.v" ] || exit 1; cat "$STORE$p/.v"; done
E
stub write <<'E'
[ ! -e "$STORE/.broken" ] || exit 1
while [ $# -gt 1 ]; do
	mkdir -p "$STORE$1"; printf '%s\n' "$2" >"$STORE$1/.v"; shift 2
done
E
stub exists <<'E'
[ -d "$STORE$1" ]
E
stub rm <<'E'
for p; do rm -rf "$STORE$p"; done
E
stub ls <<'E'
[ "$1" = -f ] && shift
cd "$STORE$1" 2>/dev/null || exit 1
find . -name .v | while read -r f; do
	n=${f#.}; n=${n%/.v}; printf '%s%s = "%s"\n' "$1" "$n" "$(cat "$f")"
done
E

failures=0
claim=
ok()
{
	if "$@"; then return 0; fi
	echo "    failed: $*"
	failures=$((failures + 1))
}
# claimed: what was claimed last held, or did not
claimed()
{
	if [ -n "$claim" ] && [ "$failures" -eq 0 ]; then
		echo "ok $claim"
	elif [ -n "$claim" ]; then
		echo "FAIL $claim"
		any_failed=1
	fi
	failures=0
	claim=
}
any_failed=0
claim()
{
	claimed
	claim=$1
	rm -rf "$STORE" "$tmp/run" "${HV_ROOT:?}/dev" "$tmp/img"
	mkdir "$STORE" "$HV_ROOT/dev" "$tmp/img"
	for n in a b c; do echo "image $n" >"$tmp/img/$n"; done
}
node() # PATH: its value, - if there is none
{
	xenstore-read "$1" 2>/dev/null || echo -
}
be=/local/domain/0/backend
vbd() # DOMID ID PARAMS MODE
{
	xenstore-write "$be/vbd/$1/$2/frontend" "/local/domain/$1/device/vbd/$2" \
	    "$be/vbd/$1/$2/params" "$3" "$be/vbd/$1/$2/mode" "$4" \
	    "$be/vbd/$1/$2/hotplug-status" "" "/local/domain/$1/name" "dom$1"
}
block()
{
	"$scripts/block" "$be/vbd/$1/$2" "$3" 2>"$tmp/err"
}
refused() # DOMID ID WORD: attach fails, tells why, and leaves nothing
{
	before=$(ls "$HV_ROOT/dev")
	if block "$1" "$2" 2; then return 1; fi
	[ "$(node "$be/vbd/$1/$2/hotplug-status")" = error ] &&
	    [ "$(node "$be/vbd/$1/$2/physical-device")" = - ] &&
	    [ "$(node "$be/vbd/$1/$2/vnd")" = - ] &&
	    [ "$(ls "$HV_ROOT/dev")" = "$before" ] || return 1
	case $(node "$be/vbd/$1/$2/hotplug-error") in
	*"$3"*) ;;
	*) node "$be/vbd/$1/$2/hotplug-error"; return 1 ;;
	esac
}
is()
{
	[ "$1" = "$2" ] || { echo "got '$1', want '$2'"; return 1; }
}

claim "block attaches a file to the first free vnd and says so"
vbd 1 768 "$tmp/img/a" w
vbd 2 768 "file:$tmp/img/b" r
ok block 1 768 2
ok block 2 768 2
ok is "$(node $be/vbd/1/768/physical-device)" 3587
ok is "$(node $be/vbd/2/768/physical-device)" 3603
ok is "$(node $be/vbd/1/768/hotplug-status)" connected
ok is "$(node $be/vbd/2/768/vnd)" vnd1
ok is "$(cat "$HV_ROOT/dev/vnd0d" "$HV_ROOT/dev/vnd1d")" "image a
image b"

claim "block attaches once, however often it is called"
vbd 1 768 "$tmp/img/a" w
ok block 1 768 2
ok block 1 768 2
ok is "$(ls "$HV_ROOT/dev")" vnd0d
ok is "$(node $be/vbd/1/768/hotplug-status)" connected

claim "block releases the vnd, also when the nodes are gone, and only once"
vbd 1 768 "$tmp/img/a" w
ok block 1 768 2
xenstore-rm $be/vbd/1
ok block 1 768 6
ok is "$(ls "$HV_ROOT/dev")" ""
ok is "$(node $be/vbd/1/768/hotplug-status)" -
vbd 2 768 "$tmp/img/b" w
ok block 2 768 2
ok block 1 768 6
ok is "$(ls "$HV_ROOT/dev")" vnd0d

claim "block forgets what it attached when it detaches"
vbd 1 768 "$tmp/img/a" w
ok block 1 768 2
ok block 1 768 6
ok is "$(node $be/vbd/1/768/physical-device)" -
ok is "$(node $be/vbd/1/768/hotplug-status)" -
ok block 1 768 2
ok is "$(ls "$HV_ROOT/dev")" vnd0d

claim "block refuses what cannot be a disk, and changes nothing"
vbd 1 768 "$tmp/img/none" w
ok refused 1 768 'does not exist'
vbd 1 769 "$tmp/img" w
ok refused 1 769 'neither a file'
vbd 1 770 "" w
ok refused 1 770 'params is empty'
vbd 1 771 /dev/null w
ok refused 1 771 'character device'

claim "block refuses a second writer, and names the domain in the way"
vbd 1 768 "$tmp/img/a" w
ok block 1 768 2
ln -s a "$tmp/img/alias"
vbd 2 768 "$tmp/img/alias" w
ok refused 2 768 'domain dom1'
vbd 2 769 "$tmp/img/a" r
ok refused 2 769 'mode w)'
vbd 2 770 "$tmp/img/a" 'w!'
ok block 2 770 2
vbd 3 768 "$tmp/img/b" w
ok block 3 768 2

claim "block lets readers share, and keeps a writer out"
vbd 1 768 "$tmp/img/a" r
vbd 2 768 "$tmp/img/a" r
vbd 3 768 "$tmp/img/a" w
ok block 1 768 2
ok block 2 768 2
ok refused 3 768 'in use'

claim "an image is free again after its user has gone"
vbd 1 768 "$tmp/img/a" w
vbd 2 768 "$tmp/img/a" w
ok block 1 768 2
ok block 1 768 6
ok block 2 768 2

claim "block leaves no vnd behind when the store refuses"
vbd 1 768 "$tmp/img/a" w
: >"$STORE/.broken"
if block 1 768 2; then ok false; fi
rm "$STORE/.broken"
ok is "$(ls "$HV_ROOT/dev")" ""

claim "units beyond 15 have their own numbers"
for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	ln -s /nowhere "$HV_ROOT/dev/vnd${n}d"
done
vbd 1 768 "$tmp/img/a" w
ok block 1 768 2
ok is "$(node $be/vbd/1/768/physical-device)" $((14 << 8 | 1 << 20 | 3))

claim "twenty at a time get twenty different units"
pids=
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	echo "$n" >"$tmp/img/p$n"
	vbd "$n" 768 "$tmp/img/p$n" w
done
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	block "$n" 768 2 &
	pids="$pids $!"
done
for p in $pids; do ok wait "$p"; done
ok is "$(cat "$HV_ROOT"/dev/vnd*d | sort -n | tr '\n' ' ')" \
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 "

claim "the scripts also take Linux's arguments"
vbd 1 768 "$tmp/img/a" w
ok env XENBUS_PATH=backend/vbd/1/768 "$scripts/block" add
ok is "$(node $be/vbd/1/768/hotplug-status)" connected
ok env XENBUS_PATH=backend/vbd/1/768 "$scripts/block" remove
ok is "$(ls "$HV_ROOT/dev")" ""

claim "wrong arguments are usage errors"
for args in "" "x" "$be/vbd/1/768" "$be/vbd/1/768 x" "backend/vbd/1/768 2" \
    "$be/vbd/1/../768 2" "/x/1/2 2"; do
	rc=0
	# shellcheck disable=SC2086
	"$scripts/block" $args 2>/dev/null || rc=$?
	ok is "$rc" 2
done
ok "$scripts/block" "$be/vbd/1/768" 4

vif() # DOMID ID BRIDGE
{
	xenstore-write "$be/vif/$1/$2/frontend" "/local/domain/$1/device/vif/$2" \
	    "$be/vif/$1/$2/bridge" "$3" "$be/vif/$1/$2/vifname" "xvif$1i$2" \
	    "$be/vif/$1/$2/hotplug-status" ""
}
vif_bridge()
{
	"$scripts/vif-bridge" "$be/vif/$1/$2" "$3" 2>"$tmp/err"
}

if [ "$net" = no ]; then
	claimed
	echo "skip vif-bridge: no network namespace here"
else
	claim "vif-bridge names a missing bridge and how to make it"
	vif 1 0 nobridge
	if vif_bridge 1 0 2; then ok false; fi
	ok is "$(node $be/vif/1/0/hotplug-status)" error
	ok is "$(node $be/vif/1/0/hotplug-error)" \
	    "bridge nobridge does not exist; make it with: ip link add nobridge type bridge && ip link set nobridge up"

	claim "vif-bridge names a missing interface"
	if ip link add hpbr0 type bridge 2>/dev/null; then
		vif 1 0 hpbr0
		if vif_bridge 1 0 2; then ok false; fi
		case $(node $be/vif/1/0/hotplug-error) in
		*xvif1i0*) ;;
		*) ok false ;;
		esac

		claim "vif-bridge joins the interface and takes it out again"
		vif 1 0 hpbr0
		ip link add xvif1i0 type dummy 2>/dev/null ||
		    ip tuntap add xvif1i0 mode tap
		ok vif_bridge 1 0 2
		ok is "$(ip -o link show master hpbr0 | grep -c xvif1i0)" 1
		ok is "$(ip -o link show xvif1i0 | grep -c '[<,]UP[,>]')" 1
		ok is "$(node $be/vif/1/0/hotplug-status)" connected
		ok vif_bridge 1 0 2
		ok vif_bridge 1 0 6
		ok is "$(ip -o link show master hpbr0)" ""
		ok vif_bridge 1 0 6

		claim "vif-bridge takes the older arguments"
		ok "$scripts/vif-bridge" up domain=VM1 vif=vif1i0 \
		    mac=ee:14:01:d0:ec:af bridge=hpbr0
		ok is "$(ip -o link show master hpbr0 | grep -c xvif1i0)" 1
		ok "$scripts/vif-bridge" down domain=VM1 vif=xvif1i0 \
		    mac=ee:14:01:d0:ec:af bridge=hpbr0
		ok is "$(ip -o link show master hpbr0)" ""
		ok "$scripts/vif-bridge" up domain=VM1 vif=x mac=x bridge=null
		ok "$scripts/vif-bridge" up domain=VM1 vif=x mac=x bridge=none0
		rc=0
		"$scripts/vif-bridge" up domain=VM1 2>/dev/null || rc=$?
		ok is "$rc" 2
	else
		claimed
		echo "skip vif-bridge joins: no bridges here"
	fi
fi

claimed
exit "$any_failed"
