# store.sh: a store daemon alone, without a machine. Sourced after checks.sh.
#
#   store_in DIR         DIR is where clients look for it; both go with the script
#   store_start BUILD    $daemon; fails unless it serves

daemon=

store_in()
{
	store_dir=$1
	trap 'store_gone' EXIT
	trap 'exit 1' INT TERM
	export XENSTORED_RUNDIR="$1" XEN_RUN_DIR="$1"
	unset XENSTORED_PATH
}

store_start()
{
	"$1/bin/xenstored" -D -N >"$store_dir/out" 2>&1 &
	daemon=$!
	for _ in $(seq 1000); do
		[ ! -S "$store_dir/socket" ] || return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	cat "$store_dir/out"
	return 1
}

store_gone()
{
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
	remove_tree "$store_dir"
}
