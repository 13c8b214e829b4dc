/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading an image: what its parts share. Nothing that is read is believed;
 * what is wrong is remembered in IN and ends the reading.
 */
#ifndef XENSTORED_IMAGE_INP_H
#define XENSTORED_IMAGE_INP_H

#include "xenstored/core.h"
#include "xenstored/image_io.h"
#include "xenstored/txn.h"

/* Things by their numbers. */
struct image_list {
	void **item;
	size_t n, cap;
};

/* A place: what all versions of a node have in common. */
struct image_place {
	uint32_t above; /* the place it is below; IMAGE_NONE: it is the top */
	uint32_t path_len;
	bool special; /* nothing is below it */
};

struct image_inp {
	struct image_in in;
	struct state *st;
	/* with a reference each */
	struct image_list principals, acls, nodes;
	struct image_list conns;
	struct image_place *place;
	size_t n_places, places_cap;
	uint32_t *place_of; /* of each node, as many as NODES has room for */
	size_t place_of_cap;
	struct conn *conn; /* the last one */
	uint64_t stamp;	   /* the newest; making nodes gives out others */
	unsigned n_quotas;
	enum quota_id *quota; /* by the image's number; QUOTA_COUNT: unknown */
};

/* Adds ITEM to LIST; false: no memory. */
bool image_list_add(struct image_list *list, void *item);

static inline bool
inp_no_memory(struct image_inp *inp)
{
	return in_wrong(&inp->in, "there is no memory for it");
}

/* A stamp, at most the newest. */
uint64_t inp_stamp(struct image_inp *inp);

/* 0 or 1 */
bool inp_bool(struct image_inp *inp);

/* A number from MIN to MAX. */
int64_t inp_number(struct image_inp *inp, int64_t min, int64_t max);

/* A number of 32 bits, at most MAX. */
uint32_t inp_number32(struct image_inp *inp, uint32_t max);

/* The principal of the next number; NULL: wrong, or there may be none. */
struct principal *inp_principal(struct image_inp *inp);
struct principal *inp_principal_or_none(struct image_inp *inp);

/* The node of the next number; NULL: wrong. */
struct node *inp_node(struct image_inp *inp);

/* The parts, by tag; each false: it is wrong. */
bool image_inp_general(struct image_inp *inp, const struct state_env *env);
bool image_inp_principal(struct image_inp *inp);
bool image_inp_acl(struct image_inp *inp);
bool image_inp_node(struct image_inp *inp);
bool image_inp_version(struct image_inp *inp);
bool image_inp_kids(struct image_inp *inp);
bool image_inp_live(struct image_inp *inp);
bool image_inp_unburied(struct image_inp *inp);
bool image_inp_conn(struct image_inp *inp);
bool image_inp_txn(struct image_inp *inp);
bool image_inp_domain(struct image_inp *inp);

/* The node of the next number, which is the top of a tree; NULL: wrong. */
struct node *inp_tree(struct image_inp *inp);

#endif
