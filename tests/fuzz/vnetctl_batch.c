/* A batch file of vnetctl: lines into words, words into calls, calls into operations. An operation is JSON with the members that the daemon
 * asks for. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

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
line_take(const struct batch_line *line, struct arena *arena)
{
    char *const *rest = line->words;
    size_t left = line->n;
    for (size_t i = 0; i < line->n; i++)
        url_try(line->words[i]);
    while (left) {
        size_t one = words_to_separator(rest, left);
        call_try(rest, one, arena);
        rest += one < left ? one + 1 : one;
        left -= one < left ? one + 1 : one;
    }
}

/* A line that is refused is passed over, unlike in vnetctl, so that the others are seen too. */
static void
file_take(const char *file, size_t n_bytes)
{
    struct arena *arena = arena_new();
    struct batch_line line = { .n = 1 };
    struct error err;
    struct batch *batch = batch_open(file, &err);
    FUZZ_CLAIM(batch);
    while (line.n) {
        bool ok = batch_next(batch, &line, arena, &err);
        FUZZ_CLAIM(line.number <= n_bytes + 1);
        if (ok)
            line_take(&line, arena);
        else
            line.n = 1;
        arena_reset(arena);
    }
    batch_close(batch);
    arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fd = memfd_create("batch", MFD_CLOEXEC);
    char *file = mem_printf("/proc/self/fd/%d", fd);
    FUZZ_CLAIM(fd >= 0 && write(fd, data, n) == (ssize_t) n);
    file_take(file, n);
    close(fd);
    free(file);
    return 0;
}
