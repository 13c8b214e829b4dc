#include "vdev.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XVD_MAJOR 202u
#define EXTENDED (1u << 28)
#define EXTENDED_DISKS (1u << 20)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The first disks of each are xl's, the later majors are xm's. */
static const uint8_t hd_major[] = { 3, 22, 33, 34, 56, 57, 88, 89, 90, 91 };
static const uint8_t sd_major[] = { 8, 65, 66, 67, 68, 69, 70, 71, 128, 129,
	130, 131, 132, 133, 134, 135 };

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal digits up to MAX; *TEXT moves behind them. */
static bool
decimal(const char **text, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;

	if (!is_digit(**text))
		return false;
	for (; is_digit(**text); (*text)++) {
		n = n * 10 + (uint32_t)(**text - '0');
		if (n > max)
			return false;
	}
	*out = n;
	return true;
}

/* a..z, aa..: 0, 1, ..., 26. *TEXT moves behind the letters. */
static bool
letters(const char **text, uint32_t *out)
{
	uint32_t n = 0;

	if (**text < 'a' || **text > 'z')
		return false;
	for (; **text >= 'a' && **text <= 'z'; (*text)++) {
		n = n * 26 + (uint32_t)(**text - 'a' + 1);
		if (n > EXTENDED_DISKS)
			return false;
	}
	*out = n - 1;
	return true;
}

/* What follows the letters: nothing, or a partition from 1 on. */
static bool
partition(const char *text, uint32_t max, uint32_t *out)
{
	*out = 0;
	if (*text == '\0')
		return true;
	return *text != '0' && decimal(&text, max, out) && *text == '\0';
}

static bool
parse_xvd(const char *text, uint32_t *out)
{
	uint32_t disk, part = 0;

	if (strncmp(text, "xvd", 3) == 0) {
		text += 3;
		if (!letters(&text, &disk) || !partition(text, 255, &part))
			return false;
	} else if (text[0] == 'd' && is_digit(text[1])) {
		text++;
		if (!decimal(&text, EXTENDED_DISKS - 1, &disk))
			return false;
		if (*text == 'p') {
			text++;
			if (!decimal(&text, 255, &part))
				return false;
		}
		if (*text != '\0')
			return false;
	} else {
		return false;
	}
	if (disk >= EXTENDED_DISKS)
		return false;
	if (disk < 16 && part < 16)
		*out = XVD_MAJOR << 8 | disk << 4 | part;
	else
		*out = EXTENDED | disk << 8 | part;
	return true;
}

static bool
parse_hd(const char *text, uint32_t *out)
{
	uint32_t disk, part;

	text += 2;
	if (!letters(&text, &disk) || !partition(text, 63, &part) ||
	    disk >= 2 * COUNT(hd_major))
		return false;
	*out = (uint32_t)hd_major[disk / 2] << 8 | (disk & 1) << 6 | part;
	return true;
}

static bool
parse_sd(const char *text, uint32_t *out)
{
	uint32_t disk, part;

	text += 2;
	if (!letters(&text, &disk) || !partition(text, 15, &part) ||
	    disk >= 16 * COUNT(sd_major))
		return false;
	*out = (uint32_t)sd_major[disk / 16] << 8 | (disk % 16) << 4 | part;
	return true;
}

static int
parse_number(const char *text, uint32_t *out, const char **why_out)
{
	unsigned long n;
	char *end;

	if (text[0] == '0' && is_digit(text[1]) &&
	    strspn(text, "0") != strlen(text)) {
		*why_out = "a number with a leading zero is ambiguous: write "
			   "it in decimal or with 0x";
		return -1;
	}
	n = strtoul(text, &end, 0);
	if (*end != '\0' || strlen(text) > 11) {
		*why_out = "not a number";
		return -1;
	}
	if (n >= 2 * (unsigned long)EXTENDED) {
		*why_out = "number too large";
		return -1;
	}
	*out = (uint32_t)n;
	return 0;
}

int
vdev_parse(const char *text, uint32_t *number_out, const char **why_out)
{
	bool ok;

	if (strncmp(text, "/dev/", 5) == 0)
		text += 5;
	if (is_digit(*text))
		return parse_number(text, number_out, why_out);
	if (strncmp(text, "hd", 2) == 0)
		ok = parse_hd(text, number_out);
	else if (strncmp(text, "sd", 2) == 0)
		ok = parse_sd(text, number_out);
	else
		ok = parse_xvd(text, number_out);
	if (ok)
		return 0;
	*why_out = "not the name of a virtual disk (xvda, sda1, hda, d0p1) or "
		   "a number (0x0, 769)";
	return -1;
}

static size_t
put_letters(char *buf, uint32_t disk)
{
	char text[8];
	size_t len = 0, i;

	for (disk++; disk > 0; disk = (disk - 1) / 26)
		text[len++] = (char)('a' + (disk - 1) % 26);
	for (i = 0; i < len; i++)
		buf[i] = text[len - 1 - i];
	return len;
}

static void
put_name(char *buf, const char *prefix, uint32_t disk, uint32_t part)
{
	size_t len = strlen(prefix);

	memcpy(buf, prefix, len);
	len += put_letters(buf + len, disk);
	if (part > 0)
		snprintf(buf + len, VDEV_NAME_MAX - len, "%u", part);
	else
		buf[len] = '\0';
}

void
vdev_format(uint32_t number, char buf[VDEV_NAME_MAX])
{
	uint32_t major = number >> 8, minor = number & 255;
	uint32_t disk = (number & ~EXTENDED) >> 8;

	if ((number & EXTENDED) != 0 && (disk >= 16 || minor >= 16)) {
		put_name(buf, "xvd", disk, minor);
		return;
	}
	if (major == XVD_MAJOR) {
		put_name(buf, "xvd", minor >> 4, minor & 15);
		return;
	}
	for (uint32_t i = 0; i < COUNT(hd_major); i++) {
		if (major == hd_major[i] && minor < 128) {
			put_name(buf, "hd", 2 * i + (minor >> 6), minor & 63);
			return;
		}
	}
	for (uint32_t i = 0; i < COUNT(sd_major); i++) {
		if (major == sd_major[i]) {
			put_name(buf, "sd", 16 * i + (minor >> 4), minor & 15);
			return;
		}
	}
	snprintf(buf, VDEV_NAME_MAX, "%u", number);
}
