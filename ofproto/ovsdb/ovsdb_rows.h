/* A mirror of the rows of one host's database that matter to us: Open_vSwitch, Bridge, Port, Interface, Controller and
 * Manager, a few columns each, as compact values (no documents are kept; a hypervisor has thousands of interfaces). Pure.
 * ovsdb_update.c fills it; facts, configuration and bindings are derived from it.
 *
 * References are indexed both ways: what a row refers to (bridge -> ports), and who refers to a row (port -> bridge), whether
 * or not that row is there yet. Interface rows whose meaning may have changed are collected in 'dirty', those deleted included,
 * until ovsdb_bindings_update() has looked at them.
 * What a hostile host can make us hold is bounded by OVSDB_ROWS_BYTES_MAX. */
#ifndef OFPROTO_OVSDB_OVSDB_ROWS_H
#define OFPROTO_OVSDB_OVSDB_ROWS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/map.h"
#include "base/uuid.h"
#include "ofproto/ovsdb/ovsdb_zones.h"

#define OVSDB_ROWS_BYTES_MAX (64 << 20)
#define OVSDB_TEXT_MAX 4096    /* a longer value counts as absent */
#define OVSDB_PARENTS_MAX 64   /* rows that refer to one row; of ports and interfaces there should be one */
#define OVSDB_NO_INT INT64_MIN /* an optional integer that is absent */

enum ovsdb_table {
    OVSDB_ROOT, /* Open_vSwitch */
    OVSDB_BRIDGE,
    OVSDB_PORT,
    OVSDB_INTERFACE,
    OVSDB_CONTROLLER,
    OVSDB_MANAGER,
    OVSDB_N_TABLES
};
const char *ovsdb_table_name(enum ovsdb_table);

/* 'parent' refers to row 'child' of 'table', which may be absent. */
struct ovsdb_ref {
    struct map_node by_child;
    struct uuid child;
    struct ovsdb_row *parent;
    struct ovsdb_ref *next, *prev; /* of the same parent */
    uint8_t table;
    bool is_kept; /* while a whole set is replaced */
};

/* Every row begins with this. Texts: NULL is absent or empty. */
struct ovsdb_row {
    struct map_node by_uuid, by_name;
    struct uuid uuid;
    char *name;             /* a controller's or manager's target */
    struct ovsdb_ref *refs; /* those to ports last */
    struct ovsdb_row *next_dirty;
    uint8_t table;
    bool is_dirty, is_gone; /* interfaces only; gone: deleted, but still in 'dirty' */
};

enum ovsdb_root_key { /* of external_ids */
                      OVSDB_SYSTEM_ID,
                      OVSDB_ENCAP_IP,
                      OVSDB_ENCAP_TYPE,
                      OVSDB_MTU,
                      OVSDB_INTEGRATION_BRIDGE,
                      OVSDB_DATAPATH_TYPE,
                      OVSDB_UPLINKS,
                      OVSDB_GATEWAY,
                      OVSDB_N_ROOT_KEYS
};
struct ovsdb_root_row {
    struct ovsdb_row row;
    struct ovsdb_root_row *next; /* of rows->roots */
    char *ids[OVSDB_N_ROOT_KEYS];
};

enum { OVSDB_OPENFLOW15 = 1 << 5 };                                                      /* bit of 'protocols': OpenFlow10 is bit 0 */
enum ovsdb_bridge_key { OVSDB_DATAPATH_ID, OVSDB_DISABLE_IN_BAND, OVSDB_N_BRIDGE_KEYS }; /* of other_config */
struct ovsdb_bridge_row {
    struct ovsdb_row row;
    char *datapath_type, *fail_mode;
    char *config[OVSDB_N_BRIDGE_KEYS];
    char *vnet; /* external_ids:vnet */
    uint8_t protocols;
    struct ovsdb_zones zones; /* external_ids:vnet-zone-* */
};

struct ovsdb_port_row {
    struct ovsdb_row row;
    char *vnet, *vlan_mode;
    int64_t tag;
    bool is_ours; /* vnet is "1": in rows->ours */
    struct ovsdb_port_row *next_ours, *prev_ours;
};

enum ovsdb_interface_key { OVSDB_IFACE_ID, OVSDB_ATTACHED_MAC, OVSDB_VNET, OVSDB_N_INTERFACE_KEYS }; /* of external_ids */
enum ovsdb_option_key { OVSDB_REMOTE_IP, OVSDB_KEY, OVSDB_LOCAL_IP, OVSDB_DF_DEFAULT, OVSDB_PEER, OVSDB_N_OPTION_KEYS };
enum ovsdb_bfd_key { OVSDB_BFD_ENABLE, OVSDB_BFD_MIN_RX, OVSDB_BFD_MIN_TX, OVSDB_N_BFD_KEYS };
enum ovsdb_bfd_status_key { OVSDB_BFD_STATE, OVSDB_BFD_FLAPS, OVSDB_N_BFD_STATUS_KEYS };
enum ovsdb_status_key { OVSDB_EGRESS, OVSDB_EGRESS_CARRIER, OVSDB_DRIVER, OVSDB_N_STATUS_KEYS };
struct ovsdb_interface_row {
    struct ovsdb_row row;
    char *type, *error;
    char *ids[OVSDB_N_INTERFACE_KEYS];
    char *options[OVSDB_N_OPTION_KEYS];
    char *bfd[OVSDB_N_BFD_KEYS];
    char *bfd_status[OVSDB_N_BFD_STATUS_KEYS];
    char *status[OVSDB_N_STATUS_KEYS];
    char *admin_state, *link_state;
    int64_t ofport, mtu;
    bool is_card;                  /* it was one when it was last looked at (ovsdb_cards.h) */
    struct ovsdb_binding *binding; /* ovsdb_bindings.c's, as are the links to others with the same iface-id */
    struct ovsdb_interface_row *next_same, *prev_same;
};

/* Controller and Manager. */
struct ovsdb_remote_row {
    struct ovsdb_row row;
    char *connection_mode;
    int64_t max_backoff, inactivity_probe;
    bool is_connected; /* managers only */
};

struct ovsdb_rows {
    struct map by_uuid, by_name, by_child;
    uint32_t basis; /* of hashes, so that a host cannot choose rows that collide */
    size_t n_bytes;
    struct ovsdb_root_row *roots; /* one, except for a moment while it is replaced */
    struct ovsdb_port_row *ours;
    struct ovsdb_row *dirty;
    uint64_t n_card_changes; /* how often something may have changed of a network card, or of where it is */
};

void ovsdb_rows_init(struct ovsdb_rows *, uint32_t basis);
void ovsdb_rows_done(struct ovsdb_rows *);

struct ovsdb_row *ovsdb_rows_find(const struct ovsdb_rows *, enum ovsdb_table, struct uuid); /* or NULL */
struct ovsdb_row *ovsdb_rows_named(const struct ovsdb_rows *, enum ovsdb_table, const char *name);
const struct ovsdb_root_row *ovsdb_rows_root(const struct ovsdb_rows *); /* or NULL */

/* The next reference to a row, after 'previous' (NULL: the first). */
const struct ovsdb_ref *ovsdb_rows_parent(const struct ovsdb_rows *, struct uuid child, const struct ovsdb_ref *previous);
struct ovsdb_ref *ovsdb_rows_ref(const struct ovsdb_rows *, const struct ovsdb_row *parent, struct uuid child);
bool ovsdb_rows_interface_is_on(const struct ovsdb_rows *, const struct ovsdb_interface_row *, const char *bridge);
/* The port on the bridge that has an interface with this iface-id (UUIDs are compared as such); NULL: none. Looks at all of the bridge's. */
const struct ovsdb_row *ovsdb_rows_port_with(const struct ovsdb_rows *, const char *bridge, const char *iface_id);
bool ovsdb_rows_ofport_is_taken(const struct ovsdb_rows *, const char *bridge, uint32_t ofport);
uint32_t ovsdb_interface_ofport(const struct ovsdb_interface_row *); /* 0: none, or not a port's number: 65534 is the bridge itself */
int ovsdb_uuid_compare(struct uuid, struct uuid);

/* For ovsdb_update.c. A new row has every column at its default. */
struct ovsdb_row *ovsdb_rows_add(struct ovsdb_rows *, enum ovsdb_table, struct uuid);
void ovsdb_rows_remove(struct ovsdb_rows *, struct ovsdb_row *);
bool ovsdb_rows_refer(struct ovsdb_rows *, struct ovsdb_row *parent, enum ovsdb_table, struct uuid child, struct error *) MUST_CHECK;
void ovsdb_rows_unrefer(struct ovsdb_rows *, struct ovsdb_ref *);
void ovsdb_rows_set_text(struct ovsdb_rows *, char **field, const char *value);
void ovsdb_rows_set_name(struct ovsdb_rows *, struct ovsdb_row *, const char *name);
void ovsdb_rows_changed(struct ovsdb_rows *, struct ovsdb_row *); /* some column of it was set */

/* For ovsdb_bindings.c: interfaces to look at, one by one, and making every interface so. */
struct ovsdb_row *ovsdb_rows_take_dirty(struct ovsdb_rows *);     /* NULL: no more; release it if it is gone */
void ovsdb_rows_release(struct ovsdb_rows *, struct ovsdb_row *); /* frees a row that is gone */
void ovsdb_rows_touch_all(struct ovsdb_rows *);

#endif
