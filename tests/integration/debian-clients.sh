#!/bin/sh
# debian-clients.sh BUILD: Debian's unmodified clients against our xenstored,
# through its socket, without a hypervisor.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/store.sh
. "$here/../support/store.sh"

build=$(cd "$1" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/debian-clients.XXXXXX")
store_in "$dir"
test_xenstore=/usr/lib/xen-4.17/bin/test-xenstore

# The clients must be Debian's, not ours.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
for tool in "$test_xenstore" /usr/bin/xenstore-read /usr/bin/xenstore-watch; do
	if [ ! -x "$tool" ]; then
		skip 'Debian clients' "$tool is missing: apt-get install xen-utils-4.17 xenstore-utils"
		exit 0
	fi
done

# is TEXT WANT GOT
is() { check "$1" same "$2" "$3"; }
same() { [ "$1" = "$2" ] || { echo "wanted '$1', got '$2'"; return 1; }; }

check 'xenstored starts' store_start "$build"
check 'test-xenstore, every test 20 times' "$test_xenstore" -i 20
check 'test-xenstore, random for 3 seconds' "$test_xenstore" -r 3
xenstore-write /it/a hello /it/b ''
is "write, read" hello "$(xenstore-read /it/a)"
is "read of two" "$(printf 'hello\n')" "$(xenstore-read /it/a /it/b)"
is "list in the order of creation" "$(printf 'a\nb')" "$(xenstore-list /it)"
is "relative paths are domain 0's" x \
    "$(xenstore-write rel x; xenstore-read /local/domain/0/rel)"
is "ls" "$(printf 'a = "hello"\nb = ""')" "$(xenstore-ls /it)"
xenstore-chmod /it/a n0 r5 b6
is "ls -fp" "$(printf '/it/a = "hello"   (n0,r5,b6)\n/it/b = ""   (n0)')" \
    "$(xenstore-ls -fp /it)"
xenstore-chmod -r /it n5 r6
is "chmod -r" "$(printf '/it/a = "hello"   (n5,r6)\n/it/b = ""   (n5,r6)')" \
    "$(xenstore-ls -fp /it)"
is "exists" 0 "$(xenstore-exists /it/a; echo $?)"
xenstore-rm /it/a
is "exists no more" 1 "$(xenstore-exists /it/a || echo $?)"
is "missing" "xenstore-read: couldn't read path /it/a" \
    "$(xenstore-read /it/a 2>&1 || true)"

# The watch: its first event, and two changes.
xenstore-watch -n 3 /it >"$dir/watch" &
watcher=$!
i=0
while ! grep -q . "$dir/watch" 2>/dev/null && [ "$i" -lt 1000 ]; do
	sleep 0.05
	i=$((i + 1))
done
xenstore-write /it/w1 1
xenstore-write /it/w2 2
wait "$watcher" || true
is "watch" "$(printf '/it\n/it/w1\n/it/w2')" "$(cat "$dir/watch")"

# More children than a DIRECTORY reply holds come by DIRECTORY_PART.
i=0
args=
while [ "$i" -lt 1500 ]; do
	args="$args /many/child-$i v"
	i=$((i + 1))
done
# shellcheck disable=SC2086 # one word each
xenstore-write $args
is "1500 children" 1500 "$(xenstore-list /many | wc -l | tr -d ' ')"
xenstore-rm /many /it

kill -HUP "$daemon"
check "alive after SIGHUP" xenstore-exists /tool
kill "$daemon"
wait "$daemon" && status=0 || status=$?
daemon=
is "ends with 0 on SIGTERM" 0 "$status"
is "socket removed" no "$([ -e "$dir/socket" ] && echo yes || echo no)"
is "nothing to complain of" "" "$(cat "$dir/out")"
checks_end
