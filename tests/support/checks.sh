# checks.sh: one line a check. Sourced after world.sh.
#
#   check TEXT COMMAND...   "ok TEXT" or "FAIL TEXT" with the command's output
#   skip TEXT REASON
#   scratch NAME MIB        a new folder for so much; in memory, if there is room
#   remove_tree DIR           also while a daemon is on its way out in it
#   checks_end              the script's last line: exits 1 if a check failed

checks_failed=0

check()
{
	check_text=$1
	shift
	if "$@" >"${TMPDIR:-/tmp}/check.$$" 2>&1; then
		printf 'ok %s\n' "$check_text"
	else
		printf 'FAIL %s\n' "$check_text"
		sed 's/^/    /' "${TMPDIR:-/tmp}/check.$$"
		checks_failed=$((checks_failed + 1))
	fi
	rm -f "${TMPDIR:-/tmp}/check.$$"
}

skip()
{
	printf 'skip %s: %s\n' "$1" "$2"
}

scratch()
{
	sc_in=${TMPDIR:-/tmp}
	if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] &&
	    [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -ge $(($2 * 1024)) ]; then
		sc_in=/dev/shm
	fi
	mktemp -d "$sc_in/$1.XXXXXX"
}

remove_tree()
{
	for _ in $(seq 100); do
		! rm -rf "$1" 2>/dev/null || return 0
		sleep 0.3
	done
	return 0
}

checks_end()
{
	if [ "$checks_failed" -ne 0 ]; then
		for ce_log in "${XEN_LOG_DIR:-/nonexistent}"/*; do
			[ ! -f "$ce_log" ] || { printf -- '-- %s\n' "$ce_log"; tail -n 20 "$ce_log"; }
		done
		exit 1
	fi
	exit 0
}
