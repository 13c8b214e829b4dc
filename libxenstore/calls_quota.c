/* SPDX-License-Identifier: BSD-2-Clause */
/* Features and quotas of a server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "handle.h"

enum { NUMBER_SIZE = 16 };

static struct part
string_part(const char *s)
{
	return (struct part){ s, strlen(s) + 1 };
}

static struct part
number_part(char *buf, unsigned int num)
{
	snprintf(buf, NUMBER_SIZE, "%u", num);
	return string_part(buf);
}

/* The number that REPLY holds. Takes REPLY. */
static bool
number_reply(struct message *reply, unsigned int *num_out)
{
	char *text = handle_text(reply);
	uint64_t num;
	bool ok;

	if (text == NULL)
		return false;
	ok = wire_number(text, UINT32_MAX, &num);
	free(text);
	if (!ok) {
		errno = EIO;
		return false;
	}
	*num_out = (unsigned int)num;
	return true;
}

bool
xs_get_features_supported(struct xs_handle *h, unsigned int *features_out)
{
	bool known;

	pthread_mutex_lock(&h->lock);
	known = h->features_known;
	if (known)
		*features_out = h->features;
	pthread_mutex_unlock(&h->lock);
	if (known)
		return true;
	if (!number_reply(handle_ask(h, WIRE_GET_FEATURE, XBT_NULL, NULL, 0),
		features_out))
		return false;
	pthread_mutex_lock(&h->lock);
	h->features = *features_out;
	h->features_known = true;
	pthread_mutex_unlock(&h->lock);
	return true;
}

bool
xs_get_features_domain(
    struct xs_handle *h, unsigned int domid, unsigned int *features_out)
{
	char dom[NUMBER_SIZE];
	const struct part parts[] = { number_part(dom, domid) };

	return number_reply(
	    handle_ask(h, WIRE_GET_FEATURE, XBT_NULL, parts, 1), features_out);
}

bool
xs_set_features_domain(
    struct xs_handle *h, unsigned int domid, unsigned int features)
{
	char dom[NUMBER_SIZE], bits[NUMBER_SIZE];
	const struct part parts[] = {
		number_part(dom, domid),
		number_part(bits, features),
	};

	return handle_done(handle_ask(h, WIRE_SET_FEATURE, XBT_NULL, parts, 2));
}

const char **
xs_get_quota_names(struct xs_handle *h, unsigned int *num_out)
{
	char *text =
	    handle_text(handle_ask(h, WIRE_GET_QUOTA, XBT_NULL, NULL, 0));
	size_t len, num = 0;
	const char **vec;
	char *s;

	if (text == NULL)
		return NULL;
	len = strlen(text) + 1;
	vec = malloc(len * sizeof(*vec) + len); /* names < characters */
	if (vec != NULL) {
		char *save;

		s = memcpy(vec + len, text, len);
		for (s = strtok_r(s, " ", &save); s != NULL;
		     s = strtok_r(NULL, " ", &save))
			vec[num++] = s;
		*num_out = (unsigned)num;
	}
	free(text);
	return vec;
}

bool
xs_get_global_quota(
    struct xs_handle *h, const char *quota, unsigned int *value_out)
{
	return number_reply(
	    handle_ask_string(h, WIRE_GET_QUOTA, XBT_NULL, quota), value_out);
}

bool
xs_set_global_quota(struct xs_handle *h, const char *quota, unsigned int value)
{
	char num[NUMBER_SIZE];
	const struct part parts[] = {
		string_part(quota),
		number_part(num, value),
	};

	return handle_done(handle_ask(h, WIRE_SET_QUOTA, XBT_NULL, parts, 2));
}

bool
xs_get_domain_quota(struct xs_handle *h, unsigned int domid, const char *quota,
    unsigned int *value_out)
{
	char dom[NUMBER_SIZE];
	const struct part parts[] = {
		number_part(dom, domid),
		string_part(quota),
	};

	return number_reply(
	    handle_ask(h, WIRE_GET_QUOTA, XBT_NULL, parts, 2), value_out);
}

bool
xs_set_domain_quota(struct xs_handle *h, unsigned int domid, const char *quota,
    unsigned int value)
{
	char dom[NUMBER_SIZE], num[NUMBER_SIZE];
	const struct part parts[] = {
		number_part(dom, domid),
		string_part(quota),
		number_part(num, value),
	};

	return handle_done(handle_ask(h, WIRE_SET_QUOTA, XBT_NULL, parts, 3));
}
