/* Operations of an OVSDB transaction as JSON. Called by what decides what is to be changed: configuration, zones, requests. */
#include "ofproto/ovsdb/ovsdb_ops.h"

json_t *
ovsdb_value_uuid(struct uuid uuid)
{
    char text[UUID_STRLEN];
    return json_pack("[s,s]", "uuid", uuid_format(uuid, text));
}

json_t *
ovsdb_value_new(const char *row)
{
    return json_pack("[s,s]", "named-uuid", row);
}

json_t *
ovsdb_value_map(const struct ovsdb_pair *pairs, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("[s,s]", pairs[i].key, pairs[i].value));
    return json_pack("[s,o]", "map", list);
}

json_t *
ovsdb_where_uuid(struct uuid uuid)
{
    return json_pack("[[s,s,o]]", "_uuid", "==", ovsdb_value_uuid(uuid));
}

json_t *
ovsdb_where_name(const char *name)
{
    return json_pack("[[s,s,s]]", "name", "==", name);
}

void
ovsdb_ops_insert(json_t *ops, enum ovsdb_table table, const char *row, json_t *take_values)
{
    json_array_append_new(
        ops, json_pack("{s:s, s:s, s:s, s:o}", "op", "insert", "table", ovsdb_table_name(table), "uuid-name", row, "row", take_values));
}

void
ovsdb_ops_update(json_t *ops, enum ovsdb_table table, json_t *take_where, json_t *take_values)
{
    json_array_append_new(
        ops, json_pack("{s:s, s:s, s:o, s:o}", "op", "update", "table", ovsdb_table_name(table), "where", take_where, "row", take_values));
}

void
ovsdb_ops_mutate(json_t *ops, enum ovsdb_table table, json_t *take_where, json_t *take_mutations)
{
    json_array_append_new(ops, json_pack("{s:s, s:s, s:o, s:o}", "op", "mutate", "table", ovsdb_table_name(table), "where", take_where,
                                         "mutations", take_mutations));
}

void
ovsdb_ops_require(json_t *ops, enum ovsdb_table table, const char *name)
{
    json_array_append_new(ops,
                          json_pack("{s:s, s:s, s:i, s:o, s:[s], s:s, s:[{s:s}]}", "op", "wait", "table", ovsdb_table_name(table),
                                    "timeout", 0, "where", ovsdb_where_name(name), "columns", "name", "until", "==", "rows", "name", name));
}

json_t *
ovsdb_mutation(const char *column, const char *mutator, json_t *take_value)
{
    return json_pack("[[s,s,o]]", column, mutator, take_value);
}

/* Inserting leaves a key alone that is there, so it is deleted first. */
json_t *
ovsdb_mutation_keys(const char *column, const struct ovsdb_pair *pairs, size_t n)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(keys, json_string(pairs[i].key));
    return json_pack("[[s,s,[s,o]],[s,s,o]]", column, "delete", "set", keys, column, "insert", ovsdb_value_map(pairs, n));
}
