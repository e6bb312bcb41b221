/* The head of an HTTP request, line by line, and what is encoded in its address; after an empty line, lines that begin chunks. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "controller/api/http_head.h"

#define CHUNK_MAX 1000

static void
decode_try(const char *raw)
{
    for (int is_plus_space = 0; is_plus_space < 2; is_plus_space++) {
        char *text = http_decode(raw, strlen(raw), is_plus_space);
        for (const char *p = text; p && *p; p += text_utf8_length(p))
            FUZZ_CLAIM(text_utf8_length(p));
        FUZZ_CLAIM(!text || strlen(text) <= strlen(raw));
        free(text);
    }
}

static void
head_check(const struct http_head *h)
{
    FUZZ_CLAIM(*h->method && *h->path == '/' && !strchr(h->path, '?'));
    FUZZ_CLAIM(!(h->is_chunked && h->content_length));
    for (size_t i = 0; i < h->n_fields; i++)
        FUZZ_CLAIM(*h->fields[i].name && h->fields[i].value && http_head_field(h, h->fields[i].name));
    decode_try(h->path);
    if (h->query)
        decode_try(h->query);
}

static void
head_take(char **rest)
{
    struct http_head h;
    struct error err;
    bool ok = true;
    char *line;
    http_head_init(&h);
    while (ok && (line = fuzz_line(rest)) && *line)
        ok = http_head_line(&h, mem_strdup(line), strlen(line), &err);
    if (ok && http_head_finish(&h, &err))
        head_check(&h);
    else
        FUZZ_CLAIM(*err.text);
    http_head_done(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = fuzz_text(data, n), *rest = text;
    uint64_t size;
    head_take(&rest);
    for (char *line; (line = fuzz_line(&rest));) {
        FUZZ_CLAIM(!http_chunk_size(line, CHUNK_MAX, &size) || size <= CHUNK_MAX);
        decode_try(line);
    }
    free(text);
    return 0;
}
