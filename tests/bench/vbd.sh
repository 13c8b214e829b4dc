# vbd.sh: a guest's disk beside a process with the same file. Sourced by run.
# shellcheck disable=SC2154 # bench, rounds, samples: run

vbd_mib=64
vbd_number=0

vbd_start()
{
	head -c $((vbd_mib << 20)) /dev/zero >/run/n0/xen/bench
	cat >"$XEN_CONFIG_DIR/disk" <<CONFIG
kernel = "$WORLD_GUESTS/blktest.gz"
memory = 64
extra = "mode=bench"
disk = [ 'file:/run/n0/xen/bench,0x0,w' ]
CONFIG
	xl create -q "$XEN_CONFIG_DIR/disk" || return 1
	vbd_home=/local/domain/$(xl domid disk)/data/blk
	wait_until 10 xenstore-exists "$vbd_home/sectors"
}

vbd_is_done()
{
	case $(xenstore-read "$vbd_home/done" 2>/dev/null) in
	"$vbd_number "*) ;;
	*) return 1 ;;
	esac
}

# vbd_guest read|write KIB: prints bytes and nanoseconds
vbd_guest()
{
	xenstore-write "$vbd_home/go" "$vbd_number $1 $2 $vbd_mib"
	wait_until 20 vbd_is_done && xenstore-read "$vbd_home/done" | cut -d' ' -f2,3
}

vbd_run()
{
	for _ in $rounds; do
		for kib in 44 128 512; do
			for dir in read write; do
				what="vbd: $dir, $kib KiB at a time"
				# shellcheck disable=SC2046 # two words
				sample "$what" 'a process on the same file' MB/s \
				    "$(mb_s $("$bench/benchblk/bench_blk" $dir /run/n0/xen/bench $kib $vbd_mib))"
				vbd_number=$((vbd_number + 1))
				# shellcheck disable=SC2046
				sample "$what" 'a guest through its vbd' MB/s "$(mb_s $(vbd_guest $dir $kib))"
			done
		done
	done
	xl destroy disk
}
