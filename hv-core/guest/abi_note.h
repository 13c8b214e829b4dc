/*
 * abi_note: the note with which an image says for which version of the hosted
 * ABI (HV_PROTO_VERSION of hv-core/hosted/proto.h) it was built. A builder may
 * refuse what hvd would refuse later.
 */
#ifndef HV_GUEST_ABI_NOTE_H
#define HV_GUEST_ABI_NOTE_H

#define ABI_NOTE_OWNER "Kernbus"
enum { ABI_NOTE_HOSTED = 1 }; /* descriptor: the version, 32 bits */

#endif
