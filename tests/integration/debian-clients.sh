#!/bin/sh
# debian-clients.sh BUILD: Debian's unmodified clients against our xenstored,
# through its socket, without a hypervisor.
set -eu

build=$1
test_xenstore=/usr/lib/xen-4.17/bin/test-xenstore
dir=$(mktemp -d "${TMPDIR:-/tmp}/debian-clients.XXXXXX")
export XENSTORED_RUNDIR="$dir" XENSTORED_PATH="$dir/socket"
pid=
failed=0

# shellcheck disable=SC2317 # called by the trap
finish()
{
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$dir" 2>/dev/null || { sleep 1 && rm -rf "$dir"; } || :
}
trap finish EXIT
trap 'exit 1' INT TERM

# The clients must be Debian's, not ours.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
for tool in "$test_xenstore" /usr/bin/xenstore-read /usr/bin/xenstore-watch; do
	if [ ! -x "$tool" ]; then
		echo "skip Debian clients: $tool is missing: apt-get install xen-utils-4.17 xenstore-utils"
		exit 0
	fi
done

# check NAME WANT GOT
check()
{
	if [ "$2" = "$3" ]; then
		echo "ok $1"
	else
		echo "FAIL $1: wanted '$2', got '$3'"
		failed=1
	fi
}

mkfifo "$dir/ready"
"$build/bin/xenstored" -N -D --ready-fd 3 3>"$dir/ready" 2>"$dir/errors" &
pid=$!
read -r _ <"$dir/ready" || true

if "$test_xenstore" -i 20 >"$dir/out" 2>&1; then
	echo "ok test-xenstore, every test 20 times"
else
	echo "FAIL test-xenstore"
	cat "$dir/out"
	failed=1
fi
if "$test_xenstore" -r 3 >"$dir/out" 2>&1; then
	echo "ok test-xenstore, random for 3 seconds"
else
	echo "FAIL test-xenstore -r"
	cat "$dir/out"
	failed=1
fi

xenstore-write /it/a hello /it/b ''
check "write, read" hello "$(xenstore-read /it/a)"
check "read of two" "$(printf 'hello\n')" "$(xenstore-read /it/a /it/b)"
check "list in the order of creation" "$(printf 'a\nb')" "$(xenstore-list /it)"
check "relative paths are domain 0's" x \
    "$(xenstore-write rel x; xenstore-read /local/domain/0/rel)"
check "ls" "$(printf 'a = "hello"\nb = ""')" "$(xenstore-ls /it)"
xenstore-chmod /it/a n0 r5 b6
check "ls -fp" "$(printf '/it/a = "hello"   (n0,r5,b6)\n/it/b = ""   (n0)')" \
    "$(xenstore-ls -fp /it)"
xenstore-chmod -r /it n5 r6
check "chmod -r" "$(printf '/it/a = "hello"   (n5,r6)\n/it/b = ""   (n5,r6)')" \
    "$(xenstore-ls -fp /it)"
check "exists" 0 "$(xenstore-exists /it/a; echo $?)"
xenstore-rm /it/a
check "exists no more" 1 "$(xenstore-exists /it/a || echo $?)"
check "missing" "xenstore-read: couldn't read path /it/a" \
    "$(xenstore-read /it/a 2>&1 || true)"

# The watch: its first event, and two changes.
xenstore-watch -n 3 /it >"$dir/watch" &
watcher=$!
i=0
while ! grep -q . "$dir/watch" 2>/dev/null && [ "$i" -lt 100 ]; do
	sleep 0.05
	i=$((i + 1))
done
xenstore-write /it/w1 1
xenstore-write /it/w2 2
wait "$watcher" || true
check "watch" "$(printf '/it\n/it/w1\n/it/w2')" "$(cat "$dir/watch")"

# More children than a DIRECTORY reply holds come by DIRECTORY_PART.
i=0
args=
while [ "$i" -lt 1500 ]; do
	args="$args /many/child-$i v"
	i=$((i + 1))
done
# shellcheck disable=SC2086 # one word each
xenstore-write $args
check "1500 children" 1500 "$(xenstore-list /many | wc -l | tr -d ' ')"
xenstore-rm /many /it

kill -HUP "$pid"
check "alive after SIGHUP" "" "$(xenstore-ls /none 2>/dev/null || true)"
kill "$pid"
wait "$pid" && status=0 || status=$?
pid=
check "ends with 0 on SIGTERM" 0 "$status"
check "socket removed" no "$([ -e "$XENSTORED_PATH" ] && echo yes || echo no)"
check "nothing to complain of" "" "$(cat "$dir/errors")"
exit "$failed"
