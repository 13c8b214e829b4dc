# shellcheck shell=sh
# with: qemu
# A disk that QEMU serves, which is one more client of libxenstore.
guest_config qdisk pv 192.0.2.60 \
	'disk = [ "format=raw, vdev=xvda, access=w, backendtype=qdisk, target=/root/qdisk.img" ]'

served_by_qemu()
{
	grep -h libxenstore "/proc/$(ps -o pid,args | awk -v id="$1" '/xen-qemu-system/ && $0 ~ "xen-domid " id { print $1 }' | head -n 1)/maps"
}

if guest_start qdisk; then
	id=$(xl domid qdisk)
	check 'QEMU serves, with the libxenstore in place' served_by_qemu "$id"
	check 'the backend is connected' state_is "/local/domain/0/backend/qdisk/$id/51712" 4
	check 'the guest read its disk' guest_said qdisk 'disk ok DISK-qdisk.img'
	check 'it writes and reads back' guest_job qdisk 240 rounds xvda 3
	check 'xl shutdown' xl shutdown -w qdisk
	check 'it is gone' wait_for 120 guest_gone qdisk
	check 'the store is clean' wait_for 60 store_clean "$id"
fi
