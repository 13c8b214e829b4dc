# shellcheck shell=sh
# The same with hardware virtualization, which the emulated processor has.
. /lab/scenarios/life.sh
guest_life pvh 192.0.2.3
