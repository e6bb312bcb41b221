/* The kinds of entries that make up the indices, for index.c, which says when what an object states enters a view or leaves it. Each kind
 * has a file of its own, with what finds by it. */
#ifndef VNET_MODEL_INDEX_PRIVATE_H
#define VNET_MODEL_INDEX_PRIVATE_H 1

#include "vnet/model/index.h"

struct ref_key {
    uint32_t target;
    uint32_t referrer;
    uint8_t type; /* the referrer's */
};

struct range_key {
    uint32_t scope, first, number;
};

static inline int
order(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

/* ---- facts (index_facts.c) ---- */
void fact_add(struct model *, enum view, const struct fact *, uint32_t number);
void fact_remove(struct model *, enum view, const struct fact *, uint32_t number);

/* ---- references (index_refs.c) ---- */
int ref_compare(const void *key, const struct tree_node *);
void ref_add(struct model *, enum view, const struct ref_key *, const struct slot *referrer);
void ref_remove(struct model *, enum view, const struct ref_key *);

/* ---- subnets and pools by address (index_ranges.c) ---- */
int range_compare(const void *key, const struct tree_node *);
/* False: the object is no range of addresses. */
bool range_of(const struct object *, struct range_key *, uint32_t *last);
void range_add(struct model *, enum view, const struct range_key *, uint32_t last);
void range_remove(struct model *, enum view, const struct range_key *);

/* ---- counts (index_counts.c) ---- */
void counts_change(struct model *, enum view, const struct object *, int by);

#endif
