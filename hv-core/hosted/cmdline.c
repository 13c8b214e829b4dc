/*
 * Parsing the hypervisor's command line.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv-core/hosted/cmdline.h"

#define MIB (UINT64_C(1) << 20)
#define MEM_LIMIT (UINT64_C(1) << 44)
#define VCPUS_MAX 32

void
machine_config_init(struct machine_config *m)
{
	memset(m, 0, sizeof(*m));
	m->mem = MACHINE_MEM_DEFAULT;
	m->dom0_mem = MACHINE_DOM0_MEM_DEFAULT;
	m->dom0_vcpus = 1;
}

static int
suffix_shift(char c)
{
	switch (tolower((unsigned char)c)) {
	case 'b':
		return 0;
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	case 't':
		return 40;
	default:
		return -1;
	}
}

/*
 * A number of bytes: digits and an optional B, K, M, G or T (either case); a
 * bare number counts UNIT bytes. 0 or -1: not one, or too large. TEXT need not
 * end after it: *END_OUT is where it does.
 */
static int
cmdline_size(
    const char *text, uint64_t unit, uint64_t *out, const char **end_out)
{
	const char *p = text;
	uint64_t n = 0;
	int shift;

	if (!isdigit((unsigned char)*p))
		return -1;
	for (; isdigit((unsigned char)*p); p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > MEM_LIMIT)
			return -1;
	}
	shift = suffix_shift(*p);
	if (shift >= 0) {
		p++;
		unit = UINT64_C(1) << shift;
	}
	if (n > MEM_LIMIT / unit)
		return -1;
	*out = n * unit;
	*end_out = p;
	return 0;
}

static int
parse_mem(const char *text, uint64_t *out)
{
	const char *end;
	uint64_t n;

	/* Below 16M nothing could be built; it is a bare number, mistaken. */
	if (cmdline_size(text, 1024, &n, &end) != 0 || *end != '\0' ||
	    n < 16 * MIB)
		return -1;
	*out = n;
	return 0;
}

/* SIZE, min:SIZE and max:SIZE in any order, separated by commas. */
static int
parse_dom0_mem(const char *text, uint64_t *out)
{
	uint64_t size = *out, min = 0, max = UINT64_MAX, n;
	const char *end;

	for (;;) {
		uint64_t *into = &size;

		if (strncmp(text, "min:", 4) == 0)
			into = &min;
		else if (strncmp(text, "max:", 4) == 0)
			into = &max;
		if (into != &size)
			text += 4;
		if (cmdline_size(text, 1024, &n, &end) != 0 || n < MIB)
			return -1;
		*into = n;
		if (*end == '\0')
			break;
		if (*end != ',')
			return -1;
		text = end + 1;
	}
	if (min > max)
		return -1;
	*out = size < min ? min : size > max ? max : size;
	return 0;
}

static int
parse_vcpus(const char *text, uint32_t *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != '\0' || n == 0)
		return -1;
	*out = n > VCPUS_MAX ? VCPUS_MAX : (uint32_t)n;
	return 0;
}

/* The value if WORD is NAME=value. */
static const char *
value_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1
							     : NULL;
}

static int
word_meaning(struct machine_config *m, const char *word, const char **why_out)
{
	const char *v;

	if ((v = value_of(word, "mem")) != NULL) {
		*why_out = "a size of at least 16M is wanted, as in mem=2G";
		return parse_mem(v, &m->mem);
	}
	if ((v = value_of(word, "dom0_mem")) != NULL) {
		*why_out = "sizes of at least 1M are wanted, as in "
			   "dom0_mem=256M or dom0_mem=min:64M,max:512M";
		return parse_dom0_mem(v, &m->dom0_mem);
	}
	if ((v = value_of(word, "dom0_max_vcpus")) != NULL) {
		*why_out = "a number from 1 is wanted, as in dom0_max_vcpus=1";
		return parse_vcpus(v, &m->dom0_vcpus);
	}
	if (strcmp(word, "dom0_vcpus_pin") == 0)
		m->dom0_pinned = true;
	return 0;
}

int
cmdline_word(struct machine_config *m, const char *word, const char **why_out)
{
	size_t have = strlen(m->cmdline), more = strlen(word);

	if (have + more + 2 > sizeof(m->cmdline)) {
		*why_out = "the command line is longer than 1023 bytes";
		return -1;
	}
	if (word_meaning(m, word, why_out) != 0)
		return -1;
	if (have > 0)
		m->cmdline[have++] = ' ';
	memcpy(m->cmdline + have, word, more + 1);
	return 0;
}

int
cmdline_check(const struct machine_config *m, const char **why_out)
{
	*why_out = "dom0_mem is larger than mem, the machine's memory";
	return m->dom0_mem < m->mem ? 0 : -1;
}
