#!/bin/sh
# rc.sh BUILD: the rc scripts, first with stand-ins for the daemons (what they
# start, in which order, with which exit statuses), then, when BUILD has them,
# with the real ones on a hosted machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rcd=$here/../../rc.d
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
rc()
{
	script=$1
	shift
	sh "$rcd/$script" "$@"
}
# gives STATUS COMMAND...: it exits with just that status
gives()
{
	want=$1 got=0
	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || { echo "exit status $got, not $want"; return 1; }
}
is_node()
{
	[ "$(xenstore-read "$1")" = "$2" ]
}

if [ -n "${WORLD_BUILD:-}" ]; then
	world_setup "$1"
	check 'the machine boots, with both scripts' world_boot
	check 'real: status of xencommons is 0' gives 0 rc xencommons status
	check 'real: status of xenbackendd is 0' gives 0 rc xenbackendd status
	check 'real: domain 0 has its name' \
	    is_node /local/domain/0/name Domain-0
	check 'real: and its pool' \
	    is_node /local/pool/0/name Pool-0
	before=$(cat "$XEN_RUN_DIR"/*.pid)
	check 'real: a second start is fine' rc xencommons onestart
	check 'real: and of xenbackendd' rc xenbackendd onestart
	check 'real: it started nothing' [ "$(cat "$XEN_RUN_DIR"/*.pid)" = "$before" ]
	check 'real: xenbackendd restarts' rc xenbackendd restart
	check 'real: it runs' gives 0 rc xenbackendd status
	check 'real: xenconsoled stops' rc xencommons stop
	check 'real: the store is still there' xenstore-read /local/domain/0/name
	check 'real: status is 1' gives 1 rc xencommons status
	check 'real: all start again' rc xencommons onestart
	check 'real: status is 0' gives 0 rc xencommons status
	check 'real: xenbackendd stops' rc xenbackendd stop
	check 'real: its status is 3' gives 3 rc xenbackendd status
	checks_end
fi

tmp=$(mktemp -d /tmp/rc-test.XXXXXX)
# Only what this test started; each stand-in's pid is in a file.
end()
{
	for f in "$tmp"/run/*.pid; do
		[ ! -s "$f" ] || kill "$(cat "$f")" 2>/dev/null || :
	done
	remove_tree "$tmp"
}
trap end EXIT
mkdir "$tmp/sbin" "$tmp/etc"

says() # WORDS COMMAND...: its output contains WORDS
{
	words=$1
	shift
	"$@" >"$tmp/said" 2>&1 || :
	cat "$tmp/said"
	grep -Fq -e "$words" "$tmp/said"
}
export HV_ROOT="$tmp/hv" XENSTORED_RUNDIR="$tmp/xenstored" XEN_RUN_DIR="$tmp/run" \
    XEN_LOCK_DIR="$tmp/lock" XEN_LOG_DIR="$tmp/log" XEN_CONFIG_DIR="$tmp/etc" \
    XEN_SCRIPT_DIR="$here/../../tools/hotplug" XEN_SBIN_DIR="$tmp/sbin" CALLS="$tmp/calls"

stub()
{
	{ echo '#!/bin/sh'; cat; } >"$tmp/sbin/$1"
	chmod +x "$tmp/sbin/$1"
}
# A daemon: notes its arguments, leaves a child of its own name behind.
daemon()
{
	stub "$1" <<'E'
n=${0##*/}
echo "$n $*" >>"$CALLS"
[ ! -e "$CALLS.$n.fails" ] || { echo "$n: cannot" >&2; exit 1; }
mkdir -p "${0%/*}/d"
cp -f "$(command -v sleep)" "${0%/*}/d/$n" 2>/dev/null
"${0%/*}/d/$n" 300 </dev/null >/dev/null 2>&1 &
echo $! >"$XEN_RUN_DIR/$n.pid"
E
}
daemon xenstored
daemon xenconsoled
daemon xenbackendd
stub xenstore-read <<'E'
f=$CALLS.store$(echo "$1" | tr / .)
[ -f "$f" ] && cat "$f"
E
stub xenstore-write <<'E'
echo "write $*" >>"$CALLS"
echo "$2" >"$CALLS.store$(echo "$1" | tr / .)"
E
stub xl <<'E'
[ ! -e "$CALLS.xl.fails" ] || { echo "xl: cannot reach xenstored" >&2; exit 1; }
case $1 in
list)
	echo "Name ID Mem VCPUs State Time(s)"
	echo "Domain-0 0 256 1 r----- 1.0"
	[ ! -e "$CALLS.domains" ] || cat "$CALLS.domains"
	;;
create)
	echo "xl $*" >>"$CALLS"
	n=${2##*/}
	[ "$n" != bad ] || exit 1
	echo "$n 5 64 1 -b---- 0.1" >>"$CALLS.domains"
	;;
shutdown)
	echo "xl $*" >>"$CALLS"
	[ "$2" = stubborn ] || sed -i "/^$2 /d" "$CALLS.domains"
	;;
esac
E

check 'without a hypervisor: refused in one line' \
    says 'not running under Xen' gives 1 rc xencommons onestart
check 'without a hypervisor: nothing was started' [ ! -e "$CALLS" ]
mkdir -p "$HV_ROOT"
python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$HV_ROOT/hvd.sock"

check 'status before the start is 3' gives 3 rc xencommons status
check 'xencommons starts' rc xencommons onestart
order() { [ "$(sed 's/ .*//' "$CALLS" | tr '\n' ' ')" = "$1" ] || { cat "$CALLS"; return 1; }; }
check 'the store first, then the nodes, then the console' \
    order 'xenstored write write write xenconsoled '
check 'domain 0 has its name' [ "$("$tmp/sbin/xenstore-read" /local/domain/0/name)" = Domain-0 ]
check 'status of what runs is 0' gives 0 rc xencommons status
cp "$CALLS" "$tmp/before"
check 'a second start is fine' rc xencommons onestart
check 'a second start does nothing' cmp "$CALLS" "$tmp/before"
check 'a lost console daemon is status 1' sh -c "kill \$(cat '$tmp/run/xenconsoled.pid'); sleep 0.2; sh '$rcd/xencommons' status; [ \$? = 1 ]"
check 'a start replaces what is missing' rc xencommons onestart
check 'all run again' gives 0 rc xencommons status
check 'stop leaves the store alone and says so' says 'xenstored goes on' rc xencommons stop
check 'the store runs, the console daemon does not' gives 1 rc xencommons status
check 'stop with xenstored_stop ends both' env xenstored_stop=YES sh "$rcd/xencommons" stop
check 'nothing runs' gives 3 rc xencommons status
check 'a stale pid file does not count' sh -c "echo $$ >'$tmp/run/xenstored.pid'; sh '$rcd/xencommons' status; [ \$? = 3 ]"
rm -f "$tmp/run/xenstored.pid"

: >"$CALLS.xenstored.fails"
: >"$CALLS"
check 'a store that does not start fails the start' gives 1 rc xencommons onestart
check 'nothing else was started then' order 'xenstored '
rm "$CALLS.xenstored.fails"
: >"$CALLS"
check 'options are passed on' env XENSTORED_ARGS='-x -y' XENCONSOLED_TRACE=guest sh "$rcd/xencommons" onestart
check 'to the store' grep -q '^xenstored .* -x -y$' "$CALLS"
check 'to the console daemon' grep -q '^xenconsoled .*--log=guest' "$CALLS"
check 'a service that is off is not started' gives 1 env xenbackendd=NO sh "$rcd/xenbackendd" start
check 'xenbackendd starts' rc xenbackendd start
check 'xenbackendd status is 0' gives 0 rc xenbackendd status
check 'xenbackendd restarts' sh -c "p=\$(cat '$tmp/run/xenbackendd.pid'); sh '$rcd/xenbackendd' restart && [ \$(cat '$tmp/run/xenbackendd.pid') != \$p ]"
check 'xenbackendd stops' rc xenbackendd stop
check 'xenbackendd status is 3' gives 3 rc xenbackendd status
check 'an unknown action is a usage error' gives 2 rc xenbackendd frobnicate
check 'whatever it holds' says usage: gives 2 rc xenbackendd 'a b'
check 'it is not run' sh -c "sh '$rcd/xenbackendd' 'x}; touch $tmp/ran; : \${y'; [ ! -e '$tmp/ran' ]"

: >"$CALLS"
check 'no domains configured is fine' rc xendomains start
check 'domains start in order' env xendomains='foo bar' sh "$rcd/xendomains" start
check 'with create' [ "$(cat "$CALLS")" = "xl create foo
xl create bar" ]
check 'one that runs is left alone' says 'foo is already running' env xendomains='foo' sh "$rcd/xendomains" start
check 'xendomains status is 0' gives 0 rc xendomains status
: >"$CALLS"
check 'a domain that fails is named and does not stop the others' \
    says 'failed to start: bad' gives 1 env xendomains='bad baz' sh "$rcd/xendomains" start
check 'the other one runs' grep -q '^baz ' "$CALLS.domains"
check 'the configuration format is used' \
    env xendomains='qux' xendomains_config='/etc/xen/%s -q' sh "$rcd/xendomains" start
check 'with its options' grep -qx 'xl create /etc/xen/qux -q' "$CALLS"
stub foo-pre <<'E'
echo "pre" >>"$CALLS"
E
stub no-pre <<'E'
exit 1
E
check 'a domain whose hook fails is not started' \
    gives 1 env xendomains='no' xendomains_prehook="$tmp/sbin/%s-pre" sh "$rcd/xendomains" start
check 'it was not created' sh -c "! grep -q 'create no' '$CALLS'"
sed -i '/^foo /d' "$CALLS.domains"
check 'a domain whose hook succeeds is' \
    env xendomains='foo' xendomains_prehook="$tmp/sbin/%s-pre" sh "$rcd/xendomains" start
check 'after the hook' [ "$(tail -n 2 "$CALLS" | tr '\n' ' ')" = 'pre xl create foo ' ]
: >"$CALLS"
check 'stop shuts all domains down' says 'all domains stopped' rc xendomains stop
check 'the last first' [ "$(head -n 1 "$CALLS")" = 'xl shutdown foo' ]
check 'xendomains status is 3' gives 3 rc xendomains status
: >"$CALLS.xl.fails"
check 'status without an answer from xl is neither 0 nor 3' gives 1 rc xendomains status
check 'stop does not claim that all stopped' gives 1 rc xendomains stop
: >"$CALLS"
check 'start does not start what may run' gives 1 env xendomains='foo' sh "$rcd/xendomains" start
check 'nothing was asked' [ ! -s "$CALLS" ]
rm "$CALLS.xl.fails"

# rcorder's graph.
check 'each script provides its name' sh -c "cd '$rcd' && for s in xencommons xenbackendd xendomains; do grep -q \"^# PROVIDE: \$s\\\$\" \$s || exit 1; done"
check 'domains are shut down with the machine' grep -q '^# KEYWORD: shutdown' "$rcd/xendomains"
check 'and before the daemons, which they are started after' \
    grep -q '^# REQUIRE: xencommons xenbackendd' "$rcd/xendomains"
[ "${checks_failed:-0}" -eq 0 ] || checks_end

for p in hvd hv-boot dom0 xenstored xenconsoled xenbackendd xenstore-read; do
	if [ ! -x "${1:-}/bin/$p" ]; then
		echo "skip the real daemons: $p is not built"
		exit 0
	fi
done
end
trap - EXIT
unset HV_ROOT XENSTORED_RUNDIR XEN_RUN_DIR XEN_LOCK_DIR XEN_LOG_DIR XEN_CONFIG_DIR \
    XEN_SCRIPT_DIR XEN_SBIN_DIR CALLS
world_enter "$1" sh "$here/rc.sh" "$1"
