#!/bin/sh
# xl-errors.sh BUILD: what xl does when something is wrong. Each mistake gives
# one line that names it, exit status 1 (2 for a wrong command line), and
# leaves no domain, node, vnd, bridge port or file behind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/xl-errors.sh" "$1"
world_setup "$1"

d=/run/n0/xen
head -c 4194304 /dev/zero >"$d/a"
head -c 4194304 /dev/zero >"$d/b"
printf '#!/bin/sh\nsleep 60\n' >/run/hang
printf '#!/bin/sh\nexit 3\n' >/run/broken
chmod +x /run/hang /run/broken
idle=$WORLD_GUESTS/idle.gz

# good NAME [LINE...]: a configuration that works, with LINEs added
good()
{
	name=$1
	shift
	printf '%s\n' "kernel = \"$idle\"" 'memory = 16' "$@" \
	    >"$XEN_CONFIG_DIR/$name"
}

# fails STATUS PATTERN COMMAND...: exits with STATUS and says, on stderr, one
# line, and that line matches PATTERN.
fails()
{
	want=$1 pattern=$2
	shift 2
	status=0
	"$@" >/run/out 2>/run/err </dev/null || status=$?
	cat /run/out /run/err
	[ "$status" = "$want" ] || { echo "status $status, not $want"; return 1; }
	[ "$(wc -l </run/err)" = 1 ] || { echo 'not one line'; return 1; }
	grep -q -e "$pattern" /run/err
}

# usage COMMAND...: status 2, and the usage on stderr
usage()
{
	status=0
	"$@" >/run/out 2>/run/err </dev/null || status=$?
	cat /run/out /run/err
	[ "$status" = 2 ] && [ ! -s /run/out ] && grep -q '^Usage: ' /run/err
}

clean()
{
	[ "$(xl list | wc -l)" = 2 ] || { xl list; return 1; }
	for p in /libxl /vm /local/domain/0/backend/vbd \
	    /local/domain/0/backend/vif /local/domain/0/backend/console; do
		[ -z "$(xenstore-list "$p" 2>/dev/null)" ] || { xenstore-ls -f; return 1; }
	done
	[ "$(xenstore-list /local/domain)" = 0 ] || { xenstore-ls -f; return 1; }
	[ -z "$(ls "$HV_ROOT"/dev/vnd* 2>/dev/null)" ] || { ls "$HV_ROOT"/dev; return 1; }
	[ -z "$(ip -o link show master bridge0)" ] || { ip link; return 1; }
	[ -z "$(ls "$XEN_RUN_DIR"/xl-domain-* 2>/dev/null)" ] || { ls "$XEN_RUN_DIR"; return 1; }
}

create() { xl create -q "$@"; }
one() { xl list "$1" >/dev/null 2>&1; }
none() { ! one "$1"; }

# --- without a machine
check 'no hypervisor: one line' fails 1 'hvd.sock' xl list
good ok
check 'no hypervisor: create too' fails 1 'hvd.sock' create ok

check 'the machine boots' world_boot

# --- command lines
check 'no subcommand' usage xl
check 'an unknown option' usage xl list --bogus
check 'an argument too few' usage xl domid
check 'an argument too many' usage xl domid a b
check 'create without a configuration' usage xl create
check 'an unknown subcommand' fails 2 "did you mean 'create'" xl craete
check 'a subcommand that is not here' fails 1 'not available; use' xl migrate foo host
check 'an unknown domain' fails 1 "there is no domain 'nope'" xl destroy nope
check 'domain 0 stays' fails 1 'domain 0' xl destroy 0
check 'domid of nobody' fails 1 nope xl domid nope
check '--version' sh -c 'xl --version | grep -q Kernbus'

# --- configurations
check 'no such file' fails 1 '^missing: No such file' create missing
printf 'kernel = "x"\nmemory = 16\nvif = [ "a"\n' >"$XEN_CONFIG_DIR/syntax"
check 'a syntax error: file and line' fails 1 "/syntax:4:1: expected ',' or ']'" create syntax
good unknown 'memroy = 3'
check 'an unknown key: file and line' fails 1 "/unknown:3:1: unknown key 'memroy' (did you mean 'memory'?)" create unknown
good python 'import os'
check 'Python: file and line' fails 1 "/python:3:1: 'import' is Python" create python
good badvdev "disk = [ 'file:$d/a,wd0,w' ]"
check 'a bad virtual device' fails 1 "/badvdev:3:.*virtual device 'wd0'" create badvdev
good twice "disk = [ 'file:$d/a,0x1,w', 'file:$d/b,0x01,w' ]"
check 'one virtual device twice' fails 1 "/twice:3:.*same virtual device" create twice
good badmac "vif = [ 'mac=01:00:00:00:00:01' ]"
check 'a group address as MAC' fails 1 "/badmac:3:.*mac '01:00" create badmac
good nopci "pci = [ '0000:00:06.0' ]"
check 'a key that is not supported' fails 1 "/nopci:3:1: 'pci' is not supported" create nopci
check 'a name that is no name' fails 1 "a/b" create ok 'name="a/b"'
check 'no name' fails 1 "'name' is missing" create /dev/null memory=16 "kernel=$idle"

# --- kernels
check 'no kernel' fails 1 'kernel /run/nokernel: No such file' create ok 'kernel="/run/nokernel"'
check 'a kernel that is no ELF file' fails 1 'not an ELF file' create ok 'kernel="/etc/passwd"'
check 'a program is no kernel' fails 1 'no Xen ELF notes' create ok 'kernel="/bin/sh"'
gzip -dc "$idle" | head -c 5000 >/run/cut
check 'a kernel cut short' fails 1 'kernel /run/cut: ' create ok 'kernel="/run/cut"'
head -c 5000 "$idle" >/run/cut.gz
check 'a gzip file cut short' fails 1 'kernel /run/cut.gz: ' create ok 'kernel="/run/cut.gz"'
check 'domain 0 is no guest' fails 1 'not a kernel for a domU' create ok "kernel=\"$WORLD_BUILD/bin/dom0\""
check 'type hvm' fails 1 'type hvm is not supported' create ok 'type="hvm"'

# --- memory
check 'more memory than there is: both numbers' fails 1 'need 100000 MiB, [0-9]* MiB free' create ok memory=100000
check 'less memory than the kernel needs' fails 1 'the kernel alone needs' create ok memory=1
check 'none of these left anything' clean

# --- disks and interfaces
check 'a missing image' fails 1 "disk 0x0: /run/none: No such file" create ok "disk=['file:/run/none,0x0,w']"
check 'a character device' fails 1 'character device' create ok "disk=['phy:/dev/null,0x0,w']"
check 'a directory' fails 1 'neither a file nor a block device' create ok "disk=['file:/run,0x0,w']"
check 'a missing bridge' fails 1 'vif 0: bridge bridge7 does not exist' create ok "vif=['bridge=bridge7']"
check 'a bridge that is none: the script says so' fails 1 'vif 0 (bridge lo): .*lo' create ok "vif=['bridge=lo']"
check 'a missing script' fails 1 'script /run/noscript: No such file' create ok "vif=['script=/run/noscript']"
check 'a script that fails' fails 1 'vif 0 (bridge bridge0): ' create ok "vif=['script=/run/broken']"
check 'a second device that fails takes the first along' fails 1 'vif 0' create ok "disk=['file:$d/a,0x0,w']" "vif=['script=/run/broken']"
check 'nothing is left of them' clean
export XL_HOTPLUG_TIMEOUT=2
check 'a script that hangs' fails 1 'vif 0 .*within 2 s' create ok "vif=['script=/run/hang']"
check 'nothing is left of it' clean
unset XL_HOTPLUG_TIMEOUT

# --- images in use
good holder "disk = [ 'file:$d/a,0x0,w', 'file:$d/b,0x1,r' ]"
check 'a domain that holds two images' create holder
check 'an image in use' fails 1 "disk 0x5: $d/a: in use by domain holder" create ok "disk=['file:$d/a,0x5,r']"
check 'an image that others read' fails 1 "$d/b: in use by domain holder" create ok "disk=['file:$d/b,0x5,w']"
ln "$d/a" "$d/a-too"
check 'the same image by another name' fails 1 "in use by domain holder" create ok "disk=['file:$d/a-too,0x5,w']"
check 'readers share' create ok "disk=['file:$d/b,0x5,r']"
check 'attach: in use as well' fails 1 'in use by domain holder' xl block-attach ok "file:$d/a,0x6,w"
check 'attach: the number is taken' fails 1 'exists already' xl block-attach ok "file:$d/b,0x5,r"
check 'detach: no such disk' fails 1 "no vbd '9'" xl block-detach ok 9
check 'w! shares' xl block-attach ok "file:$d/a,0x6,w!"
check 'detach' xl block-detach ok 6
check 'destroy' xl destroy ok
check 'one name, one domain' fails 1 'a domain of this name exists already' create holder "disk=[]"
check 'renaming to a name in use' fails 1 'there is no domain' xl rename nobody holder
check 'destroy the other' xl destroy holder
check 'nothing is left of these' clean

# --- two at a time, interruptions
both()
{
	xl create -q ok 2>/run/err1 &
	first=$!
	s2=0
	xl create -q ok 2>/run/err2 || s2=$?
	s1=0
	wait "$first" || s1=$?
	cat /run/err1 /run/err2
	[ $((s1 + s2)) = 1 ] && grep -q 'exists already' /run/err1 /run/err2
}
check 'two creates of one name: one wins' both
check 'it runs' one ok
check 'destroy it' xl destroy ok
interrupted()
{
	setsid xl create -q ok "vif=['script=/run/hang']" 2>/run/err &
	pid=$!
	wait_until 5 one ok || return 1
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	cat /run/err
	[ "$status" = 1 ] && grep -q interrupted /run/err
}
check 'interrupted while it waits' interrupted
check 'nothing is left of that' clean
pulled()
{
	xl create -q ok "vif=['script=/run/hang']" 2>/run/err &
	pid=$!
	wait_until 5 one ok || return 1
	wait_until 5 xenstore-exists /local/domain/0/backend/vif || return 1
	xl destroy ok || return 1
	status=0
	wait "$pid" || status=$?
	cat /run/err
	[ "$status" = 1 ]
}
check 'destroyed by somebody else meanwhile' pulled
check 'nothing is left of that either' clean
# destroys OPTION: at any moment; a name is there before its devices are
destroys()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		xl create -q ${1:+"$1"} ok "disk=['file:$d/a,0x0,w','file:$d/b,0x1,w']" "vif=['','','']" 2>/run/err &
		pid=$!
		until xl destroy ok 2>/dev/null || ! kill -0 "$pid" 2>/dev/null; do :; done
		wait "$pid" || :
		cat /run/err
		wait_until 5 clean || return 1
	done
}
check 'destroyed while its devices are made: nothing is left, 12 times' destroys
check 'nor of those that would have stayed paused' destroys -p
check 'a domain that gets interfaces' create ok
attaches()
{
	pids=
	for _ in 1 2 3 4 5 6; do
		xl network-attach ok &
		pids="$pids $!"
	done
	bad=0
	for pid in $pids; do
		wait "$pid" || bad=1
	done
	[ "$bad" = 0 ] && [ "$(xl network-list ok | wc -l)" = 7 ]
}
check 'six attaches at once are six interfaces' attaches
hung_attach()
{
	setsid xl network-attach ok script=/run/hang mac=00:16:3e:00:00:77 2>/run/err &
	pid=$!
	wait_until 5 sh -c 'xl network-list ok | grep -q 00:16:3e:00:00:77' || return 1
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	cat /run/err
	[ "$status" = 1 ] && grep -q interrupted /run/err && [ "$(xl network-list ok | wc -l)" = 7 ]
}
check 'an attach that is interrupted is undone' hung_attach
check 'they go with it' xl destroy ok
check 'all of them' wait_until 5 clean

# --- guests that do not listen
good mute
check 'a guest that does not listen' create mute "kernel=\"$WORLD_GUESTS/mute.gz\""
export XL_SHUTDOWN_TIMEOUT=1
shutdown_mute() { xl shutdown -w "$@" mute 2>&1; }
gives_up() { ! xl shutdown -w mute >/run/out 2>&1 && grep 'has not taken the request' /run/out; }
check 'shutdown -w gives up' gives_up
check 'it still runs' one mute
check 'shutdown -w -F destroys it' shutdown_mute -F
check 'it is gone' none mute
check 'nothing is left at the end' clean
checks_end
