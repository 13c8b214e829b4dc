/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A circular doubly linked list whose links are members of what is listed. The
 * head is a struct list too; a link that is in no list points to itself.
 */
#ifndef XENSTORED_LIST_H
#define XENSTORED_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/* The struct TYPE whose member MEMBER is LINK. */
#define list_entry(link, type, member)                                         \
	((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks HEAD; the body may remove LINK, as NEXT was taken before. */
#define list_each(link, after, head)                                           \
	for ((link) = (head)->next, (after) = (link)->next; (link) != (head);  \
	     (link) = (after), (after) = (link)->next)

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
	return l->next == l;
}

/* Puts LINK, which is in no list, behind all others of HEAD. */
static inline void
list_append(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Takes LINK out of its list, if it is in one. */
static inline void
list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Moves all of FROM behind those of HEAD. */
static inline void
list_move_all(struct list *head, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	list_init(from);
}

/* Puts LINK into the place that OLD has; OLD is in no list then. */
static inline void
list_replace(struct list *old, struct list *link)
{
	list_append(old, link);
	list_remove(old);
}

#endif
