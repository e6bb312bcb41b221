/* Values of fields: from what a user gave, to what the API shows, and to and from the store. */
#ifndef VNET_MODEL_FIELD_VALUE_H
#define VNET_MODEL_FIELD_VALUE_H 1

#include "vnet/model/index.h"

/* Where names in values are looked up. */
struct field_context {
    const struct model *model;
    enum view view;
    uint32_t tenant; /* whose objects names refer to */
};

/* Sets a field of a new or cloned object to a user's value: native JSON or text; null is the default, else unset. Errors name the
 * field, the value and what would be right. */
bool field_give(const struct field_context *, struct object *, const struct field *, const json_t *value, struct error *) MUST_CHECK;
/* One key of a FIELD_UINT_MAP; null or "none" removes it. */
bool field_give_item(struct object *, const struct field *, const char *key, const json_t *value, struct error *) MUST_CHECK;
void field_set_default(struct object *, const struct field *);

/* All of it: an object (merged), text (replaces), null (clears). 'f' NULL: the tags. */
bool field_give_items(struct object *, const struct field *f, const json_t *value, struct error *) MUST_CHECK;
bool field_uint_parse(const json_t *, int64_t *); /* an integer, or text of digits */

/* The same for the tags every object has. */
bool tags_give(struct object *, const json_t *value, struct error *) MUST_CHECK;
bool tag_give(struct object *, const char *key, const json_t *value, struct error *) MUST_CHECK;

/* As the API shows it: a new reference. Stored and derived fields. */
json_t *field_json(const struct model *, const struct object *, const struct field *);
json_t *tags_json(const struct object *);

/* As the store keeps it: references as numbers. NULL: nothing to keep. */
json_t *field_to_store(const struct object *, const struct field *);
bool field_from_store(struct object *, const struct field *, const json_t *value, struct error *) MUST_CHECK;

/* The number of the object of the type that a user calls 'name'; 0 with *err. */
uint32_t field_ref_find(const struct field_context *, const struct field *, enum object_type, const char *name, struct error *) MUST_CHECK;
bool field_number_load(const struct field *, const json_t *value, uint32_t *number, struct error *) MUST_CHECK;

/* ---- FIELD_TARGET ---- */
bool target_give(const struct field_context *, const struct field *, const json_t *value, struct target_ref *, struct error *) MUST_CHECK;
bool target_from_store(const struct field *, const json_t *value, struct target_ref *, struct error *) MUST_CHECK;
json_t *target_to_store(const struct target_ref *);
json_t *target_json(const struct model *, const struct target_ref *);
json_t *target_words(const struct field *);     /* what may be given: array of "port:NAME", "igw", ... */
enum object_type target_type(enum target_kind); /* of what it refers to; OBJECT_NONE: nothing */

/* ---- FIELD_IP_RANGE, FIELD_PORT_RANGE ---- */
#define IP_RANGE_TEXT_MAX (2 * IP_STRLEN)
bool ip_range_give(const struct field *, const json_t *value, struct ip_range *, struct error *) MUST_CHECK;
bool port_range_give(const struct field *, const json_t *value, struct port_range *, struct error *) MUST_CHECK;
const char *ip_range_format(struct ip_range, char buf[IP_RANGE_TEXT_MAX]);
json_t *ip_range_json(const struct ip_range *);
json_t *port_range_json(const struct port_range *);

bool prefix_give(const struct field *, const json_t *value, struct ip_prefix *, struct error *) MUST_CHECK;

/* ---- FIELD_ENUM, FIELD_SECONDS ---- */
bool word_give(const struct field *, const json_t *value, unsigned *, struct error *) MUST_CHECK;
json_t *word_json(const struct field *, unsigned);
json_t *words_json(const struct field *); /* what may be given */
bool seconds_give(const struct field *, const json_t *value, uint32_t *ms, struct error *) MUST_CHECK;
json_t *seconds_json(const struct field *, uint32_t ms);

/* ---- FIELD_PORT, FIELD_PROTO, FIELD_MATCH_PROTO, FIELD_MATCH_PORTS ---- */
bool port_give(const struct field *, const json_t *value, uint16_t *, struct error *) MUST_CHECK;
bool proto_give(const struct field *, const json_t *value, uint8_t *, struct error *) MUST_CHECK;
json_t *proto_json(uint8_t);
bool match_proto_give(const struct field *, const json_t *value, int *proto, struct error *) MUST_CHECK;
json_t *match_proto_json(int proto);
/* The match has its protocol already: that says what its ports are. */
bool match_ports_give(const struct field *, const json_t *value, struct l4_match *, struct error *) MUST_CHECK;
json_t *match_ports_json(const struct l4_match *);

/* ---- FIELD_PEER ---- */
bool peer_give(const struct field_context *, struct object *, const struct field *, const json_t *value, struct error *) MUST_CHECK;
json_t *peer_json(const struct model *, const struct object *, const struct field *);
json_t *peer_to_store(const struct object *, const struct field *);
bool peer_from_store(struct object *, const struct field *, const json_t *value, struct error *) MUST_CHECK;

/* A value for an error message: text as it is, else JSON; cut to size. */
#define VALUE_SHOWN_MAX 100
const char *value_shown(const json_t *, char buf[VALUE_SHOWN_MAX]);

#endif
