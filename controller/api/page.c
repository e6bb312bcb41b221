#include "controller/api/page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api/http.h"

void
page_init(struct page *p, uint64_t limit)
{
    *p = (struct page){ .limit = limit, .text = BYTES_INIT };
    bytes_put_u8(&p->text, '[');
}

void
page_done(struct page *p)
{
    bytes_done(&p->text);
}

void
page_put(struct page *p, json_t *take_row)
{
    char *row = json_text(take_row);
    if (p->n++)
        bytes_put_u8(&p->text, ',');
    bytes_put(&p->text, row, strlen(row));
    free(row);
    json_decref(take_row);
}

bool
page_is_full(const struct page *p)
{
    return p->n >= p->limit || p->text.n > PAGE_BYTES;
}

bool
page_limit_parse(const char *text, uint64_t *limit, struct error *err)
{
    char *end;
    *limit = strtoull(text, &end, 10);
    if (*end || !*limit || *text < '0' || *text > '9')
        return error_set(err, ERROR_INVALID, "limit='%.100s': must be a whole number above 0", text);
    *limit = *limit < PAGE_ROWS ? *limit : PAGE_ROWS;
    return true;
}

static void
put_text(struct bytes *out, const char *text)
{
    bytes_put(out, text, strlen(text));
}

/* RFC 3986, section 2.1. */
static void
put_encoded(struct bytes *out, const char *text)
{
    char encoded[4];
    for (const unsigned char *p = (const unsigned char *) text; *p; p++) {
        bool is_plain = *p < 0x80 && (isalnum(*p) || strchr("-._~:", *p));
        snprintf(encoded, sizeof encoded, is_plain ? "%c" : "%%%02X", *p);
        put_text(out, encoded);
    }
}

void
page_link_next(struct call *call, const char *after)
{
    if (!call->connection)
        return;
    struct bytes link = BYTES_INIT;
    put_text(&link, "</v1/");
    put_text(&link, call->path[0]);
    put_text(&link, "?after=");
    put_encoded(&link, after);
    for (const char *p = call_raw_query(call); p && *p; p += strspn(p, "&")) {
        size_t n = strcspn(p, "&");
        if (n && strncmp(p, "after=", 6)) {
            bytes_put_u8(&link, '&');
            bytes_put(&link, p, n);
        }
        p += n;
    }
    static const char end[] = ">; rel=\"next\"";
    bytes_put(&link, end, sizeof end);
    call_add_header(call, "Link", (const char *) link.data);
    bytes_done(&link);
}

void
page_answer(struct page *p, struct call *call)
{
    bytes_put(&p->text, "]\n", 3);
    call_text(call, 200, "application/json", (const char *) p->text.data);
    page_done(p);
}
