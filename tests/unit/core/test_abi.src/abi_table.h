/*
 * The same names measured with two sets of headers. A table's rows are in the
 * order of abi.list.
 */
#ifndef TEST_ABI_TABLE_H
#define TEST_ABI_TABLE_H

struct abi_row {
	const char *name;
	unsigned long value;
	unsigned long size; /* of a member; else 0 */
};

/* clang-format off */
#define N(name) { #name, (unsigned long)(name), 0 },
#define S(type) { "sizeof " #type, sizeof(type), 0 },
#define F(type, member) \
	{ #type "." #member, offsetof(type, member), \
	    sizeof(((type *)0)->member) },
/* clang-format on */

/* The rows; *NR: how many. 0: the headers are not installed. */
const struct abi_row *abi_ours(unsigned *nr);
const struct abi_row *abi_debian(unsigned *nr);

#endif
