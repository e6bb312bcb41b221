/* Intrusive doubly linked lists: the element embeds a 'struct list_node' and is in one list by it, or in none. Zeroed, a node is in none. */
#ifndef BASE_LIST_H
#define BASE_LIST_H 1

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev, *next; /* NULL: in no list */
};

struct list {
    struct list_node ends; /* a ring */
};

static inline void
list_init(struct list *l)
{
    l->ends.prev = l->ends.next = &l->ends;
}

static inline bool
list_has(const struct list_node *n)
{
    return n->next != NULL;
}

/* To its end; one that is in a list stays where it is. */
static inline void
list_push(struct list *l, struct list_node *n)
{
    if (list_has(n))
        return;
    n->prev = l->ends.prev;
    n->next = &l->ends;
    n->prev->next = n->next->prev = n;
}

/* One that is in none is left alone. */
static inline void
list_remove(struct list_node *n)
{
    if (!list_has(n))
        return;
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->prev = n->next = NULL;
}

/* NULL: it is empty. */
static inline struct list_node *
list_first(const struct list *l)
{
    return l->ends.next == &l->ends ? NULL : l->ends.next;
}

/* NULL: it was the last. */
static inline struct list_node *
list_next(const struct list *l, const struct list_node *n)
{
    return n->next == &l->ends ? NULL : n->next;
}

/* The current node may be removed. */
#define LIST_FOR_EACH_SAFE(NODE, NEXT, LIST)                                                           \
    for (struct list_node *NODE = list_first(LIST), *NEXT = NODE ? list_next(LIST, NODE) : NULL; NODE; \
         NODE = NEXT, NEXT = NODE ? list_next(LIST, NODE) : NULL)

#endif
