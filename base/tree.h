/* An intrusive ordered map (balanced tree): O(log n) insert, remove and nearest-neighbour search. The order is
 * the caller's comparison function, given once; equal elements are not inserted twice. */
#ifndef BASE_TREE_H
#define BASE_TREE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h" /* CONTAINER_OF */

struct tree_node {
    struct tree_node *left, *right, *parent;
    uint32_t rank; /* the tree's own */
};

/* Compares a key with an element: < 0, 0, > 0. The key's type is the caller's. */
typedef int tree_compare(const void *key, const struct tree_node *);

struct tree {
    struct tree_node *root;
    tree_compare *compare;
    size_t count;
};

void tree_init(struct tree *, tree_compare *);
bool tree_insert(struct tree *, const void *key, struct tree_node *); /* false: an equal one is there */
void tree_remove(struct tree *, struct tree_node *);

struct tree_node *tree_find(const struct tree *, const void *key);
struct tree_node *tree_at_or_after(const struct tree *, const void *key);  /* least >= key, or NULL */
struct tree_node *tree_at_or_before(const struct tree *, const void *key); /* greatest <= key, or NULL */
struct tree_node *tree_first(const struct tree *);
struct tree_node *tree_next(const struct tree_node *);
struct tree_node *tree_prev(const struct tree_node *);

#endif
