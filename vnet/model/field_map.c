/* Columns of keys and values: tags and quotas. An object is merged key by key, null removes a key; text "K=V,K=V" is the whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "vnet/model/field_value.h"

/* Digits only; what does not fit is beyond any range. */
bool
field_uint_parse(const json_t *value, int64_t *n)
{
    const char *s = json_string_value(value);
    if (!s) {
        *n = json_integer_value(value);
        return json_is_integer(value);
    }
    if (!*s || strspn(s, "0123456789") != strlen(s))
        return false;
    errno = 0;
    *n = strtoll(s, NULL, 10);
    if (errno)
        *n = INT64_MAX;
    return true;
}

bool
field_give_item(struct object *o, const struct field *f, const char *key, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    int64_t n;
    if (json_is_null(value) || (s && !strcmp(s, "none"))) {
        uint_map_remove(field_of(o, f), key);
        return true;
    }
    if (!*key || strlen(key) > LIMIT_NAME)
        return error_set(err, ERROR_INVALID, "%s: key '%.100s' is not 1 to %d characters long", f->name, key, LIMIT_NAME);
    if (!field_uint_parse(value, &n) || n < f->min || n > f->max) {
        char shown[VALUE_SHOWN_MAX];
        return error_set(err, ERROR_INVALID, "%s: %s '%s' is no whole number from %u to %u", f->name, key, value_shown(value, shown),
                         f->min, f->max);
    }
    uint_map_set(field_of(o, f), key, n);
    return true;
}

bool
tag_give(struct object *o, const char *key, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    if (json_is_null(value)) {
        object_tag_set(o, key, NULL);
        return true;
    }
    if (!*key || strlen(key) > LIMIT_TAG_KEY)
        return error_set(err, ERROR_INVALID, "tags: key '%.100s' is not 1 to %d bytes long", key, LIMIT_TAG_KEY);
    if (!s || strlen(s) > LIMIT_TAG_VALUE) {
        char shown[VALUE_SHOWN_MAX];
        return error_set(err, ERROR_INVALID, "tags: value '%s' of '%.100s' is no text of at most %d bytes", value_shown(value, shown), key,
                         LIMIT_TAG_VALUE);
    }
    if (o->n_tags >= LIMIT_TAGS && !object_tag(o, key))
        return error_set(err, ERROR_INVALID, "tags: '%.100s' would be one more than %d tags", key, LIMIT_TAGS);
    object_tag_set(o, key, s);
    return true;
}

/* One key of the map 'f', or of the tags when 'f' is NULL. */
static bool
item_give(struct object *o, const struct field *f, const char *key, const json_t *value, struct error *err)
{
    return f ? field_give_item(o, f, key, value, err) : tag_give(o, key, value, err);
}

static void
items_clear(struct object *o, const struct field *f)
{
    if (f)
        field_clear(o, f);
    else
        object_tags_clear(o);
}

static bool
items_give_text(struct object *o, const struct field *f, const char *text, struct error *err)
{
    items_clear(o, f);
    while (*text) {
        size_t n = strcspn(text, ","), key_n = strcspn(text, "=");
        if (key_n >= n)
            return error_set(err, ERROR_INVALID, "%s '%.*s' is not KEY=VALUE", f ? f->name : "tags", (int) (n < 100 ? n : 100), text);
        char *key = mem_printf("%.*s", (int) key_n, text);
        json_t *value = json_stringn(text + key_n + 1, n - key_n - 1);
        bool ok = value ? item_give(o, f, key, value, err) : error_set(err, ERROR_INVALID, "'%s' is no UTF-8", key);
        json_decref(value);
        free(key);
        if (!ok)
            return false;
        text += n + (text[n] == ',');
    }
    return true;
}

bool
field_give_items(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *key;
    json_t *item;
    if (json_is_null(value)) {
        items_clear(o, f);
        return true;
    }
    if (json_is_string(value))
        return items_give_text(o, f, json_string_value(value), err);
    if (!json_is_object(value)) {
        char shown[VALUE_SHOWN_MAX];
        return error_set(err, ERROR_INVALID, "%s '%s' is neither an object nor text of KEY=VALUE", f ? f->name : "tags",
                         value_shown(value, shown));
    }
    json_object_foreach ((json_t *) value, key, item)
        if (!item_give(o, f, key, item, err))
            return false;
    return true;
}

bool
tags_give(struct object *o, const json_t *value, struct error *err)
{
    return field_give_items(o, NULL, value, err);
}
