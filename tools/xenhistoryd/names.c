/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/xenhistoryd/names.h"

#include <stdio.h>
#include <stdlib.h>

#include "xenstored/peers.h"

struct names {
	char *path;
	const struct peers *peers; /* NULL: there is none (yet) */
};

struct names *
names_new(const char *dir)
{
	struct names *names = calloc(1, sizeof(*names));

	if (names != NULL && asprintf(&names->path, "%s/peers", dir) < 0) {
		free(names);
		return NULL;
	}
	return names;
}

void
names_free(struct names *names)
{
	if (names == NULL)
		return;
	peers_unmap(names->peers);
	free(names->path);
	free(names);
}

void
names_find(
    struct names *names, const struct conn *conn, struct history_who *who)
{
	char name[PEERS_NAME];
	bool found;

	if (conn->is_ring || conn->sock == 0)
		return;
	found = peers_find(names->peers, conn->sock, conn->pid, name);
	if (!found) {
		/* another daemon has another file */
		peers_unmap(names->peers);
		names->peers = peers_map(names->path);
		found = peers_find(names->peers, conn->sock, conn->pid, name);
	}
	if (found)
		snprintf(who->command, sizeof(who->command), "%s", name);
}
