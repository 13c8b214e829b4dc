#include <string.h>

#include "tools/xenbackendd/decide.h"

/* The values of state nodes that matter here. */
enum {
	STATE_INIT_WAIT = 2,
	STATE_INITIALISED = 3,
	STATE_CONNECTED = 4,
	STATE_CLOSED = 6,
};

/* A device that was there may have left something behind. */
static enum decide_action
decide_gone(enum decide_phase phase)
{
	if (phase == PHASE_ATTACHED || phase == PHASE_FAILED)
		return ACTION_DETACH;
	return ACTION_FORGET;
}

enum decide_action
decide(const struct decide_view *view, enum decide_phase *phase)
{
	bool done = view->hotplug_status[0] != '\0';

	if (!view->exists)
		return decide_gone(*phase);

	if (done && *phase == PHASE_IDLE)
		*phase = strcmp(view->hotplug_status, "error") == 0
			     ? PHASE_FAILED
			     : PHASE_ATTACHED;

	switch (view->state) {
	case STATE_INIT_WAIT:
	case STATE_INITIALISED:
	case STATE_CONNECTED:
		/* Not done but attached: the device was made anew. */
		return done ? ACTION_NONE : ACTION_ATTACH;
	case STATE_CLOSED:
		if (*phase == PHASE_ATTACHED || *phase == PHASE_FAILED)
			return ACTION_DETACH;
		return ACTION_NONE;
	default:
		return ACTION_NONE;
	}
}

enum decide_scope
decide_scope(const char *path, size_t *len_out)
{
	const size_t root = sizeof(DECIDE_ROOT) - 1;
	const char *p = path + root;
	unsigned depth;

	*len_out = 0;
	if (strncmp(path, DECIDE_ROOT, root) != 0 || (*p != '/' && *p != '\0'))
		return SCOPE_OTHER;
	/* "/TYPE/DOMID/ID" and then perhaps "/NODE". */
	for (depth = 0; *p == '/' && depth < 3; depth++)
		p += 1 + strcspn(p + 1, "/");
	if (depth < 3)
		return SCOPE_ABOVE;
	*len_out = (size_t)(p - path);
	if (*p == '\0' || strcmp(p, "/state") == 0)
		return SCOPE_DEVICE;
	return SCOPE_OTHER;
}
