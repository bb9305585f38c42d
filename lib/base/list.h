/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A circular doubly linked list whose links live in its elements. A link that is in no list points at itself.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct base_list {
	struct base_list *next;
	struct base_list *previous;
};

/* The structure that holds `link` as its member `name`. */
#define base_container(link, type, name) ((type *)(void *)((char *)(link)-offsetof(type, name)))

static inline void
base_list_init(struct base_list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool
base_list_empty(const struct base_list *list)
{
	return list->next == list;
}

static inline void
base_list_insert_before(struct base_list *place, struct base_list *link)
{
	link->next = place;
	link->previous = place->previous;
	place->previous->next = link;
	place->previous = link;
}

static inline void
base_list_push_back(struct base_list *list, struct base_list *link)
{
	base_list_insert_before(list, link);
}

static inline void
base_list_push_front(struct base_list *list, struct base_list *link)
{
	base_list_insert_before(list->next, link);
}

/* Safe on a link that is in no list. */
static inline void
base_list_remove(struct base_list *link)
{
	link->next->previous = link->previous;
	link->previous->next = link->next;
	base_list_init(link);
}

static inline struct base_list *
base_list_pop_front(struct base_list *list)
{
	struct base_list *link = list->next;

	if (link == list)
		return NULL;
	base_list_remove(link);
	return link;
}

#endif
