/* Fields as the API shows them: native JSON, references as names, unset null. */
#include <stdlib.h>

#include "vnet/model/field_value.h"

static json_t *
string_json(const char *s)
{
    return s ? json_string(s) : json_null();
}

static json_t *
uint_json(uint32_t n, const struct field *f)
{
    return n || !f->min ? json_integer(n) : json_null();
}

static json_t *
ip_json(struct ip ip)
{
    char text[IP_STRLEN];
    return ip.family == IP_NONE ? json_null() : json_string(ip_format(ip, text));
}

static json_t *
ip_list_json(const struct ip_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, ip_json(list->v[i]));
    return array;
}

static json_t *
prefix_json(struct ip_prefix p)
{
    char text[IP_PREFIX_STRLEN];
    return p.ip.family == IP_NONE ? json_null() : json_string(ip_prefix_format(p, text));
}

static json_t *
mac_json(struct mac mac)
{
    char text[MAC_STRLEN];
    return mac_is_zero(mac) ? json_null() : json_string(mac_format(mac, text));
}

static json_t *
ref_json(const struct model *m, uint32_t number)
{
    const struct object *o = number ? object_anywhere(m, number) : NULL;
    if (!o || o->name)
        return string_json(o ? o->name : NULL);
    char label[OBJECT_LABEL_MAX];
    return json_string(object_label_write(m, o, label));
}

static json_t *
ref_list_json(const struct model *m, const struct number_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, ref_json(m, list->v[i]));
    return array;
}

static json_t *
uint_map_json(const struct uint_map *map)
{
    json_t *object = json_object();
    for (size_t i = 0; i < map->n; i++)
        json_object_set_new(object, map->v[i].key, json_integer(map->v[i].value));
    return object;
}

json_t *
tags_json(const struct object *o)
{
    json_t *object = json_object();
    for (size_t i = 0; i < o->n_tags; i++)
        json_object_set_new(object, o->tags[i].key, json_string(o->tags[i].value));
    return object;
}

json_t *
field_json(const struct model *m, const struct object *o, const struct field *f)
{
    if (f->derive)
        return f->derive(m, o);

    const void *p = field_in(o, f);
    switch (f->kind) {
    case FIELD_STRING: return string_json(*(char *const *) p);
    case FIELD_BOOL: return f->words ? word_json(f, *(const bool *) p) : json_boolean(*(const bool *) p);
    case FIELD_UINT: return uint_json(*(const uint32_t *) p, f);
    case FIELD_MAC: return mac_json(*(const struct mac *) p);
    case FIELD_IP: return ip_json(*(const struct ip *) p);
    case FIELD_IP_LIST: return ip_list_json(p);
    case FIELD_PREFIX: return prefix_json(*(const struct ip_prefix *) p);
    case FIELD_REF: return ref_json(m, *(const uint32_t *) p);
    case FIELD_REF_LIST: return ref_list_json(m, p);
    case FIELD_TARGET: return target_json(m, p);
    case FIELD_IP_RANGE: return ip_range_json(p);
    case FIELD_PORT_RANGE: return port_range_json(p);
    case FIELD_UINT_MAP: return uint_map_json(p);
    case FIELD_ENUM: return word_json(f, *(const unsigned *) p);
    case FIELD_SECONDS: return seconds_json(f, *(const uint32_t *) p);
    case FIELD_TIME: return json_time(*(const int64_t *) p);
    case FIELD_PORT: return *(const uint16_t *) p ? json_integer(*(const uint16_t *) p) : json_null();
    case FIELD_PROTO: return proto_json(*(const uint8_t *) p);
    case FIELD_MATCH_PROTO: return match_proto_json(((const struct l4_match *) p)->proto);
    case FIELD_MATCH_PORTS: return match_ports_json(p);
    case FIELD_PEER: return peer_json(m, o, f);
    case FIELD_RUNTIME: break;
    }
    return json_null();
}
