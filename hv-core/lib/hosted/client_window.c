/*
 * Windows: other domains' memory, held and, if need be, mapped once in this
 * process however many clients and mappings use it.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv-core/lib/hosted/client_priv.h"

enum { MAYBE_MORE = 16 }; /* messages; a socket holds more of them */

static pthread_mutex_t windows_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hv_window *windows; /* every window of the process */

static struct hv_window *
window_new(const struct hv_msg_ram_is *m, int fd, const struct stat *st)
{
	struct hv_window *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->size = m->size;
	w->fd = fd;
	w->domid = (uint16_t)m->domid;
	w->serial = m->serial;
	w->dev = st->st_dev;
	w->ino = st->st_ino;
	w->next = windows;
	windows = w;
	return w;
}

/* The window of M with a new reference; takes FD unless NULL is returned. */
static struct hv_window *
window_get(const struct hv_msg_ram_is *m, int fd)
{
	struct hv_window *w;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return NULL;
	pthread_mutex_lock(&windows_lock);
	/* The file is the identity, even if hvd has been started anew. */
	for (w = windows; w != NULL; w = w->next)
		if (w->ino == st.st_ino && w->dev == st.st_dev)
			break;
	if (w != NULL)
		close(fd);
	else
		w = window_new(m, fd, &st);
	if (w != NULL)
		w->refs++;
	pthread_mutex_unlock(&windows_lock);
	return w;
}

static struct hv_window *
window_ref(struct hv_window *w)
{
	pthread_mutex_lock(&windows_lock);
	w->refs++;
	pthread_mutex_unlock(&windows_lock);
	return w;
}

void
hv_window_put(struct hv_window *w)
{
	struct hv_window **link;

	if (w == NULL)
		return;
	pthread_mutex_lock(&windows_lock);
	if (--w->refs > 0) {
		pthread_mutex_unlock(&windows_lock);
		return;
	}
	for (link = &windows; *link != w; link = &(*link)->next)
		;
	*link = w->next;
	pthread_mutex_unlock(&windows_lock);
	if (w->base != NULL)
		munmap(w->base, w->size);
	close(w->fd);
	free(w);
}

uint8_t *
hv_window_base(struct hv_window *w)
{
	uint8_t *base;

	pthread_mutex_lock(&windows_lock);
	if (w->base == NULL) {
		void *map = mmap(NULL, w->size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE, w->fd, 0);

		if (map != MAP_FAILED)
			w->base = map;
	}
	base = w->base;
	pthread_mutex_unlock(&windows_lock);
	return base;
}

/* Ask hvd; the client keeps the reference that is returned. */
static struct ram_ref *
ram_fetch(struct hv_client *c, uint16_t domid, int *err_out)
{
	struct hv_msg m = { .type = HV_MSG_GET_RAM, .u.ram = { domid } };
	struct ram_ref *r = calloc(1, sizeof(*r));
	struct parcel p;

	*err_out = r == NULL ? -ENOMEM : client_request(c, &m, &p);
	if (*err_out == 0) {
		*err_out = p.msg.u.ram_is.err;
		if (*err_out == 0)
			r->window = window_get(&p.msg.u.ram_is, p.fd[0]);
		if (r->window != NULL)
			p.fd[0] = -1;
		else if (*err_out == 0)
			*err_out = -ENOMEM;
		parcel_close(&p);
	}
	if (*err_out != 0) {
		free(r);
		return NULL;
	}
	r->next = c->rams;
	c->rams = r;
	return r;
}

struct hv_window *
hv_client_ram(struct hv_client *c, uint16_t domid, int *err_out)
{
	struct hv_window *w = NULL;
	struct ram_ref *r = NULL;

	pthread_mutex_lock(&c->lock);
	/*
	 * The memory we know may be gone, and the number another domain's.
	 * Where there was much to read, hvd may have more than the socket
	 * holds; its answer to a request comes behind all of it.
	 */
	if (client_read_async(c, UINT_MAX) < MAYBE_MORE)
		for (r = c->rams; r != NULL; r = r->next)
			if (r->window->domid == domid)
				break;
	if (r == NULL)
		r = ram_fetch(c, domid, err_out);
	if (r != NULL) {
		*err_out = 0;
		w = window_ref(r->window);
	}
	pthread_mutex_unlock(&c->lock);
	return w;
}

void
windows_drop(struct hv_client *c, uint64_t serial)
{
	struct ram_ref **link = &c->rams;

	while (*link != NULL) {
		struct ram_ref *r = *link;

		if (r->window->serial != serial) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		hv_window_put(r->window);
		free(r);
	}
}

void
windows_drop_all(struct hv_client *c)
{
	while (c->rams != NULL)
		windows_drop(c, c->rams->window->serial);
}

int
hv_client_resource(struct hv_client *c, const struct hv_msg_resource *what,
    void *addr, void **out)
{
	struct hv_msg m = { .type = HV_MSG_GET_RESOURCE, .u.resource = *what };
	const struct hv_msg_resource_is *is;
	struct parcel p;
	void *map;
	int err;

	pthread_mutex_lock(&c->lock);
	err = client_request(c, &m, &p);
	pthread_mutex_unlock(&c->lock);
	if (err != 0)
		return err;
	is = &p.msg.u.resource_is;
	err = is->err;
	if (err == 0) {
		map = mmap(addr, (size_t)is->nr_frames * HV_PAGE_SIZE,
		    PROT_READ | PROT_WRITE,
		    MAP_SHARED | (addr != NULL ? MAP_FIXED : 0), p.fd[0],
		    (off_t)is->offset);
		if (map == MAP_FAILED)
			err = -errno;
		else
			*out = map;
	}
	parcel_close(&p);
	return err;
}
