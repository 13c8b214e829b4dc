/*
 * What test_hvd and its guest agree on: a page of the guest's memory.
 */
#ifndef TESTS_UNIT_HOSTED_GUEST_H
#define TESTS_UNIT_HOSTED_GUEST_H

#include <stdint.h>

#define GUEST_PAGES 2048     /* 8 MiB */
#define GUEST_INFO 0x1000    /* hvm_start_info, then the module's record */
#define GUEST_CONTROL 0x2000 /* struct guest_control */
#define GUEST_ARENA 0x3000   /* one page for hypercall arguments */
#define GUEST_SHARED 0x4000  /* a frame to be granted */
#define GUEST_IMAGE 0x100000 /* the ELF image */

enum guest_role {
	GUEST_ECHO = 1, /* send back on the port that is heard */
	GUEST_EXIT,	/* end with status 5 */
	GUEST_CRASH,
	GUEST_HANG_UP,	 /* close the channel and sleep */
	GUEST_POWEROFF,	 /* SCHEDOP_shutdown */
	GUEST_LAST_WORD, /* send, then end at once */
	GUEST_BABBLE,	 /* send what is no message */
	GUEST_GRASP,	 /* ask for what only domain 0 may have */
};

struct guest_control {
	uint32_t role;
	uint32_t port;	 /* of the guest */
	uint32_t up;	 /* the guest runs */
	uint32_t heard;	 /* events */
	uint32_t direct; /* ... of which came by a pair */
	int32_t result;	 /* GRASP: bit n = request n was granted */
};

#endif
