/*
 * The wire between hvd and hv-spawn: what hvd asks for, what it hears of the
 * processes. Knows no domain: a process is named by a tag that hvd chooses.
 */
#ifndef HV_HOSTED_SPAWN_PROTO_H
#define HV_HOSTED_SPAWN_PROTO_H

#include <stdint.h>

#define SPAWN_SOCKET_FD 3 /* where hv-spawn finds the socket */

enum spawn_type {
	/* hvd asks */
	SPAWN_GUEST = 1, /* descriptors: image, channel, stderr (optional) */
	SPAWN_DOM0 = 2,	 /* descriptor: image */
	/* hv-spawn tells */
	SPAWN_DONE = 3,	  /* of the request TAG; descriptor: pidfd */
	SPAWN_EXITED = 4, /* the process of TAG has ended and been reaped */
};

#define SPAWN_ARGS_MAX 4096
#define SPAWN_WHY_MAX 120

struct spawn_msg {
	uint32_t type;
	uint32_t args_len;
	uint64_t tag;	   /* chosen by hvd; names the process later on */
	uint64_t map_size; /* SPAWN_GUEST: bytes of address space it needs */
	uint64_t mem_size; /* SPAWN_GUEST: bytes of memory it has */
	int32_t err;	   /* SPAWN_DONE: 0 or errno */
	int32_t pid;	   /* SPAWN_DONE: for the log only */
	int32_t status;	   /* SPAWN_EXITED: as of waitpid(2) */
	uint32_t pad;
	char why[SPAWN_WHY_MAX];   /* SPAWN_DONE: what failed, if err != 0 */
	char args[SPAWN_ARGS_MAX]; /* SPAWN_DOM0: argv, each with its NUL */
};

#endif
