/* A page of a listing: the answer to a GET of which there may be much. The header Link leads to what follows. */
#ifndef CONTROLLER_API_PAGE_H
#define CONTROLLER_API_PAGE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

struct call;

/* A page, whatever is asked for: so many rows, about so much text, and so many things looked at (of those there may be many more than are found). */
#define PAGE_ROWS 1000
#define PAGE_BYTES (512 << 10)
#define PAGE_LOOKS 10000

struct page {
    uint64_t n, limit; /* rows */
    struct bytes text;
};

void page_init(struct page *, uint64_t limit);
void page_done(struct page *);
void page_put(struct page *, json_t *take_row);
bool page_is_full(const struct page *);

/* The query's limit=N: of 1 to PAGE_ROWS, what is more counting as PAGE_ROWS. */
bool page_limit_parse(const char *text, uint64_t *limit, struct error *) MUST_CHECK;

/* What follows: the request's own query, but for where it begins: 'after' (any text). */
void page_link_next(struct call *, const char *after);
/* Ends the call, and the page. */
void page_answer(struct page *, struct call *);

#endif
