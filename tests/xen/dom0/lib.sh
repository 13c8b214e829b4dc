# shellcheck shell=sh
# What the scenarios use in domain 0. They are sourced after this.
#
#   check TEXT COMMAND...       one line "ok TEXT (time)" or "FAIL TEXT" and the output
#   note TEXT                   a line that is no check
#   wait_for SECONDS COMMAND... until it succeeds
#   guest_*, store_*            see below

lab_failed=0

# Hundredths of a second since the kernel started
now()
{
	local up
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}

# elapsed START: the time since then, as text
elapsed()
{
	local cs
	cs=$(($(now) - $1))
	printf '%d.%02d s' $((cs / 100)) $((cs % 100))
}

say()
{
	printf '%s\n' "$*" >>/out/results
	printf 'LAB %s\n' "$*"
}

note()
{
	say "  $*"
}

check()
{
	local text start status
	text=$1
	shift
	start=$(now)
	"$@" >/tmp/check.out 2>&1
	status=$?
	if [ "$status" -eq 0 ]; then
		say "ok $text ($(elapsed "$start"))"
	else
		say "FAIL $text (exit $status, $(elapsed "$start"))"
		tail -n 40 /tmp/check.out | sed 's/^/      /' >>/out/results
		lab_failed=$((lab_failed + 1))
	fi
	return "$status"
}

# Time limits are wide: the machine may be emulated on a busy one.
wait_for()
{
	local end
	end=$(($(now) + $1 * 100))
	shift
	until "$@"; do
		if [ "$(now)" -ge "$end" ]; then
			echo "waited in vain: $*"
			return 1
		fi
		sleep 0.2
	done
}

fails()
{
	! "$@"
}

# ------------------------------------------------------------- the services --

store_answers()
{
	timeout 5 xenstore-read -s / >/dev/null 2>&1
}

# As Debian's init script does it: the program goes to the background itself.
store_start()
{
	local start
	start=$(now)
	[ -z "$LAB_STRACE" ] || set -- strace -D -f -tt -s 128 -o /out/store.strace
	# shellcheck disable=SC2086
	env XENSTORED_ROOTDIR=/run/xenstored $LAB_STORE_ENV \
		start-stop-daemon --start --quiet --pidfile /run/xenstore.pid \
		--exec /usr/bin/choom -- -n -1000 -- "$@" "$LAB_STORE" --pid-file /run/xenstore.pid \
		$LAB_STORE_ARGS || return 1
	wait_for 60 store_answers || return 1
	note "from the daemon's start to its first answer: $(elapsed "$start")"
}

store_pid()
{
	cat /run/xenstore.pid
}

# The processes that the daemon has started: ours serves in two of them.
store_children()
{
	ps -o pid,ppid | awk -v parent="$(store_pid)" '$2 == parent { print $1 }'
}

# How much memory each of its processes uses
store_memory()
{
	local pid
	for pid in $(store_pid) $(store_children); do
		sed -n 's/^VmRSS:[ \t]*//p' "/proc/$pid/status"
	done | tr '\n' ' '
}

services_start()
{
	xen-init-dom0 || return 1
	start-stop-daemon --start --quiet --pidfile /run/xenconsoled.pid --exec "$LAB_XENCONSOLED" -- \
		--log=all --log-dir=/var/log/xen/console --pid-file /run/xenconsoled.pid || return 1
	note "domain 0 is ready $(elapsed 0) after its kernel's start"
}

# ------------------------------------------------------------------- guests --

# disk FILE MB: a disk image that begins with its name
disk()
{
	rm -f "$1"
	truncate -s "$2M" "$1"
	printf 'DISK-%s' "${1##*/}" | dd of="$1" conv=notrunc 2>/dev/null
}

# guest_config NAME TYPE IP [LINE...]: /root/NAME.cfg and an empty disk
guest_config()
{
	local name type ip
	name=$1 type=$2 ip=$3
	shift 3
	[ -e "/root/$name.img" ] || disk "/root/$name.img" 16
	{
		printf 'name = "%s"\ntype = "%s"\n' "$name" "$type"
		printf 'kernel = "/lab/guest.kernel"\nramdisk = "/lab/guest.cpio"\n'
		printf 'extra = "console=hvc0 loglevel=4 ip_address=%s"\n' "$ip"
		printf 'memory = 128\nvcpus = 1\non_crash = "preserve"\n'
		printf 'disk = [ "/root/%s.img,raw,xvda,w" ]\nvif = [ "bridge=xenbr0" ]\n' "$name"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"/root/$name.cfg"
}

guest_log()
{
	echo "/var/log/xen/console/guest-$1.log"
}

# guest_said NAME WORDS: on its console, since its last guest_create
guest_said()
{
	grep -qa "GUEST .*$2" "$(guest_log "$1")" 2>/dev/null
}

guest_ready()
{
	guest_said "$1" READY
}

guest_gone()
{
	! xl domid "$1" >/dev/null 2>&1
}

# guest_create NAME: xl create, with an empty console log
guest_create()
{
	rm -f "$(guest_log "$1")"
	xl create "/root/$1.cfg"
}

# guest_start NAME: created, and its own checks done
guest_start()
{
	check "$1: xl create" guest_create "$1" || return 1
	check "$1: is up" wait_for 400 guest_ready "$1"
}

# guest_job NAME SECONDS JOB...: has the guest do a job of its init and shows the
# answer; fails unless that begins with "ok".
guest_job()
{
	local dir seconds number answer end
	dir=/local/domain/$(xl domid "$1")/data || return 1
	seconds=$2
	shift 2
	number=$(($(cat /tmp/job-number 2>/dev/null || echo 0) + 1))
	echo "$number" >/tmp/job-number
	xenstore-write "$dir/job" "$number $*" || return 1
	end=$(($(now) + seconds * 100))
	while answer=$(xenstore-read "$dir/answer" 2>/dev/null); [ "${answer%% *}" != "$number" ]; do
		if [ "$(now)" -ge "$end" ]; then
			echo "no answer to '$*' (the last one: $answer)"
			return 1
		fi
		sleep 0.2
	done
	echo "$answer"
	case $answer in
	"$number ok"*) return 0 ;;
	*) return 1 ;;
	esac
}

# -------------------------------------------------------------------- store --

# What the store still holds of domain DOMID
store_of_domain()
{
	xenstore-ls -f / | grep -E "^(/local/domain|/libxl|/local/domain/0/(backend/[a-z0-9]+|device-model))/$1( |/)"
}

store_clean()
{
	! store_of_domain "$1"
}

# store_names: every path that does not depend on what domain 0 did before
store_names()
{
	xenstore-ls -f / | sed 's/ = .*//' | sort
}

state_is()
{
	[ "$(xenstore-read "$1/state" 2>/dev/null)" = "$2" ]
}
