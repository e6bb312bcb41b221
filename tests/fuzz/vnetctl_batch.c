/* A batch file of vnetctl: lines into words, words into calls, calls into operations. An operation is JSON with the members that the daemon
 * asks for. */
#include "tests/fuzz/fuzz.h"

#include "tools/vnetctl/batch.h"
#include "tools/vnetctl/parse.h"
#include "tools/vnetctl/url.h"

static void
url_try(const char *text)
{
    struct url url;
    url_init(&url, "/v1");
    url_segment(&url, text);
    url_query(&url, "name", text);
    FUZZ_CLAIM(strspn(url.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%/?=") == url.n);
    url_done(&url);
}

static void
call_try(char *const *words, size_t n, struct arena *arena)
{
    struct call call;
    struct error err;
    if (!call_parse(&call, words, n, 0, arena, &err)) {
        FUZZ_CLAIM(*err.text);
        return;
    }
    FUZZ_CLAIM(call.command && call.n_arguments + call.n_values < n);
    if (!call.command->change)
        return;
    json_t *op = call.command->change(&call, &err);
    if (op) {
        char *text = json_text(op);
        FUZZ_CLAIM(json_member_string(op, "op") && json_member_string(op, "type"));
        free(text);
    }
    json_decref(op);
}

static void
line_take(const char *line, struct arena *arena)
{
    struct batch_line words;
    struct error err;
    if (!batch_split(line, &words, arena, &err))
        return;
    char *const *rest = words.words;
    size_t left = words.n;
    for (size_t i = 0; i < words.n; i++)
        url_try(words.words[i]);
    while (left) {
        size_t one = words_to_separator(rest, left);
        call_try(rest, one, arena);
        rest += one < left ? one + 1 : one;
        left -= one < left ? one + 1 : one;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    char *text = fuzz_text(data, n), *rest = text;
    for (char *line; (line = fuzz_line(&rest));)
        line_take(line, arena);
    arena_free(arena);
    free(text);
    return 0;
}
