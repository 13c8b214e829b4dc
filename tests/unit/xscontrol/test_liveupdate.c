/* SPDX-License-Identifier: BSD-2-Clause */
/* What live-update asks of a daemon, and in which order: as Debian's
 * xenstore-control does. */
#include "tests/unit/xenstore/fake_server.h"

#include "tools/xscontrol/liveupdate.h"

enum { LOG_SIZE = 8192 };

/* Of the daemon: answers to CONTROL in turn, then OK; "!" means an error. */
static struct {
	const char *answers[8];
	bool domain;	    /* it is one */
	char log[LOG_SIZE]; /* arguments of each CONTROL, "|" between them */
	size_t pieces;	    /* bytes that came with -d */
} server;

static struct fake fake;

/* Notes the arguments of the request, NULs as blanks; data as its length. */
static void
note(const struct request *req)
{
	const char *body = req->body + strlen("live-update") + 1;
	size_t len = req->hdr.len - (size_t)(body - req->body);
	char text[512] = "";

	if (strcmp(body, "-d") == 0) {
		size_t head = 3 + strlen(body + 3) + 1;

		server.pieces += len - head - 1;
		assert_int_equal(strtoul(body + 3, NULL, 10), len - head - 1);
		len = head;
	}
	assert_true(len < sizeof(text));
	for (size_t i = 0; i + 1 < len; i++)
		text[i] = body[i] != '\0' ? body[i] : ' ';
	if (server.log[0] != '\0')
		strcat(server.log, "|");
	strcat(server.log, text);
}

static void
daemon_script(struct fake *f)
{
	size_t next = 0;

	while (fake_recv(f)) {
		const char *answer = "OK";

		if (f->req.hdr.type == WIRE_READ) {
			if (server.domain)
				fake_send(f, WIRE_READ, "7", 1);
			else
				fake_error(f, "ENOENT");
			continue;
		}
		assert_string_equal(f->req.body, "live-update");
		note(&f->req);
		if (next < 8 && server.answers[next] != NULL)
			answer = server.answers[next++];
		if (answer[0] == '!')
			fake_error(f, answer + 1);
		else
			fake_send(f, WIRE_CONTROL, answer, strlen(answer) + 1);
	}
}

/* Runs it with the words of COMMAND; stderr into ERRORS. */
static int
run(const char *command, char errors[256])
{
	char words[256], path[] = "/tmp/kernbus-test-XXXXXX";
	char *argv[16], *save;
	int argc = 0, fd = mkstemp(path), saved = dup(STDERR_FILENO), ret;
	struct xs_handle *xs;
	ssize_t n;

	assert_true(fd >= 0);
	strcpy(words, command);
	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	server.log[0] = '\0';
	server.pieces = 0;
	fake_start(&fake, daemon_script);
	xs = fake_open(0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	ret = liveupdate_run(xs, argc, argv);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	xs_close(xs);
	fake_stop(&fake);
	n = pread(fd, errors, 255, 0);
	errors[n > 0 ? n : 0] = '\0';
	close(fd);
	unlink(path);
	return ret;
}

static void
each_step_is_asked_for_in_its_order(void **state)
{
	static const struct {
		const char *command, *log;
	} good[] = {
		{ "f", "-f f|-s -t 60" },
		{ "f g", "-f g|-s -t 60" },
		{ "-c cmd f", "-f f|-c cmd|-s -t 60" },
		{ "-c a -c b f", "-f f|-c b|-s -t 60" },
		{ "-t 5 f", "-f f|-s -t 5" },
		{ "-t 5abc f", "-f f|-s -t 5" },
		{ "-t -1 f", "-f f|-s -t 4294967295" },
		{ "-F -t 7 f", "-f f|-s -t 7 -F" },
		{ "f -F", "-f f|-s -t 60 -F" },
		{ "-v 1 -F f", "-f f|-s -t 60 -F -v 1" },
		{ "-z f", "-f f|-s -t 60" },
		{ "-a", "-f -a|-s -t 60" },
	};
	char errors[256];

	(void)state;
	memset(&server, 0, sizeof(server));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(run(good[i].command, errors), 0);
		assert_string_equal(server.log, good[i].log);
		assert_string_equal(errors, "");
	}
}

static void
what_is_missing_is_named_and_nothing_asked(void **state)
{
	char errors[256];

	(void)state;
	memset(&server, 0, sizeof(server));
	assert_int_equal(run("", errors), 2);
	assert_string_equal(errors, "Missing binary specification\n");
	assert_int_equal(run("-c", errors), 2);
	assert_string_equal(errors, "Missing command line value\n");
	assert_int_equal(run("-F -t", errors), 2);
	assert_string_equal(errors, "Missing timeout value\n");
	assert_int_equal(run("-v", errors), 2);
	assert_string_equal(errors, "Missing version value\n");
	assert_string_equal(server.log, "");
}

static void
a_refusal_is_shown_and_what_was_begun_is_taken_back(void **state)
{
	static const struct {
		const char *command, *answers[3], *log, *errors;
	} bad[] = {
		{ "f", { "!ENOENT" }, "-f f",
		    "Setting update binary failed:\n"
		    "No such file or directory\n" },
		{ "f", { "bad binary" }, "-f f",
		    "Setting update binary failed:\nbad binary\n" },
		{ "-c x f", { "OK", "!EINVAL" }, "-f f|-c x|-a",
		    "Setting update binary failed:\nInvalid argument\n" },
		{ "f", { "OK", "!EBUSY" }, "-f f|-s -t 60|-a",
		    "Starting live update failed:\n"
		    "Device or resource busy\n" },
		{ "f", { "OK", "Domain 5: 2 s" }, "-f f|-s -t 60|-a",
		    "Starting live update failed:\nDomain 5: 2 s\n" },
		{ "-t 0 f", { "OK" }, "-f f|-a",
		    "Starting live update failed:\nBUSY\n" },
	};
	char errors[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&server, 0, sizeof(server));
		memcpy(server.answers, bad[i].answers, sizeof(bad[i].answers));
		assert_int_equal(run(bad[i].command, errors), 3);
		assert_string_equal(server.log, bad[i].log);
		assert_string_equal(errors, bad[i].errors);
	}
}

static void
a_busy_daemon_is_asked_again(void **state)
{
	char errors[256];

	(void)state;
	memset(&server, 0, sizeof(server));
	server.answers[0] = "OK";
	server.answers[1] = "BUSY";
	assert_int_equal(run("f", errors), 0);
	assert_string_equal(server.log, "-f f|-s -t 60|-s -t 60");
}

static void
a_daemon_that_is_a_domain_gets_the_image(void **state)
{
	static const char bytes[5000] = { 1, 2, 3 };
	char path[] = "/tmp/kernbus-test-XXXXXX", command[64], errors[256];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	memset(&server, 0, sizeof(server));
	server.domain = true;
	snprintf(command, sizeof(command), "-c x %s", path);
	assert_int_equal(run(command, errors), 0);
	assert_string_equal(
	    server.log, "-b 5000|-d 2048|-d 2048|-d 904|-c x|-s -t 60");
	assert_int_equal(server.pieces, sizeof(bytes));

	server.answers[0] = "OK";
	server.answers[1] = "!ENOSPC";
	assert_int_equal(run(command, errors), 3);
	assert_string_equal(server.log, "-b 5000|-d 2048|-a");
	assert_string_equal(errors,
	    "Transfer of new binary failed:\nNo space left on device\n");
	close(fd);
	unlink(path);

	assert_int_equal(run(command, errors), 1);
	assert_string_equal(server.log, "-a");
	assert_non_null(strstr(errors, "No such file or directory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_is_asked_for_in_its_order),
		cmocka_unit_test(what_is_missing_is_named_and_nothing_asked),
		cmocka_unit_test(
		    a_refusal_is_shown_and_what_was_begun_is_taken_back),
		cmocka_unit_test(a_busy_daemon_is_asked_again),
		cmocka_unit_test(a_daemon_that_is_a_domain_gets_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
