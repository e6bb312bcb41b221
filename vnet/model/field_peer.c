/* Whom a rule lets through: addresses, or the members of a group.
 *
 *   users, API   10.0.0.0/16     sg:NAME
 *   store        "10.0.0.0/16"   {"sg":N} */
#include <string.h>

#include "vnet/model/field_value.h"

#define SG_WORD "sg:"

static uint32_t *
group_of(struct object *o, const struct field *f)
{
    return (uint32_t *) (void *) ((char *) o + f->peer_offset);
}

uint32_t
peer_group(const struct object *o, const struct field *f)
{
    return *(const uint32_t *) (const void *) ((const char *) o + f->peer_offset);
}

void
peer_clear(struct object *o, const struct field *f)
{
    memset(field_of(o, f), 0, sizeof(struct ip_prefix));
    *group_of(o, f) = 0;
}

bool
peer_equal(const struct object *a, const struct object *b, const struct field *f)
{
    return peer_group(a, f) == peer_group(b, f)
           && ip_prefix_equal(*(const struct ip_prefix *) field_in(a, f), *(const struct ip_prefix *) field_in(b, f));
}

bool
peer_give(const struct field_context *c, struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    const char *s = json_string_value(value);
    struct ip_prefix cidr = { .len = 0 };
    uint32_t group = 0;
    if (s && !strncmp(s, SG_WORD, strlen(SG_WORD)))
        group = field_ref_find(c, f, OBJECT_SG, s + strlen(SG_WORD), err);
    else if (!s || !strchr(s, '/')) {
        char shown[VALUE_SHOWN_MAX];
        return error_set(err, ERROR_INVALID, "%s '%s' is no peer; write a CIDR, e.g. 10.0.0.0/16, or sg:NAME", f->name,
                         value_shown(value, shown));
    } else if (!prefix_give(f, value, &cidr, err))
        return false;
    if (!group && cidr.ip.family == IP_NONE)
        return false;
    peer_clear(o, f);
    *(struct ip_prefix *) field_of(o, f) = cidr;
    *group_of(o, f) = group;
    return true;
}

json_t *
peer_json(const struct model *m, const struct object *o, const struct field *f)
{
    const struct ip_prefix *cidr = field_in(o, f);
    uint32_t number = peer_group(o, f);
    const struct object *group = number ? object_anywhere(m, number) : NULL;
    char label[OBJECT_LABEL_MAX], text[IP_PREFIX_STRLEN];
    if (group)
        return json_sprintf(SG_WORD "%s", object_label_write(m, group, label));
    return cidr->ip.family == IP_NONE ? json_null() : json_string(ip_prefix_format(*cidr, text));
}

json_t *
peer_to_store(const struct object *o, const struct field *f)
{
    uint32_t number = peer_group(o, f);
    return number ? json_pack("{s:I}", "sg", (json_int_t) number) : peer_json(NULL, o, f);
}

bool
peer_from_store(struct object *o, const struct field *f, const json_t *value, struct error *err)
{
    static const struct field_context nowhere = { 0 };
    const json_t *number = json_object_get(value, "sg");
    struct error why;
    peer_clear(o, f);
    if (number)
        return field_number_load(f, number, group_of(o, f), err);
    const char *s = json_string_value(value);
    if (!s || !strncmp(s, SG_WORD, strlen(SG_WORD)) || !peer_give(&nowhere, o, f, value, &why))
        return error_set(err, ERROR_INVALID, "field '%s' is no peer", f->name);
    return true;
}
