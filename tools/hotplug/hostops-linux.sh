# Operations on a Linux host. hostops-*.sh all define:
#   os_vnd_attach IMAGE MODE  makes IMAGE a disk device (r: read only); its
#                             name in $os_vnd. 1 and $os_why when it cannot
#   os_vnd_detach NAME        undoes that; fine when already undone
#   os_vnd_devno NAME         prints what physical-device says for it
#   os_blk_devno DEVICE       the same for a block device of the host
#   os_file_ids FILE...       a line "ID FILE" for each that exists; the ID is
#                             equal for two names of one file or one device
#   os_mounted DEVICE         is it mounted here?
#   os_if_up IF, os_bridge_check BRIDGE, os_bridge_add BRIDGE IF,
#   os_bridge_del BRIDGE IF   the check prints how to make a missing bridge
# shellcheck shell=sh disable=SC2034

os_vnd_attach()
{
	case $2 in
	r*) os_ro=-r ;;
	*) os_ro= ;;
	esac
	# shellcheck disable=SC2086 # empty means no option
	os_vnd=$(losetup $os_ro --find --show "$1" 2>&1) || {
		os_why=$os_vnd
		return 1
	}
}

os_vnd_detach()
{
	losetup -d "$1" 2>/dev/null || :
}

os_vnd_devno()
{
	stat -L -c '%t:%T' "$1"
}

os_blk_devno()
{
	stat -L -c '%t:%T' "$1"
}

os_file_ids()
{
	# A device is what its number says, wherever its node lies.
	stat -L -c '%f:%t:%T:%d:%i %n' "$@" 2>/dev/null |
		sed 's/^6[0-9a-f]*:\([0-9a-f]*:[0-9a-f]*\):[^ ]*/dev:\1/; s/^[0-9a-f]*:0:0:/file:/'
}

os_mounted()
{
	os_id=$(os_file_ids "$1")
	os_id=${os_id%% *}
	while read -r os_source os_rest; do
		case $os_source in
		/dev/*)
			case $(os_file_ids "$os_source") in
			"$os_id "*) return 0 ;;
			esac
			;;
		esac
	done </proc/self/mounts
	return 1
}

os_if_up()
{
	# The host has no business of its own on this wire.
	ip link set dev "$1" addrgenmode none 2>/dev/null || :
	ip link set dev "$1" up
}

os_bridge_check()
{
	[ -n "$(ip -o link show dev "$1" type bridge 2>/dev/null)" ] && return
	echo "make it with: ip link add $1 type bridge && ip link set $1 up"
	return 1
}

os_bridge_add()
{
	ip link set dev "$2" master "$1"
}

os_bridge_del()
{
	ip link set dev "$2" nomaster 2>/dev/null || :
}
