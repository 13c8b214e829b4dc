# shellcheck shell=sh
# talk.sh: a conversation with a program at a console, at its own pace. Sourced
# after world.sh; one at a time.
#
#   talk_begin FILE COMMAND...   what COMMAND says goes to FILE; $talk_pid
#   talk_say TEXT                TEXT with printf's escapes, in one piece
#   talk_hears PATTERN           waits until it is said, since the last talk_say
#   talk_asks TEXT PATTERN       both
#   talk_end                     ^], and waits for the end of COMMAND: its status
#   talk_leave                   COMMAND goes on by itself

talk_begin()
{
	talk_file=$1
	shift
	talk_fifo=$(mktemp -u "${TMPDIR:-/tmp}/talk.XXXXXX")
	mkfifo -m 600 "$talk_fifo" || return 1
	# both ends: nobody waits for the other, nor is told that it has gone
	exec 8<>"$talk_fifo"
	rm -f "$talk_fifo"
	: >"$talk_file"
	talk_from=1
	"$@" <&8 8<&- >"$talk_file" &
	talk_pid=$!
}

talk_say()
{
	talk_from=$(($(wc -c <"$talk_file") + 1))
	# shellcheck disable=SC2059 # escapes are wanted
	printf "$1" >&8
}

talk_said() { tail -c "+$talk_from" "$talk_file" | tr -d '\r' | grep -aq -e "$1"; }

talk_hears()
{
	wait_until 10 talk_said "$1" && return
	cat "$talk_file"
	return 1
}

talk_asks()
{
	talk_say "$1"
	talk_hears "$2"
}

talk_leave() { exec 8>&-; }

talk_end()
{
	printf '\035' >&8
	talk_leave
	wait "$talk_pid"
}
