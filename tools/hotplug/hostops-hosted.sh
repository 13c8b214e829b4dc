# Operations on the hosted hypervisor: the network is the Linux host's, but
# a disk device is a link in $HV_ROOT/dev that the dom0 kernel follows.
# physical-device is decimal, as on NetBSD: vnd<N>d is major 14, minor 16N+3.
# shellcheck shell=sh disable=SC2034

# shellcheck source=tools/hotplug/hostops-linux.sh
. "${here:?}/hostops-linux.sh"

os_vnd_max=4095

os_vnd_attach()
{
	os_n=0
	[ -d "$HV_ROOT/dev" ] || mkdir -p "$HV_ROOT/dev"
	while [ -h "$HV_ROOT/dev/vnd${os_n}d" ]; do
		os_n=$((os_n + 1))
		if [ "$os_n" -gt "$os_vnd_max" ]; then
			os_why="all vnd units are in use"
			return 1
		fi
	done
	if os_why=$(ln -s "$1" "$HV_ROOT/dev/vnd${os_n}d" 2>&1); then
		os_vnd=vnd$os_n
	elif [ -h "$HV_ROOT/dev/vnd${os_n}d" ]; then
		os_vnd_attach "$1" # somebody was quicker
	else
		return 1
	fi
}

os_vnd_detach()
{
	rm -f "$HV_ROOT/dev/${1}d"
}

# os_makedev MAJOR MINOR: NetBSD's packing.
os_makedev()
{
	echo $((($1 << 8) | (($2 & 0xfff00) << 12) | ($2 & 0xff)))
}

os_vnd_devno()
{
	os_makedev 14 $((16 * ${1#vnd} + 3))
}

# glibc's packing, which st_rdev has.
os_blk_devno()
{
	os_major=$((0x$(stat -L -c %t "$1")))
	os_minor=$((0x$(stat -L -c %T "$1")))
	echo $(((os_major << 8) | ((os_minor & 0xfff00) << 12) | (os_minor & 0xff)))
}
