/* base/tree: random operations against a table of flags indexed by key; the invariants; the depth. */
#include "base/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define N_KEYS 400

struct thing {
    struct tree_node node;
    int key;
};

/* The model: has[k] says whether the tree must hold key k. */
struct world {
    struct tree tree;
    struct thing things[N_KEYS];
    bool has[N_KEYS];
    size_t n;
};

static struct thing *
thing_of(const struct tree_node *n)
{
    return CONTAINER_OF(n, struct thing, node);
}

static int
compare(const void *key_, const struct tree_node *n)
{
    int key = *(const int *) key_;
    return (key > thing_of(n)->key) - (key < thing_of(n)->key);
}

static void
world_init(struct world *w)
{
    tree_init(&w->tree, compare);
    w->n = 0;
    for (int i = 0; i < N_KEYS; i++) {
        w->things[i].key = i;
        w->has[i] = false;
    }
}

static int
key_of(const struct tree_node *n)
{
    return n ? thing_of(n)->key : -1;
}

static int
model_at_or_after(const struct world *w, int key)
{
    for (int i = key < 0 ? 0 : key; i < N_KEYS; i++)
        if (w->has[i])
            return i;
    return -1;
}

static int
model_at_or_before(const struct world *w, int key)
{
    for (int i = key < N_KEYS ? key : N_KEYS - 1; i >= 0; i--)
        if (w->has[i])
            return i;
    return -1;
}

/* Checks links, order and ranks below 'n'; returns the depth. */
static int
subtree_check(const struct tree_node *n, size_t *count)
{
    if (!n)
        return 0;
    const struct tree_node *children[] = { n->left, n->right };
    int depth = 0;
    for (int i = 0; i < 2; i++) {
        if (children[i]) {
            assert_ptr_equal(children[i]->parent, n);
            assert_true(children[i]->rank <= n->rank);
        }
        int below = subtree_check(children[i], count);
        depth = below > depth ? below : depth;
    }
    ++*count;
    return depth + 1;
}

static void
world_check(const struct world *w)
{
    size_t count = 0;
    subtree_check(w->tree.root, &count);
    assert_int_equal(count, w->n);
    assert_int_equal(w->tree.count, w->n);

    int expected = -1;
    const struct tree_node *before = NULL;
    for (const struct tree_node *n = tree_first(&w->tree); n; before = n, n = tree_next(n)) {
        expected = model_at_or_after(w, expected + 1);
        assert_int_equal(key_of(n), expected);
        assert_ptr_equal(tree_prev(n), before);
    }
    assert_int_equal(model_at_or_after(w, expected + 1), -1);
}

static void
key_check(const struct world *w, int key)
{
    assert_int_equal(key_of(tree_find(&w->tree, &key)), key >= 0 && key < N_KEYS && w->has[key] ? key : -1);
    assert_int_equal(key_of(tree_at_or_after(&w->tree, &key)), model_at_or_after(w, key));
    assert_int_equal(key_of(tree_at_or_before(&w->tree, &key)), model_at_or_before(w, key));
}

static void
random_operations_agree_with_a_table(void **unused)
{
    struct random r = random_seeded();
    struct world *w = malloc(sizeof *w);
    world_init(w);
    int share = 50;
    for (int i = 0; i < 20000; i++) {
        if (!random_below(&r, 500))
            share = random_below(&r, 101);
        int key = random_below(&r, N_KEYS);
        if (random_below(&r, 100) < (uint32_t) share) {
            assert_int_equal(tree_insert(&w->tree, &key, w->has[key] ? &(struct thing){ .key = key }.node : &w->things[key].node),
                             !w->has[key]);
            w->n += !w->has[key];
            w->has[key] = true;
        } else if (w->has[key]) {
            tree_remove(&w->tree, &w->things[key].node);
            w->n--;
            w->has[key] = false;
        }
        key_check(w, (int) random_below(&r, N_KEYS + 2) - 1);
        if (i % 50 == 0)
            world_check(w);
    }
    world_check(w);
    free(w);
}

static void
an_equal_element_is_not_inserted_twice(void **unused)
{
    struct tree t;
    struct thing a = { .key = 1 }, b = { .key = 1 };
    tree_init(&t, compare);
    assert_true(tree_insert(&t, &a.key, &a.node));
    assert_false(tree_insert(&t, &b.key, &b.node));
    assert_ptr_equal(tree_find(&t, &b.key), &a.node);
    assert_int_equal(t.count, 1);
    tree_remove(&t, &a.node);
    assert_true(tree_insert(&t, &b.key, &b.node));
    assert_null(tree_next(&b.node));
    assert_null(tree_prev(&b.node));
}

static void
an_empty_tree_has_no_neighbours(void **unused)
{
    struct tree t;
    int key = 5;
    tree_init(&t, compare);
    assert_null(tree_first(&t));
    assert_null(tree_find(&t, &key));
    assert_null(tree_at_or_after(&t, &key));
    assert_null(tree_at_or_before(&t, &key));
}

static void
ascending_insertion_stays_shallow(void **unused)
{
    int n = 1 << 17;
    struct thing *things = calloc(n, sizeof *things);
    struct tree t;
    tree_init(&t, compare);
    for (int i = 0; i < n; i++) {
        things[i].key = i;
        assert_true(tree_insert(&t, &things[i].key, &things[i].node));
    }
    size_t count = 0;
    assert_in_range(subtree_check(t.root, &count), 17, 17 * 4);
    assert_int_equal(count, n);

    for (int i = 0; i < n; i += 2)
        tree_remove(&t, &things[i].node);
    int expected = 1;
    for (struct tree_node *node = tree_first(&t); node; node = tree_next(node), expected += 2)
        assert_int_equal(key_of(node), expected);
    assert_int_equal(expected, n + 1);
    free(things);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_table),
        cmocka_unit_test(an_equal_element_is_not_inserted_twice),
        cmocka_unit_test(an_empty_tree_has_no_neighbours),
        cmocka_unit_test(ascending_insertion_stays_shallow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
