# What the hotplug scripts share: their arguments, the store, failing in the
# way the toolstack understands, and a lock. Knows nothing about disks,
# networks or operating systems (hostops-*.sh). Sourced by scripts that set
# $here to the folder they lie in.
# shellcheck shell=sh

: "${here:?set by the script that sources this}"
PATH=$PATH:/sbin:/usr/sbin:/usr/pkg/sbin:/usr/pkg/bin
# shellcheck source=tools/hotplug/hotplugpath.sh
. "$here/hotplugpath.sh"

# Scripts may use, after hotplug_args:
#   prog       the script's name
#   action     attach or detach
#   bepath     the backend's folder in the store
#   dev_domid  the domain the device belongs to
#   dev_id     the device's number in that domain
prog=${0##*/}

say()
{
	printf '%s: %s\n' "$prog" "$*" >&2
}

# hotplug_usage: the two argument forms a caller may use.
hotplug_usage()
{
	say "usage: $prog BACKEND-PATH 2|6 (or add|remove|online|offline with XENBUS_PATH)"
	exit 2
}

# hotplug_args ARGS...: sets action, bepath, dev_domid and dev_id from
# "PATH STATE" (NetBSD's form) or "add|remove|online|offline" with
# XENBUS_PATH set (Linux's form). Leaves with 2 on anything else, and with
# 0 on a state that needs no action.
hotplug_args()
{
	case "$#:${1-}" in
	2:/*) bepath=$1 ;;
	[12]:add | [12]:online | [12]:remove | [12]:offline)
		[ -n "${XENBUS_PATH-}" ] || hotplug_usage
		case $XENBUS_PATH in
		/*) bepath=$XENBUS_PATH ;;
		*) bepath=/local/domain/0/$XENBUS_PATH ;;
		esac
		;;
	*) hotplug_usage ;;
	esac
	case "${2-}:$1" in
	2:/* | *:add | *:online) action=attach ;;
	6:/* | *:remove | *:offline) action=detach ;;
	[013-57-9]:/*) exit 0 ;;
	*) hotplug_usage ;;
	esac
	case $bepath in
	*/backend/*/*/*) ;;
	*) hotplug_usage ;;
	esac
	dev_id=${bepath##*/}
	dev_domid=${bepath%/*}
	dev_domid=${dev_domid##*/}
	case $dev_domid$dev_id in
	*[!0-9]*) hotplug_usage ;;
	esac
}

# be_read NAME: the value of the backend's node, empty when there is none.
be_read()
{
	xenstore-read "$bepath/$1" 2>/dev/null || :
}

# be_write NAME VALUE [NAME VALUE]...: all in one transaction.
be_write()
{
	be_n=$#
	while [ "$be_n" -gt 0 ]; do
		set -- "$@" "$bepath/$1" "$2"
		shift 2
		be_n=$((be_n - 2))
	done
	xenstore-write "$@"
}

# be_forget NAME...: removes nodes. Never makes any: the toolstack may have
# removed the whole device meanwhile.
be_forget()
{
	for be_n; do
		xenstore-rm "$bepath/$be_n" 2>/dev/null || :
	done
}

# fail TEXT: tells the toolstack and the log why, and leaves with 1.
fail()
{
	say "$bepath: $*"
	if [ "$action" = attach ] &&
	    xenstore-exists "$bepath/frontend" 2>/dev/null; then
		be_write hotplug-error "$*" hotplug-status error || :
	fi
	exit 1
}

# lock NAME: from here to the script's end, one at a time for NAME.
lock()
{
	[ -d "$XEN_LOCK_DIR/xen-hotplug" ] || mkdir -p "$XEN_LOCK_DIR/xen-hotplug" ||
		fail "cannot make $XEN_LOCK_DIR/xen-hotplug"
	lock_file=$XEN_LOCK_DIR/xen-hotplug/$1
	if command -v flock >/dev/null; then
		exec 9>"$lock_file"
		flock 9
	else
		lock_by_link
	fi
}

# Without flock(1): a link is made once only, and says who made it.
lock_by_link()
{
	lock_file=$lock_file.pid
	echo $$ >"$lock_file.$$"
	trap 'rm -f "$lock_file.$$"' EXIT
	while ! ln "$lock_file.$$" "$lock_file" 2>/dev/null; do
		lock_owner=$(cat "$lock_file" 2>/dev/null || :)
		if [ -n "$lock_owner" ] && ! kill -0 "$lock_owner" 2>/dev/null; then
			# Dead. Only one of those who wait gets the move.
			mv "$lock_file" "$lock_file.old.$$" 2>/dev/null || :
			rm -f "$lock_file.old.$$"
		fi
		sleep 1
	done
	trap 'rm -f "$lock_file" "$lock_file.$$"' EXIT
}

# hostops: loads the operations of this host.
hostops()
{
	if [ -e "$HV_ROOT/hvd.sock" ]; then
		os=hosted
	else
		case $(uname -s) in
		NetBSD) os=netbsd ;;
		Linux) os=linux ;;
		*) fail "no hotplug operations for $(uname -s)" ;;
		esac
	fi
	# shellcheck source=/dev/null
	. "$here/hostops-$os.sh"
}
