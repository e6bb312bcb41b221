/* Fields as the store keeps them: as the API shows them, but references are numbers. Loading trusts nothing: a damaged document is an
 * error, never a guess. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "vnet/model/field_value.h"

static bool
is_unset(const struct object *o, const struct field *f)
{
    const void *p = field_in(o, f);
    switch (f->kind) {
    case FIELD_STRING: return !*(char *const *) p;
    case FIELD_UINT:
    case FIELD_SECONDS: return !*(const uint32_t *) p && f->min;
    case FIELD_ENUM: return !f->words[*(const unsigned *) p];
    case FIELD_TIME: return !*(const int64_t *) p;
    case FIELD_PORT: return !*(const uint16_t *) p;
    case FIELD_IP: return ((const struct ip *) p)->family == IP_NONE;
    case FIELD_IP_LIST: return !((const struct ip_list *) p)->n;
    case FIELD_REF: return !*(const uint32_t *) p;
    case FIELD_REF_LIST: return !((const struct number_list *) p)->n && !(f->flags & FIELD_NONE_WORD && !field_is_given(o, f));
    case FIELD_TARGET: return ((const struct target_ref *) p)->kind == TARGET_NONE;
    case FIELD_IP_RANGE: return ((const struct ip_range *) p)->first.family == IP_NONE;
    case FIELD_PORT_RANGE: return !((const struct port_range *) p)->lo;
    case FIELD_UINT_MAP: return !((const struct uint_map *) p)->n;
    default: return false;
    }
}

static json_t *
numbers_to_store(const struct object *o, const struct field *f)
{
    const struct number_list *list = field_in(o, f);
    if (f->flags & FIELD_NONE_WORD && !field_is_given(o, f))
        return json_string("none");
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_integer(list->v[i]));
    return array;
}

json_t *
field_to_store(const struct object *o, const struct field *f)
{
    if (!field_is_stored(f) || is_unset(o, f))
        return NULL;
    if (f->kind == FIELD_REF)
        return json_integer(*(const uint32_t *) field_in(o, f));
    if (f->kind == FIELD_REF_LIST)
        return numbers_to_store(o, f);
    if (f->kind == FIELD_TIME)
        return json_integer(*(const int64_t *) field_in(o, f));
    if (f->kind == FIELD_TARGET)
        return target_to_store(field_in(o, f));
    if (f->kind == FIELD_PEER)
        return peer_to_store(o, f);
    return field_json(NULL, o, f);
}

/* ---- back ---- */
bool
field_number_load(const struct field *f, const json_t *value, uint32_t *number, struct error *err)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 1 || n > UINT32_MAX)
        return error_set(err, ERROR_INVALID, "field '%s' is no object's number", f->name);
    *number = n;
    return true;
}

static bool
time_load(const struct field *f, const json_t *value, int64_t *ms, struct error *err)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 1)
        return error_set(err, ERROR_INVALID, "field '%s' is no time in milliseconds", f->name);
    *ms = n;
    return true;
}

static bool
numbers_load(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *word = json_string_value(value);
    if (word && !strcmp(word, "none") && f->flags & FIELD_NONE_WORD) {
        field_set_given(o, f, false);
        return true;
    }
    size_t n = json_array_size(value);
    if (!n || n > LIMIT_LIST)
        return error_set(err, ERROR_INVALID, "field '%s' is no list of 1 to %d numbers", f->name, LIMIT_LIST);

    struct number_list *list = field_of(o, f);
    list->v = mem_alloc(n * sizeof *list->v);
    for (size_t i = 0; i < n; i++, list->n++) {
        if (!field_number_load(f, json_array_get(value, i), &list->v[i], err))
            return false;
        if (i && list->v[i] <= list->v[i - 1])
            return error_set(err, ERROR_INVALID, "field '%s' is not in rising order", f->name);
    }
    return true;
}

bool
field_from_store(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    static const struct field_context nowhere = { 0 };
    if (f->kind == FIELD_REF)
        return field_number_load(f, value, field_of(o, f), err);
    if (f->kind == FIELD_REF_LIST)
        return numbers_load(o, f, value, err);
    if (f->kind == FIELD_TIME)
        return time_load(f, value, field_of(o, f), err);
    if (f->kind == FIELD_TARGET)
        return target_from_store(f, value, field_of(o, f), err);
    if (f->kind == FIELD_PEER)
        return peer_from_store(o, f, value, err);

    struct error why;
    if (json_is_null(value) || !field_give(&nowhere, o, f, value, &why))
        return error_set(err, ERROR_INVALID, "field '%s': %s", f->name, json_is_null(value) ? "is null" : why.text);
    return true;
}
