/*
 * Filling in a TCP or UDP checksum that a frontend left blank. Pure functions
 * on the bytes of one Ethernet frame.
 */
#ifndef HV_DOM0_NETCSUM_H
#define HV_DOM0_NETCSUM_H

#include <stddef.h>
#include <stdint.h>

/* Sets the checksum of the TCP segment or UDP datagram in FRAME (IPv4, or IPv6
 * without extension headers). 0, or -1: there is none, FRAME is unchanged. */
int netcsum_fill(uint8_t *frame, size_t len);

#endif
