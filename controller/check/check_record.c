#include "controller/check/check_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
check_record_write(const struct check *c, char text[CHECK_RECORD_MAX])
{
    if (!c->n_changes)
        return false;
    int n = snprintf(text, CHECK_RECORD_MAX, "%s", check_end_word(c->reason));
    for (unsigned i = 0; i < c->n_changes; i++)
        n += snprintf(text + n, CHECK_RECORD_MAX - (size_t) n, ";%s,%s,%lld", target_state_word(c->changes[i].state),
                      check_end_word(c->changes[i].reason), (long long) c->changes[i].at_ms);
    return true;
}

/* ---- back ---- */

/* Takes what comes before 'end' (or the text's own end) off the text. */
static bool
take(const char **text, char end, char word[32])
{
    size_t n = strcspn(*text, ",;");
    if (n >= 32 || (*text)[n] != end)
        return false;
    memcpy(word, *text, n);
    word[n] = '\0';
    *text += n + (end != '\0');
    return true;
}

static bool
state_read(const char *word, enum target_state *state)
{
    for (*state = TARGET_INITIAL; *state <= TARGET_UNHEALTHY; ++*state)
        if (!strcmp(word, target_state_word(*state)))
            return true;
    return false;
}

static bool
end_read(const char *word, enum check_end *end)
{
    for (*end = CHECK_ALIVE; *end <= CHECK_UNREACHABLE; ++*end)
        if (!strcmp(word, check_end_word(*end)))
            return true;
    return false;
}

static bool
time_read(const char *word, int64_t *ms)
{
    size_t n = strlen(word);
    *ms = atoll(word);
    return n && n < 16 && strspn(word, "0123456789") == n;
}

static bool
change_read(const char **text, struct check_change *change)
{
    char state[32], reason[32], ms[32];
    bool is_last = !strchr(*text, ';');
    return take(text, ',', state) && take(text, ',', reason) && take(text, is_last ? '\0' : ';', ms) && state_read(state, &change->state)
           && end_read(reason, &change->reason) && time_read(ms, &change->at_ms) && !(is_last && **text);
}

bool
check_record_read(struct check *c, const char *text)
{
    char reason[32];
    struct check got = { .n_changes = 0 };
    if (!take(&text, ';', reason) || !end_read(reason, &got.reason))
        return false;
    do {
        if (got.n_changes == CHECK_CHANGES || !change_read(&text, &got.changes[got.n_changes]))
            return false;
        got.n_changes++;
    } while (text[-1] == ';');
    got.state = got.changes[0].state;
    *c = got;
    return true;
}
