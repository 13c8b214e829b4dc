/*
 * The vif driver: a virtual network interface out of a tap interface. Knows the
 * nodes of a vif.
 */
#ifndef HV_DOM0_VIF_H
#define HV_DOM0_VIF_H

#include <stdint.h>

struct device_driver;

extern const struct device_driver vif_driver;

/* "aa:00:00:50:02:f0" to bytes. 0, or -1: TEXT is nothing of the kind. */
int vif_parse_mac(const char *text, uint8_t mac_out[6]);

/* The address of dom0's end: the guest's with 1 added to the fourth byte. */
void vif_dom0_mac(const uint8_t guest[6], uint8_t mac_out[6]);

#endif
