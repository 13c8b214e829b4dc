#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# takeover-fileserver.sh BUILD: the HOWTO's file server serves files of known
# checksums while the store's processes are killed. KILLS says how often (100).
# shellcheck disable=SC2317 # check calls what is defined here
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/world.sh
. "$here/../support/world.sh"
# shellcheck source=tests/support/checks.sh
. "$here/../support/checks.sh"
# shellcheck source=tests/support/serving.sh
. "$here/../support/serving.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/takeover-fileserver.sh" "$1"
world_setup "$1"
kills=${KILLS:-100}
url=http://10.77.0.9

up() { curl -sS --fail -m 10 -o /dev/null "$url/"; }
sum_of() { sed -n "s|^\([0-9a-f]*\)  \./$1\$|\1|p" /run/sums; }
get() { [ "$(curl -sS --fail -m 200 "$url/$1" | sha256sum | cut -d' ' -f1)" = "$(sum_of "$1")" ]; }
# Fetches until /run/enough is there; counts in /run/served
serve()
{
	n=0
	while [ ! -e /run/enough ]; do
		if ! get htdocs/big.bin || ! get htdocs/hello.txt; then
			touch /run/bad
			return 1
		fi
		n=$((n + 2))
		echo "$n" >/run/served
	done
}
# end WHO: 0 stands for nobody there, and for kill for everybody
end()
{
	p=$(pid_of "$1")
	[ "${p:-0}" -le 1 ] || kill -9 "$p" 2>/dev/null || :
}
kill_many()
{
	serve >/run/serve.log 2>&1 &
	server=$!
	for i in $(seq "$kills"); do
		wait_until 20 both || { cat "$XENSTORED_RUNDIR/status"; return 1; }
		end primary
		[ $((i % 10)) -ne 0 ] || end standby
		[ ! -e /run/bad ] || break
	done
	touch /run/enough
	wait "$server" || { cat /run/serve.log; return 1; }
}
uploads()
{
	head -c 1000000 /dev/urandom >/run/put.bin
	curl -sS --fail -m 200 -T /run/put.bin "$url/upload/put.bin" &&
	    curl -sS --fail -m 200 "$url/upload/put.bin" | cmp - /run/put.bin
}
sound() { [ "$(xenstore-control check)" = OK ]; }
nothing_left()
{
	! xl list | grep -q '^foo ' && ! xenstore-exists /local/domain/1 && [ -z "$(xenstore-list /vm 2>/dev/null)" ]
}

check 'two disk images' world_images
check 'the machine boots' world_boot
world_config foo
check 'the file server is created' xl create -q foo
check '... and serves' wait_until 20 up
check "it serves on while the store's processes are killed $kills times" kill_many
printf 'ok ... %s files meanwhile\n' "$(cat /run/served)"
check '... and takes files' uploads
check 'the books are right' sound
check 'it shuts down' xl shutdown -w foo
check '... and nothing of it is left' wait_until 10 nothing_left
for d in 0 1; do check "e2fsck finds disk $d clean" e2fsck -fn "/run/n0/xen/foo-wd$d"; done
checks_end
