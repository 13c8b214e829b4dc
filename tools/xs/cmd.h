/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a mode of xenstore(1) is: main() parses the options, opens the store and
 * runs one of these, inside a transaction if the mode wants one.
 */
#ifndef TOOLS_XS_CMD_H
#define TOOLS_XS_CMD_H

#include <stdbool.h>

#include "tools/xs/out.h"
#include "xenstore_async.h"

struct options {
	bool flat;
	bool prefix;
	bool raw;
	bool recurse;
	bool tidy;
	bool upto;
	bool json;
	bool null; /* NUL behind each thing, not a newline */
	bool if_absent;
	long number;	 /* of events; -1 for no end */
	long depth;	 /* of watches and ls; -1 for all */
	long timeout_ms; /* -1 for none */
	const char *glob;
	const char *exec;
	const char *if_equals;
};

/* What a mode works with. */
struct cmd_env {
	struct xs_handle *xs;	/* NULL if the mode is asynchronous */
	struct xs_async *async; /* NULL if it is not */
	xs_transaction_t txn;
	const struct options *opt;
	char **args;
	int nargs;
	struct out *out;     /* shown when the transaction has succeeded */
	unsigned long count; /* of elements of a JSON array in it */
};

enum cmd_txn {
	CMD_TXN_NEVER,
	CMD_TXN_ALWAYS,
	CMD_TXN_IF_SEVERAL, /* more than min_args operands */
};

struct cmd {
	const char *name;
	const char *options; /* letters of those it takes, beside -h and -s */
	const char *more;    /* names of its long options without a letter */
	const char *usage;   /* behind the name */
	const char *help;
	int min_args;
	int args_step; /* operands come in groups of so many */
	enum cmd_txn txn;
	bool async;
	bool json_array; /* --json is an array, which main() ends */
	int (*run)(struct cmd_env *env); /* the exit code; it has said why */
};

extern const struct cmd cmd_chmod;
extern const struct cmd cmd_exists;
extern const struct cmd cmd_list;
extern const struct cmd cmd_ls;
extern const struct cmd cmd_read;
extern const struct cmd cmd_rm;
extern const struct cmd cmd_watch;
extern const struct cmd cmd_write;

/* Exit codes beside 0 and 1. */
enum {
	CMD_EXIT_USAGE = 2, /* of options that other implementations lack */
	CMD_EXIT_NOT = 3    /* a condition does not hold; time is over */
};

/* Longer paths fit no request. */
#define CMD_PATH_SIZE (XENSTORE_PAYLOAD_MAX + 1)

/* Appends "/NAME" (or "NAME" after the root) to the path in BUF of
 * CMD_PATH_SIZE bytes, which has *LEN characters, and adjusts *LEN. False, and
 * nothing changed, if there is no room. */
bool cmd_path_push(char *buf, size_t *len, const char *name);

#endif
