#include "console.h"

#include "ops.h"
#include "policy.h"
#include "virq.h"

/* Bytes that one console_io call moves at most before it is continued. */
#define SLICE 4096
#define PIECE 128

void
console_put(struct hv *hv, const char *text, size_t len)
{
	struct console *con = &hv->console;
	size_t i;

	if (len == 0)
		return;
	for (i = 0; i < len; i++)
		con->ring[con->prod++ % HV_CONSOLE_RING_SIZE] = text[i];
	if (con->prod - con->cons > HV_CONSOLE_RING_SIZE)
		con->cons = con->prod - HV_CONSOLE_RING_SIZE;
	if (hv->ops->console_write != NULL)
		hv->ops->console_write(hv->world, text, len);
	virq_raise(hv, VIRQ_CON_RING);
}

/* "(d7) " in front of a line. */
static size_t
mark(char *to, domid_t domid)
{
	char digits[6];
	size_t n = 0, len = 0;

	do {
		digits[n++] = (char)('0' + domid % 10);
		domid /= 10;
	} while (domid != 0);
	to[len++] = '(';
	to[len++] = 'd';
	while (n > 0)
		to[len++] = digits[--n];
	to[len++] = ')';
	to[len++] = ' ';
	return len;
}

static void
flush_line(struct domain *d)
{
	char out[CONSOLE_LINE + 16];
	size_t len = mark(out, d->domid);

	memcpy(out + len, d->line, d->line_len);
	len += d->line_len;
	out[len++] = '\n';
	d->line_len = 0;
	console_put(d->hv, out, len);
}

/* What a domain prints. */
static void
console_domain_put(struct domain *d, const char *text, size_t len)
{
	size_t i;

	if (d->privileged) {
		console_put(d->hv, text, len);
		return;
	}
	for (i = 0; i < len; i++) {
		bool printable =
		    (text[i] >= ' ' && text[i] != 0x7f) || text[i] == '\t';

		if (printable)
			d->line[d->line_len++] = text[i];
		if (text[i] == '\n' || d->line_len == CONSOLE_LINE)
			flush_line(d);
	}
}

uint32_t
console_oldest(const struct hv *hv)
{
	return hv->console.cons;
}

uint32_t
console_read(const struct hv *hv, uint32_t *index, char *out, uint32_t room)
{
	const struct console *con = &hv->console;
	uint32_t i, have;

	if (con->prod - *index > con->prod - con->cons)
		*index = con->cons;
	have = con->prod - *index;
	if (have > room)
		have = room;
	for (i = 0; i < have; i++)
		out[i] = con->ring[(*index + i) % HV_CONSOLE_RING_SIZE];
	*index += have;
	return have;
}

void
console_forget(struct hv *hv, uint32_t index)
{
	struct console *con = &hv->console;

	if (con->prod - index <= con->prod - con->cons)
		con->cons = index;
}

static long
op_write(struct call *c)
{
	uint64_t left = c->arg[1];
	uint64_t done = 0;
	char piece[PIECE];

	while (done < left && done < SLICE) {
		size_t len = left - done < PIECE ? left - done : PIECE;

		if (call_read(c, piece, c->arg[2] + done, len) < 0)
			return -XEN_EFAULT;
		console_domain_put(c->d, piece, len);
		done += len;
	}
	if (done == left)
		return 0;
	c->arg[1] -= done;
	c->arg[2] += done;
	return -XEN_ERESTART;
}

static long
op_read(struct call *c)
{
	size_t room = c->arg[1] < PIECE ? c->arg[1] : PIECE;
	char piece[PIECE];
	size_t len;

	if (c->hv->ops->console_read == NULL)
		return 0;
	len = c->hv->ops->console_read(c->hv->world, piece, room);
	if (call_write(c, c->arg[2], piece, len) < 0)
		return -XEN_EFAULT;
	return (long)len;
}

long
console_op(struct call *c)
{
	int err;

	switch ((uint32_t)c->arg[0]) {
	case CONSOLEIO_write:
		err = policy_check(c->d, NULL, POLICY_CONSOLE_WRITE);
		return err < 0 ? err : op_write(c);
	case CONSOLEIO_read:
		err = policy_check(c->d, NULL, POLICY_CONSOLE_READ);
		return err < 0 ? err : op_read(c);
	default:
		return -XEN_ENOSYS;
	}
}
