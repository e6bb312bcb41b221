/* The text is kept ended by a 0, so that it can be used at any time. */
#include "tools/vnetctl/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void
put(struct url *url, const char *text, size_t n)
{
    url->text = mem_grow(url->text, &url->cap, url->n + n + 1, 1);
    memcpy(url->text + url->n, text, n);
    url->n += n;
    url->text[url->n] = '\0';
}

/* All but RFC 3986's unreserved characters are encoded. */
static void
put_encoded(struct url *url, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char) *text;
        if ((c < 0x80 && isalnum(c)) || strchr("-._~", c))
            put(url, text, 1);
        else
            put(url, (char[3]){ '%', hex[c >> 4], hex[c & 15] }, 3);
    }
}

void
url_init(struct url *url, const char *path)
{
    *url = (struct url){ .text = NULL };
    put(url, path, strlen(path));
}

void
url_done(struct url *url)
{
    free(url->text);
    *url = (struct url){ .text = NULL };
}

void
url_segment(struct url *url, const char *text)
{
    put(url, "/", 1);
    put_encoded(url, text);
}

void
url_query(struct url *url, const char *key, const char *value)
{
    put(url, url->has_query ? "&" : "?", 1);
    url->has_query = true;
    put_encoded(url, key);
    put(url, "=", 1);
    put_encoded(url, value);
}
