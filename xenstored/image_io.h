/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers and bytes of an image: all little-endian, none aligned. A writer
 * that finds no memory and a reader that finds no bytes remember it and go on
 * with zeroes; who uses them looks once at the end of each thing.
 */
#ifndef XENSTORED_IMAGE_IO_H
#define XENSTORED_IMAGE_IO_H

#include "xenstored/image.h"
#include "xenstored/quota.h"

/*
 * What each part of an image begins with. They come in this order: the
 * configuration once, then all others, each behind what it refers to. A small
 * letter has a length (u32) behind it: who does not know it skips the part. Any
 * other that is not known ends the reading.
 */
enum image_tag {
	IMAGE_OPTIONAL = 'a' - 'A', /* this bit */
	IMAGE_GENERAL = 'G',
	IMAGE_PRINCIPAL = 'P',
	IMAGE_ACL = 'A',
	IMAGE_NODE = 'N', /* the first version of a node that is told of */
	IMAGE_VERSION_OF = 'V', /* another one */
	IMAGE_KIDS = 'K',	/* of a node, behind all of them */
	IMAGE_LIVE = 'L',	/* which is the top of the live tree */
	IMAGE_UNBURIED = 'U',
	IMAGE_CONN = 'C',
	IMAGE_TXN = 'X', /* of the connection before it */
	IMAGE_DOMAIN = 'D',
	IMAGE_END = 'Z',
};

/* In place of an index: there is none. */
#define IMAGE_NONE UINT32_MAX

/* How a list of children is told. */
enum image_kids {
	IMAGE_KIDS_ALL,	   /* all of them */
	IMAGE_KIDS_CHANGE, /* what differs from the version it was made from */
	IMAGE_KIDS_NONE,   /* it never had any, that version had */
};

/* What waits in a queue. */
enum image_item {
	IMAGE_ITEM_BYTES,     /* of a message */
	IMAGE_ITEM_EVENT,     /* with a path */
	IMAGE_ITEM_INITIAL,   /* with the watch's own */
	IMAGE_ITEM_COLLAPSED, /* the same, that stands for all */
};

/* Flags of a connection. */
enum {
	IMAGE_CONN_PRIVILEGED = 1,
	IMAGE_CONN_RING = 2,
	IMAGE_CONN_IGNORED = 4,
};

enum { IMAGE_HEADER_SIZE = 56 };

/* A checksum of LEN bytes at DATA, against accidents. */
uint64_t bytes_sum(const void *data, size_t len);

/* The checksum of an image of LEN bytes at DATA, which has a header. */
uint64_t image_sum(const void *data, size_t len);

void put_u8(struct image *img, uint8_t value);
void put_u32(struct image *img, uint32_t value);
void put_u64(struct image *img, uint64_t value);
void put_bytes(struct image *img, const void *data, size_t len);

/* A length and the bytes. */
void put_string(struct image *img, const char *text, size_t len);

/* All numbers of SET. */
void put_quotas(struct image *img, const struct quota_set *set);

struct image_in {
	const uint8_t *pos;
	size_t left;
	const char *wrong; /* the first thing that was, or NULL */
};

/* Remembers WHAT is wrong, if nothing is yet. Always false. */
bool in_wrong(struct image_in *in, const char *what);

uint8_t get_u8(struct image_in *in);
uint32_t get_u32(struct image_in *in);
uint64_t get_u64(struct image_in *in);

/* LEN bytes, borrowed; NULL if they are not there. */
const char *get_bytes(struct image_in *in, size_t len);

/* A number below LIMIT or, if it may be missing, IMAGE_NONE. */
uint32_t get_index(struct image_in *in, size_t limit, const char *what);
uint32_t get_index_or_none(struct image_in *in, size_t limit, const char *what);

/* A length of at most MAX and so many bytes, borrowed; NULL: wrong. */
const char *get_string(struct image_in *in, size_t max, size_t *len_out);

/* A count of things that take at least SIZE bytes each. */
uint32_t get_count(struct image_in *in, size_t size);

#endif
