# shellcheck shell=sh
# A paravirtual guest's life.
. /lab/scenarios/life.sh
guest_life pv 192.0.2.2
