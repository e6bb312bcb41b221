/* Reading a batch line by line. The splitter is one pass with a quote state; words are never longer than their line. */
#include "tools/vnetctl/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct batch {
    FILE *stream;
    const char *file;
    char *line;
    size_t cap, number;
};

struct batch *
batch_open(const char *file, struct error *err)
{
    bool is_stdin = !strcmp(file, "-");
    FILE *stream = is_stdin ? stdin : fopen(file, "re");
    if (!stream) {
        error_set(err, ERROR_INVALID, "--batch=%s: %s", file, strerror(errno));
        return NULL;
    }
    struct batch *b = mem_zalloc(sizeof *b);
    b->stream = stream;
    b->file = is_stdin ? "standard input" : file;
    return b;
}

void
batch_close(struct batch *b)
{
    if (!b)
        return;
    if (b->stream != stdin)
        fclose(b->stream);
    free(b->line);
    free(b);
}

bool
batch_next(struct batch *b, struct batch_line *line, struct arena *arena, struct error *err)
{
    for (;;) {
        ssize_t n = getline(&b->line, &b->cap, b->stream);
        if (n < 0 && ferror(b->stream))
            return error_set(err, ERROR_INVALID, "%s: %s", b->file, strerror(errno));
        line->number = ++b->number;
        line->n = 0;
        if (n < 0)
            return true;
        if (strlen(b->line) != (size_t) n)
            return error_set(err, ERROR_INVALID, "line %zu: holds a zero byte", b->number);
        b->line[strcspn(b->line, "\r\n")] = '\0';
        if (!batch_split(b->line, line, arena, err))
            return error_prefix(err, "line %zu", b->number);
        if (line->n)
            return true;
    }
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes one word from '*p' to 'out' and moves both on; 'out' ends behind the final 0. */
static bool
word_take(const char **p, char **out, struct error *err)
{
    char quote = 0;
    const char *in = *p;
    char *o = *out;
    for (; *in && (quote || !is_blank(*in)); in++) {
        bool escapes = *in == '\\' && quote != '\'' && (!quote || (in[1] && strchr("\"\\$`", in[1])));
        if (escapes) {
            if (!in[1])
                return error_set(err, ERROR_INVALID, "the line ends in '\\': a command is one line");
            *o++ = *++in;
        } else if (*in == quote) {
            quote = 0;
        } else if (!quote && (*in == '\'' || *in == '"')) {
            quote = *in;
        } else {
            *o++ = *in;
        }
    }
    if (quote)
        return error_set(err, ERROR_INVALID, "the quote %c is not closed", quote);
    *o++ = '\0';
    *p = in;
    *out = o;
    return true;
}

bool
batch_split(const char *text, struct batch_line *line, struct arena *arena, struct error *err)
{
    size_t length = strlen(text);
    char *out = arena_alloc(arena, 2 * length + 2);
    line->words = arena_alloc(arena, (length / 2 + 2) * sizeof *line->words);
    line->n = 0;
    for (;;) {
        while (is_blank(*text))
            text++;
        if (!*text || *text == '#')
            return true;
        line->words[line->n++] = out;
        if (!word_take(&text, &out, err))
            return false;
    }
}
