#!/bin/sh
# fileserver.sh BUILD: the file server under load and under clients that err:
# many at once, uploads cut short, a full disk, clients that do not read, a
# shutdown in the middle of an upload. e2fsck judges the disks at the end.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/world.sh"
. "$here/../support/checks.sh"
# shellcheck source=tests/support/talk.sh
. "$here/../support/talk.sh"
[ -n "${WORLD_BUILD:-}" ] || world_enter "$1" sh "$here/fileserver.sh" "$1"
world_setup "$1"
url=http://10.77.0.9

small_upload()
{
	mke2fs -q -F -t ext2 -b 1024 -m 0 /run/n0/xen/foo-wd1 16M >/dev/null
}
up() { curl -sS --fail -m 10 -o /dev/null "$url/"; }
sum_of() { sed -n "s|^\([0-9a-f]*\)  \./$1\$|\1|p" /run/sums; }
# status WANT CURL-ARGS...
status()
{
	want=$1
	shift
	got=$(curl -sS -m 100 -o /run/body -w '%{http_code}' "$@") || { echo "curl exits $?, status $got"; return 1; }
	[ "$got" = "$want" ] || { echo "status $got, not $want: $(head -c 200 /run/body)"; return 1; }
}
# raw TEXT WANT: what the server says to TEXT, sent as it is (printf's escapes)
raw()
{
	got=$(printf '%b' "$1" | curl -sS -m 60 telnet://10.77.0.9:80 2>&1 | tr -d '\r') || :
	printf '%s\n' "$got" | grep -q "$2" || { echo "answer: $got"; return 1; }
}
get_one() { [ "$(curl -sS --fail -m 200 "$url/htdocs/big.bin" | sha256sum | cut -d' ' -f1)" = "$(sum_of htdocs/big.bin)" ]; }
put_one() { curl -sS --fail -m 200 -o /dev/null -T "/run/up/$1" "$url/upload/$2"; }
# 10 clients read, 10 write, some of them under one name
crowd()
{
	pids=
	for i in 0 1 2 3 4 5 6 7 8 9; do
		head -c $((100000 + i * 7001)) /dev/urandom >/run/up/$i
		get_one &
		pids="$pids $!"
		put_one $i "f$i" &
		pids="$pids $!"
		put_one $i same &
		pids="$pids $!"
	done
	bad=0
	for p in $pids; do wait "$p" || bad=$((bad + 1)); done
	[ $bad = 0 ] || { echo "$bad clients failed"; return 1; }
	for i in 0 1 2 3 4 5 6 7 8 9; do
		curl -sS --fail -m 100 "$url/upload/f$i" | cmp - /run/up/$i || return 1
	done
	curl -sS --fail -m 100 "$url/upload/same" >/run/same
	for i in 0 1 2 3 4 5 6 7 8 9; do
		! cmp -s /run/same /run/up/$i || return 0
	done
	echo 'the file that all wrote is nobody'"'"'s'
	return 1
}
# begin_upload FILE NAME: $put uploads it, for minutes, and the server takes it
begin_upload()
{
	: >/run/put.log
	curl -v -m 1000 --limit-rate 60k -o /dev/null -T "/run/up/$1" "$url/upload/$2" 2>/run/put.log &
	put=$!
	wait_until 10 grep -q '^< HTTP/1.1 100' /run/put.log
}
# An upload that stops in the middle
cut_short()
{
	head -c 3000000 /dev/urandom >/run/up/cut
	begin_upload cut cut && kill "$put" && status 404 "$url/upload/cut"
}
# A file that is replaced while somebody reads it slowly
reader_keeps()
{
	# More than the buffers on the way hold.
	head -c 4000000 /dev/urandom >/run/up/r1
	head -c 4000000 /dev/urandom >/run/up/r2
	put_one r1 r || return 1
	: >/run/r
	curl -sS --fail -m 200 --limit-rate 3M "$url/upload/r" >/run/r &
	reader=$!
	wait_until 10 test -s /run/r || return 1
	put_one r2 r && put_one r2 r3 || return 1
	wait "$reader" && cmp /run/r /run/up/r1 &&
	    curl -sS --fail "$url/upload/r" | cmp - /run/up/r2
}
full_disk()
{
	head -c 30000000 /dev/zero >/run/up/huge
	status 507 -T /run/up/huge "$url/upload/huge" && status 404 "$url/upload/huge" &&
	    curl -sS --fail "$url/upload/f3" | cmp - /run/up/3 && put_one 1 after
}
# Clients that ask for much and read nothing
deaf_clients()
{
	pids=
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
		curl -s --limit-rate 1 -o /dev/null "$url/htdocs/big.bin" &
		pids="$pids $!"
	done
	sleep 1
	ok=0
	curl -sS --fail -m 60 "$url/htdocs/hello.txt" | grep -q Hello && get_one || ok=1
	for p in $pids; do kill "$p"; done
	return $ok
}
listing_escapes()
{
	curl -sS --fail "$url/upload/" >/run/listing
	grep -q 'href="%3Cb%3E%26%22x%22.txt">&lt;b&gt;&amp;&quot;x&quot;.txt</a>' /run/listing && ! grep -q '<b>' /run/listing
}
# 431 though the client is still sending
long_head()
{
	got=$(curl -sS -m 60 -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" -o /dev/null -w '%{http_code}' "$url/")
	[ "$got" = 431 ]
}
# A long file goes to the console: the server goes on, ^C ends it
cat_to_console()
{
	talk_begin /run/console xl console foo && talk_say 'cat /htdocs/big.bin\n' &&
	    wait_until 10 console_has 10000
}
console_has() { [ "$(wc -c </run/console)" -gt "$1" ]; }
cat_and_serve()
{
	cat_to_console && curl -sS --fail -m 60 -o /dev/null "$url/htdocs/hello.txt" || return 1
	# it answered meanwhile, not behind it
	console_has 8388608 && { echo 'the file is through'; return 1; }
	wait_until 10 console_has "$(($(wc -c </run/console) + 10000))" || return 1
	talk_say '\003'
	talk_asks 'mount\n' 'on /upload type ext2fs' && talk_end
}
cat_and_shut_down()
{
	cat_to_console && put_and_shut_down && wait "${talk_pid:?}" && talk_leave
}
put_and_shut_down()
{
	begin_upload cut late && xl shutdown -w foo
}
clean() { e2fsck -fn /run/n0/xen/foo-wd0 && e2fsck -fn /run/n0/xen/foo-wd1; }
there() { debugfs -R "dump /$2 /run/back" /run/n0/xen/foo-wd1 2>/dev/null && cmp /run/back "/run/up/$1"; }
absent() { ! debugfs -R "stat /$1" /run/n0/xen/foo-wd1 2>/dev/null | grep -q Inode; }

# The disk is pulled while it is written to
pull()
{
	begin_upload cut pulled || return 1
	xl block-detach foo 0x1 || return 1
	wait "$put" || :
	curl -sS --fail -m 60 "$url/htdocs/hello.txt" | grep -q Hello &&
	    status 500 "$url/upload/f4" && status 500 -T /run/sums "$url/upload/x"
}
# It was not unmounted: it must say so, and e2fsck must find all else in order
pulled_disk()
{
	! dumpe2fs -h /run/n0/xen/foo-wd1 2>/dev/null | grep -q '^Filesystem state: *clean$' || return 1
	e2fsck -fy /run/n0/xen/foo-wd1 || [ $? = 1 ] || return 1
	there 4 f4 && absent pulled
}

mkdir -p /run/up
world_images
small_upload
check 'the machine boots' world_boot
world_config foo
check 'xl create foo' xl create -q "$XEN_CONFIG_DIR/foo"
check 'it serves' wait_until 10 up

check '404: no such file' status 404 "$url/nothing"
check '404: ..' status 404 --path-as-is "$url/htdocs/../etc/fstab"
check '301: a directory without its slash' status 301 "$url/htdocs"
check '405: DELETE' status 405 -X DELETE "$url/htdocs/hello.txt"
check '403: PUT to the read-only disk' status 403 -T /run/sums "$url/new"
check '409: PUT to a directory' status 409 -T /run/sums "$url/upload/lost+found"
head -c 5000000 /dev/urandom >/run/up/five
check '403 reaches a client that does not wait to be asked' status 403 -H 'Expect:' -T /run/up/five "$url/new"
check '501: PUT in chunks' status 501 -H 'Transfer-Encoding: chunked' -T /run/sums "$url/upload/x"
check '411: PUT without a length' raw 'PUT /upload/x HTTP/1.1\r\n\r\n' '^HTTP/1.1 411 '
check '400: not HTTP' raw 'hello\r\n\r\n' '^HTTP/1.1 400 '
check '505: another HTTP' raw 'GET / HTTP/3.0\r\n\r\n' '^HTTP/1.1 505 '
check '431: a head that does not end' long_head
check 'HEAD: the length, no body' sh -c "curl -sS -m 60 -I $url/htdocs/big.bin | grep -q '^Content-Length: 8388608'"
check 'three requests in one packet, three answers' \
    sh -c "printf 'GET /htdocs/hello.txt HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\n\r\nGET /htdocs/hello.txt HTTP/1.1\r\nConnection: close\r\n\r\n' |
        curl -sS -m 60 telnet://10.77.0.9:80 | grep -c '^HTTP/1.1 200 ' | grep -qx 3"
check 'a name with < > & " in a listing' sh -c "curl -sS --fail -o /dev/null -T /run/sums '$url/upload/%3Cb%3E%26%22x%22.txt'"
check 'is escaped' listing_escapes

check '10 readers, 20 writers at once' crowd
check 'an upload cut short leaves nothing' cut_short
check 'who reads a file reads it to its end though it is replaced' reader_keeps
check '507: a full disk; what was there is, and there is room again' full_disk
check '24 clients who do not read do not stop the others' deaf_clients
check 'a long file on the console does not hold the server up' cat_and_serve
check 'shutdown in the middle of an upload and of a file on the console' cat_and_shut_down
check 'e2fsck finds nothing' clean
check 'what was uploaded is on the disk' there 4 f4
check 'what was being uploaded is not' absent late

check 'once more: xl create foo' xl create -q "$XEN_CONFIG_DIR/foo"
check 'once more: it serves' wait_until 10 up
check 'a disk pulled in the middle of an upload: errors for it, no others' pull
check 'once more: xl shutdown' xl shutdown -w foo
check 'the pulled disk is not called clean; nothing on it is lost' pulled_disk
checks_end
