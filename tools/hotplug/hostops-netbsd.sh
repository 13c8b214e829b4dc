# Operations on a NetBSD host; hostops-linux.sh says what each one promises.
# shellcheck shell=sh disable=SC2034

os_vnd_attach()
{
	case $2 in
	r*) os_ro=-r ;;
	*) os_ro= ;;
	esac
	for os_disk in $(sysctl -n hw.disknames); do
		case $os_disk in
		vnd[0-9]*) ;;
		*) continue ;;
		esac
		[ -b "/dev/${os_disk}d" ] || continue
		vnconfig -l "$os_disk" 2>/dev/null | grep -q 'not in use' || continue
		# shellcheck disable=SC2086 # empty means no option
		if vnconfig -c $os_ro "$os_disk" "$1" >/dev/null 2>&1; then
			os_vnd=$os_disk
			return 0
		fi
	done
	os_n=0
	while [ -b "/dev/vnd${os_n}d" ]; do
		# Units beyond those configured at boot come to life when used.
		# shellcheck disable=SC2086
		if vnconfig -c $os_ro "vnd$os_n" "$1" >/dev/null 2>&1; then
			os_vnd=vnd$os_n
			return 0
		fi
		os_n=$((os_n + 1))
	done
	os_why="no free vnd device (make one: cd /dev && sh MAKEDEV vnd$os_n)"
	return 1
}

os_vnd_detach()
{
	vnconfig -u "$1" 2>/dev/null || :
}

os_vnd_devno()
{
	stat -L -f %r "/dev/${1}d"
}

os_blk_devno()
{
	stat -L -f %r "$1"
}

os_file_ids()
{
	# A device is what its number says, wherever its node lies.
	stat -L -f '%HT:%r:%d:%i %N' "$@" 2>/dev/null |
		sed 's/^Block Device:\([0-9]*\):[^ ]*/dev:\1/; s/^Regular File:[0-9]*:/file:/'
}

os_mounted()
{
	mount | grep -q "^$1 on "
}

os_if_up()
{
	ifconfig "$1" up
}

os_bridge_check()
{
	brconfig "$1" >/dev/null 2>&1 && return
	echo "make it with: ifconfig $1 create up (and a file /etc/ifconfig.$1)"
	return 1
}

os_bridge_add()
{
	brconfig "$1" | grep -q "^[[:space:]]*$2 " || brconfig "$1" add "$2"
}

# The kernel takes the interface out of the bridge when it goes.
os_bridge_del()
{
	brconfig "$1" delete "$2" 2>/dev/null || :
}
