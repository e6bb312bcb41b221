/* A word is COLUMN=VALUE if what stands before the first '=' looks like a column; no name, address or keyword contains '='.
 * A word that is an option, given after its command, is refused: taken for a name it would give a puzzling error. */
#include "tools/vnetctl/parse.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "tools/vnetctl/options.h"

size_t
words_to_separator(char *const *words, size_t n)
{
    size_t i = 0;
    while (i < n && strcmp(words[i], "--"))
        i++;
    return i;
}

/* Everything goes into JSON. */
static bool
words_check(char *const *words, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t length, at = 0; words[i][at]; at += length) {
            length = text_utf8_length(words[i] + at);
            if (!length)
                return error_set(err, ERROR_INVALID, "'%s' is not UTF-8 text", words[i]);
        }
    return true;
}

static bool
usage_error(const struct command *c, const char *why, struct arena *arena, struct error *err)
{
    return error_set(err, ERROR_INVALID, "%s: %s; usage: %s", c->name, why, command_usage(c, arena));
}

/* Takes the options before the command. Returns how many words they are. */
static bool
options_take(char *const *words, size_t n, unsigned *options, size_t *used, struct error *err)
{
    for (*used = 0; *used < n && words[*used][0] == '-'; ++*used) {
        const char *word = words[*used];
        unsigned bit = command_option(word);
        if (!bit && options_is_option(word))
            return error_set(err, ERROR_INVALID, "'%s' is for the whole invocation: it belongs before the first command", word);
        if (!bit)
            return error_set(err, ERROR_INVALID, "unknown command option '%s'; 'vnetctl --help' lists them", word);
        *options |= bit;
    }
    return true;
}

static bool
options_fit(const struct command *c, unsigned options, struct error *err)
{
    for (size_t i = 0; command_option_name(i); i++)
        if (options & ~c->options & 1u << i)
            return error_set(err, ERROR_INVALID, "%s: does not take --%s", c->name, command_option_name(i));
    if (options & (options - 1))
        return error_set(err, ERROR_INVALID, "%s: takes one option at a time", c->name);
    return true;
}

static bool
is_column_character(char c)
{
    return isalnum((unsigned char) c) || c == '_' || c == '-';
}

/* Splits COLUMN[:KEY]=VALUE; false if it is none. */
static bool
assignment_split(const char *word, struct arena *arena, struct assignment *a)
{
    size_t n = 0;
    while (is_column_character(word[n]))
        n++;
    const char *equals = strchr(word, '=');
    if (!n || !equals || (word[n] != '=' && word[n] != ':') || (word[n] == ':' && equals == word + n + 1))
        return false;

    char *copy = arena_strdup(arena, word);
    copy[n] = '\0';
    copy[equals - word] = '\0';
    *a = (struct assignment){ copy, word[n] == ':' ? copy + n + 1 : NULL, copy + (equals - word) + 1 };
    return true;
}

static bool
value_add(struct call *call, const struct assignment *a, struct arena *arena, struct error *err)
{
    const struct command *c = call->command;
    if (c->takes_values == VALUES_NONE)
        return usage_error(c, arena_printf(arena, "takes no COLUMN=VALUE ('%s=...')", a->column), arena, err);
    if (!strcmp(c->name, "set") && !strcmp(a->column, "name"))
        return usage_error(c, "a name cannot be changed", arena, err);
    if (call_argument(call, a->column))
        return usage_error(c, arena_printf(arena, "'%s' is given twice, as an argument and as '%s=%s'", a->column, a->column, a->value),
                           arena, err);
    for (size_t i = 0; c->takes_values != VALUES_FILTER && i < call->n_values; i++) {
        const struct assignment *b = &call->values[i];
        if (strcmp(a->column, b->column))
            continue;
        if (!a->key != !b->key || !a->key || !strcmp(a->key, b->key))
            return usage_error(c, arena_printf(arena, "'%s' is given twice", a->column), arena, err);
    }
    call->values[call->n_values++] = *a;
    return true;
}

static bool
argument_add(struct call *call, const char *word, struct arena *arena, struct error *err)
{
    const struct command *c = call->command;
    size_t n = 0;
    while (n < COMMAND_MAX_ARGUMENTS && c->arguments[n].placeholder)
        n++;
    bool takes_more = call->n_arguments < n || (n && c->arguments[n - 1].arity >= ARGUMENT_SOME);
    if (!takes_more)
        return usage_error(c, arena_printf(arena, "'%s' is one argument too many", word), arena, err);
    if (!*word)
        return usage_error(
            c, arena_printf(arena, "%s is empty", c->arguments[call->n_arguments < n ? call->n_arguments : n - 1].placeholder), arena, err);
    call->arguments[call->n_arguments++] = word;
    return true;
}

static bool
word_add(struct call *call, const char *word, struct arena *arena, struct error *err)
{
    struct assignment a;
    if (command_option(word) || options_is_option(word))
        return error_set(err, ERROR_INVALID, "%s: '%s' is an option: options come before the command", call->command->name, word);
    if (assignment_split(word, arena, &a))
        return value_add(call, &a, arena, err);
    return argument_add(call, word, arena, err);
}

static bool
call_is_complete(const struct call *call, struct arena *arena, struct error *err)
{
    const struct command *c = call->command;
    if (call->n_arguments < COMMAND_MAX_ARGUMENTS) {
        const struct argument *next = &c->arguments[call->n_arguments];
        if (next->placeholder && (next->arity == ARGUMENT_REQUIRED || next->arity == ARGUMENT_SOME))
            return usage_error(c, arena_printf(arena, "%s is missing", next->placeholder), arena, err);
    }
    if (c->takes_values == VALUES_REQUIRED && !call->n_values)
        return usage_error(c, "a value to give is missing", arena, err);
    return true;
}

bool
call_parse(struct call *call, char *const *words, size_t n, unsigned options, struct arena *arena, struct error *err)
{
    size_t used;
    *call = (struct call){ .options = options };
    if (!words_check(words, n, err) || !options_take(words, n, &call->options, &used, err))
        return false;
    words += used;
    n -= used;
    if (!n)
        return error_set(err, ERROR_INVALID, "a command is missing; 'vnetctl --help' lists them");
    call->command = command_find(words, n, &used, err);
    if (!call->command || !options_fit(call->command, call->options, err))
        return false;

    call->arguments = arena_alloc(arena, (n + 1) * sizeof *call->arguments);
    call->values = arena_alloc(arena, (n + 1) * sizeof *call->values);
    for (size_t i = used; i < n; i++)
        if (!word_add(call, words[i], arena, err))
            return false;
    return call_is_complete(call, arena, err);
}

const char *
call_argument(const struct call *call, const char *column)
{
    for (size_t i = 0; i < COMMAND_MAX_ARGUMENTS && call->command->arguments[i].placeholder && i < call->n_arguments; i++)
        if (!strcmp(call->command->arguments[i].column, column))
            return call->arguments[i];
    return NULL;
}

const char *
call_type(const struct call *call)
{
    return call->command->type ? call->command->type : call_argument(call, "type");
}
