# Where things lie, for the hotplug and rc scripts; sourced, never run. The
# environment wins over every default; installing replaces the defaults by
# the values the programs were built with.
# shellcheck shell=sh disable=SC2034

: "${HV_ROOT:=/run/kernbus}"
: "${XENSTORED_RUNDIR:=/run/xenstored}"
: "${XEN_RUN_DIR:=/run/xen}"
: "${XEN_LOCK_DIR:=/run/lock/xen}"
: "${XEN_LOG_DIR:=/var/log/xen}"
: "${XEN_CONFIG_DIR:=/etc/xen}"
: "${XEN_SCRIPT_DIR:=$XEN_CONFIG_DIR/scripts}"
export HV_ROOT XENSTORED_RUNDIR XEN_RUN_DIR XEN_LOCK_DIR XEN_LOG_DIR \
	XEN_CONFIG_DIR XEN_SCRIPT_DIR
