/* Field tables: each object type is one table of fields, from which JSON in and out, validation messages, REST, vnetctl's
 * columns, the store and the manual's tables are derived. Adding a field is one row (and the struct's member). */
#ifndef VNET_MODEL_FIELD_H
#define VNET_MODEL_FIELD_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

struct model;
struct object;

/* What a field holds in its struct, and how it looks in JSON. */
enum field_kind {
    FIELD_STRING,      /* char *; NULL unset                      string */
    FIELD_BOOL,        /* bool                                    boolean */
    FIELD_UINT,        /* uint32_t, min..max of the row           integer */
    FIELD_MAC,         /* struct mac                              string */
    FIELD_IP,          /* struct ip; IP_NONE unset                string */
    FIELD_IP_LIST,     /* struct ip_list                          array of strings */
    FIELD_PREFIX,      /* struct ip_prefix                        string */
    FIELD_REF,         /* uint32_t number; 0 unset                string: the object's name (id if it has none) */
    FIELD_REF_LIST,    /* struct number_list                      array of strings */
    FIELD_TARGET,      /* struct target_ref; min: set of 1 << enum target_kind that may be given
                                                                           string: port:NAME, igw, blackhole, ... */
    FIELD_IP_RANGE,    /* struct ip_range; IP_NONE unset          string: IP-IP */
    FIELD_PORT_RANGE,  /* struct port_range; lo 0: unset          string: LO-HI */
    FIELD_UINT_MAP,    /* struct uint_map                         object of integers */
    FIELD_ENUM,        /* an enum 0..max, each with its word; without one: unset
                                                                           string */
    FIELD_SECONDS,     /* uint32_t, in milliseconds, min..max of the row
                                                                           number of seconds, at most three decimals */
    FIELD_TIME,        /* int64_t, milliseconds since 1970; 0 unset. Never given
                                                                           string: RFC 3339 */
    FIELD_PORT,        /* uint16_t; 0 unset                       integer */
    FIELD_PROTO,       /* uint8_t: L4_TCP or L4_UDP               string */
    FIELD_MATCH_PROTO, /* struct l4_match: its 'proto'            string: a word, or a number */
    FIELD_MATCH_PORTS, /* the same: 'lo' and 'hi'; a later row    string: N, N-M, TYPE/CODE or - */
    FIELD_PEER,        /* struct ip_prefix, or a group's number   string: a CIDR or sg:NAME */
    FIELD_RUNTIME      /* nothing stored: the controller fills it in when asked (see model_json.h) */
};

#define FIELD_REQUIRED 0x01   /* must be given to add */
#define FIELD_MUTABLE 0x02    /* 'set' may change it */
#define FIELD_READ_ONLY 0x04  /* never given by a user: allocated or derived */
#define FIELD_OWNER 0x08      /* FIELD_REF: this object goes when the referred one goes */
#define FIELD_ADMIN 0x10      /* only an admin may give it */
#define FIELD_NONE_WORD 0x20  /* lists: the word 'none' is the empty list given on purpose */
#define FIELD_ANY_TENANT 0x40 /* FIELD_REF: may name another tenant's object, e.g. a pool */
#define FIELD_AGENT 0x100     /* only a host's agent gives and changes it */
#define FIELD_ALWAYS 0x80     /* has a value even if none was given: allocated, or found */
#define FIELD_HIDDEN 0x200    /* stored, but nothing that a user sees or gives */
#define FIELD_NUMBER 0x400    /* FIELD_RUNTIME: a whole number */

struct field {
    const char *name;
    enum field_kind kind;
    unsigned flags;
    size_t offset;            /* in the type's struct */
    uint8_t ref_type;         /* FIELD_REF, FIELD_REF_LIST, FIELD_RUNTIME that names an object: enum object_type */
    uint32_t min, max;        /* FIELD_UINT; 0, where it is below min, is unset */
    const char *default_text; /* as a user would write it; NULL none */
    const char *help;         /* one line */
    size_t given_offset;      /* FIELD_NONE_WORD: a bool in the struct; false: 'none' */
    size_t peer_offset;       /* FIELD_PEER: the group's number in the struct */
    const char *const
        *words; /* FIELD_ENUM: by value 0..max, NULL: unset; FIELD_BOOL, if not NULL: for false and true; FIELD_RUNTIME likewise */
    /* Computed when shown, from what is committed; nothing is stored (then 'offset' is unused). */
    json_t *(*derive)(const struct model *, const struct object *);
    const char *writes; /* of a derived field that may be given to add: the stored field it is short for */
};

/* The row of every type that has flows. */
#define FIELD_ERROR                                                                                                   \
    {                                                                                                                 \
        .name = "error", .kind = FIELD_RUNTIME, .help = "what a host's switch refuses of it, so that it does without" \
    }

/* Is there a member of the struct for it? */
static inline bool
field_is_stored(const struct field *f)
{
    return f->kind != FIELD_RUNTIME && !f->derive;
}

#endif
