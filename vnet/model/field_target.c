/* Targets: what a route leads to, or what an elastic IP is attached to. One table of words says what users write, what the API shows and
 * what the store keeps; which of them a field may have is said by its row.
 *
 *   users, API   port:NAME   igw          natgw:NAME   lb:NAME   blackhole   none (null)
 *   store        {"port":N}  {"igw":N}    {"natgw":N}  {"lb":N}  "blackhole" not kept
 *
 * Which internet gateway 'igw' is follows from the object it is given to: its type's 'complete' fills in the number. */
#include <stdio.h>
#include <string.h>

#include "vnet/model/field_value.h"

static const struct target_word {
    enum target_kind kind;
    const char *word;
    enum object_type type; /* OBJECT_NONE: refers to nothing */
    bool has_name;         /* WORD:NAME */
} targets[] = {
    /* in the order users are told */
    { TARGET_PORT, "port", OBJECT_PORT, true },
    { TARGET_IGW, "igw", OBJECT_IGW, false },
    { TARGET_NATGW, "natgw", OBJECT_NATGW, true },
    { TARGET_LB, "lb", OBJECT_LB, true },
    { TARGET_BLACKHOLE, "blackhole", OBJECT_NONE, false },
    { TARGET_NONE, "none", OBJECT_NONE, false },
};
#define N_TARGETS (sizeof targets / sizeof targets[0])

static const struct target_word *
target_by_kind(enum target_kind kind)
{
    size_t i = 0;
    while (i + 1 < N_TARGETS && targets[i].kind != kind)
        i++;
    return &targets[i];
}

enum object_type
target_type(enum target_kind kind)
{
    return target_by_kind(kind)->type;
}

static bool
is_allowed(const struct field *f, const struct target_word *target)
{
    return f->min & 1u << target->kind;
}

/* ---- what users write ---- */
/* The row that the text begins with; '*name' is what follows the colon. */
static const struct target_word *
target_by_text(const struct field *f, const char *text, const char **name)
{
    size_t n = strcspn(text, ":");
    for (size_t i = 0; i < N_TARGETS; i++) {
        const struct target_word *target = &targets[i];
        if (!is_allowed(f, target) || strlen(target->word) != n || memcmp(target->word, text, n))
            continue;
        *name = text[n] ? text + n + 1 : NULL;
        return target->has_name == (text[n] != '\0') ? target : NULL;
    }
    return NULL;
}

static bool
refuse_target(const struct field *f, const json_t *value, struct error *err)
{
    char shown[VALUE_SHOWN_MAX], words[100] = "";
    size_t n = 0, left = __builtin_popcount(f->min);
    for (size_t i = 0; i < N_TARGETS; i++)
        if (is_allowed(f, &targets[i]))
            n += snprintf(words + n, sizeof words - n, "%s%s%s", targets[i].word, targets[i].has_name ? ":NAME" : "",
                          --left > 1 ? ", "
                          : left     ? " or "
                                     : "");
    return error_set(err, ERROR_INVALID, "%s '%s' is no known target; write %s", f->name, value_shown(value, shown), words);
}

bool
target_give(const struct field_context *c, const struct field *f, const json_t *value, struct target_ref *t, struct error *err)
{
    const char *s = json_string_value(value), *name = NULL;
    const struct target_word *target = s ? target_by_text(f, s, &name) : NULL;
    if (!target)
        return refuse_target(f, value, err);
    uint32_t number = name ? field_ref_find(c, f, target->type, name, err) : 0;
    if (name && !number)
        return false;
    *t = (struct target_ref){ target->kind, number };
    return true;
}

/* ---- what the API shows ---- */
json_t *
target_json(const struct model *m, const struct target_ref *t)
{
    const struct target_word *target = target_by_kind(t->kind);
    const struct object *o = target->has_name ? object_anywhere(m, t->number) : NULL;
    char label[OBJECT_LABEL_MAX];
    if (t->kind == TARGET_NONE || (target->has_name && !o))
        return json_null();
    return o ? json_sprintf("%s:%s", target->word, object_label_write(m, o, label)) : json_string(target->word);
}

json_t *
target_words(const struct field *f)
{
    json_t *words = json_array();
    for (size_t i = 0; i < N_TARGETS; i++)
        if (is_allowed(f, &targets[i]))
            json_array_append_new(words, json_sprintf("%s%s", targets[i].word, targets[i].has_name ? ":NAME" : ""));
    return words;
}

/* ---- the store ---- */
json_t *
target_to_store(const struct target_ref *t)
{
    const struct target_word *target = target_by_kind(t->kind);
    return target->type ? json_pack("{s:I}", target->word, (json_int_t) t->number) : json_string(target->word);
}

bool
target_from_store(const struct field *f, const json_t *value, struct target_ref *t, struct error *err)
{
    const char *word = json_string_value(value);
    for (size_t i = 0; i < N_TARGETS; i++) {
        const struct target_word *target = &targets[i];
        const json_t *number = json_object_get(value, target->word);
        if (!is_allowed(f, target) || target->kind == TARGET_NONE)
            continue;
        if (target->type ? !number : !word || strcmp(word, target->word))
            continue;
        t->kind = target->kind;
        return !target->type || field_number_load(f, number, &t->number, err);
    }
    return error_set(err, ERROR_INVALID, "field '%s' is no target", f->name);
}
