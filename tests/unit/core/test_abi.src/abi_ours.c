#include "abi/domctl.h"
#include "abi/elfnote.h"
#include "abi/errno.h"
#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/hvm.h"
#include "abi/io/blkif.h"
#include "abi/io/console.h"
#include "abi/io/netif.h"
#include "abi/io/ring.h"
#include "abi/io/xenbus.h"
#include "abi/io/xs_wire.h"
#include "abi/memory.h"
#include "abi/sched.h"
#include "abi/sysctl.h"
#include "abi/vcpu.h"
#include "abi/version.h"
#include "abi/xen.h"

#include "abi_table.h"

/* clang-format off */
static const struct abi_row rows[] = {
#include "abi.list"
	{ "ring: request producer", offsetof(struct ring_shared, req_prod), 0 },
	{ "ring: request event", offsetof(struct ring_shared, req_event), 0 },
	{ "ring: response producer", offsetof(struct ring_shared, rsp_prod), 0 },
	{ "ring: response event", offsetof(struct ring_shared, rsp_event), 0 },
	{ "ring: slots", RING_HEADER_SIZE, 0 },
	{ "ring: block slot", sizeof(union blkif_slot), 0 },
	{ "ring: tx slot", sizeof(union netif_tx_slot), 0 },
	{ "ring: rx slot", sizeof(union netif_rx_slot), 0 },
};
/* clang-format on */

const struct abi_row *
abi_ours(unsigned *nr)
{
	*nr = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
