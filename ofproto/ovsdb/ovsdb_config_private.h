/* Shared by the files ovsdb_config*.c: one comparison under way. */
#ifndef OFPROTO_OVSDB_OVSDB_CONFIG_PRIVATE_H
#define OFPROTO_OVSDB_OVSDB_CONFIG_PRIVATE_H 1

#include "ofproto/ovsdb/ovsdb_config.h"
#include "ofproto/ovsdb/ovsdb_ops.h"

#define CONFIG_ROW_NAME 16

struct config_work {
    const struct ovsdb_rows *rows;
    const struct ovsdb_facts *facts;
    const struct ovsdb_wanted *wanted;
    const char *local_ip;
    struct ovsdb_config *config;
    const struct ovsdb_bridge_row *bridge; /* the integration bridge; NULL: this transaction creates it */
    char dpid[17];
    unsigned n_inserted;
};

extern const struct ovsdb_pair config_vnet_pair; /* external_ids of what is ours */

/* The first complaint is kept. */
void config_complain(struct config_work *, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *config_row_name(struct config_work *, char name[CONFIG_ROW_NAME]); /* a fresh one; returns 'name' */
bool config_same(const char *, const char *);                                  /* NULL and "" are the same */

/* Inserts an interface and, as 'port_row', its port, both named 'name' and marked as ours. */
void config_port_insert(struct config_work *, const char *name, json_t *take_interface, const char *port_row);
void config_ports_compare(struct config_work *);

#endif
