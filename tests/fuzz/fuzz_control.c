/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CONTROL, GET_QUOTA and SET_QUOTA with any arguments, from a privileged socket
 * to the whole server, traces included. The names of files lead nowhere.
 */
#include "fuzz.h"

/* clang-format off */
#include "tests/unit/xenstored/harness.h"
#include "xenstored/server.h"
#include "quiet.h"
/* clang-format on */

#include <fcntl.h>

/* Any name is one that can be written to; what is written is nowhere. */
static int
open_nowhere(const char *path)
{
	return path[0] != '\0' ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
}

#define open(path, flags, mode) open_nowhere(path)
#include "xenstored/trace.c"
#undef open

/* One word of an argument list at TO; how long, NUL included. */
static size_t
make_word(struct script *s, char *to)
{
	static const char *const words[] = { "check", "memreport", "quota",
		"quota-soft", "help", "live-update", "log", "logfile", "print",
		"set", "max", "-r", "on", "off", "+io", "-acc", "nodes",
		"memory", "node-size", "1", "2", "0", "2147483647",
		"4294967296", "-1", "", "32752", "x/y" };
	uint8_t what = script_byte(s);
	size_t n = what % 64;

	if (n < sizeof(words) / sizeof(words[0])) {
		memcpy(to, words[n], strlen(words[n]) + 1);
		return strlen(words[n]) + 1;
	}
	if (n == 63) {
		n = script_short(s) % 1000;
		memset(to, 'q', n);
	} else {
		n = script_bytes(s, to, what >> 4);
	}
	to[n] = '\0';
	return n + 1;
}

static size_t
make_payload(struct script *s, char to[WIRE_PAYLOAD_MAX])
{
	static char word[1024];
	size_t n = 0, len;
	uint8_t words = script_byte(s) % 12;

	while (words-- > 0) {
		len = make_word(s, word);
		if (len > WIRE_PAYLOAD_MAX - n)
			break;
		memcpy(to + n, word, len);
		n += len;
	}
	/* without its last NUL */
	return n > 0 && script_byte(s) == 'n' ? n - 1 : n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { WIRE_CONTROL, WIRE_CONTROL,
		WIRE_GET_QUOTA, WIRE_SET_QUOTA, WIRE_GET_FEATURE,
		WIRE_SET_FEATURE };
	struct script script = { data, size };
	struct server_config config;
	char payload[WIRE_PAYLOAD_MAX];
	struct server *server;
	struct h_message m;
	struct conn *conn;
	struct log *log;
	static struct h h;
	size_t len;

	memset(&config, 0, sizeof(config));
	config.state.quotas = quota_defaults();
	log = log_private(1 << 16, 1);
	must(log != NULL);
	server = server_new(&config, log);
	server_set_world(server, world_none());
	conn = state_open_socket(server_state(server), 0, 1, NULL);
	must(conn != NULL);
	while (script.left > 0) {
		uint32_t type = types[script_pick(&script, 6)];

		len = make_payload(&script, payload);
		(void)h_call(&h, conn, type, 0, payload, len, &m);
		must(memchr(m.payload, '\0', m.header.len) != NULL);
	}
	must(h_call(&h, conn, WIRE_CONTROL, 0, "check", 6, &m) == XS_OK);
	must(strcmp(m.payload, "OK") == 0);
	h_use_all();
	server_free(server);
	log_close(log);
	return 0;
}
