/* The intrusive ordered map, as a treap: ordered by key from left to right, and by 'rank' from the top down. A rank
 * is the hash of the element's address, as good as random, which keeps the depth at O(log n) whatever the order of
 * insertion; no key that a stranger chooses enters it.
 *
 * Invariants: parent->rank >= rank; every child's 'parent' is right; the root's is NULL. */
#include "base/tree.h"

#include <assert.h>

void
tree_init(struct tree *t, tree_compare *compare)
{
    t->root = NULL;
    t->compare = compare;
    t->count = 0;
}

/* The pointer that points to 'n'. */
static struct tree_node **
link_to(struct tree *t, struct tree_node *n)
{
    struct tree_node *parent = n->parent;
    if (!parent)
        return &t->root;
    return parent->left == n ? &parent->left : &parent->right;
}

/* Puts 'n' (may be NULL) where 'old' is. */
static void
node_replace(struct tree *t, struct tree_node *old, struct tree_node *n)
{
    *link_to(t, old) = n;
    if (n)
        n->parent = old->parent;
}

/* Rotates 'n' above its parent, which becomes its child; the order from left to right stays. */
static void
node_rise(struct tree *t, struct tree_node *n)
{
    struct tree_node *parent = n->parent, *moved;
    node_replace(t, parent, n);
    if (parent->left == n) {
        moved = n->right;
        n->right = parent;
        parent->left = moved;
    } else {
        moved = n->left;
        n->left = parent;
        parent->right = moved;
    }
    parent->parent = n;
    if (moved)
        moved->parent = parent;
}

bool
tree_insert(struct tree *t, const void *key, struct tree_node *n)
{
    struct tree_node *parent = NULL, **link = &t->root;
    while (*link) {
        parent = *link;
        int order = t->compare(key, parent);
        if (!order)
            return false;
        link = order < 0 ? &parent->left : &parent->right;
    }

    n->left = n->right = NULL;
    n->parent = parent;
    n->rank = hash_u64((uintptr_t) n);
    *link = n;
    while (n->parent && n->parent->rank < n->rank)
        node_rise(t, n);
    t->count++;
    return true;
}

void
tree_remove(struct tree *t, struct tree_node *n)
{
    assert(t->count && *link_to(t, n) == n);
    while (n->left && n->right)
        node_rise(t, n->left->rank > n->right->rank ? n->left : n->right);
    node_replace(t, n, n->left ? n->left : n->right);
    n->left = n->right = n->parent = NULL;
    t->count--;
}

struct tree_node *
tree_find(const struct tree *t, const void *key)
{
    struct tree_node *n = t->root;
    while (n) {
        int order = t->compare(key, n);
        if (!order)
            break;
        n = order < 0 ? n->left : n->right;
    }
    return n;
}

struct tree_node *
tree_at_or_after(const struct tree *t, const void *key)
{
    struct tree_node *best = NULL;
    for (struct tree_node *n = t->root; n;) {
        int order = t->compare(key, n);
        if (!order)
            return n;
        if (order < 0)
            best = n;
        n = order < 0 ? n->left : n->right;
    }
    return best;
}

struct tree_node *
tree_at_or_before(const struct tree *t, const void *key)
{
    struct tree_node *best = NULL;
    for (struct tree_node *n = t->root; n;) {
        int order = t->compare(key, n);
        if (!order)
            return n;
        if (order > 0)
            best = n;
        n = order < 0 ? n->left : n->right;
    }
    return best;
}

struct tree_node *
tree_first(const struct tree *t)
{
    struct tree_node *n = t->root;
    while (n && n->left)
        n = n->left;
    return n;
}

struct tree_node *
tree_next(const struct tree_node *n)
{
    if (n->right) {
        for (n = n->right; n->left;)
            n = n->left;
        return (struct tree_node *) n;
    }
    while (n->parent && n->parent->right == n)
        n = n->parent;
    return n->parent;
}

struct tree_node *
tree_prev(const struct tree_node *n)
{
    if (n->left) {
        for (n = n->left; n->right;)
            n = n->right;
        return (struct tree_node *) n;
    }
    while (n->parent && n->parent->left == n)
        n = n->parent;
    return n->parent;
}
