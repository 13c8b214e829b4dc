/* xenbackendd's decisions: every state of a device against everything that may
 * have been done for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/xenbackendd/decide.h"

struct row {
	const char *what;
	int exists;
	unsigned state;
	const char *status;
	enum decide_phase before;
	enum decide_action action;
	enum decide_phase after;
};

/* clang-format off */
static const struct row rows[] = {
	{ "waits: attach",		1, 2, "", PHASE_IDLE, ACTION_ATTACH, PHASE_IDLE },
	{ "a quick frontend",		1, 4, "", PHASE_IDLE, ACTION_ATTACH, PHASE_IDLE },
	{ "done by somebody",		1, 2, "connected", PHASE_IDLE, ACTION_NONE, PHASE_ATTACHED },
	{ "failed before we came",	1, 2, "error", PHASE_IDLE, ACTION_NONE, PHASE_FAILED },
	{ "done already",		1, 4, "connected", PHASE_ATTACHED, ACTION_NONE, PHASE_ATTACHED },
	{ "failed: not again",		1, 2, "error", PHASE_FAILED, ACTION_NONE, PHASE_FAILED },
	{ "made anew",			1, 2, "", PHASE_ATTACHED, ACTION_ATTACH, PHASE_ATTACHED },
	{ "made anew after detach",	1, 2, "", PHASE_DETACHED, ACTION_ATTACH, PHASE_DETACHED },
	{ "too early",			1, 1, "", PHASE_IDLE, ACTION_NONE, PHASE_IDLE },
	{ "no state yet",		1, 0, "", PHASE_IDLE, ACTION_NONE, PHASE_IDLE },
	{ "closing: not yet",		1, 5, "connected", PHASE_ATTACHED, ACTION_NONE, PHASE_ATTACHED },
	{ "closed: detach",		1, 6, "connected", PHASE_ATTACHED, ACTION_DETACH, PHASE_ATTACHED },
	{ "closed after failure",	1, 6, "error", PHASE_FAILED, ACTION_DETACH, PHASE_FAILED },
	{ "closed while we were away",	1, 6, "connected", PHASE_IDLE, ACTION_DETACH, PHASE_ATTACHED },
	{ "closed, never attached",	1, 6, "", PHASE_IDLE, ACTION_NONE, PHASE_IDLE },
	{ "detached once only",		1, 6, "connected", PHASE_DETACHED, ACTION_NONE, PHASE_DETACHED },
	{ "reconfiguring",		1, 7, "", PHASE_IDLE, ACTION_NONE, PHASE_IDLE },
	{ "removed while attached",	0, 0, "", PHASE_ATTACHED, ACTION_DETACH, PHASE_ATTACHED },
	{ "removed after failure",	0, 0, "", PHASE_FAILED, ACTION_DETACH, PHASE_FAILED },
	{ "removed after detach",	0, 0, "", PHASE_DETACHED, ACTION_FORGET, PHASE_DETACHED },
	{ "removed untouched",		0, 0, "", PHASE_IDLE, ACTION_FORGET, PHASE_IDLE },
};
/* clang-format on */

static void
every_state_has_its_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct decide_view view = { .exists = r->exists,
			.state = r->state,
			.hotplug_status = r->status };
		enum decide_phase phase = r->before;
		enum decide_action action = decide(&view, &phase);

		if (action != r->action || phase != r->after)
			fail_msg(
			    "%s: action %d, phase %d", r->what, action, phase);
	}
}

static void
paths_point_at_devices_at_folders_or_nowhere(void **state)
{
	static const struct {
		const char *path;
		enum decide_scope scope;
		const char *device;
	} t[] = {
		{ DECIDE_ROOT, SCOPE_ABOVE, "" },
		{ DECIDE_ROOT "/vbd", SCOPE_ABOVE, "" },
		{ DECIDE_ROOT "/vbd/5", SCOPE_ABOVE, "" },
		{ DECIDE_ROOT "/vbd/5/768", SCOPE_DEVICE,
		    DECIDE_ROOT "/vbd/5/768" },
		{ DECIDE_ROOT "/vbd/5/768/state", SCOPE_DEVICE,
		    DECIDE_ROOT "/vbd/5/768" },
		{ DECIDE_ROOT "/vbd/5/768/states", SCOPE_OTHER, NULL },
		{ DECIDE_ROOT "/vbd/5/768/x/state", SCOPE_OTHER, NULL },
		{ DECIDE_ROOT "/vbd/5/768/sectors", SCOPE_OTHER, NULL },
		{ DECIDE_ROOT "x/vbd/5/768/state", SCOPE_OTHER, NULL },
		{ "/local/domain/0/memory", SCOPE_OTHER, NULL },
		{ "@releaseDomain", SCOPE_OTHER, NULL },
		{ "", SCOPE_OTHER, NULL },
	};
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (decide_scope(t[i].path, &len) != t[i].scope)
			fail_msg("%s", t[i].path);
		if (t[i].scope == SCOPE_DEVICE)
			assert_int_equal(len, strlen(t[i].device));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_its_step),
		cmocka_unit_test(paths_point_at_devices_at_folders_or_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
