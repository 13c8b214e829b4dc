#include "diskspec.h"

#include <string.h>

#include "diag.h"
#include "vdev.h"

/* A disk while it is being read. */
struct reader {
	struct arena *mem;
	struct diskspec *disk;
	const char *why;
	unsigned positional; /* of the positional fields, how many are done */
	bool has_target, has_format, has_vdev, has_access, phy, empty;
};

static int
refuse(struct reader *r, const char *text)
{
	r->why = text;
	return -1;
}

static bool
starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int
set_target(struct reader *r, const char *text)
{
	r->disk->target = text;
	r->has_target = true;
	return 0;
}

static int
set_format(struct reader *r, const char *text)
{
	r->has_format = true;
	if (*text == '\0' || strcmp(text, "raw") == 0)
		return 0;
	if (strcmp(text, "empty") == 0) {
		r->empty = true;
		return 0;
	}
	if (strcmp(text, "qcow") == 0 || strcmp(text, "qcow2") == 0 ||
	    strcmp(text, "vhd") == 0 || strcmp(text, "qed") == 0)
		return refuse(
		    r, arena_printf(r->mem,
			   "format '%s' is not supported: only raw is", text));
	return refuse(
	    r, arena_printf(r->mem, "unknown format '%s' (raw, empty)", text));
}

static int
set_vdev(struct reader *r, const char *text)
{
	const char *colon = strrchr(text, ':'), *why;

	r->has_vdev = true;
	if (colon != NULL) {
		if (strcmp(colon, ":cdrom") == 0)
			r->disk->cdrom = true;
		else if (strcmp(colon, ":disk") != 0)
			return refuse(r,
			    arena_printf(r->mem,
				"'%s' after the virtual device must be cdrom "
				"or disk",
				colon + 1));
		text = arena_strndup(r->mem, text, (size_t)(colon - text));
	}
	r->disk->vdev = text;
	if (vdev_parse(text, &r->disk->number, &why) != 0)
		return refuse(r,
		    arena_printf(r->mem, "virtual device '%s': %s", text, why));
	return 0;
}

static int
set_access(struct reader *r, const char *text)
{
	static const struct {
		const char *text;
		enum disk_access access;
	} known[] = {
		{ "r", DISK_READ_ONLY },
		{ "ro", DISK_READ_ONLY },
		{ "w", DISK_READ_WRITE },
		{ "rw", DISK_READ_WRITE },
		{ "w!", DISK_SHARED },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(text, known[i].text) == 0) {
			r->disk->access = known[i].access;
			r->has_access = true;
			return 0;
		}
	}
	return refuse(
	    r, arena_printf(r->mem,
		   "access '%s' must be one of r, ro, w, rw, w!", text));
}

static int
set_devtype(struct reader *r, const char *text)
{
	if (strcmp(text, "cdrom") != 0 && strcmp(text, "disk") != 0)
		return refuse(
		    r, arena_printf(
			   r->mem, "devtype '%s' must be cdrom or disk", text));
	r->disk->cdrom = *text == 'c';
	return 0;
}

static int
set_backend(struct reader *r, const char *text)
{
	if (strcmp(text, "0") == 0 || strcmp(text, "Domain-0") == 0)
		return 0;
	return refuse(r, "backends other than domain 0 are not supported");
}

static int
set_backendtype(struct reader *r, const char *text)
{
	if (strcmp(text, "phy") == 0)
		return 0;
	return refuse(
	    r, arena_printf(r->mem,
		   "backendtype '%s' is not supported: only phy is", text));
}

static int
set_specification(struct reader *r, const char *text)
{
	if (strcmp(text, "xen") == 0)
		return 0;
	return refuse(r, "only specification=xen is supported");
}

static int
set_script(struct reader *r, const char *text)
{
	r->disk->script = *text == '\0' ? NULL : text;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct reader *r, const char *text);
} keys[] = {
	{ "target", set_target },
	{ "format", set_format },
	{ "vdev", set_vdev },
	{ "access", set_access },
	{ "devtype", set_devtype },
	{ "backend", set_backend },
	{ "backendtype", set_backendtype },
	{ "specification", set_specification },
	{ "script", set_script },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* A word without '=' that is not a positional field. False if it is none. */
static bool
set_flag(struct reader *r, const char *text)
{
	/* Those after the first ask for nothing that raw images could do. */
	static const char *const flags[] = { "cdrom", "discard", "no-discard",
		"direct-io-safe", "trusted", "untrusted" };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(text, flags[i]) == 0) {
			if (i == 0)
				r->disk->cdrom = true;
			return true;
		}
	}
	return false;
}

/* The deprecated "method:" before a target; these may be stacked. */
static int
strip_prefixes(struct reader *r, const char **text)
{
	static const char *const plain[] = { "file:", "phy:", "raw:", "aio:",
		"tap:", "tap2:", "tapdisk:", NULL };
	static const char *const scripts[] = {
		"iscsi:", "nbd:", "enbd:", "drbd:", NULL
	};
	static const char *const never[] = {
		"qcow:", "qcow2:", "vhd:", "ioemu:", NULL
	};
	size_t i;

	for (i = 0; plain[i] != NULL; i++) {
		if (!starts(*text, plain[i]))
			continue;
		*text += strlen(plain[i]);
		r->has_format = true;
		r->phy = i == 1;
		return strip_prefixes(r, text);
	}
	for (i = 0; scripts[i] != NULL; i++) {
		if (!starts(*text, scripts[i]))
			continue;
		*text += strlen(scripts[i]);
		r->has_format = true;
		r->disk->script = arena_printf(r->mem, "block-%.*s",
		    (int)strlen(scripts[i]) - 1, scripts[i]);
		return 0;
	}
	for (i = 0; never[i] != NULL; i++) {
		if (starts(*text, never[i]))
			return refuse(
			    r, arena_printf(r->mem,
				   "'%s' is not supported: only raw images are",
				   never[i]));
	}
	return 0;
}

static int
positional(struct reader *r, const char *text)
{
	if (!r->has_target) {
		if (strip_prefixes(r, &text) != 0)
			return -1;
		return set_target(r, text);
	}
	if (!r->has_format)
		return set_format(r, text);
	if (!r->has_vdev)
		return set_vdev(r, text);
	if (!r->has_access)
		return set_access(r, text);
	return refuse(
	    r, arena_printf(r->mem, "'%s' is one field too many", text));
}

/* One field; REST is what follows it, which target= swallows. */
static int
field(struct reader *r, const char *text, const char *rest, bool *last_out)
{
	const char *equals = strchr(text, '=');
	const char *names[KEYS + 1] = { NULL };
	size_t len = equals != NULL ? (size_t)(equals - text) : 0;

	if (equals == NULL || memchr(text, '/', len) != NULL)
		return r->has_target && set_flag(r, text) ? 0
							  : positional(r, text);
	for (size_t i = 0; i < KEYS; i++) {
		names[i] = keys[i].key;
		if (strlen(names[i]) != len || memcmp(text, names[i], len) != 0)
			continue;
		if (i == 0) {
			*last_out = true;
			text = arena_printf(r->mem, "%s%s", text, rest);
		}
		return keys[i].set(r, text + len + 1);
	}
	text = arena_strndup(r->mem, text, len);
	names[0] = diag_nearest(text, names);
	return refuse(r, arena_printf(r->mem, "unknown key '%s'%s%s%s", text,
			     names[0] != NULL ? " (did you mean '" : "",
			     names[0] != NULL ? names[0] : "",
			     names[0] != NULL ? "'?)" : ""));
}

static int
fields(struct reader *r, const char *text)
{
	bool last = false;

	while (!last) {
		size_t len;
		const char *end;

		text += strspn(text, " \t");
		len = strcspn(text, ",");
		end = text + len;
		while (len > 0 && strchr(" \t", text[len - 1]) != NULL &&
		       *end == ',')
			len--;
		if (field(r, arena_strndup(r->mem, text, len), end, &last) != 0)
			return -1;
		if (*end == '\0')
			break;
		text = end + 1;
	}
	return 0;
}

/* What the whole must have, and what follows from it. */
static int
finish(struct reader *r, const char *cwd)
{
	struct diskspec *d = r->disk;

	if (!r->has_vdev)
		return refuse(r, "no virtual device is given");
	if (d->cdrom && r->has_access && d->access != DISK_READ_ONLY)
		return refuse(r, "a CD-ROM cannot be writable");
	if (d->cdrom)
		d->access = DISK_READ_ONLY;
	if (r->empty)
		d->target = "";
	if (d->target == NULL || *d->target == '\0') {
		d->target = "";
		return d->cdrom ? 0 : refuse(r, "no image or device is given");
	}
	if (*d->target != '/' && d->script == NULL) {
		if (r->phy && strchr(d->target, '/') == NULL)
			cwd = "/dev";
		d->target = arena_printf(r->mem, "%s/%s", cwd, d->target);
	}
	return 0;
}

int
diskspec_parse(struct arena *mem, const char *text, const char *cwd,
    struct diskspec *out, const char **why_out)
{
	struct diskspec disk = { .access = DISK_READ_WRITE };
	struct reader r = { .mem = mem, .disk = &disk };

	if (fields(&r, text) != 0 || finish(&r, cwd) != 0) {
		*why_out = r.why;
		return -1;
	}
	*out = disk;
	return 0;
}

char *
diskspec_print(struct arena *mem, const struct diskspec *d)
{
	static const char *const access[] = {
		[DISK_READ_ONLY] = "r",
		[DISK_READ_WRITE] = "rw",
		[DISK_SHARED] = "w!",
	};

	return arena_printf(mem,
	    "format=%s, vdev=%s, access=%s, devtype=%s, %s%s%starget=%s",
	    *d->target == '\0' ? "empty" : "raw", d->vdev, access[d->access],
	    d->cdrom ? "cdrom" : "disk", d->script != NULL ? "script=" : "",
	    d->script != NULL ? d->script : "", d->script != NULL ? ", " : "",
	    d->target);
}
