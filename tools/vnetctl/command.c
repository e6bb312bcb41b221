/* Looking up commands. A word that is no command is answered with those it may have been meant for: the nearest by edits, those
 * that begin with it, and the same words in the other order ('add-port'). */
#include "tools/vnetctl/command.h"

#include <stdio.h>
#include <string.h>

static const struct command_group groups[] = {
    { "Tenants", tenant_commands },
    { "Networks and ports", network_commands },
    { "Routing", route_commands },
    { "Public addresses", public_commands },
    { "Security groups", sg_commands },
    { "Load balancers", lb_commands },
    { "Any type of object", generic_commands },
    { "What the network does", insight_commands },
    { "Virtual machines", instance_commands },
    { "Certificates (no daemon needed)", pki_commands },
};

static const char *const option_names[] = { "may-exist", "if-exists", "move", "unused", "shadowed" };

#define N_ELEMENTS(A) (sizeof(A) / sizeof *(A))
#define SUGGESTIONS 4
#define WORD_MAX 32 /* longer words resemble no command */

const struct command_group *
command_group(size_t i)
{
    return i < N_ELEMENTS(groups) ? &groups[i] : NULL;
}

const char *
command_option_name(size_t i)
{
    return i < N_ELEMENTS(option_names) ? option_names[i] : NULL;
}

unsigned
command_option(const char *word)
{
    for (size_t i = 0; !strncmp(word, "--", 2) && i < N_ELEMENTS(option_names); i++)
        if (!strcmp(word + 2, option_names[i]))
            return 1u << i;
    return 0;
}

/* How many of the words 'name' takes up; 0 if it does not begin with them. */
static size_t
name_matches(const char *name, char *const *words, size_t n)
{
    if (!strcmp(name, words[0]))
        return 1;
    size_t first = strcspn(name, " ");
    if (n < 2 || !name[first] || strlen(words[0]) != first || strncmp(name, words[0], first))
        return 0;
    return strcmp(name + first + 1, words[1]) ? 0 : 2;
}

/* Number of edits (insert, delete, replace, swap neighbours) from 'a' to 'b', both shorter than WORD_MAX. */
static size_t
edit_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], n = strlen(b);
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= n; j++)
        last[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[n];
}

/* "add-port" is as good as "port-add". */
static bool
is_swapped(const char *word, const char *name)
{
    char swapped[WORD_MAX + 1];
    const char *dash = strchr(word, '-');
    if (!dash)
        return false;
    snprintf(swapped, sizeof swapped, "%s-%.*s", dash + 1, (int) (dash - word), word);
    return !strcmp(swapped, name);
}

/* Small is near; beyond the limit it is no suggestion. */
static size_t
name_distance(const char *word, const char *name)
{
    if (is_swapped(word, name))
        return 0;
    if (!strncmp(name, word, strlen(word)))
        return 1;
    return edit_distance(word, name);
}

static void
suggestion_insert(const struct command *c, size_t distance, const struct command **best, size_t *distances)
{
    size_t i = SUGGESTIONS;
    while (i && distance < distances[i - 1])
        i--;
    if (i == SUGGESTIONS)
        return;
    memmove(best + i + 1, best + i, (SUGGESTIONS - i - 1) * sizeof *best);
    memmove(distances + i + 1, distances + i, (SUGGESTIONS - i - 1) * sizeof *distances);
    best[i] = c;
    distances[i] = distance;
}

static void
suggest(const char *word, struct error *err)
{
    const struct command *best[SUGGESTIONS] = { NULL };
    size_t distances[SUGGESTIONS], limit = strlen(word) / 3 + 1;
    for (size_t i = 0; i < SUGGESTIONS; i++)
        distances[i] = limit + 1;
    for (size_t i = 0; strlen(word) < WORD_MAX && i < N_ELEMENTS(groups); i++)
        for (const struct command *c = groups[i].commands; c->name; c++)
            suggestion_insert(c, name_distance(word, c->name), best, distances);

    char list[SUGGESTIONS * (WORD_MAX + 4)] = "";
    for (size_t i = 0; i < SUGGESTIONS && best[i]; i++) {
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s'%s'", i ? ", " : "", best[i]->name);
    }
    if (*list)
        error_set(err, ERROR_INVALID, "unknown command '%s'; near it: %s", word, list);
    else
        error_set(err, ERROR_INVALID, "unknown command '%s'; 'vnetctl --help' lists them", word);
}

/* Are there commands of two words that begin with this one? */
static bool
is_first_word(const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        for (const struct command *c = groups[i].commands; c->name; c++)
            if (!strncmp(c->name, word, n) && c->name[n] == ' ')
                return true;
    return false;
}

const struct command *
command_find(char *const *words, size_t n, size_t *used, struct error *err)
{
    for (size_t i = 0; i < N_ELEMENTS(groups); i++)
        for (const struct command *c = groups[i].commands; c->name; c++) {
            *used = name_matches(c->name, words, n);
            if (*used)
                return c;
        }
    char two[2 * WORD_MAX];
    snprintf(two, sizeof two, "%s %s", words[0], n > 1 ? words[1] : "");
    suggest(n > 1 && is_first_word(words[0]) ? two : words[0], err);
    return NULL;
}

char *
command_usage(const struct command *c, struct arena *arena)
{
    char *usage = arena_strdup(arena, ""), *sep = "[";
    for (size_t i = 0; i < N_ELEMENTS(option_names); i++)
        if (c->options & 1u << i) {
            usage = arena_printf(arena, "%s%s--%s", usage, sep, option_names[i]);
            sep = "|";
        }
    usage = arena_printf(arena, "%s%s%s", usage, c->options ? "] " : "", c->name);
    for (size_t i = 0; i < COMMAND_MAX_ARGUMENTS && c->arguments[i].placeholder; i++) {
        const struct argument *a = &c->arguments[i];
        const char *open = a->arity == ARGUMENT_OPTIONAL || a->arity == ARGUMENT_ANY ? "[" : "";
        const char *close = *open ? "]" : "", *more = a->arity >= ARGUMENT_SOME ? "..." : "";
        usage = arena_printf(arena, "%s %s%s%s%s", usage, open, a->placeholder, close, more);
    }
    return c->values ? arena_printf(arena, "%s %s", usage, c->values) : usage;
}
