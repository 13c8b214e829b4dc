#if defined(__x86_64__) && __has_include(<xen/domctl.h>)

#define __XEN_TOOLS__ 1
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/blkif.h>
#include <xen/io/console.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "abi_table.h"

/* clang-format off */
static const struct abi_row rows[] = {
#include "abi.list"
	{ "ring: request producer", offsetof(struct blkif_sring, req_prod), 0 },
	{ "ring: request event", offsetof(struct blkif_sring, req_event), 0 },
	{ "ring: response producer", offsetof(struct blkif_sring, rsp_prod), 0 },
	{ "ring: response event", offsetof(struct blkif_sring, rsp_event), 0 },
	{ "ring: slots", offsetof(struct blkif_sring, ring), 0 },
	{ "ring: block slot", sizeof(union blkif_sring_entry), 0 },
	{ "ring: tx slot", sizeof(union netif_tx_sring_entry), 0 },
	{ "ring: rx slot", sizeof(union netif_rx_sring_entry), 0 },
};
/* clang-format on */

const struct abi_row *
abi_debian(unsigned *nr)
{
	*nr = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

#else

#include "abi_table.h"

#include <stddef.h>

const struct abi_row *
abi_debian(unsigned *nr)
{
	*nr = 0;
	return NULL;
}

#endif
