# shellcheck shell=sh
# Domain 0 alone: both ways to the store, Debian's own store test.
check 'xenstore-ls on the socket' sh -c 'xenstore-ls -f / >/out/ls-socket.txt && grep -q "^/local/domain/0/name" /out/ls-socket.txt'
check 'xenstore-ls on /dev/xen/xenbus' sh -c 'XENSTORED_PATH=/dev/xen/xenbus timeout 60 xenstore-ls -f / >/out/ls-ring.txt'
check 'both show the same' sh -c 'sort /out/ls-socket.txt >/tmp/a; sort /out/ls-ring.txt >/tmp/b; diff /tmp/a /tmp/b'
check 'the kernel has written its features' xenstore-exists /local/domain/0/control/feature-poweroff
check 'xl info' xl info
check 'xl list' xl list
check 'test-xenstore' test-xenstore -i 20
check 'the pid file names the daemon' kill -0 "$(store_pid)"
ls -l "/proc/$(store_pid)/fd" >/out/store-fd.txt
