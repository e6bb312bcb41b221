/* A GET of objects of one type: which are asked for (names, a tenant's, conditions on columns, a page of them), and the numbers of those found. They are
 * kept as numbers, since counters may have to be read from hosts before the answer, and objects may go meanwhile. */
#ifndef CONTROLLER_API_LOOKUP_H
#define CONTROLLER_API_LOOKUP_H 1

#include "vnet/model/condition.h"

struct call;
struct drop_counts;
struct sg_shadows;

#define CONDITIONS_MAX 16
#define COLUMNS_MAX 64
#define NAMES_MAX 256

struct lookup {
    struct call *call;
    const struct object_class *class;
    struct condition conditions[CONDITIONS_MAX];
    size_t n_conditions;
    const char *columns[COLUMNS_MAX];
    size_t n_columns;
    char *columns_text; /* what 'columns' points into */
    const char *wanted_names[NAMES_MAX];
    size_t n_names;
    bool is_all_tenants, is_single, is_cut;
    bool is_unused, is_shadowed; /* only rules that were never hit, or that others make needless */
    struct sg_shadows *shadows;  /* while such are found */
    bool are_hits_read;          /* of all rules found, from all hosts that have their flows */
    uint64_t limit;
    uint32_t after, last; /* of the page: where it begins, and where the next one does if this is cut */

    uint32_t *numbers;
    size_t n, cap;
};

/* Of the type that the call's path begins with. lookup_free() does not end the call. */
struct lookup *lookup_new(struct call *);
void lookup_free(struct lookup *);

/* What the call's parameters ask for; and then those objects are found, as far as they can be judged without counters. */
bool lookup_parse(struct lookup *, struct error *) MUST_CHECK;
bool lookup_find(struct lookup *, struct error *) MUST_CHECK;
/* Some can only be judged by counters; then what is left of those found, when these are read. */
bool lookup_judges_drops(const struct lookup *);
void lookup_narrow(struct lookup *, const struct drop_counts *);

#endif
