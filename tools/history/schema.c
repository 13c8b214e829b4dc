/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "tools/history/db.h"

/* Made from schema/history.sql: its lines, in history_sql[]. */
#include "history_sql.h"

char *
db_schema(void)
{
	size_t n = sizeof(history_sql) / sizeof(history_sql[0]), len = 0, i;
	char *text, *end;

	for (i = 0; i < n; i++)
		len += strlen(history_sql[i]);
	text = malloc(len + 1);
	if (text == NULL)
		return NULL;
	for (end = text, i = 0; i < n; i++) {
		len = strlen(history_sql[i]);
		memcpy(end, history_sql[i], len);
		end += len;
	}
	*end = '\0';
	return text;
}
